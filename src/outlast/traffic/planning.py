"""From signals to the entries of a plan. Pure: the same inputs give the same plan.

Per endpoint, in this order, each rule with its reason in `withheld`:

1. A target is in or out by its freshest signals; without one it stays as the last plan had it. Nothing is decided on
   missing evidence. Without a previous plan every configured target is in.
2. A newcomer soaks: it must have been healthy for `soak` seconds. What the last plan published is no newcomer.
3. Fail open within a region: strictly below `fail_open_below`, all of its targets that ever worked stay (gdnsd). It
   looks at health alone, before velocity holds anything back: otherwise each window would end in a swing.
4. Velocity: only so much capacity may leave for health within a window; the rest stays until the window has passed.
5. Floors: no address family and no endpoint below its minimum; what ever worked is brought back first, then anything.
"""

from collections.abc import Iterable
from typing import NamedTuple

from outlast.health.signal import Signal, Verdict
from outlast.traffic.content import Content, family_of
from outlast.traffic.guards import UNCONFIGURED
from outlast.traffic.plan import MAX_WITHHELD, Entry, Withheld
from outlast.traffic.ports import Record
from outlast.traffic.topology import Endpoint, Target

SECOND = 1_000_000_000
UNHEALTHY = "unhealthy: "
"""How the reason of a target that left for health begins; velocity counts these."""


class Evidence(NamedTuple):
    """What the signals, taken together, say of one target."""

    verdict: Verdict
    since: int
    ever_healthy: bool
    detail: str


def freshest(signals: Iterable[Signal], *, wall: int, max_age: int) -> dict[str, Evidence]:
    """Put the fresh signals of all observers together, by target.

    Several observers must agree before a target counts as unhealthy: one that sees it healthy wins, since an observer's
    own fault looks like everybody else's.
    """
    by_target: dict[str, list[Signal]] = {}
    for signal in signals:
        if wall - max_age <= signal.at and signal.verdict is not Verdict.UNKNOWN:
            by_target.setdefault(signal.target, []).append(signal)
    return {target: _together(views) for target, views in by_target.items()}


def _together(views: list[Signal]) -> Evidence:
    worst = all(view.verdict is Verdict.UNHEALTHY for view in views)
    verdict = Verdict.UNHEALTHY if worst else Verdict.HEALTHY
    agreeing = [view for view in views if view.verdict is verdict]
    return Evidence(
        verdict,
        min(view.since for view in agreeing),
        any(view.ever_healthy for view in views),
        "; ".join(f"{view.evidence or verdict} ({view.observer})" for view in agreeing),
    )


def propose(
    endpoint: Endpoint,
    *,
    previous: Entry | None,
    records: tuple[Record, ...],
    evidence: dict[str, Evidence],
    wall: int,
) -> tuple[Content, tuple[Withheld, ...]]:
    """What `endpoint` should answer, and why each other address should not."""
    out = _unfit(endpoint, previous, evidence, wall) if endpoint.probed and previous is not None else {}
    out = _failed_open(endpoint, previous, evidence, out)
    if previous is not None:
        out = _slowed(endpoint, previous, out, wall)
    out = _with_floors(endpoint, previous, evidence, out)
    content = Content.of_addresses([address for address in endpoint.addresses if address not in out], ttl=endpoint.ttl)
    return content, _withheld(content, out, previous=previous, records=records, wall=wall)


def _unfit(endpoint: Endpoint, previous: Entry | None, evidence: dict[str, Evidence], wall: int) -> dict[str, str]:
    published = set(previous.content.addresses) if previous is not None else set()
    reasons = {item.address: item.reason for item in previous.withheld} if previous is not None else {}
    out = {}
    for address in endpoint.addresses:
        found = evidence.get(address)
        if found is not None and found.verdict is Verdict.UNHEALTHY:
            # Only what was published can leave: a newcomer that never came in uses up no velocity, and fails open never.
            left = address in published or reasons.get(address, "").startswith(UNHEALTHY)
            out[address] = (UNHEALTHY if left else "newcomer: unhealthy: ") + found.detail
        elif address in published:
            continue
        elif found is None:
            before = reasons.get(address, UNCONFIGURED)
            out[address] = before if before != UNCONFIGURED else "newcomer: not yet probed"
        elif wall - found.since < endpoint.soak * SECOND:
            out[address] = f"newcomer: must be healthy for {endpoint.soak:g} s"
    return out


