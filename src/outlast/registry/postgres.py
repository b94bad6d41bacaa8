"""The registry in a PostgreSQL database: for machines that do not share a disk.

The SQL is the state; there is no copy of it in here but the latest plan, parsed, because an enactor asks for it once per
endpoint and pass. An asynchronous standby that is promoted may have lost the last writes; what the sentinels say brings
the registry forward again, as after a restored backup.
"""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from outlast.health.signal import Signal
from outlast.registry import limits
from outlast.registry.postgres_link import Cursor, Link
from outlast.registry.rows import Records, order_of, plan_of, record_of, row_of_order, row_of_record, signal_of
from outlast.registry.tls import TlsFiles
from outlast.traffic.content import Content
from outlast.traffic.orders import Deed, Order
from outlast.traffic.plan import Plan
from outlast.traffic.ports import AheadReport, Known, Lease, PlanInfo, Record, supersedes

AT_ONCE = 8
"""They share one connection, and the time of each runs while it waits for the others."""
TIMEOUT = 2.0
"""Seconds; a transaction takes a millisecond or two, and a restart of the server somewhat longer than this."""

_LATEST = "SELECT generation, stamp FROM plan ORDER BY generation DESC LIMIT 1"
_RECORDS = "SELECT provider, endpoint, sentinel, sets FROM record ORDER BY provider, endpoint"
_RECORD = "SELECT provider, endpoint, sentinel, sets FROM record WHERE provider = %s AND endpoint = %s"
_WRITE_RECORD = (
    "INSERT INTO record (provider, endpoint, n, gen, sentinel, sets) VALUES (%s, %s, %s, %s, %s, %s)"
    " ON CONFLICT (provider, endpoint) DO UPDATE"
    " SET n = excluded.n, gen = excluded.gen, sentinel = excluded.sentinel, sets = excluded.sets"
)
_REPORT = (
    "INSERT INTO report (provider, endpoint, gen, digest) VALUES (%s, %s, %s, %s) ON CONFLICT (provider, endpoint)"
    " DO UPDATE SET gen = excluded.gen, digest = excluded.digest WHERE excluded.gen >= report.gen"
)
_PUT_SIGNAL = (
    "INSERT INTO signal (target, observer, verdict, since, at, ever_healthy, evidence)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (target, observer) DO UPDATE SET verdict = excluded.verdict,"
    " since = excluded.since, at = excluded.at, ever_healthy = excluded.ever_healthy, evidence = excluded.evidence"
)
_FORGET_SIGNALS = (
    "DELETE FROM signal WHERE (target, observer) IN (SELECT target, observer FROM signal ORDER BY at LIMIT"
    " greatest(0, (SELECT count(*) FROM signal) - %s))"
)
_ORDERS = "SELECT kind, subject, endpoint, addresses, by, at, reason FROM order_ ORDER BY kind, subject, endpoint"
_GIVE_ORDER = (
    "INSERT INTO order_ (kind, subject, endpoint, addresses, by, at, reason) VALUES (%s, %s, %s, %s, %s, %s, %s)"
)
_LIFT_ORDER = "DELETE FROM order_ WHERE (kind, subject, endpoint) = (%s, %s, %s)"
_LOG = (
    "INSERT INTO deed (number, at, by, what, subject, why, outcome)"
    " VALUES ((SELECT coalesce(max(number), 0) + 1 FROM deed), %s, %s, %s, %s, %s, %s)"
)
_PUT_LEASE = (
    "INSERT INTO lease (name, holder, token, beat) VALUES (%s, %s, %s, %s) ON CONFLICT (name)"
    " DO UPDATE SET holder = excluded.holder, token = excluded.token, beat = excluded.beat"
)
_DELETE_PLAN = (
    "DELETE FROM plan WHERE generation = %(generation)s AND tombstoned > 0 AND tombstoned < %(before)s"
    " AND generation NOT IN (SELECT generation FROM plan ORDER BY generation DESC LIMIT %(keep)s)"
    " AND NOT EXISTS (SELECT 1 FROM record WHERE gen = %(generation)s)"
)


class _Latest(NamedTuple):
    """The latest plan, parsed, and how to tell that it still is: a restored backup holds another stamp."""

    stamp: str
    plan: Plan


