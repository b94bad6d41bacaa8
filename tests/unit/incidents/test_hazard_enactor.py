"""The hazard enactor's transitions, one by one."""

import itertools
from typing import get_args

import pytest

from outlast.errors import InvalidConfig
from outlast.incidents.enactor import DOUBLINGS_MAX, TRANSITIONS, Enactor, Phase, State
from outlast.incidents.plan import Endpoint, Plan
from outlast.incidents.protocol import (
    AcquireLock,
    BuildTree,
    DeleteTree,
    Effect,
    Event,
    Failed,
    FetchLatestPlan,
    IllegalEvent,
    Install,
    Installed,
    InstallRefused,
    ListTrees,
    LockAcquired,
    LockLost,
    LockRead,
    LockReleased,
    Note,
    PlanFound,
    ReadActive,
    ReadLock,
    ReadTop,
    ReleaseLock,
    Tick,
    TopRead,
    TreeBuilt,
    TreeDeleted,
    TreesListed,
    Wake,
    Woken,
)

DB, WEB = "db.example.test.", "web.example.test."
PLAN = Plan(145, (Endpoint(DB, ("127.0.1.1",)), Endpoint(WEB, ("127.0.1.2",))))
ONE = Plan(145, (Endpoint(DB, ("127.0.1.1",)),))

EVENTS: tuple[Event, ...] = (
    Tick(),
    PlanFound(PLAN),
    TopRead(109),
    TreeBuilt(),
    LockRead("", is_expired=False),
    LockAcquired("c 7"),
    LockLost(),
    Woken(),
    Installed("c 8"),
    InstallRefused("gone", "REFUSED"),
    LockReleased(),
    TreesListed((109, 145)),
    TreeDeleted(),
    Failed("timed out"),
)


def in_phase(phase: Phase, plan: Plan = PLAN) -> State:
    """A state as it can be in the phase, at the first endpoint."""
    has_plan = phase not in {Phase.IDLE, Phase.FETCHING}
    doomed = (109, 110) if phase is Phase.DELETING else ()
    return State(phase, plan if has_plan else None, lock="c 7" if phase in HOLDING else "", doomed=doomed)


HOLDING = {Phase.READING_ACTIVE, Phase.INSTALLING, Phase.RELEASING, Phase.GIVING_UP}

WALK: tuple[tuple[Phase, Event, Phase, tuple[Effect, ...]], ...] = (
    (Phase.IDLE, Tick(), Phase.FETCHING, (FetchLatestPlan(),)),
    (Phase.FETCHING, PlanFound(PLAN), Phase.CHECKING, (ReadTop(145, DB),)),
    (Phase.FETCHING, PlanFound(None), Phase.IDLE, ()),
    (Phase.CHECKING, TopRead(None), Phase.BUILDING, (BuildTree(145, DB, ("127.0.1.1",)),)),
    (Phase.CHECKING, TopRead(144), Phase.BUILDING, (BuildTree(145, DB, ("127.0.1.1",)),)),
    (Phase.CHECKING, TopRead(145), Phase.IDLE, ()),
    (Phase.CHECKING, TopRead(146), Phase.IDLE, ()),
    (Phase.BUILDING, TreeBuilt(), Phase.READING_LOCK, (ReadLock(145, DB),)),
    (Phase.READING_LOCK, LockRead("", is_expired=False), Phase.LOCKING, (AcquireLock(145, DB, ""),)),
    (Phase.READING_LOCK, LockRead("a 1", is_expired=True), Phase.LOCKING, (AcquireLock(145, DB, "a 1"),)),
    (Phase.READING_LOCK, LockRead("a 9", is_expired=False), Phase.WAITING, (Wake(0.1),)),
    (Phase.WAITING, Woken(), Phase.READING_LOCK, (ReadLock(145, DB),)),
    (Phase.LOCKING, LockAcquired("c 7"), Phase.READING_ACTIVE, (ReadActive(145, DB),)),
    (Phase.LOCKING, LockLost(), Phase.WAITING, (Wake(0.1),)),
    (Phase.READING_ACTIVE, TopRead(None), Phase.INSTALLING, (Install(145, DB, "c 7", None),)),
    (Phase.READING_ACTIVE, TopRead(150), Phase.INSTALLING, (Install(145, DB, "c 7", 150),)),
    (Phase.INSTALLING, Installed("c 8"), Phase.RELEASING, (ReleaseLock(145, DB, "c 8"),)),
    (Phase.INSTALLING, LockLost(), Phase.WAITING, (Wake(0.1),)),
    (
        Phase.INSTALLING,
        InstallRefused("gone", "REFUSED"),
        Phase.GIVING_UP,
        (Note(145, DB, "gone"), ReleaseLock(145, DB, "c 7")),
    ),
    (Phase.RELEASING, LockReleased(), Phase.BUILDING, (BuildTree(145, WEB, ("127.0.1.2",)),)),
    (Phase.GIVING_UP, LockReleased(), Phase.IDLE, ()),
    (Phase.LISTING, TreesListed((145, 109, 125)), Phase.DELETING, (DeleteTree(145, DB, 109),)),
    (Phase.LISTING, TreesListed((126, 145)), Phase.LISTING, (ListTrees(145, WEB),)),
    (Phase.DELETING, TreeDeleted(), Phase.DELETING, (DeleteTree(145, DB, 110),)),
    (Phase.DELETING, Failed("timed out"), Phase.IDLE, (Note(145, DB, "timed out"),)),
    (Phase.FETCHING, Failed("timed out"), Phase.IDLE, (Note(0, "", "timed out"),)),
)


