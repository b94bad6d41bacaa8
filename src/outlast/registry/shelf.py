"""What a registry holds beside the texts of its plans, as one value, and the port's compound operations on it.

The operations check first and change last: one that raises, or says no, has changed nothing. Whoever keeps a shelf
elsewhere (a document in an object store) applies them to a copy and swaps the copy in if nobody else was faster.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from outlast.health.signal import Signal
from outlast.registry import limits
from outlast.traffic.orders import Order
from outlast.traffic.ports import AheadReport, Lease, PlanInfo, Record, supersedes

Signals = dict[tuple[str, str], Signal]
"""By target and observer."""


class Shelved(NamedTuple):
    """A stored plan: wall clock of its making and of its tombstone in nanoseconds, and the name of its text."""

    at: int
    tombstoned: int
    text: str


@dataclass(slots=True)
class Shelf:
    """Plans by generation, the floor, records and reports by provider and endpoint, leases by name, orders by key."""

    floor: int = 0
    plans: dict[int, Shelved] = field(default_factory=dict)
    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    reports: dict[tuple[str, str], AheadReport] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    orders: dict[tuple[str, str, str], Order] = field(default_factory=dict)
    deeds: int = 0
    """Lines of the audit log ever written."""

    def __str__(self) -> str:
        return f"{len(self.plans)} plans, floor {self.floor}, {len(self.records)} records"

    def copy(self) -> "Shelf":
        """Another shelf with the same things on it."""
        return Shelf(
            self.floor,
            dict(self.plans),
            dict(self.records),
            dict(self.reports),
            dict(self.leases),
            dict(self.orders),
            self.deeds,
        )

    @property
    def latest(self) -> int:
        """The generation of the latest plan, 0 without one."""
        return max(self.plans, default=0)

    def is_open_for(self, generation: int, *, after: int) -> bool:
        """Whether a plan of this generation may be published after that one.

        Raises:
            UnsafePlan: The generation is not above the floor.

        """
        if self.latest != after:
            return False
        limits.refuse_old(generation, floor=self.floor)
        return True

    def publish(self, generation: int, shelved: Shelved, *, after: int) -> bool:
        if not self.is_open_for(generation, after=after):
            return False
        self.plans[generation] = shelved
        self.floor = generation
        return True

    def write_record(self, record: Record, *, pending: bool) -> bool:
        key = record.provider, record.endpoint
        there = self.records.get(key)
        if there is not None and not supersedes(record.sentinel, there.sentinel, pending=pending):
            return False
        self.records[key] = record
        return True

    def report(self, report: AheadReport) -> None:
        key = report.provider, report.endpoint
        there = self.reports.get(key)
        if there is None and len(self.reports) >= limits.MAX_REPORTS:
            return
        if there is None or report.gen >= there.gen:
            self.reports[key] = report

    def drop_reports(self, reports: tuple[AheadReport, ...]) -> None:
        # Exactly these: a report that has risen meanwhile is another one.
        for report in reports:
            if self.reports.get((report.provider, report.endpoint)) == report:
                del self.reports[report.provider, report.endpoint]

    def swap_lease(self, lease: Lease, *, seen: Lease | None) -> bool:
        if self.leases.get(lease.name) != seen:
            return False
        self.leases[lease.name] = lease
        return True

    def give_order(self, order: Order) -> None:
        limits.refuse_many(len(self.orders.keys() - {order.key}))
        self.orders[order.key] = order

    def lift_order(self, key: tuple[str, str, str]) -> bool:
        return self.orders.pop(key, None) is not None

    def count_deed(self) -> int:
        """The number of the next line of the audit log."""
        self.deeds += 1
        return self.deeds

    def listing(self) -> tuple[PlanInfo, ...]:
        """Every plan, newest first."""
        newest_first = sorted(self.plans.items(), reverse=True)
        return tuple(PlanInfo(generation, plan.at, plan.tombstoned) for generation, plan in newest_first)

    def tombstone(self, generation: int, *, at: int) -> None:
        # The first one stays, or two janitors would put off the deletion for ever.
        there = self.plans.get(generation)
        if there is not None and not there.tombstoned:
            self.plans[generation] = there._replace(tombstoned=at)

    def delete_plan(self, generation: int, *, keep: int, tombstoned_before: int) -> bool:
        assert keep >= 1, "the newest plan is never deleted"
        there = self.plans.get(generation)
        if there is None or generation in sorted(self.plans, reverse=True)[:keep]:
            return False
        is_named = any(record.sentinel.gen == generation for record in self.records.values())
        if is_named or not 0 < there.tombstoned < tombstoned_before:
            return False
        del self.plans[generation]
        return True


def merge_signals(there: Signals, new: tuple[Signal, ...]) -> None:
    """Put `new` in the place of what the same observers said before, and forget what is beyond the limit."""
    there |= {(signal.target, signal.observer): signal for signal in new}
    surplus = len(there) - limits.MAX_SIGNALS
    for signal in sorted(there.values(), key=lambda item: item.at)[: max(0, surplus)]:
        del there[signal.target, signal.observer]