def _slowed(endpoint: Endpoint, previous: Entry, out: dict[str, str], wall: int) -> dict[str, str]:
    published = set(previous.content.addresses)
    leaving = [a for a in endpoint.addresses if a in published and out.get(a, "").startswith(UNHEALTHY)]
    recent = sum(
        1
        for item in previous.withheld
        if item.reason.startswith(UNHEALTHY) and wall - item.since < endpoint.velocity_window * SECOND
    )
    allowed = max(1, int(endpoint.max_leave * len(endpoint.targets))) - recent
    staying = set(leaving[max(0, allowed) :])
    return {address: reason for address, reason in out.items() if address not in staying}


def _failed_open(
    endpoint: Endpoint, previous: Entry | None, evidence: dict[str, Evidence], out: dict[str, str]
) -> dict[str, str]:
    kept = dict(out)
    for region in dict.fromkeys(target.region for target in endpoint.targets):
        targets = [target for target in endpoint.targets if target.region == region]
        able = [target.address for target in targets if _ever_worked(target, previous, evidence)]
        fit = sum(1 for address in able if address not in out)
        if fit < endpoint.fail_open_below * len(able):
            for address in able:
                kept.pop(address, None)
    return kept


def _ever_worked(target: Target, previous: Entry | None, evidence: dict[str, Evidence]) -> bool:
    found = evidence.get(target.address)
    if found is not None and found.ever_healthy:
        return True
    if previous is None:
        return True
    # A target that left for health was published once: it worked as far as anybody knows.
    once = {item.address for item in previous.withheld if item.reason.startswith(UNHEALTHY)}
    return target.address in previous.content.addresses or target.address in once


def _with_floors(
    endpoint: Endpoint, previous: Entry | None, evidence: dict[str, Evidence], out: dict[str, str]
) -> dict[str, str]:
    kept = dict(out)
    ranked = sorted(endpoint.targets, key=lambda target: not _ever_worked(target, previous, evidence))
    for family in endpoint.families:
        of = [target.address for target in ranked if family_of(target.address) == family]
        if all(address in kept for address in of):
            kept.pop(of[0])
    for target in ranked:
        if len(endpoint.targets) - len(kept) >= endpoint.min_addresses:
            break
        kept.pop(target.address, None)
    return kept


def _withheld(
    content: Content, out: dict[str, str], *, previous: Entry | None, records: tuple[Record, ...], wall: int
) -> tuple[Withheld, ...]:
    # Every address that was ever promised and is not any more keeps its explanation: the last hop asks for it.
    before = {item.address: item for item in previous.withheld} if previous is not None else {}
    known = dict.fromkeys(before)
    known |= dict.fromkeys(previous.content.addresses if previous is not None else ())
    for record in records:
        known |= dict.fromkeys(record.content.addresses)
    reasons = dict.fromkeys(known, UNCONFIGURED) | out
    published = set(content.addresses)
    items = [_dated(a, reason, before.get(a), wall) for a, reason in reasons.items() if a not in published]
    # What a record still names stays longest: the last hop asks about nothing else.
    recorded = {address for record in records for address in record.content.addresses}
    items.sort(key=lambda item: (item.reason == UNCONFIGURED, item.address not in recorded, -item.since, item.address))
    return tuple(sorted(items[:MAX_WITHHELD]))


def _dated(address: str, reason: str, before: Withheld | None, wall: int) -> Withheld:
    # The kind of reason dates it, not its wording: "timeout" after "refused" is no new departure.
    same = before is not None and kind_of(before.reason) == kind_of(reason)
    return before._replace(reason=reason) if before is not None and same else Withheld(address, reason, wall)


def kind_of(reason: str) -> str:
    """What kind of reason it is; the wording behind the colon may change with every probe."""
    return reason.split(":", maxsplit=1)[0]
