"""The port `Registry` on a store that can compare and swap one key: S3 and what is like it, etcd.

Theory of operation. One small document, `state`, holds everything that must change together: the list of plans with
their tombstones, the floor, the records, the reports, the leases, the orders. Each compound operation of the port is a function on it
(`shelf`), applied to a copy that is swapped in (`document`), and so one transaction. A plan's text is too large for
that and never changes: it is stored first, under a name of its own, and is a plan only once the document lists it; a
deletion takes it off the list first and then deletes the text. Signals are a document apart, for they change every second and
decide nothing together with the rest.

Texts that no list names (a publisher that died or lost its race) are swept by the next deletion: one whose generation
is not above the floor can never be listed any more, so no clock is needed to know that nobody is about to.

The document is compressed: 10,000 records take 0.4 MB, and half a second of whoever reads it after a change. That is as
far as this shape is good; larger set-ups want PostgreSQL. etcd's own limit of 1.5 MB comes at some 30,000.
"""

import asyncio
import json
import secrets
import zlib
from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

from outlast.errors import Unavailable, UnsafePlan
from outlast.health.signal import Signal
from outlast.registry import documents_form, limits
from outlast.registry.document import Document, silent
from outlast.registry.limits import admit
from outlast.registry.rows import damaged, plan_of
from outlast.registry.shelf import Shelf, Shelved, Signals, merge_signals
from outlast.registry.store import Store
from outlast.traffic.content import Content
from outlast.traffic.orders import Deed, Order
from outlast.traffic.plan import Plan
from outlast.traffic.ports import AheadReport, Known, Lease, PlanInfo, Record

Result = TypeVar("Result")

AT_ONCE = 64
"""They share rounds of reading and writing."""
PLANS = "plans/"
DEEDS = "deeds/"


