"""Whether two planners undo each other's plans, judged by the last plans that were published.

Planners that share a file also take turns, and a target that flaps brings the same plans again. What gives two files away is
that each planner goes back to its own content: every plan differs from the one before and equals its author's last.
"""

from collections.abc import Sequence

from outlast.audit.findings import Finding, Level
from outlast.traffic.plan import Plan

LOOKED_AT = 6
"""Plans: each of the two planners has then gone back to its own content twice."""
WITHIN_SECONDS = 600.0
"""Planners that disagree publish at every interval; so many turns in a longer time are something else."""


def judge_planners(plans: Sequence[Plan]) -> list[Finding]:
    """A warning if the last plans, newest first, go to and fro between two planners; nothing otherwise."""
    last = plans[:LOOKED_AT]
    if len(last) < LOOKED_AT or last[0].at - last[-1].at > WITHIN_SECONDS * 1e9:
        return []
    if not _alternate(last):
        return []
    one, other = sorted(plan.by for plan in last[:2])
    there = f"{one} and {other} undo each other's plans, the last {LOOKED_AT} of them"
    return [Finding(Level.WARN, "planners", "plan history", there, "give both the same outlast.toml")]


def _alternate(last: Sequence[Plan]) -> bool:
    views = [(plan.by, _content(plan)) for plan in last]
    by_differ, content_differs = (views[0][at] != views[1][at] for at in (0, 1))
    return by_differ and content_differs and views[2:] == views[:-2]


def _content(plan: Plan) -> tuple[tuple[str, str], ...]:
    return tuple((entry.endpoint, entry.digest) for entry in plan.entries)
