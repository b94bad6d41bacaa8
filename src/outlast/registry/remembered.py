"""A registry that an enactor can do without: what it said last is kept on this machine's disk and answers when it does not.

Why that is safe. An enactor that acts on a copy is one that read the registry when the copy was made and slept since,
and sleepers are what the plan protocol is built for: whatever it writes demands, in the provider's own transaction, the
exact sentinel that it has just read; it never goes below that sentinel's generation, overwrites no hold, and puts
records back only if their digest is the one the sentinel names. The one place where a sleeper is not fenced is an absent
sentinel: there the protocol asks for the registry *after* seeing the absence, and a copy is from before it. So the
copy is marked (`Known.is_copy`), and the enactor waits.

What it does not do: it makes no plan and publishes none, stores no record as if the registry had it (a write fails with
`Unavailable`, as without it; what was to be written is kept in the copy, so that a later repair finds it), and answers
nothing that an enactor does not ask. Planner, janitor and the operator's commands use the registry itself.

While the registry is down it is asked again once a second, not by each call: waiting for its timeout at every endpoint
would take the time in which records are mended.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from outlast.clock import Clock
from outlast.errors import Unavailable
from outlast.health.signal import Signal
from outlast.registry.copy_file import EMPTY, Copy, Unusable, read_copy, write_copy
from outlast.traffic.content import Content
from outlast.traffic.orders import Deed, Order
from outlast.traffic.plan import Plan
from outlast.traffic.ports import AheadReport, Known, Lease, PlanInfo, Record, Registry, supersedes

Result = TypeVar("Result")

REST_SECONDS = 1.0
"""After it failed, the registry is left alone for this long, and the copy answers at once."""
WRITING_SHARE = 10
"""The file is written again only after this many times as long as writing it took: a large one seldom."""


class RememberedRegistry:
    """The port `Registry` over another one, with a copy for an enactor.

    Args:
        registry: The registry itself.
        path: The file of the copy; its folder must exist.
        realm: Whose copy it is; a file of another realm is not used.
        clock: Its monotonic part times the rests.
        on_fault: Told in words why the file cannot be used, once for each reason, and an empty string when it can again.

    """

    def __init__(
        self, registry: Registry, path: Path, *, realm: str, clock: Clock, on_fault: Callable[[str], None]
    ) -> None:
        self._registry = registry
        self._path = path
        self._realm = realm
        self._clock = clock
        self._on_fault = on_fault
        self._room = asyncio.Semaphore(registry.at_once)
        self._fault = ""
        self._copy: Copy | None = None
        self._saved: Copy | None = None
        self._is_saving = False
        self._save_again = 0
        self._ask_again = 0
        self._refusal: Unavailable | None = None

    @property
    def at_once(self) -> int:
        return self._registry.at_once

    def __repr__(self) -> str:
        plan = self._copy.plan.generation if self._copy is not None and self._copy.plan is not None else 0
        state = "down" if self._refusal is not None else "up"
        return f"<RememberedRegistry of {self._registry!r}, which is {state}; plan {plan} in {self._path}>"

    async def latest_plan(self) -> Plan | None:
        try:
            plan = await self._ask(self._registry.latest_plan)
        except Unavailable:
            plan = (await self._loaded()).plan
            if plan is None:
                raise
            return plan
        if plan is not None:  # a registry that lost everything does not take the copy along
            await self._keep((await self._loaded())._replace(plan=plan))
        return plan

    async def records(self) -> tuple[Record, ...]:
        try:
            records = await self._ask(self._registry.records)
        except Unavailable:
            kept = (await self._loaded()).records
            if not kept:
                raise
            return tuple(kept[key] for key in sorted(kept))
        if records:
            await self._keep(
                (await self._loaded())._replace(records={(it.provider, it.endpoint): it for it in records})
            )
        return records

    async def known(self, provider: str, endpoint: str) -> Known:
        """What the registry knows, or what it knew last, marked as that.

        Raises:
            Unavailable: It does not answer, and the copy holds nothing of this endpoint.

        """
        try:
            return await self._ask(lambda: self._registry.known(provider, endpoint))
        except Unavailable:
            copy = await self._loaded()
            entry = copy.plan.entry(endpoint) if copy.plan is not None else None
            record = copy.records.get((provider, endpoint))
            if entry is None and record is None:
                raise
            return Known(copy.plan.generation if copy.plan is not None else 0, entry, record, is_copy=True)

    async def find_content(self, endpoint: str, digest: str) -> Content | None:
        """Content by its digest, which names it whoever remembers it."""
        try:
            return await self._ask(lambda: self._registry.find_content(endpoint, digest))
        except Unavailable:
            copy = await self._loaded()
            contents = [it.content for it in copy.records.values() if it.endpoint == endpoint]
            entry = copy.plan.entry(endpoint) if copy.plan is not None else None
            contents += [entry.content] if entry is not None else []
            found = next((content for content in contents if content.digest == digest), None)
            if found is None:
                raise
            return found

    async def write_record(self, record: Record, *, pending: bool = False) -> bool:
        try:
            stored = await self._ask(lambda: self._registry.write_record(record, pending=pending))
        except Unavailable:
            await self._note(record, pending=pending)
            raise
        if stored:
            await self._note(record, pending=pending)
        return stored

    # ------------------------------------------------------------------ what an enactor does not read is not remembered

    async def plan(self, generation: int) -> Plan | None:
        return await self._ask(lambda: self._registry.plan(generation))

    async def floor(self) -> int:
        return await self._ask(self._registry.floor)

    async def publish(self, plan: Plan, *, after: int) -> bool:
        return await self._ask(lambda: self._registry.publish(plan, after=after))

    async def report(self, report: AheadReport) -> None:
        await self._ask(lambda: self._registry.report(report))

    async def reports(self) -> tuple[AheadReport, ...]:
        return await self._ask(self._registry.reports)

    async def drop_reports(self, reports: tuple[AheadReport, ...]) -> None:
        await self._ask(lambda: self._registry.drop_reports(reports))

    async def put_signals(self, signals: tuple[Signal, ...]) -> None:
        await self._ask(lambda: self._registry.put_signals(signals))

    async def signals(self) -> tuple[Signal, ...]:
        return await self._ask(self._registry.signals)

    async def orders(self) -> tuple[Order, ...]:
        return await self._ask(self._registry.orders)

    async def give_order(self, order: Order) -> None:
        await self._ask(lambda: self._registry.give_order(order))

    async def lift_order(self, key: tuple[str, str, str]) -> bool:
        return await self._ask(lambda: self._registry.lift_order(key))

    async def log(self, deed: Deed) -> None:
        await self._ask(lambda: self._registry.log(deed))

    async def logged(self, limit: int) -> tuple[Deed, ...]:
        return await self._ask(lambda: self._registry.logged(limit))

    async def lease(self, name: str) -> Lease | None:
        """From the registry alone: a remembered lease is none."""
        return await self._ask(lambda: self._registry.lease(name))

    async def swap_lease(self, lease: Lease, *, seen: Lease | None) -> bool:
        return await self._ask(lambda: self._registry.swap_lease(lease, seen=seen))

    async def plans(self) -> tuple[PlanInfo, ...]:
        return await self._ask(self._registry.plans)

    async def tombstone(self, generation: int, *, at: int) -> None:
        await self._ask(lambda: self._registry.tombstone(generation, at=at))

    async def delete_plan(self, generation: int, *, keep: int, tombstoned_before: int) -> bool:
        return await self._ask(
            lambda: self._registry.delete_plan(generation, keep=keep, tombstoned_before=tombstoned_before)
        )

    # ---------------------------------------------------------------------------------------------------------- inside

    async def _ask(self, work: Callable[[], Awaitable[Result]]) -> Result:
        # Whoever had to wait for room looks again: the registry may have been found silent meanwhile.
        async with self._room:
            if self._refusal is not None and self._clock.now() < self._ask_again:
                raise Unavailable(self._refusal.message, hint=self._refusal.hint)
            try:
                answer = await work()
            except Unavailable as error:
                self._refusal = error
                self._ask_again = self._clock.now() + int(REST_SECONDS * 1e9)
                raise
            self._refusal = None
            return answer

    async def _loaded(self) -> Copy:
        if self._copy is None:
            copy = EMPTY
            try:
                copy = await asyncio.to_thread(read_copy, self._path, realm=self._realm)
            except Unusable as error:
                self._tell(str(error))
            if self._copy is None:  # nobody else was faster
                self._copy = self._saved = copy
        return self._copy

    async def _note(self, record: Record, *, pending: bool) -> None:
        copy = await self._loaded()
        there = copy.records.get((record.provider, record.endpoint))
        if there is None or supersedes(record.sentinel, there.sentinel, pending=pending):
            await self._keep(copy._replace(records={**copy.records, (record.provider, record.endpoint): record}))

    async def _keep(self, copy: Copy) -> None:
        self._copy = copy
        if self._is_saving or copy == self._saved or self._clock.now() < self._save_again:
            return  # the next pass asks again
        self._is_saving = True
        begun = self._clock.now()
        try:
            await asyncio.to_thread(write_copy, self._path, copy, realm=self._realm)
            self._saved = copy
            self._tell("")
        except Unusable as error:
            self._tell(str(error))
        finally:
            self._is_saving = False
            now = self._clock.now()
            self._save_again = now + WRITING_SHARE * (now - begun)

    def _tell(self, fault: str) -> None:
        if fault != self._fault:
            self._fault = fault
            self._on_fault(fault)