class DocumentRegistry:
    """The port `Registry` on a `Store`. Nothing is opened before the first call.

    Args:
        store: Where the documents live.
        timeout: Seconds for one round of reading and writing; a call waits for two at most and then raises `Unavailable`.

    """

    def __init__(self, store: Store, *, timeout: float) -> None:
        self._store = store
        self._timeout = timeout
        self._state: Document[Shelf] = Document(store, "state", documents_form.shelf_form(store), timeout=timeout)
        self._signals: Document[Signals] = Document(
            store, "signals", documents_form.signals_form(store), timeout=timeout
        )
        self._latest: tuple[str, Plan] | None = None

    @property
    def at_once(self) -> int:
        return AT_ONCE

    def __repr__(self) -> str:
        return f"<DocumentRegistry {self._store}>"

    def close(self) -> None:
        """Let go of what is open; a later call opens it again."""
        self._store.close()

    async def known(self, provider: str, endpoint: str) -> Known:
        shelf = await self._state.load()
        record = shelf.records.get((provider, endpoint))
        plan = await self._latest_of(shelf)
        if plan is None:
            return Known(0, None, record)
        return Known(plan.generation, plan.entry(endpoint), record)

    async def latest_plan(self) -> Plan | None:
        return await self._latest_of(await self._state.load())

    async def plan(self, generation: int) -> Plan | None:
        shelf = await self._state.load()
        return await self._fetch(shelf, generation) if generation in shelf.plans else None

    async def floor(self) -> int:
        return (await self._state.load()).floor

    async def publish(self, plan: Plan, *, after: int) -> bool:
        """Store `plan` if the latest generation is still `after` (0: none); otherwise change nothing and say `False`.

        Raises:
            UnsafePlan: It could leave an endpoint empty, or its generation was published before.
            Unavailable: The store cannot be used; the plan may have been published all the same.

        """
        if not (await self._state.load()).is_open_for(plan.generation, after=after):
            return False
        data = zlib.compress((await asyncio.to_thread(admit, plan, known=self._known)).encode())
        shelved = Shelved(plan.at, 0, f"{PLANS}{plan.generation}-{secrets.token_hex(8)}")
        await self._in_time(self._store.put(shelved.text, data))
        try:
            is_published = await self._state.update(lambda shelf: shelf.publish(plan.generation, shelved, after=after))
        except UnsafePlan:
            await self._forget(shelved.text)
            raise
        if is_published:
            return True
        if (await self._state.load()).plans.get(plan.generation) == shelved:
            return True  # it landed though the store said otherwise: somebody in between sent it twice
        await self._forget(shelved.text)
        return False

    async def find_content(self, endpoint: str, digest: str) -> Content | None:
        """Look for content in every stored plan, newest first. Costs the reading of each: for rare repairs."""
        shelf = await self._state.load()
        for generation in sorted(shelf.plans, reverse=True):
            plan = await self._fetch(shelf, generation)
            entry = plan.entry(endpoint) if plan is not None else None
            if entry is not None and entry.digest == digest:
                return entry.content
        return None

    async def write_record(self, record: Record, *, pending: bool = False) -> bool:
        """Store the record unless one that it does not supersede is there; say whether it was stored.

        Raises:
            InvalidSentinel: Its sentinel could not be read back.

        """
        assert record.sentinel.text
        return await self._state.update(lambda shelf: shelf.write_record(record, pending=pending))

    async def records(self) -> tuple[Record, ...]:
        records = (await self._state.load()).records
        return tuple(records[key] for key in sorted(records))

    async def report(self, report: AheadReport) -> None:
        await self._state.update(lambda shelf: shelf.report(report))

    async def reports(self) -> tuple[AheadReport, ...]:
        reports = (await self._state.load()).reports
        return tuple(reports[key] for key in sorted(reports))

    async def drop_reports(self, reports: tuple[AheadReport, ...]) -> None:
        await self._state.update(lambda shelf: shelf.drop_reports(reports))

    async def put_signals(self, signals: tuple[Signal, ...]) -> None:
        await self._signals.update(lambda there: merge_signals(there, signals))

    async def signals(self) -> tuple[Signal, ...]:
        there = await self._signals.load()
        return tuple(there[key] for key in sorted(there))

    async def lease(self, name: str) -> Lease | None:
        return (await self._state.load()).leases.get(name)

    async def swap_lease(self, lease: Lease, *, seen: Lease | None) -> bool:
        return await self._state.update(lambda shelf: shelf.swap_lease(lease, seen=seen))

    async def orders(self) -> tuple[Order, ...]:
        orders = (await self._state.load()).orders
        return tuple(orders[key] for key in sorted(orders))

    async def give_order(self, order: Order) -> None:
        await self._state.update(lambda shelf: shelf.give_order(order))

    async def lift_order(self, key: tuple[str, str, str]) -> bool:
        return await self._state.update(lambda shelf: shelf.lift_order(key))

    async def log(self, deed: Deed) -> None:
        # A text for each, under the next number: a log in a document would be written anew with every line.
        number = await self._state.update(Shelf.count_deed)
        await self._in_time(self._store.put(f"{DEEDS}{number:012d}", json.dumps(deed).encode()))
        if number > limits.MAX_DEEDS:
            await self._forget(f"{DEEDS}{number - limits.MAX_DEEDS:012d}")

    async def logged(self, limit: int) -> tuple[Deed, ...]:
        newest = (await self._state.load()).deeds
        found: list[Deed] = []
        for number in range(newest, max(0, newest - limits.MAX_DEEDS), -1):
            if len(found) == limit:
                break
            data = await self._in_time(self._store.get(f"{DEEDS}{number:012d}"))
            if data is not None:  # whoever took the number may have died before it wrote
                found.append(self._deed(data, number))
        return tuple(found)

    async def plans(self) -> tuple[PlanInfo, ...]:
        return (await self._state.load()).listing()

    async def tombstone(self, generation: int, *, at: int) -> None:
        await self._state.update(lambda shelf: shelf.tombstone(generation, at=at))

    async def delete_plan(self, generation: int, *, keep: int, tombstoned_before: int) -> bool:
        def change(shelf: Shelf) -> bool:
            return shelf.delete_plan(generation, keep=keep, tombstoned_before=tombstoned_before)

        is_deleted = await self._state.update(change)
        if is_deleted:
            # The plan is gone; that its text is still there is nobody's concern but the next sweep's.
            with suppress(Unavailable):
                await self._sweep()
        return is_deleted

    async def _latest_of(self, shelf: Shelf) -> Plan | None:
        if not shelf.plans:
            return None
        name = shelf.plans[shelf.latest].text
        if self._latest is None or self._latest[0] != name:
            plan = await self._fetch(shelf, shelf.latest)
            if plan is None:
                # The latest plan is never deleted, but it may have become another one meanwhile.
                return await self._latest_of(await self._state.load())
            self._latest = name, plan
        return self._latest[1]

    async def _fetch(self, shelf: Shelf, generation: int) -> Plan | None:
        name = shelf.plans[generation].text
        data = await self._in_time(self._store.get(name))
        if data is not None:
            return await asyncio.to_thread(self._opened, data, generation)
        # Deleted since the list was read? Then it is no longer on it.
        now = await self._state.load()
        if generation in now.plans and now.plans[generation].text == name:
            raise damaged(self._store, f"the text of plan {generation} is missing ({name})")
        return None

    def _opened(self, data: bytes, generation: int) -> Plan:
        try:
            text = zlib.decompress(data).decode()
        except (zlib.error, UnicodeDecodeError) as error:
            raise damaged(self._store, f"plan {generation}: {error}") from error
        return plan_of(text, generation, where=self._store, known=self._known)

    @property
    def _known(self) -> Plan | None:
        return self._latest[1] if self._latest is not None else None

    def _deed(self, data: bytes, number: int) -> Deed:
        try:
            return Deed(*json.loads(data))
        except (ValueError, TypeError) as error:
            raise damaged(self._store, f"line {number} of the audit log: {error}") from error

    async def _sweep(self) -> None:
        shelf = await self._state.load()
        listed = {plan.text for plan in shelf.plans.values()}
        for name in await self._in_time(self._store.names(PLANS)):
            generation = name.removeprefix(PLANS).partition("-")[0]
            if name not in listed and generation.isdecimal() and int(generation) <= shelf.floor:
                await self._in_time(self._store.delete(name))

    async def _forget(self, name: str) -> None:
        with suppress(Unavailable):
            await self._in_time(self._store.delete(name))

    async def _in_time(self, work: Awaitable[Result]) -> Result:
        try:
            async with asyncio.timeout(self._timeout):
                return await work
        except TimeoutError as error:
            raise silent(self._store, self._timeout) from error
