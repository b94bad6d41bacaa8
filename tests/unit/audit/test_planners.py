"""What the doctor makes of the last plans: two planners with two files go to and fro."""

import pytest

from outlast.audit.findings import Level
from outlast.audit.planners import LOOKED_AT, WITHIN_SECONDS, judge_planners
from outlast.traffic.content import Content
from outlast.traffic.plan import Entry, Plan


def plans(*views: str, apart: float = 1.0) -> list[Plan]:
    """Plans, newest first: each view is a letter for its planner and a digit for its content."""
    generations = range(len(views), 0, -1)
    return [_plan(view, generation, apart) for view, generation in zip(views, generations, strict=True)]


def _plan(view: str, generation: int, apart: float) -> Plan:
    content = Content.of_addresses((f"192.0.2.{view[1]}",), ttl=5)
    entry = Entry(endpoint="db.example.com", generation=generation, content=content)
    at, by = int(generation * apart * 1e9), f"planner-{view[0]}"
    return Plan(realm="shop", generation=generation, entries=(entry,), at=at, by=by)


FRO = ("b2", "a1") * (LOOKED_AT // 2)
APART = WITHIN_SECONDS / (LOOKED_AT - 1)


def test_planners_that_undo_each_other_are_named() -> None:
    """Both names are told, with what mends it."""
    (found,) = judge_planners(plans(*FRO))

    assert (Level.WARN, "give both the same outlast.toml") == (found.level, found.fix)
    assert found.there.startswith("planner-a and planner-b undo each other's plans")


@pytest.mark.parametrize(
    ("views", "apart", "count"),
    [
        (FRO, APART, 1),
        (FRO, APART + 0.1, 0),
        ((*FRO, "c3"), 1.0, 1),
        (FRO[1:], 1.0, 0),
        (("b3", *FRO[1:]), 1.0, 0),
        (("a2", "a1") * 3, 1.0, 0),
        (("b1", "a1") * 3, 1.0, 0),
        (("a2", "b1", "b2", "a1", "a2", "b1"), 1.0, 0),
        (("c2", "b1", "a2", "c1", "b2", "a1"), 1.0, 0),
        ((), 1.0, 0),
    ],
)
def test_other_turns_are_not_meant(views: tuple[str, ...], apart: float, count: int) -> None:
    """Too few, too slow, one planner whose target flaps, equal contents, and planners that share a file say nothing."""
    assert count == len(judge_planners(plans(*views, apart=apart)))
