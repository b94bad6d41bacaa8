"""Why an address is not published, in words that the next plans and the last hop go by."""

from outlast.traffic.content import Content
from outlast.traffic.guards import UNCONFIGURED
from outlast.traffic.plan import MAX_WITHHELD, Entry, Withheld
from outlast.traffic.ports import Record

UNHEALTHY = "unhealthy: "
"""How the reason of a target that left for health begins; velocity counts these."""
EVACUATED = "evacuated: "
"""How the reason of a target begins that left with its region."""
STANDBY = "standby: "
"""How the reason of a name begins that is fit while another is published."""


def explain(
    content: Content, out: dict[str, str], *, previous: Entry | None, records: tuple[Record, ...], wall: int
) -> tuple[Withheld, ...]:
    """The addresses that are not in `content`, each with its reason; `out` has those of what is configured."""
    if not out and not records and previous is None:
        return ()
    # Every address that was ever promised and is not any more keeps its explanation: the last hop asks for it.
    before = {item.address: item for item in previous.withheld} if previous is not None else {}
    known = dict.fromkeys(before)
    known |= dict.fromkeys(previous.content.targets if previous is not None else ())
    for record in records:
        known |= dict.fromkeys(record.content.targets)
    reasons = dict.fromkeys(known, UNCONFIGURED) | out
    published = set(content.targets)
    items = [_dated(a, reason, before.get(a), wall) for a, reason in reasons.items() if a not in published]
    # What a record still names stays longest: the last hop asks about nothing else.
    recorded = {address for record in records for address in record.content.targets}
    items.sort(key=lambda item: (item.reason == UNCONFIGURED, item.address not in recorded, -item.since, item.address))
    return tuple(sorted(items[:MAX_WITHHELD]))


def _dated(address: str, reason: str, before: Withheld | None, wall: int) -> Withheld:
    # The kind of reason dates it, not its wording: "timeout" after "refused" is no new departure.
    same = before is not None and kind_of(before.reason) == kind_of(reason)
    return before._replace(reason=reason) if before is not None and same else Withheld(address, reason, wall)


def kind_of(reason: str) -> str:
    """What kind of reason it is; the wording behind the colon may change with every probe."""
    return reason.split(":", maxsplit=1)[0]
