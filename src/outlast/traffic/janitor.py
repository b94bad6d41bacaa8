"""The janitor: deletes plans that nothing needs any more. It cannot touch DNS: records are values, and it holds no key.

A plan goes when no sentinel at any provider carries its generation, it is older than a grace period, it is not one of
the newest, and it has worn a tombstone for a while. Everything is read anew before each deletion, and the registry
checks again in the transaction that deletes. A provider that does not answer stops the pass: errors freeze.

Deleting one plan too many would cost a rollback, never an answer: the content of every endpoint is in its record.
"""

from enum import StrEnum
from typing import NamedTuple

from outlast.traffic.messages import (
    DeletePlan,
    Effect,
    Effects,
    Event,
    ListPlans,
    Note,
    PlanDeleted,
    PlanKept,
    PlansListed,
    ReadSentinels,
    RegistryDown,
    SentinelsRead,
    Sighting,
    Tick,
    Tombstone,
    Tombstoned,
)
from outlast.traffic.ports import Place, PlanInfo
from outlast.traffic.sentinel import Sentinel, parse


class Phase(StrEnum):
    """What the pass waits for."""

    IDLE = "idle"
    LIST = "listing plans"
    SENTINELS = "reading sentinels"
    ACT = "retiring"


class Options(NamedTuple):
    """`keep` newest plans stay whatever happens (at least 1); `grace` and `wait` are nanoseconds of wall clock."""

    keep: int
    grace: int
    wait: int


class JanitorState(NamedTuple):
    """`places` are still to read, `named` the generations that sentinels carry, `todo[0]` the deed under way."""

    options: Options
    phase: Phase = Phase.IDLE
    listed: PlansListed | None = None
    places: tuple[Place, ...] = ()
    named: frozenset[int] = frozenset()
    todo: tuple[Effect, ...] = ()

    def __repr__(self) -> str:
        return f"<janitor: {self.phase}, {len(self.todo)} to do>"


Step = tuple[JanitorState, Effects]


def step(state: JanitorState, event: Event) -> Step:
    """One transition.

    Raises:
        AssertionError: The event is not one that this phase can get; the state is unchanged.

    """
    match state.phase, event:
        case Phase.IDLE, Tick():
            return state._replace(phase=Phase.LIST), (ListPlans(),)
        case Phase.LIST, PlansListed():
            return _on_list(state, event)
        case Phase.SENTINELS, SentinelsRead(sightings=sightings):
            return _on_sentinels(state, sightings)
        case Phase.ACT, Tombstoned() if isinstance(state.todo[0], Tombstone):
            return _next_deed(state._replace(todo=state.todo[1:]))
        case Phase.ACT, PlanDeleted() if isinstance(state.todo[0], DeletePlan):
            return _next_deed(state._replace(todo=state.todo[1:]), Note("plan deleted"))
        case Phase.ACT, PlanKept() if isinstance(state.todo[0], DeletePlan):
            return _next_deed(state._replace(todo=state.todo[1:]), Note("plan kept by the registry"))
        case ((Phase.LIST | Phase.ACT), RegistryDown(detail=detail)):
            return _rest(state, Note("registry unavailable", detail, alarm=True))
    raise AssertionError(f"{state!r} cannot get {event!r}")


def _on_list(state: JanitorState, listed: PlansListed) -> Step:
    state = state._replace(listed=listed, named=frozenset())
    if not _candidates(state):
        return _rest(state)
    places = tuple(sorted(Place(record.provider, record.endpoint) for record in listed.records))
    listed = listed._replace(records=())
    return _next_places(state._replace(phase=Phase.SENTINELS, listed=listed, places=places))


def _candidates(state: JanitorState) -> tuple[PlanInfo, ...]:
    assert state.listed is not None
    assert state.options.keep >= 1, "the newest plan always stays"
    newest_first = sorted(state.listed.plans, reverse=True)
    old = (plan for plan in newest_first[state.options.keep :] if state.listed.wall - plan.at > state.options.grace)
    return tuple(plan for plan in old if plan.generation not in state.named)


def _on_sentinels(state: JanitorState, sightings: tuple[Sighting, ...]) -> Step:
    unread = [sighting for sighting in sightings if sighting.texts is None]
    if unread:
        return _rest(state, Note("sentinel unreadable, nothing retired", min(unread).fault))
    readings = (parse(sighting.texts or ()) for sighting in sightings)
    named = state.named | {reading.gen for reading in readings if isinstance(reading, Sentinel)}
    read = {sighting.place for sighting in sightings}
    return _next_places(state._replace(places=tuple(place for place in state.places if place not in read), named=named))


def _next_places(state: JanitorState) -> Step:
    if state.places:
        return state, (ReadSentinels(state.places),)
    return _next_deed(state._replace(phase=Phase.ACT, listed=None, named=frozenset(), todo=_deeds(state)))


def _deeds(state: JanitorState) -> tuple[Effect, ...]:
    assert state.listed is not None
    before = state.listed.wall - state.options.wait
    deeds: list[Effect] = []
    for plan in _candidates(state):
        if not plan.tombstoned:
            deeds.append(Tombstone(plan.generation))
        elif plan.tombstoned < before:
            deeds.append(DeletePlan(plan.generation, state.options.keep, before))
    # A deletion stands right behind the reading of the sentinels; tombstones can wait.
    return tuple(sorted(deeds, key=lambda deed: isinstance(deed, Tombstone)))


def _next_deed(state: JanitorState, *notes: Note) -> Step:
    if not state.todo:
        return _rest(state, *notes)
    return state, (*notes, state.todo[0])


def _rest(state: JanitorState, *notes: Note) -> Step:
    return state._replace(phase=Phase.IDLE, listed=None, places=(), named=frozenset(), todo=()), notes
