"""The registry in one SQLite file: enough for one machine, without a server.

Several processes share the file. The SQL is the state; there is no copy of it in here but the latest plan, parsed,
because an enactor asks for it once per endpoint and pass.
"""

import asyncio
import secrets
import sqlite3
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from outlast.health.signal import Signal
from outlast.registry import limits
from outlast.registry.database import Busy, Database, Transact, Work
from outlast.registry.rows import Records, order_of, plan_of, record_of, row_of_order, row_of_record, signal_of
from outlast.rounds import Asked, Rounds
from outlast.traffic.content import Content
from outlast.traffic.orders import Deed, Order
from outlast.traffic.plan import Plan
from outlast.traffic.ports import AheadReport, Known, Lease, PlanInfo, Record, supersedes

Result = TypeVar("Result")
TOGETHER_MAX = 64
"""Calls in one transaction, so that nobody else waits long for the file."""
CHECK_SECONDS = 0.02
"""Between attempts while another process has the file; SQLite's own waiting goes from 1 to 100 ms."""

_LATEST = "SELECT generation, stamp FROM plan ORDER BY generation DESC LIMIT 1"
_RECORD = "SELECT provider, endpoint, sentinel, sets FROM record"
_WRITE_RECORD = "INSERT OR REPLACE INTO record (provider, endpoint, n, gen, sentinel, sets) VALUES (?, ?, ?, ?, ?, ?)"
_REPORT = (
    "INSERT INTO report (provider, endpoint, gen, digest) VALUES (?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET gen = excluded.gen, digest = excluded.digest WHERE excluded.gen >= gen"
)
_PUT_SIGNAL = "INSERT OR REPLACE INTO signal VALUES (?, ?, ?, ?, ?, ?, ?)"
_FORGET_SIGNALS = (
    "DELETE FROM signal WHERE (target, observer) IN (SELECT target, observer FROM signal ORDER BY at LIMIT ?)"
)
_ORDER = "SELECT kind, subject, endpoint, addresses, by, at, reason FROM order_"
_DELETE_PLAN = (
    "DELETE FROM plan WHERE generation = :generation AND tombstoned > 0 AND tombstoned < :before"
    " AND generation NOT IN (SELECT generation FROM plan ORDER BY generation DESC LIMIT :keep)"
    " AND NOT EXISTS (SELECT 1 FROM record WHERE gen = :generation)"
)


class _Latest(NamedTuple):
    """The latest plan, parsed, and how to tell that it still is."""

    opening: int
    stamp: str
    plan: Plan


class _Call(NamedTuple):
    """One call's work in a transaction, and until when it may wait, as `time.monotonic` counts."""

    work: Work[Any]
    until: float