class PostgresRegistry:
    """The port `Registry` on a database. Nothing is opened before the first call.

    Args:
        dsn: Where it is, as libpq reads it: `postgresql://user@host:5432/database`, several hosts too.
        password: Its password, if neither the DSN nor libpq's own files and variables give it; or what gives it, asked
            anew for each connection.
        schema: The schema of our tables; it is made if it is not there.
        timeout: Seconds for one call, with all waiting, after which it raises `Unavailable`.
        ca_file: The authority of its certificate: then nothing but TLS, with its certificate and name checked.
        cert_file: This client's certificate, if the server asks for one.
        key_file: Its key.
        is_reader: Nothing is written and nothing is made: calls raise `NotMade` where there are no tables.

    Raises:
        InvalidConfig: The DSN, the schema or a certificate cannot be read.

    """

    def __init__(
        self,
        dsn: str,
        *,
        password: str | Callable[[], str] = "",
        schema: str = "outlast",
        timeout: float = TIMEOUT,
        ca_file: Path | None = None,
        cert_file: Path | None = None,
        key_file: Path | None = None,
        is_reader: bool = False,
    ) -> None:
        tls = TlsFiles(ca_file, cert_file, key_file)
        self._link = Link(dsn, password=password, schema=schema, timeout=timeout, tls=tls, is_reader=is_reader)
        self._latest: _Latest | None = None
        self._records = Records()

    def __repr__(self) -> str:
        return f"<PostgresRegistry {self._link}>"

    @property
    def at_once(self) -> int:
        return AT_ONCE

    def close(self) -> None:
        """Close the connection; a later call opens one again."""
        self._link.close()

    async def known(self, provider: str, endpoint: str) -> Known:
        async def work(db: Cursor) -> Known:
            row = await _one(db, _RECORD, (provider, endpoint))
            record = None if row is None else record_of(row, where=self._link)
            plan = await self._latest_plan(db)
            if plan is None:
                return Known(0, None, record)
            return Known(plan.generation, plan.entry(endpoint), record)

        return await self._link.read(work)

    async def latest_plan(self) -> Plan | None:
        return await self._link.read(self._latest_plan)

    async def plan(self, generation: int) -> Plan | None:
        async def work(db: Cursor) -> Plan | None:
            row = await _one(db, "SELECT text FROM plan WHERE generation = %s", (generation,))
            return None if row is None else plan_of(row[0], generation, where=self._link)

        return await self._link.read(work)

    async def floor(self) -> int:
        return await self._link.read(_floor)

    async def publish(self, plan: Plan, *, after: int) -> bool:
        """Store `plan` if the latest generation is still `after` (0: none); otherwise change nothing and say `False`.

        Raises:
            UnsafePlan: It could leave an endpoint empty, or its generation was published before.
            Unavailable: The database cannot be used; the plan may have been published all the same.

        """

        async def work(db: Cursor) -> bool:
            latest = await _one(db, _LATEST)
            if (0 if latest is None else latest[0]) != after:
                return False
            limits.refuse_old(plan.generation, floor=await _floor(db))
            row = (plan.generation, secrets.token_hex(8), plan.at, text)
            await db.execute("INSERT INTO plan (generation, stamp, at, text) VALUES (%s, %s, %s, %s)", row)
            await db.execute("UPDATE floor SET generation = %s", (plan.generation,))
            return True

        known = self._latest.plan if self._latest is not None else None
        text = await asyncio.to_thread(limits.admit, plan, known=known)
        return await self._link.write(work)

    async def find_content(self, endpoint: str, digest: str) -> Content | None:
        """Look for content in every stored plan, newest first. Costs the parsing of each: for rare repairs."""

        async def work(db: Cursor) -> Content | None:
            await db.execute("SELECT generation FROM plan ORDER BY generation DESC")
            for (generation,) in await db.fetchall():
                row = await _one(db, "SELECT text FROM plan WHERE generation = %s", (generation,))
                entry = plan_of(row[0], generation, where=self._link).entry(endpoint) if row is not None else None
                if entry is not None and entry.digest == digest:
                    return entry.content
            return None

        return await self._link.read(work)

    async def write_record(self, record: Record, *, pending: bool = False) -> bool:
        """Store the record unless one that it does not supersede is there; say whether it was stored.

        Raises:
            InvalidSentinel: Its sentinel could not be read back.

        """
        sentinel = record.sentinel
        provider, endpoint, text, sets = row_of_record(record)

        async def work(db: Cursor) -> bool:
            there = await _one(db, _RECORD, (provider, endpoint))
            if there is not None:
                old = record_of(there, where=self._link).sentinel
                if not supersedes(sentinel, old, pending=pending):
                    return False
            await db.execute(_WRITE_RECORD, (provider, endpoint, sentinel.n, sentinel.gen, text, sets))
            return True

        return await self._link.write(work)

    async def records(self) -> tuple[Record, ...]:
        async def work(db: Cursor) -> tuple[Record, ...]:
            await db.execute(_RECORDS)
            return self._records.of(await db.fetchall(), where=self._link)

        return await self._link.read(work)

    async def report(self, report: AheadReport) -> None:
        async def work(db: Cursor) -> None:
            place = (report.provider, report.endpoint)
            others = "SELECT count(*) FROM report WHERE (provider, endpoint) <> (%s, %s)"
            if (await _count(db, others, place)) < limits.MAX_REPORTS:
                await db.execute(_REPORT, report)

        await self._link.write(work)

    async def reports(self) -> tuple[AheadReport, ...]:
        async def work(db: Cursor) -> tuple[AheadReport, ...]:
            await db.execute("SELECT provider, endpoint, gen, digest FROM report ORDER BY provider, endpoint")
            return tuple(AheadReport(*row) for row in await db.fetchall())

        return await self._link.read(work)

    async def drop_reports(self, reports: tuple[AheadReport, ...]) -> None:
        # Exactly these: a report that has risen meanwhile is another one.
        query = "DELETE FROM report WHERE (provider, endpoint, gen, digest) = (%s, %s, %s, %s)"
        await self._link.write(lambda db: db.executemany(query, reports))

    async def put_signals(self, signals: tuple[Signal, ...]) -> None:
        async def work(db: Cursor) -> None:
            await db.executemany(_PUT_SIGNAL, signals)
            await db.execute(_FORGET_SIGNALS, (limits.MAX_SIGNALS,))

        await self._link.write(work)

    async def signals(self) -> tuple[Signal, ...]:
        async def work(db: Cursor) -> tuple[Signal, ...]:
            await db.execute("SELECT * FROM signal ORDER BY target, observer")
            return tuple(signal_of(row) for row in await db.fetchall())

        return await self._link.read(work)

    async def lease(self, name: str) -> Lease | None:
        return await self._link.read(lambda db: _lease(db, name))

    async def swap_lease(self, lease: Lease, *, seen: Lease | None) -> bool:
        async def work(db: Cursor) -> bool:
            if await _lease(db, lease.name) != seen:
                return False
            await db.execute(_PUT_LEASE, lease)
            return True

        return await self._link.write(work)

    async def orders(self) -> tuple[Order, ...]:
        async def work(db: Cursor) -> tuple[Order, ...]:
            await db.execute(_ORDERS)
            return tuple(order_of(row) for row in await db.fetchall())

        return await self._link.read(work)

    async def give_order(self, order: Order) -> None:
        async def work(db: Cursor) -> None:
            others = "SELECT count(*) FROM order_ WHERE (kind, subject, endpoint) <> (%s, %s, %s)"
            limits.refuse_many(await _count(db, others, order.key))
            await db.execute(_LIFT_ORDER, order.key)
            await db.execute(_GIVE_ORDER, row_of_order(order))

        await self._link.write(work)

    async def lift_order(self, key: tuple[str, str, str]) -> bool:
        async def work(db: Cursor) -> bool:
            await db.execute(_LIFT_ORDER, key)
            return db.rowcount == 1

        return await self._link.write(work)

    async def log(self, deed: Deed) -> None:
        async def work(db: Cursor) -> None:
            await db.execute(_LOG, deed)
            await db.execute(
                "DELETE FROM deed WHERE number <= (SELECT max(number) FROM deed) - %s", (limits.MAX_DEEDS,)
            )

        await self._link.write(work)

    async def logged(self, limit: int) -> tuple[Deed, ...]:
        async def work(db: Cursor) -> tuple[Deed, ...]:
            query = "SELECT at, by, what, subject, why, outcome FROM deed ORDER BY number DESC LIMIT %s"
            await db.execute(query, (limit,))
            return tuple(Deed(*row) for row in await db.fetchall())

        return await self._link.read(work)

    async def plans(self) -> tuple[PlanInfo, ...]:
        async def work(db: Cursor) -> tuple[PlanInfo, ...]:
            await db.execute("SELECT generation, at, tombstoned FROM plan ORDER BY generation DESC")
            return tuple(PlanInfo(*row) for row in await db.fetchall())

        return await self._link.read(work)

    async def tombstone(self, generation: int, *, at: int) -> None:
        # The first one stays, or two janitors would put off the deletion for ever.
        query = "UPDATE plan SET tombstoned = %s WHERE generation = %s AND tombstoned = 0"
        await self._link.write(lambda db: db.execute(query, (at, generation)))

    async def delete_plan(self, generation: int, *, keep: int, tombstoned_before: int) -> bool:
        assert keep >= 1, "the newest plan is never deleted"
        values = {"generation": generation, "before": tombstoned_before, "keep": keep}

        async def work(db: Cursor) -> bool:
            await db.execute(_DELETE_PLAN, values)
            return db.rowcount == 1

        return await self._link.write(work)

    async def _latest_plan(self, db: Cursor) -> Plan | None:
        row = await _one(db, _LATEST)
        if row is None:
            return None
        generation, stamp = row
        if self._latest is None or self._latest.stamp != stamp:
            found = await _one(db, "SELECT text FROM plan WHERE generation = %s", (generation,))
            assert found is not None, "it is in the same snapshot"
            known = self._latest.plan if self._latest is not None else None
            self._latest = _Latest(stamp, plan_of(found[0], generation, where=self._link, known=known))
        return self._latest.plan


async def _one(db: Cursor, query: str, values: tuple[object, ...] = ()) -> tuple[Any, ...] | None:
    await db.execute(query, values)
    return await db.fetchone()


async def _count(db: Cursor, query: str, values: tuple[object, ...]) -> int:
    row = await _one(db, query, values)
    assert row is not None, "a count is always one row"
    return int(row[0])


async def _lease(db: Cursor, name: str) -> Lease | None:
    row = await _one(db, "SELECT name, holder, token, beat FROM lease WHERE name = %s", (name,))
    return None if row is None else Lease(*row)


async def _floor(db: Cursor) -> int:
    row = await _one(db, "SELECT generation FROM floor")
    return 0 if row is None else int(row[0])