@pytest.mark.parametrize(("phase", "event"), list(itertools.product(Phase, EVENTS)), ids=str)
def test_every_pair_of_phase_and_event_is_legal_or_raises(phase: Phase, event: Event) -> None:
    """A legal event gives at most one effect that is answered; an illegal one raises and changes nothing."""
    before = in_phase(phase)
    state = in_phase(phase)
    if (phase, type(event)) in TRANSITIONS:
        _, effects = Enactor().step(state, event)

        assert len([effect for effect in effects if not isinstance(effect, Note)]) <= 1
    else:
        with pytest.raises(IllegalEvent):
            Enactor().step(state, event)

    assert before == state


def test_the_table_of_pairs_is_complete() -> None:
    """The pairs above try every class of event there is."""
    assert set(get_args(Event)) == {type(event) for event in EVENTS}


@pytest.mark.parametrize(("phase", "event", "next_phase", "effects"), WALK)
def test_a_transition(phase: Phase, event: Event, next_phase: Phase, effects: tuple[Effect, ...]) -> None:
    """Each row of the table leads to its phase and asks for its effects."""
    state, asked = Enactor().step(in_phase(phase), event)

    assert (next_phase, effects) == (state.phase, asked)


def test_every_transition_has_a_row() -> None:
    """The rows try every transition but the failures, which are all alike."""
    tried = {(phase, type(event)) for phase, event, _, _ in WALK}

    assert {pair for pair in TRANSITIONS if pair[1] is not Failed} == {pair for pair in tried if pair[1] is not Failed}


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in {Phase.IDLE, Phase.WAITING}])
def test_a_failure_ends_the_walk(phase: Phase) -> None:
    """Whatever fails, the enactor forgets the walk and starts anew at the next tick."""
    state, _ = Enactor().step(in_phase(phase), Failed("timed out"))

    assert State() == state


def test_the_last_endpoint_leads_to_cleaning_from_the_first() -> None:
    """Cleaning begins when all endpoints are installed, at the first endpoint."""
    state, effects = Enactor().step(in_phase(Phase.RELEASING)._replace(at=1), LockReleased())

    assert (0, (ListTrees(145, DB),)) == (state.at, effects)


def test_the_last_tree_of_the_last_endpoint_ends_the_walk() -> None:
    """After the last deletion the enactor is idle and remembers nothing."""
    state, effects = Enactor().step(in_phase(Phase.DELETING, ONE)._replace(doomed=(109,)), TreeDeleted())

    assert (State(), ()) == (state, effects)


@pytest.mark.parametrize(("keep", "doomed"), [(1, (144,)), (2, ()), (20, ())])
def test_age_is_the_distance_to_the_own_plan(keep: int, doomed: tuple[int, ...]) -> None:
    """The cleaner spares `keep` numbers, its own and newer ones included, and asks nothing else."""
    state, _ = Enactor(keep=keep).step(in_phase(Phase.LISTING, ONE), TreesListed((144, 145, 146)))

    assert doomed == state.doomed


def test_losing_the_lock_again_and_again_waits_longer_up_to_a_limit() -> None:
    """The wait doubles at each loss in a row and stops growing at its maximum, and so does the state."""
    enactor = Enactor(backoff=0.1, backoff_max=1.0)
    state, waits = in_phase(Phase.READING_LOCK), []
    for _ in range(8):
        state, (wake,) = enactor.step(state, LockRead("a 9", is_expired=False))
        assert isinstance(wake, Wake)
        waits.append(wake.after)
        state, _ = enactor.step(state, Woken())

    assert waits == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0]
    assert state.losses == DOUBLINGS_MAX


def test_taking_the_lock_resets_the_wait() -> None:
    """Losses are counted in a row only."""
    state, _ = Enactor().step(in_phase(Phase.LOCKING)._replace(losses=3), LockAcquired("c 7"))

    assert state.losses == 0


@pytest.mark.parametrize(
    "settings", [{"keep": 0}, {"backoff": 0.0}, {"backoff": 3.0}, {"backoff": -1.0, "keep": -1}], ids=str
)
def test_settings_out_of_bounds_are_refused(settings: dict[str, float]) -> None:
    """Every fault of the settings is told at once."""
    with pytest.raises(InvalidConfig) as caught:
        Enactor(**settings)  # type: ignore[arg-type]  # one dictionary for settings of two types

    assert len(settings) == len(caught.value.faults)


def test_states_are_values() -> None:
    """A state can be hashed and compared, plan included, so that an explorer can remember it."""
    assert len({in_phase(phase) for phase in Phase} | {in_phase(phase) for phase in Phase}) == len(Phase)
