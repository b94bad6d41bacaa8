"""What the control plane asks of the places where plans and records live. Adapters stand in `registry` and `provider`."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, Protocol

from outlast.health.signal import Signal
from outlast.traffic.content import Content, RecordSet
from outlast.traffic.orders import Deed, Order
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.sentinel import Sentinel, Standing


class Tier(StrEnum):
    """What a provider promises."""

    T1 = "multi-set compare and swap"
    T2 = "single-set compare and swap"
    T3 = "transactions without compare and swap"
    T4 = "neither transactions nor compare and swap"


class Place(NamedTuple):
    """One endpoint at one provider."""

    provider: str
    endpoint: str


class Live(NamedTuple):
    """What an endpoint has now, as read from the primary: the TXT strings of its sentinel and its address-bearing sets."""

    sentinel: tuple[str, ...]
    sets: tuple[RecordSet, ...]


class Transaction(NamedTuple):
    """One endpoint's change: prerequisites are exactly what was `seen`; sentinel and whole sets are replaced."""

    provider: str
    endpoint: str
    seen: Live
    sentinel: Sentinel
    content: Content


class Record(NamedTuple):
    """What the registry remembers of an endpoint at a provider: the last sentinel, and its content as values."""

    provider: str
    endpoint: str
    sentinel: Sentinel
    content: Content


def supersedes(new: Sentinel, old: Sentinel, *, pending: bool) -> bool:
    """Whether the record of `new` may replace that of `old`: the larger `n` wins, then the larger `gen`, then a hold.

    Equal `n` happens when a sentinel was lost: a late record from before the loss must not replace a hold from after it.
    `pending`: the transaction has not been committed yet, so it must not replace one of equal `n` that may have been.
    """
    if new.n != old.n or pending:
        return new.n > old.n
    return (new.gen, new.standing is not Standing.LIVE) >= (old.gen, old.standing is not Standing.LIVE)


class Known(NamedTuple):
    """What the registry knows of one endpoint at one provider. `generation` is the latest plan's, 0 without one.

    `is_copy`: the registry did not answer, and this is what it said some time ago. Whoever acts on it is as one who read
    the registry then and slept since: the fence refuses what was overtaken. Where nothing fences (the sentinel is
    absent) it must not be acted on.
    """

    generation: int
    entry: Entry | None
    record: Record | None
    is_copy: bool = False


class AheadReport(NamedTuple):
    """An enactor met a sentinel that is ahead of the latest plan."""

    provider: str
    endpoint: str
    gen: int
    digest: str


class PlanInfo(NamedTuple):
    """A stored plan as the janitor sees it; wall clock in nanoseconds, `tombstoned` 0 while it has no tombstone."""

    generation: int
    at: int
    tombstoned: int


class Outcome(StrEnum):
    """What became of a transaction."""

    COMMITTED = "committed"
    CONFLICT = "conflict"
    """A prerequisite did not hold: nothing changed."""
    FAILED = "failed"
    """The provider refused for another reason: nothing changed."""
    LOST = "lost"
    """No reply: it may have landed or may land later. Read and compare; never send it again blindly."""


class Reply(NamedTuple):
    """A provider's answer to a transaction, with its own word for it (`NXRRSET`)."""

    outcome: Outcome
    detail: str = ""


class Provider(Protocol):
    """Where records live. Reads come from the primary, never from a resolver or a secondary."""

    @property
    def name(self) -> str: ...

    @property
    def tier(self) -> Tier: ...

    @property
    def at_once(self) -> int:
        """How many endpoints are worth working on at a time; more would only wait."""
        ...

    async def read(self, endpoint: str) -> Live:
        """Read sentinel and address-bearing sets.

        Raises:
            outlast.errors.Unavailable: The primary did not answer usefully.

        """
        ...

    async def read_sentinel(self, endpoint: str) -> tuple[str, ...]:
        """Read the TXT strings of the sentinel alone, for whoever looks at many endpoints and at nothing else of them.

        Where a server makes names up from a wildcard, what is no sentinel may be such a one's.

        Raises:
            outlast.errors.Unavailable: As `read`.

        """
        ...

    async def commit(self, transaction: Transaction) -> Reply:
        """Carry out one transaction, all or nothing. Never raises for what the provider says or fails to say.

        Raises:
            outlast.errors.UnsafePlan: The resulting record sets would leave the endpoint empty; nothing was sent.

        """
        ...


