"""The hazard enactor: applies the newest plan to every endpoint, then cleans up, as in 2025.

Idea: a walk is fetch, check, then for each endpoint build a tree, take the lock, flip the aliases, drop the lock; then
for each endpoint delete trees much older than the plan just applied. Any number of enactors do this at the same time
and never talk to each other. The lock serialises flips; what it does not order is plans.

The freshness check stands once, before the walk, on the first endpoint; nothing repeats it. That is the hazard, and it
is kept on purpose. What is read under the lock (`ReadActive`) only fills the rollback alias.

Not told by the owner and chosen here: a refused transaction ends the walk, which is tried again at the next tick from
the start; clean-up does not take the lock; a walk that fails while it holds the lock leaves it to expire.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from outlast.errors import InvalidConfig
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

# The wait for the lock doubles at most this often, so that the number of states is finite.
DOUBLINGS_MAX = 5


class Phase(StrEnum):
    """What the enactor waits for."""

    IDLE = "idle"
    FETCHING = "fetching"
    CHECKING = "checking"
    BUILDING = "building"
    READING_LOCK = "reading lock"
    WAITING = "waiting"
    LOCKING = "locking"
    READING_ACTIVE = "reading active"
    INSTALLING = "installing"
    RELEASING = "releasing"
    GIVING_UP = "giving up"
    LISTING = "listing"
    DELETING = "deleting"


class State(NamedTuple):
    """All that an enactor knows between two effects.

    `at` is the index of the endpoint being worked on, `lock` the exact value of the lock held, `losses` how often in a
    row the lock was not to be had, `doomed` the trees still to delete.
    """

    phase: Phase = Phase.IDLE
    plan: Plan | None = None
    at: int = 0
    lock: str = ""
    losses: int = 0
    doomed: tuple[int, ...] = ()


Step = tuple[State, tuple[Effect, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enactor:
    """The machine and its settings. `step` is its transition function.

    Args:
        keep: How many plan numbers, its own included, the cleaner spares.
        backoff: Seconds of the first wait for a lock that is held; doubled at each loss in a row.
        backoff_max: Seconds of the longest wait.

    """

    keep: int = 20
    backoff: float = 0.1
    backoff_max: float = 2.0

    def __post_init__(self) -> None:
        faults = []
        if self.keep < 1:
            faults.append(f"keep = {self.keep}: an enactor spares at least its own plan; use 1 or more")
        if not 0 < self.backoff <= self.backoff_max:
            faults.append(f"backoff = {self.backoff}: must be above 0 and at most backoff_max = {self.backoff_max}")
        if faults:
            raise InvalidConfig(tuple(faults))

    def step(self, state: State, event: Event) -> Step:
        """Answer an event with the next state and what to do.

        Raises:
            IllegalEvent: The phase does not expect the event.

        """
        transition = TRANSITIONS.get((state.phase, type(event)))
        if transition is None:
            raise IllegalEvent(state.phase, event)
        return transition(self, state, event)


def _start(_: Enactor, state: State, __: Tick) -> Step:
    return state._replace(phase=Phase.FETCHING), (FetchLatestPlan(),)


def _fetched(_: Enactor, state: State, event: PlanFound) -> Step:
    if event.plan is None:
        return State(), ()
    plan = event.plan
    return state._replace(phase=Phase.CHECKING, plan=plan), (ReadTop(plan.number, plan.endpoints[0].name),)


def _checked(_: Enactor, state: State, event: TopRead) -> Step:
    # The one freshness check. The answer is true now and used as if it stayed true for the whole walk.
    if event.target is not None and event.target >= _plan(state).number:
        return State(), ()
    return _build(state)


def _build(state: State) -> Step:
    endpoint = _endpoint(state)
    tree = BuildTree(_plan(state).number, endpoint.name, endpoint.addresses)
    return state._replace(phase=Phase.BUILDING), (tree,)


def _read_lock(_: Enactor, state: State, __: TreeBuilt | Woken) -> Step:
    return state._replace(phase=Phase.READING_LOCK), (ReadLock(*_subject(state)),)


def _lock_read(enactor: Enactor, state: State, event: LockRead) -> Step:
    if event.value and not event.is_expired:
        return _wait(enactor, state)
    return state._replace(phase=Phase.LOCKING), (AcquireLock(*_subject(state), over=event.value),)


def _lock_lost(enactor: Enactor, state: State, _: LockLost) -> Step:
    return _wait(enactor, state)


def _wait(enactor: Enactor, state: State) -> Step:
    after = min(enactor.backoff * 2**state.losses, enactor.backoff_max)
    losses = min(state.losses + 1, DOUBLINGS_MAX)
    return state._replace(phase=Phase.WAITING, lock="", losses=losses), (Wake(after),)


def _locked(_: Enactor, state: State, event: LockAcquired) -> Step:
    state = state._replace(phase=Phase.READING_ACTIVE, lock=event.value, losses=0)
    return state, (ReadActive(*_subject(state)),)


def _active_read(_: Enactor, state: State, event: TopRead) -> Step:
    # No comparison with the plan's number here: a plan that was new at the check may be far behind by now.
    install = Install(*_subject(state), lock=state.lock, active=event.target)
    return state._replace(phase=Phase.INSTALLING), (install,)


def _installed(_: Enactor, state: State, event: Installed) -> Step:
    return state._replace(phase=Phase.RELEASING, lock=event.lock), (ReleaseLock(*_subject(state), lock=event.lock),)


def _refused(_: Enactor, state: State, event: InstallRefused) -> Step:
    note = Note(*_subject(state), reason=event.reason)
    return state._replace(phase=Phase.GIVING_UP), (note, ReleaseLock(*_subject(state), lock=state.lock))


def _released(_: Enactor, state: State, __: LockReleased) -> Step:
    state = state._replace(lock="", at=state.at + 1)
    return _build(state) if state.at < len(_plan(state).endpoints) else _list(state._replace(at=0))


def _given_up(_: Enactor, __: State, ___: LockReleased) -> Step:
    return State(), ()


def _list(state: State) -> Step:
    if state.at == len(_plan(state).endpoints):
        return State(), ()
    return state._replace(phase=Phase.LISTING), (ListTrees(*_subject(state)),)


def _listed(enactor: Enactor, state: State, event: TreesListed) -> Step:
    # Age is the distance to the enactor's own plan. Whether a tree is live is never asked.
    oldest_kept = _plan(state).number - enactor.keep + 1
    return _delete(state._replace(doomed=tuple(sorted(number for number in event.numbers if number < oldest_kept))))


def _deleted(_: Enactor, state: State, __: TreeDeleted) -> Step:
    return _delete(state._replace(doomed=state.doomed[1:]))


def _delete(state: State) -> Step:
    if not state.doomed:
        return _list(state._replace(at=state.at + 1))
    return state._replace(phase=Phase.DELETING), (DeleteTree(*_subject(state), tree=state.doomed[0]),)


def _failed(_: Enactor, state: State, event: Failed) -> Step:
    plan, endpoint = _subject(state) if state.plan is not None else (0, "")
    return State(), (Note(plan, endpoint, event.reason),)


def _plan(state: State) -> Plan:
    assert state.plan is not None, f"no plan in phase {state.phase}"
    return state.plan


def _endpoint(state: State) -> Endpoint:
    return _plan(state).endpoints[state.at]


def _subject(state: State) -> tuple[int, str]:
    return _plan(state).number, _endpoint(state).name


# `Any`: each function takes only the event that its row names.
TRANSITIONS: dict[tuple[Phase, type[Event]], Callable[[Enactor, State, Any], Step]] = {
    (Phase.IDLE, Tick): _start,
    (Phase.FETCHING, PlanFound): _fetched,
    (Phase.CHECKING, TopRead): _checked,
    (Phase.BUILDING, TreeBuilt): _read_lock,
    (Phase.READING_LOCK, LockRead): _lock_read,
    (Phase.WAITING, Woken): _read_lock,
    (Phase.LOCKING, LockAcquired): _locked,
    (Phase.LOCKING, LockLost): _lock_lost,
    (Phase.READING_ACTIVE, TopRead): _active_read,
    (Phase.INSTALLING, Installed): _installed,
    (Phase.INSTALLING, InstallRefused): _refused,
    (Phase.INSTALLING, LockLost): _lock_lost,
    (Phase.RELEASING, LockReleased): _released,
    (Phase.GIVING_UP, LockReleased): _given_up,
    (Phase.LISTING, TreesListed): _listed,
    (Phase.DELETING, TreeDeleted): _deleted,
    **{(phase, Failed): _failed for phase in Phase if phase not in {Phase.IDLE, Phase.WAITING}},
}