class SqliteRegistry:
    """The port `Registry` on a file. Nothing is opened before the first call, and then in a thread.

    Args:
        path: The file; its folder must exist.
        busy_timeout: Seconds from a call to its `Unavailable` if others keep the file, however many calls wait.
        is_reader: Nothing is written, and where there is no file none is made: such a registry is empty.

    """

    def __init__(self, path: Path | str, *, busy_timeout: float = 2.0, is_reader: bool = False) -> None:
        self._path = Path(path)
        self._database = Database(self._path, is_reader=is_reader)
        self._busy_timeout = busy_timeout
        # Those who ask at the same time share a transaction: a thread, a lock and a flush for all of them.
        self._reading: Rounds[_Call, Any] = Rounds(partial(self._serve, self._database.read), most=TOGETHER_MAX)
        self._writing: Rounds[_Call, Any] = Rounds(partial(self._serve, self._database.write), most=TOGETHER_MAX)
        self._latest: _Latest | None = None
        self._records = Records()

    def __repr__(self) -> str:
        return f"<SqliteRegistry {self._path}>"

    @property
    def at_once(self) -> int:
        return TOGETHER_MAX

    def close(self) -> None:
        """Close the file; a later call opens it again."""
        self._database.close()

    async def known(self, provider: str, endpoint: str) -> Known:
        def work(db: sqlite3.Connection) -> Known:
            row = db.execute(f"{_RECORD} WHERE provider = ? AND endpoint = ?", (provider, endpoint)).fetchone()
            record = None if row is None else record_of(row, where=self._path)
            plan = self._latest_plan(db)
            if plan is None:
                return Known(0, None, record)
            return Known(plan.generation, plan.entry(endpoint), record)

        return await self._read(work)

    async def latest_plan(self) -> Plan | None:
        return await self._read(self._latest_plan)

    async def plan(self, generation: int) -> Plan | None:
        def work(db: sqlite3.Connection) -> Plan | None:
            row = db.execute("SELECT text FROM plan WHERE generation = ?", (generation,)).fetchone()
            return None if row is None else plan_of(row[0], generation, where=self._path)

        return await self._read(work)

    async def floor(self) -> int:
        return await self._read(_floor)

    async def publish(self, plan: Plan, *, after: int) -> bool:
        """Store `plan` if the latest generation is still `after` (0: none); otherwise change nothing and say `False`.

        Raises:
            UnsafePlan: It could leave an endpoint empty, or its generation was published before.

        """

        def work(db: sqlite3.Connection) -> bool:
            latest = db.execute(_LATEST).fetchone()
            if (0 if latest is None else latest[0]) != after:
                return False
            limits.refuse_old(plan.generation, floor=_floor(db))
            row = (plan.generation, secrets.token_hex(8), plan.at, text)
            db.execute("INSERT INTO plan (generation, stamp, at, text) VALUES (?, ?, ?, ?)", row)
            db.execute("UPDATE floor SET generation = ?", (plan.generation,))
            return True

        text = await asyncio.to_thread(limits.admit, plan, known=self._known)
        return await self._write(work)

    async def find_content(self, endpoint: str, digest: str) -> Content | None:
        """Look for content in every stored plan, newest first. Costs the parsing of each: for rare repairs."""

        def work(db: sqlite3.Connection) -> Content | None:
            for (generation,) in db.execute("SELECT generation FROM plan ORDER BY generation DESC").fetchall():
                (text,) = db.execute("SELECT text FROM plan WHERE generation = ?", (generation,)).fetchone()
                entry = plan_of(text, generation, where=self._path).entry(endpoint)
                if entry is not None and entry.digest == digest:
                    return entry.content
            return None

        return await self._read(work)

    async def write_record(self, record: Record, *, pending: bool = False) -> bool:
        """Store the record unless one that it does not supersede is there; say whether it was stored.

        Raises:
            InvalidSentinel: Its sentinel could not be read back.

        """
        sentinel = record.sentinel
        provider, endpoint, text, sets = row_of_record(record)
        row = (provider, endpoint, sentinel.n, sentinel.gen, text, sets)

        def work(db: sqlite3.Connection) -> bool:
            there = db.execute(f"{_RECORD} WHERE provider = ? AND endpoint = ?", row[:2]).fetchone()
            if there is not None and not supersedes(
                sentinel, record_of(there, where=self._path).sentinel, pending=pending
            ):
                return False
            db.execute(_WRITE_RECORD, row)
            return True

        return await self._write(work)

    async def records(self) -> tuple[Record, ...]:
        def work(db: sqlite3.Connection) -> tuple[Record, ...]:
            rows = db.execute(f"{_RECORD} ORDER BY provider, endpoint").fetchall()
            return self._records.of(rows, where=self._path)

        return await self._read(work)

    async def report(self, report: AheadReport) -> None:
        def work(db: sqlite3.Connection) -> None:
            place = (report.provider, report.endpoint)
            (others,) = db.execute("SELECT count(*) FROM report WHERE (provider, endpoint) != (?, ?)", place).fetchone()
            if others < limits.MAX_REPORTS:
                db.execute(_REPORT, report)

        await self._write(work)

    async def reports(self) -> tuple[AheadReport, ...]:
        query = "SELECT provider, endpoint, gen, digest FROM report ORDER BY provider, endpoint"
        return await self._read(lambda db: tuple(AheadReport(*row) for row in db.execute(query)))

    async def drop_reports(self, reports: tuple[AheadReport, ...]) -> None:
        # Exactly these: a report that has risen meanwhile is another one.
        query = "DELETE FROM report WHERE (provider, endpoint, gen, digest) = (?, ?, ?, ?)"
        await self._write(lambda db: db.executemany(query, reports))

    async def put_signals(self, signals: tuple[Signal, ...]) -> None:
        def work(db: sqlite3.Connection) -> None:
            db.executemany(_PUT_SIGNAL, signals)
            (count,) = db.execute("SELECT count(*) FROM signal").fetchone()
            if count > limits.MAX_SIGNALS:
                db.execute(_FORGET_SIGNALS, (count - limits.MAX_SIGNALS,))

        await self._write(work)

    async def signals(self) -> tuple[Signal, ...]:
        query = "SELECT * FROM signal ORDER BY target, observer"
        return await self._read(lambda db: tuple(map(signal_of, db.execute(query).fetchall())))

    async def lease(self, name: str) -> Lease | None:
        return await self._read(lambda db: _lease(db, name))

    async def swap_lease(self, lease: Lease, *, seen: Lease | None) -> bool:
        def work(db: sqlite3.Connection) -> bool:
            if _lease(db, lease.name) != seen:
                return False
            db.execute("INSERT OR REPLACE INTO lease (name, holder, token, beat) VALUES (?, ?, ?, ?)", lease)
            return True

        return await self._write(work)

    async def plans(self) -> tuple[PlanInfo, ...]:
        query = "SELECT generation, at, tombstoned FROM plan ORDER BY generation DESC"
        return await self._read(lambda db: tuple(PlanInfo(*row) for row in db.execute(query)))

    async def tombstone(self, generation: int, *, at: int) -> None:
        # The first one stays, or two janitors would put off the deletion for ever.
        query = "UPDATE plan SET tombstoned = ? WHERE generation = ? AND tombstoned = 0"
        await self._write(lambda db: db.execute(query, (at, generation)))

    async def delete_plan(self, generation: int, *, keep: int, tombstoned_before: int) -> bool:
        assert keep >= 1, "the newest plan is never deleted"
        values = {"generation": generation, "before": tombstoned_before, "keep": keep}
        return await self._write(lambda db: db.execute(_DELETE_PLAN, values).rowcount == 1)

    async def orders(self) -> tuple[Order, ...]:
        query = f"{_ORDER} ORDER BY kind, subject, endpoint"
        return await self._read(lambda db: tuple(map(order_of, db.execute(query).fetchall())))

    async def give_order(self, order: Order) -> None:
        def work(db: sqlite3.Connection) -> None:
            query = "SELECT count(*) FROM order_ WHERE (kind, subject, endpoint) != (?, ?, ?)"
            limits.refuse_many(*db.execute(query, order.key).fetchone())
            db.execute("INSERT OR REPLACE INTO order_ VALUES (?, ?, ?, ?, ?, ?, ?)", row_of_order(order))

        await self._write(work)

    async def lift_order(self, key: tuple[str, str, str]) -> bool:
        query = "DELETE FROM order_ WHERE (kind, subject, endpoint) = (?, ?, ?)"
        return await self._write(lambda db: db.execute(query, key).rowcount == 1)

    async def log(self, deed: Deed) -> None:
        def work(db: sqlite3.Connection) -> None:
            db.execute("INSERT INTO deed (at, by, what, subject, why, outcome) VALUES (?, ?, ?, ?, ?, ?)", deed)
            db.execute("DELETE FROM deed WHERE number <= (SELECT max(number) FROM deed) - ?", (limits.MAX_DEEDS,))

        await self._write(work)

    async def logged(self, limit: int) -> tuple[Deed, ...]:
        query = "SELECT at, by, what, subject, why, outcome FROM deed ORDER BY number DESC LIMIT ?"
        return await self._read(lambda db: tuple(Deed(*row) for row in db.execute(query, (limit,))))

    @property
    def _known(self) -> Plan | None:
        return self._latest.plan if self._latest is not None else None

    async def _read(self, work: Work[Result]) -> Result:
        return await self._asked(self._reading, work)

    async def _write(self, work: Work[Result]) -> Result:
        return await self._asked(self._writing, work)

    async def _asked(self, rounds: Rounds[_Call, Any], work: Work[Result]) -> Result:
        result: Result = await rounds.ask(_Call(work, time.monotonic() + self._busy_timeout))
        return result

    async def _serve(self, transact: Transact, asked: Sequence[Asked[_Call, Any]]) -> None:
        # Waited for here and not in SQLite: the one connection stays free for who only reads.
        while here := [one for one in asked if not one.is_answered]:
            until = min(one.item.until for one in here)
            try:
                ends = await asyncio.to_thread(transact, [one.item.work for one in here], until=until)
            except Busy as error:
                for one in here:
                    if one.item.until <= time.monotonic():
                        one.fail(error)
                await asyncio.sleep(CHECK_SECONDS)
                continue
            for one, end in zip(here, ends, strict=True):
                if isinstance(end, Exception):
                    one.fail(end)
                else:
                    one.answer(end)

    def _latest_plan(self, db: sqlite3.Connection) -> Plan | None:
        row = db.execute(_LATEST).fetchone()
        if row is None:
            return None
        generation, stamp = row
        key = (self._database.openings, stamp)
        if self._latest is None or self._latest[:2] != key:
            (text,) = db.execute("SELECT text FROM plan WHERE generation = ?", (generation,)).fetchone()
            self._latest = _Latest(*key, plan_of(text, generation, where=self._path, known=self._known))
        return self._latest.plan


def _lease(db: sqlite3.Connection, name: str) -> Lease | None:
    row = db.execute("SELECT name, holder, token, beat FROM lease WHERE name = ?", (name,)).fetchone()
    return None if row is None else Lease(*row)


def _floor(db: sqlite3.Connection) -> int:
    (generation,) = db.execute("SELECT generation FROM floor").fetchone()
    return int(generation)
