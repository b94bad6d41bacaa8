"""For how long a primary may have had what its secondaries still lack, and what is said of them."""

import pytest

from outlast.config.echoes import Echo, Reach, differing, published_for
from outlast.traffic.content import Content
from outlast.traffic.plan import Entry
from outlast.traffic.ports import Place, PlanInfo

SECOND = 10**9
PLANS = tuple(PlanInfo(generation, at * SECOND, 0) for generation, at in ((4, 100), (5, 200), (7, 400)))
PLACE = Place("primary", "db.example")


@pytest.mark.parametrize(("generation", "seconds"), [(8, 0), (7, 600), (6, 600), (5, 800), (4, 900), (3, 900)], ids=str)
def test_a_plan_that_is_gone_is_older_than_what_is_kept(generation: int, seconds: float) -> None:
    """The oldest kept plan that is not older than the entry says for how long at least; one that nobody knows says nothing."""
    entry = Entry(endpoint="db.example", generation=generation, content=Content.of_addresses(("192.0.2.1",), ttl=5))

    assert seconds == published_for(entry, PLANS, 1000 * SECOND)


def test_only_what_is_not_in_step_is_said() -> None:
    """One line for each that is not; an alarm begins with the word."""
    behind = Echo("192.0.2.54:53", Reach.BEHIND, "serial 1, and the primary has 2")
    words = "db.example at primary: secondary 192.0.2.54:53 behind: serial 1, and the primary has 2"
    fine = Echo("192.0.2.55:53", Reach.IN_STEP)

    assert (words, f"ALARM {words}") == differing({PLACE: (fine, behind, behind._replace(is_overdue=True))})
