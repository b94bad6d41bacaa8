"""The hazard planner: publishes one numbered plan after another, up to a ceiling that an operator may raise.

It knows nothing of records. When it fails, its failure is "no new plan", which freezes DNS and breaks nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from outlast.incidents.protocol import Failed, IllegalEvent, Note, Tick


@dataclass(frozen=True, slots=True)
class ReadCeiling:
    """Read up to which number plans may be published: `CeilingRead`."""


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish the plan with this number: `Published`."""

    plan: int


@dataclass(frozen=True, slots=True)
class CeilingRead:
    """The largest number that may be published now."""

    ceiling: int


@dataclass(frozen=True, slots=True)
class Published:
    """The plan can be fetched."""


PlannerEffect = ReadCeiling | Publish | Note
PlannerEvent = Tick | CeilingRead | Published | Failed


class PlannerPhase(StrEnum):
    """What the planner waits for."""

    IDLE = "idle"
    READING = "reading"
    PUBLISHING = "publishing"


class PlannerState(NamedTuple):
    """The number of the next plan, and what is under way."""

    coming: int
    phase: PlannerPhase = PlannerPhase.IDLE


PlannerStep = tuple[PlannerState, tuple[PlannerEffect, ...]]


class Planner:
    """The machine; at most one plan per tick."""

    def step(self, state: PlannerState, event: PlannerEvent) -> PlannerStep:
        """Answer an event with the next state and what to do.

        Raises:
            IllegalEvent: The phase does not expect the event.

        """
        transition = TRANSITIONS.get((state.phase, type(event)))
        if transition is None:
            raise IllegalEvent(state.phase, event)
        return transition(state, event)


def _start(state: PlannerState, _: Tick) -> PlannerStep:
    return state._replace(phase=PlannerPhase.READING), (ReadCeiling(),)


def _ceiling_read(state: PlannerState, event: CeilingRead) -> PlannerStep:
    if state.coming > event.ceiling:
        return state._replace(phase=PlannerPhase.IDLE), ()
    return state._replace(phase=PlannerPhase.PUBLISHING), (Publish(state.coming),)


def _published(state: PlannerState, _: Published) -> PlannerStep:
    return PlannerState(coming=state.coming + 1), ()


def _failed(state: PlannerState, event: Failed) -> PlannerStep:
    return PlannerState(coming=state.coming), (Note(state.coming, "", event.reason),)


# `Any`: each function takes only the event that its row names.
TRANSITIONS: dict[tuple[PlannerPhase, type[PlannerEvent]], Callable[[PlannerState, Any], PlannerStep]] = {
    (PlannerPhase.IDLE, Tick): _start,
    (PlannerPhase.READING, CeilingRead): _ceiling_read,
    (PlannerPhase.READING, Failed): _failed,
    (PlannerPhase.PUBLISHING, Published): _published,
    (PlannerPhase.PUBLISHING, Failed): _failed,
}
