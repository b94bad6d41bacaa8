"""A registry that lives and dies with its process: for tests, the simulator and trying things out.

It passes the contract suite of the real ones. It is not for control planes: what it forgets, nobody remembers.
"""

from outlast.health.signal import Signal
from outlast.registry import limits
from outlast.registry.limits import admit
from outlast.registry.shelf import Shelf, Shelved, Signals, merge_signals
from outlast.traffic.content import Content
from outlast.traffic.orders import Deed, Order
from outlast.traffic.plan import Plan
from outlast.traffic.ports import AheadReport, Known, Lease, PlanInfo, Record

AT_ONCE = 64
"""Nobody waits here at all."""


class MemoryRegistry:
    """The port `Registry` on dictionaries. Each method is one step of the event loop, and so one transaction."""

    def __init__(self) -> None:
        self._shelf = Shelf()
        self._plans: dict[int, Plan] = {}
        self._signals: Signals = {}
        self._deeds: list[Deed] = []

    @property
    def at_once(self) -> int:
        return AT_ONCE

    def __repr__(self) -> str:
        return f"<MemoryRegistry: {self._shelf}>"

    async def known(self, provider: str, endpoint: str) -> Known:
        latest = await self.latest_plan()
        record = self._shelf.records.get((provider, endpoint))
        if latest is None:
            return Known(0, None, record)
        return Known(latest.generation, latest.entry(endpoint), record)

    async def latest_plan(self) -> Plan | None:
        return self._plans.get(self._shelf.latest)

    async def plan(self, generation: int) -> Plan | None:
        return self._plans.get(generation)

    async def floor(self) -> int:
        return self._shelf.floor

    async def publish(self, plan: Plan, *, after: int) -> bool:
        if not self._shelf.is_open_for(plan.generation, after=after):
            return False
        admit(plan)
        self._plans[plan.generation] = plan
        return self._shelf.publish(plan.generation, Shelved(plan.at, 0, ""), after=after)

    async def find_content(self, endpoint: str, digest: str) -> Content | None:
        for generation in sorted(self._plans, reverse=True):
            entry = self._plans[generation].entry(endpoint)
            if entry is not None and entry.digest == digest:
                return entry.content
        return None

    async def write_record(self, record: Record, *, pending: bool = False) -> bool:
        return self._shelf.write_record(record, pending=pending)

    async def records(self) -> tuple[Record, ...]:
        return tuple(self._shelf.records[key] for key in sorted(self._shelf.records))

    async def report(self, report: AheadReport) -> None:
        self._shelf.report(report)

    async def reports(self) -> tuple[AheadReport, ...]:
        return tuple(self._shelf.reports[key] for key in sorted(self._shelf.reports))

    async def drop_reports(self, reports: tuple[AheadReport, ...]) -> None:
        self._shelf.drop_reports(reports)

    async def put_signals(self, signals: tuple[Signal, ...]) -> None:
        merge_signals(self._signals, signals)

    async def signals(self) -> tuple[Signal, ...]:
        return tuple(self._signals[key] for key in sorted(self._signals))

    async def lease(self, name: str) -> Lease | None:
        return self._shelf.leases.get(name)

    async def swap_lease(self, lease: Lease, *, seen: Lease | None) -> bool:
        return self._shelf.swap_lease(lease, seen=seen)

    async def plans(self) -> tuple[PlanInfo, ...]:
        return self._shelf.listing()

    async def tombstone(self, generation: int, *, at: int) -> None:
        self._shelf.tombstone(generation, at=at)

    async def delete_plan(self, generation: int, *, keep: int, tombstoned_before: int) -> bool:
        if not self._shelf.delete_plan(generation, keep=keep, tombstoned_before=tombstoned_before):
            return False
        del self._plans[generation]
        return True

    async def orders(self) -> tuple[Order, ...]:
        return tuple(self._shelf.orders[key] for key in sorted(self._shelf.orders))

    async def give_order(self, order: Order) -> None:
        self._shelf.give_order(order)

    async def lift_order(self, key: tuple[str, str, str]) -> bool:
        return self._shelf.lift_order(key)

    async def log(self, deed: Deed) -> None:
        self._deeds.append(deed)
        del self._deeds[: -limits.MAX_DEEDS]

    async def logged(self, limit: int) -> tuple[Deed, ...]:
        return tuple(self._deeds[: -limit - 1 : -1])
