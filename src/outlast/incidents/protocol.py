"""The words of the hazard protocol: the effects its machines ask for and the events that answer them.

Every effect on the zone carries the number of the plan it is carried out for, so that a trace can be read and a drill
can hold a role at "BuildTree of plan 110".
"""

from dataclasses import dataclass

from outlast.incidents.plan import Plan


class IllegalEvent(Exception):
    """An event that the machine's phase does not expect: a bug of its driver. The state is unchanged."""

    def __init__(self, phase: str, event: object) -> None:
        super().__init__(f"{type(event).__name__} is no event of phase {phase}")
        self.phase = phase
        self.event = event


# Effects, each answered by one event except `Note`.


@dataclass(frozen=True, slots=True)
class FetchLatestPlan:
    """Read the plan with the largest number: `PlanFound`."""


@dataclass(frozen=True, slots=True)
class ReadTop:
    """Read which plan the endpoint's top alias names, for the freshness check: `TopRead`."""

    plan: int
    endpoint: str


@dataclass(frozen=True, slots=True)
class BuildTree:
    """Create the plan's records beside the live ones, in a transaction of its own: `TreeBuilt`."""

    plan: int
    endpoint: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadLock:
    """Read the endpoint's lock record: `LockRead`."""

    plan: int
    endpoint: str


@dataclass(frozen=True, slots=True)
class AcquireLock:
    """Create the lock if there is none (`over` empty), or break exactly the lock `over`: `LockAcquired`, `LockLost`."""

    plan: int
    endpoint: str
    over: str


@dataclass(frozen=True, slots=True)
class ReadActive:
    """Read under the lock what the rollback alias must name: `TopRead`. It is not compared with the plan."""

    plan: int
    endpoint: str


@dataclass(frozen=True, slots=True)
class Install:
    """One transaction: renew exactly `lock`, top alias to `plan`, rollback alias to `active` if there is one.

    Answered by `Installed`, `InstallRefused` or `LockLost`.
    """

    plan: int
    endpoint: str
    lock: str
    active: int | None


@dataclass(frozen=True, slots=True)
class ReleaseLock:
    """Delete exactly `lock`: `LockReleased`, also when somebody has broken it."""

    plan: int
    endpoint: str
    lock: str


@dataclass(frozen=True, slots=True)
class ListTrees:
    """List the plans whose trees stand under the endpoint: `TreesListed`."""

    plan: int
    endpoint: str


@dataclass(frozen=True, slots=True)
class DeleteTree:
    """Delete one tree, in a transaction of its own: `TreeDeleted`."""

    plan: int
    endpoint: str
    tree: int


@dataclass(frozen=True, slots=True)
class Wake:
    """Wait `after` seconds: `Woken`."""

    after: float


@dataclass(frozen=True, slots=True)
class Note:
    """Tell the operator why a walk ended early. Not answered."""

    plan: int
    endpoint: str
    reason: str


Effect = (
    FetchLatestPlan
    | ReadTop
    | BuildTree
    | ReadLock
    | AcquireLock
    | ReadActive
    | Install
    | ReleaseLock
    | ListTrees
    | DeleteTree
    | Wake
    | Note
)

# Events.


@dataclass(frozen=True, slots=True)
class Tick:
    """Time for another walk."""


@dataclass(frozen=True, slots=True)
class PlanFound:
    """The newest plan, or `None` while nothing is published."""

    plan: Plan | None


@dataclass(frozen=True, slots=True)
class TopRead:
    """The plan that the top alias names, or `None` while there is no alias."""

    target: int | None


@dataclass(frozen=True, slots=True)
class TreeBuilt:
    """The tree stands."""


@dataclass(frozen=True, slots=True)
class LockRead:
    """The lock's exact value, empty if there is none, and whether its epoch has passed."""

    value: str
    is_expired: bool


@dataclass(frozen=True, slots=True)
class LockAcquired:
    """The lock is ours, with this exact value."""

    value: str


@dataclass(frozen=True, slots=True)
class LockLost:
    """The lock was not as believed; the whole transaction did nothing."""


@dataclass(frozen=True, slots=True)
class Woken:
    """The wait is over."""


@dataclass(frozen=True, slots=True)
class Installed:
    """The aliases are flipped; `lock` is the renewed value."""

    lock: str


@dataclass(frozen=True, slots=True)
class InstallRefused:
    """The provider refused the transaction as a whole, lock renewal included."""

    reason: str
    rcode: str


@dataclass(frozen=True, slots=True)
class LockReleased:
    """The lock is not ours any more."""


@dataclass(frozen=True, slots=True)
class TreesListed:
    """Numbers of the plans whose trees stand, in any order."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TreeDeleted:
    """The tree is gone."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The effect could not be carried out, or nobody knows whether it was."""

    reason: str


Event = (
    Tick
    | PlanFound
    | TopRead
    | TreeBuilt
    | LockRead
    | LockAcquired
    | LockLost
    | Woken
    | Installed
    | InstallRefused
    | LockReleased
    | TreesListed
    | TreeDeleted
    | Failed
)
