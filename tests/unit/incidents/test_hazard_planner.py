"""The hazard planner's transitions, one by one."""

import itertools

import pytest

from outlast.incidents.planner import (
    TRANSITIONS,
    CeilingRead,
    Planner,
    PlannerEvent,
    PlannerPhase,
    PlannerState,
    Publish,
    Published,
    ReadCeiling,
)
from outlast.incidents.protocol import Failed, IllegalEvent, Note, Tick

EVENTS: tuple[PlannerEvent, ...] = (Tick(), CeilingRead(145), Published(), Failed("disk full"))


@pytest.mark.parametrize(("phase", "event"), list(itertools.product(PlannerPhase, EVENTS)), ids=str)
def test_every_pair_of_phase_and_event_is_legal_or_raises(phase: PlannerPhase, event: PlannerEvent) -> None:
    """A pair that is not in the table raises and changes nothing."""
    state = PlannerState(coming=110, phase=phase)
    if (phase, type(event)) in TRANSITIONS:
        assert Planner().step(state, event)[0] != state
    else:
        with pytest.raises(IllegalEvent):
            Planner().step(state, event)

    assert PlannerState(coming=110, phase=phase) == state


def test_a_tick_publishes_one_plan() -> None:
    """Below the ceiling, a tick publishes the coming number and moves on to the next."""
    state, first = Planner().step(PlannerState(coming=110), Tick())
    state, second = Planner().step(state, CeilingRead(110))
    state, third = Planner().step(state, Published())

    assert ((ReadCeiling(),), (Publish(110),), (), PlannerState(coming=111)) == (first, second, third, state)


def test_above_the_ceiling_nothing_is_published() -> None:
    """A ceiling below the coming number leaves the planner idle."""
    state = PlannerState(coming=110, phase=PlannerPhase.READING)

    assert (PlannerState(coming=110), ()) == Planner().step(state, CeilingRead(109))


def test_a_failure_publishes_the_same_number_later() -> None:
    """A number is not lost when it could not be published."""
    state = PlannerState(coming=110, phase=PlannerPhase.PUBLISHING)

    assert (PlannerState(coming=110), (Note(110, "", "disk full"),)) == Planner().step(state, Failed("disk full"))
