"""The last hop: what an enactor checks before it sends. Few checks, none of which can refuse for ever.

Velocity and canary belong to the planner, which knows the history. Here stand only the floors: no family goes empty,
no endpoint falls below its minimum, and no address or name that we once promised leaves without evidence or an operator.
"""

from outlast.traffic.content import FAMILIES, RecordSet, targets_in
from outlast.traffic.plan import Entry
from outlast.traffic.ports import Record

UNCONFIGURED = "not configured"
"""The reason of an address that no topology names any more."""


def refusal(present: tuple[RecordSet, ...], entry: Entry, record: Record | None) -> str:
    """Why `entry` must not replace the `present` sets, with what will lift it; empty if it may."""
    return _family_emptied(present, entry) or _below_minimum(entry) or _unexplained(present, entry, record)


def _family_emptied(present: tuple[RecordSet, ...], entry: Entry) -> str:
    reasons = {item.address: item.reason for item in entry.withheld}
    there = {item.type: item.values for item in present if item.type in FAMILIES}
    coming = {item.type for item in entry.content.sets}
    if "CNAME" in coming:
        return ""
    for family in sorted(there.keys() - coming):
        # A family goes only on purpose: a person took its last address out of the configuration.
        if any(reasons.get(address, UNCONFIGURED) != UNCONFIGURED for address in there[family]):
            return f"it would leave no {family} record; lifted by the next plan with one, or by removing the family's targets"
    return ""


def _below_minimum(entry: Entry) -> str:
    # The entry's own construction refuses this too; the doors do not rely on one another.
    count = len(entry.content.addresses)
    if count < entry.min_addresses and "CNAME" not in {item.type for item in entry.content.sets}:
        return f"{count} addresses are fewer than min_addresses = {entry.min_addresses}; lifted by the next plan"
    return ""


def _unexplained(present: tuple[RecordSet, ...], entry: Entry, record: Record | None) -> str:
    # What nobody of ours ever promised (an address or a CNAME set by hand) needs no evidence to go: that is a repair.
    ours = set(record.content.targets) if record is not None else set()
    explained = {item.address for item in entry.withheld} | set(entry.content.targets)
    leaving = sorted((set(targets_in(present)) & ours) - explained)
    if leaving:
        return f"no evidence for removing {', '.join(leaving)}; lifted by the planner's next plan, which will name it"
    return ""
