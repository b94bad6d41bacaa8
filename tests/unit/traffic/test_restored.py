"""A registry that went back is noticed by who has read a newer plan from it."""

import pytest

from outlast.traffic.content import Content
from outlast.traffic.messages import InputsRead
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.restored import Restored
from outlast.traffic.topology import Topology

NOTHING = Topology(realm="test", endpoints=())


def read(generation: int) -> InputsRead:
    """What is read where this plan is the newest; 0: where there is none."""
    entry = Entry(endpoint="db.example", generation=1, content=Content.of_addresses(("192.0.2.1",), ttl=5))
    plan = Plan(realm="test", generation=generation, entries=(entry,)) if generation else None
    return InputsRead(NOTHING, plan, 0, (), (), (), 0)


@pytest.mark.parametrize(
    ("generations", "alarms"),
    [
        ([0, 0, 1, 1, 2, 9], [False] * 6),
        ([3, 2, 2, 3, 4], [False, True, True, False, False]),
        ([3, 0, 4], [False, True, False]),
        ([3], [False]),
    ],
)
def test_a_plan_older_than_one_that_was_read_is_an_alarm(generations: list[int], alarms: list[bool]) -> None:
    """As long as nothing newer has been published, and in this process alone."""
    restored = Restored()

    assert alarms == [bool(restored.look(read(generation))) for generation in generations]
