"""What each piece bought: every group beside the one that has a piece less. Figures of one act, one line for each."""

from collections.abc import Sequence

from outlast.drill.score import ActScore, GroupScore

BASES = {
    "plain-two-regions": ("plain", "a second region"),
    "resolver": ("plain", "our resolver"),
    "outlast": ("resolver", "policy, regions and queue"),
    "boto3+outlast": ("boto3", "resolver, policy and regions"),
}
"""What a group is compared with, and what it has that the other has not."""


def lines_of(act: ActScore) -> list[str]:
    """One line for each group of an act."""
    return [_line(group, act.groups) for group in act.groups]


def _line(group: GroupScore, groups: Sequence[GroupScore]) -> str:
    base_name, piece = BASES.get(group.group, ("", ""))
    base = next((other for other in groups if other.group == base_name), None)
    answered = "nothing counted" if group.availability is None else f"{group.availability:.1%} answered"
    outage = f"longest outage {group.longest_outage_s:g} s"
    if base is None or None in (base.availability, group.availability):
        return f"{group.group}: {answered}, {outage}{_attempts(group)}{_parked(group)}; nothing of ours"
    assert base.availability is not None
    assert group.availability is not None
    gained = (group.availability - base.availability) * 100
    bought = f"{piece} bought {gained:+.1f} points over {base_name}"
    return f"{group.group}: {answered}, {outage}{_attempts(group)}{_parked(group)}; {bought}"


def _attempts(group: GroupScore) -> str:
    return "" if group.attempts_per_call is None else f", {group.attempts_per_call:.2f} attempts per call"


def _parked(group: GroupScore) -> str:
    return f", {group.parked} writes parked and {group.drained} of them drained" if group.parked else ""
