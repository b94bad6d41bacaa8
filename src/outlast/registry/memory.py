"""A registry that lives and dies with its process: for tests, the simulator and trying things out.

It passes the contract suite of the real ones. It is not for control planes: what it forgets, nobody remembers.
"""

from outlast.health.signal import Signal
from outlast.registry.limits import MAX_DEEDS, MAX_REPORTS, MAX_SIGNALS, admit, refuse_many, refuse_old
from outlast.traffic.content import Content
from outlast.traffic.orders import Deed, Order
from outlast.traffic.plan import Plan
from outlast.traffic.ports import AheadReport, Known, PlanInfo, Record, supersedes


class MemoryRegistry:
    """The port `Registry` on dictionaries. Each method is one step of the event loop, and so one transaction."""

    def __init__(self) -> None:
        self._plans: dict[int, Plan] = {}
        self._tombstones: dict[int, int] = {}
        self._floor = 0
        self._records: dict[tuple[str, str], Record] = {}
        self._reports: dict[tuple[str, str], AheadReport] = {}
        self._signals: dict[tuple[str, str], Signal] = {}
        self._orders: dict[tuple[str, str, str], Order] = {}
        self._deeds: list[Deed] = []

    def __repr__(self) -> str:
        return f"<MemoryRegistry: {len(self._plans)} plans, floor {self._floor}, {len(self._records)} records>"

    async def known(self, provider: str, endpoint: str) -> Known:
        latest = await self.latest_plan()
        record = self._records.get((provider, endpoint))
        if latest is None:
            return Known(0, None, record)
        return Known(latest.generation, latest.entry(endpoint), record)

    async def latest_plan(self) -> Plan | None:
        return self._plans[max(self._plans)] if self._plans else None

    async def plan(self, generation: int) -> Plan | None:
        return self._plans.get(generation)

    async def floor(self) -> int:
        return self._floor

    async def publish(self, plan: Plan, *, after: int) -> bool:
        if max(self._plans, default=0) != after:
            return False
        refuse_old(plan.generation, floor=self._floor)
        admit(plan)
        self._plans[plan.generation] = plan
        self._floor = plan.generation
        return True

    async def find_content(self, endpoint: str, digest: str) -> Content | None:
        for generation in sorted(self._plans, reverse=True):
            entry = self._plans[generation].entry(endpoint)
            if entry is not None and entry.digest == digest:
                return entry.content
        return None

    async def write_record(self, record: Record, *, pending: bool = False) -> bool:
        key = record.provider, record.endpoint
        there = self._records.get(key)
        if there is not None and not supersedes(record.sentinel, there.sentinel, pending=pending):
            return False
        self._records[key] = record
        return True

    async def records(self) -> tuple[Record, ...]:
        return tuple(self._records[key] for key in sorted(self._records))

    async def report(self, report: AheadReport) -> None:
        key = report.provider, report.endpoint
        there = self._reports.get(key)
        if there is None and len(self._reports) >= MAX_REPORTS:
            return
        if there is None or report.gen >= there.gen:
            self._reports[key] = report

    async def reports(self) -> tuple[AheadReport, ...]:
        return tuple(self._reports[key] for key in sorted(self._reports))

    async def drop_reports(self, reports: tuple[AheadReport, ...]) -> None:
        for report in reports:
            if self._reports.get((report.provider, report.endpoint)) == report:
                del self._reports[report.provider, report.endpoint]

    async def put_signals(self, signals: tuple[Signal, ...]) -> None:
        self._signals |= {(signal.target, signal.observer): signal for signal in signals}
        surplus = len(self._signals) - MAX_SIGNALS
        for signal in sorted(self._signals.values(), key=lambda item: item.at)[: max(0, surplus)]:
            del self._signals[signal.target, signal.observer]

    async def signals(self) -> tuple[Signal, ...]:
        return tuple(self._signals[key] for key in sorted(self._signals))

    async def plans(self) -> tuple[PlanInfo, ...]:
        newest_first = sorted(self._plans.items(), reverse=True)
        return tuple(PlanInfo(key, plan.at, self._tombstones.get(key, 0)) for key, plan in newest_first)

    async def tombstone(self, generation: int, *, at: int) -> None:
        if generation in self._plans:
            self._tombstones.setdefault(generation, at)

    async def delete_plan(self, generation: int, *, keep: int, tombstoned_before: int) -> bool:
        assert keep >= 1, "the newest plan is never deleted"
        newest = sorted(self._plans, reverse=True)[:keep]
        is_named = any(record.sentinel.gen == generation for record in self._records.values())
        tombstoned = self._tombstones.get(generation, 0)
        if generation not in self._plans or generation in newest or is_named:
            return False
        if not 0 < tombstoned < tombstoned_before:
            return False
        del self._plans[generation], self._tombstones[generation]
        return True

    async def orders(self) -> tuple[Order, ...]:
        return tuple(self._orders[key] for key in sorted(self._orders))

    async def give_order(self, order: Order) -> None:
        refuse_many(len(self._orders.keys() - {order.key}))
        self._orders[order.key] = order

    async def lift_order(self, key: tuple[str, str, str]) -> bool:
        return self._orders.pop(key, None) is not None

    async def log(self, deed: Deed) -> None:
        self._deeds.append(deed)
        del self._deeds[:-MAX_DEEDS]

    async def logged(self, limit: int) -> tuple[Deed, ...]:
        return tuple(self._deeds[: -limit - 1 : -1])