class Lease(NamedTuple):
    """Who may act under a name. `token` grows with every change of holder, `beat` with every renewal by the same one."""

    name: str
    holder: str
    token: int
    beat: int


class Leases(Protocol):
    """Where leases lie: every registry. How they are kept, and what they are worth, is in `outlast.traffic.lease`."""

    async def lease(self, name: str) -> Lease | None:
        """The lease of that name as it is now, or `None`. Raises `outlast.errors.Unavailable`."""
        ...

    async def swap_lease(self, lease: Lease, *, seen: Lease | None) -> bool:
        """Store `lease` if what lies under its name is exactly `seen`; say whether it was. Raises as `lease`."""
        ...


class Registry(Leases, Protocol):
    """Where plans, records, reports and signals live. Every method raises `outlast.errors.Unavailable` if it cannot."""

    @property
    def at_once(self) -> int:
        """How many calls are worth making at a time; more would only wait, and their time would run out."""
        ...

    async def known(self, provider: str, endpoint: str) -> Known: ...

    async def latest_plan(self) -> Plan | None: ...

    async def plan(self, generation: int) -> Plan | None: ...

    async def floor(self) -> int:
        """The largest generation ever published here, even if that plan is deleted."""
        ...

    async def publish(self, plan: Plan, *, after: int) -> bool:
        """Store `plan` if the latest generation is still `after` (0: none); otherwise change nothing and say `False`."""
        ...

    async def find_content(self, endpoint: str, digest: str) -> Content | None:
        """The content of that digest from any stored plan."""
        ...

    async def write_record(self, record: Record, *, pending: bool = False) -> bool:
        """Store the record unless one that it does not supersede is there (`supersedes`); say whether it was stored."""
        ...

    async def records(self) -> tuple[Record, ...]: ...

    async def report(self, report: AheadReport) -> None: ...

    async def reports(self) -> tuple[AheadReport, ...]: ...

    async def drop_reports(self, reports: tuple[AheadReport, ...]) -> None: ...

    async def put_signals(self, signals: tuple[Signal, ...]) -> None: ...

    async def signals(self) -> tuple[Signal, ...]: ...

    async def plans(self) -> tuple[PlanInfo, ...]: ...

    async def tombstone(self, generation: int, *, at: int) -> None: ...

    async def delete_plan(self, generation: int, *, keep: int, tombstoned_before: int) -> bool:
        """Delete a plan in one transaction that checks everything again, or change nothing and say `False`.

        The plan must be tombstoned before `tombstoned_before`, not one of the `keep` newest, and named by no record.
        """
        ...

    async def orders(self) -> tuple[Order, ...]:
        """What people have told the planner and not lifted."""
        ...

    async def give_order(self, order: Order) -> None:
        """Let an order stand, in place of one with the same key.

        Raises:
            outlast.errors.Refused: So many orders stand that nobody oversees them any more.

        """
        ...

    async def lift_order(self, key: tuple[str, str, str]) -> bool:
        """Lift the order of that key; say whether one stood."""
        ...

    async def log(self, deed: Deed) -> None:
        """Add a line to the audit log. Nothing changes or removes one, but for the oldest beyond the limit."""
        ...

    async def logged(self, limit: int) -> tuple[Deed, ...]:
        """The newest lines of the audit log, newest first."""
        ...


Jitter = Callable[[], float]
"""Chance as an argument: a number from 0 up to 1."""
