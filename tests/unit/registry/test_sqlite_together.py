"""Calls on a SQLite registry that are made at the same time share a transaction, and nothing else."""

import asyncio
import gc
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from outlast.errors import Refused, Unavailable
from outlast.health.signal import Signal, Verdict
from outlast.registry import limits
from outlast.registry.database import Database
from outlast.registry.sqlite import SqliteRegistry
from outlast.traffic.content import Content
from outlast.traffic.orders import Kind, Order
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.ports import Known, Record
from outlast.traffic.sentinel import Sentinel, Standing

DB = "db.example.com"
EAST = Content.of_addresses(["192.0.2.1"], ttl=5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "registry.sqlite"


def publish(registry: SqliteRegistry, generation: int) -> None:
    entry = Entry(endpoint=DB, generation=generation, content=EAST)
    plan = Plan(realm="test", generation=generation, entries=(entry,))
    assert asyncio.run(registry.publish(plan, after=generation - 1))


def record(endpoint: str, n: int = 1) -> Record:
    return Record("p", endpoint, Sentinel("r", n, 1, EAST.digest, Standing.LIVE, "x"), EAST)


def test_who_writes_at_the_same_time_shares_a_transaction(path: Path) -> None:
    """A hundred records written at once land, and the file is begun to be written a handful of times."""
    registry, begun = SqliteRegistry(path), list[str]()
    names = [f"n{number:03}.example" for number in range(100)]
    asyncio.run(registry.floor())
    assert registry._database._db is not None
    registry._database._db.set_trace_callback(begun.append)

    async def act() -> list[bool]:
        return list(await asyncio.gather(*(registry.write_record(record(name)) for name in names)))

    stored = asyncio.run(act())
    there = asyncio.run(registry.records())
    registry.close()

    assert [True] * 100 == stored
    assert names == [it.endpoint for it in there]
    assert begun.count("BEGIN IMMEDIATE") <= 3


def test_one_that_is_refused_undoes_no_other(path: Path) -> None:
    """Of writes that share a transaction, the one that raises is undone and told; the others last."""
    registry = SqliteRegistry(path)
    orders = [Order(Kind.EVACUATE, "east", f"{at}.example", (), "ann", 1, "") for at in range(limits.MAX_ORDERS + 1)]

    async def act() -> list[object]:
        await asyncio.gather(*map(registry.give_order, orders[:-1]))
        writes = registry.write_record(record("a")), registry.give_order(orders[-1]), registry.write_record(record("b"))
        return list(await asyncio.gather(*writes, return_exceptions=True))

    first, refused, second = asyncio.run(act())
    there = asyncio.run(registry.records()), asyncio.run(registry.orders())
    registry.close()

    assert (True, True) == (first, second)
    assert isinstance(refused, Refused)
    assert (["a", "b"], limits.MAX_ORDERS) == ([it.endpoint for it in there[0]], len(there[1]))


def test_half_a_write_is_undone(path: Path) -> None:
    """What one wrote before it raised is not there; what those before and behind it wrote is."""

    def half(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO report VALUES ('p', 'half', 1, '')")
        raise Refused("no")

    def whole(name: str) -> Callable[[sqlite3.Connection], object]:
        return lambda db: db.execute("INSERT INTO report VALUES ('p', ?, 1, '')", (name,))

    database = Database(path)
    ends = database.write([whole("one"), half, whole("two")])
    (there,) = database.read([lambda db: [name for (name,) in db.execute("SELECT endpoint FROM report")]])
    database.close()

    assert [False, True, False] == [isinstance(end, Refused) for end in ends]
    assert ["one", "two"] == there


def test_a_damaged_row_is_the_affair_of_who_reads_it(path: Path) -> None:
    """Who reads another record at the same time gets it."""
    registry = SqliteRegistry(path)
    asyncio.run(registry.write_record(record("bad")))
    asyncio.run(registry.write_record(record("good")))
    registry._database.write([lambda db: db.execute("UPDATE record SET sets = '[]' WHERE endpoint = 'bad'")])

    async def act() -> list[object]:
        reads = registry.known("p", "bad"), registry.known("p", "good")
        return list(await asyncio.gather(*reads, return_exceptions=True))

    bad, good = asyncio.run(act())
    registry.close()

    assert isinstance(bad, Unavailable)
    assert Known(0, None, record("good")) == good


@pytest.mark.parametrize(
    ("damage", "mend", "read"),
    [
        ("UPDATE record SET sets = '[]'", "DELETE FROM record", "records"),
        ("UPDATE order_ SET kind = 'dance'", "DELETE FROM order_", "orders"),
        ("UPDATE signal SET verdict = 'odd'", "DELETE FROM signal", "signals"),
        ("UPDATE plan SET text = '{}'", "DELETE FROM plan", "find_content"),
    ],
)
def test_damage_pins_no_snapshot(path: Path, damage: str, mend: str, read: str) -> None:
    """Who has met it sees what others write afterwards, writes itself, and sees it mended, whenever memory is tidied up."""
    registry, other, arguments = SqliteRegistry(path), SqliteRegistry(path), (DB, "0" * 32) if read[0] == "f" else ()
    seen = [Signal(f"192.0.2.{at}", "o", Verdict.HEALTHY, 1, 1, ever_healthy=True) for at in range(3)]
    gc.disable()
    try:
        publish(registry, 1)
        publish(registry, 2)
        for at in "ab":
            asyncio.run(registry.write_record(record(at)))
            asyncio.run(registry.give_order(Order(Kind.EVACUATE, at, "", (), "ann", 1, "")))
        asyncio.run(registry.put_signals(tuple(seen)))
        registry._database.write([lambda db: db.execute(damage)])
        with pytest.raises((Unavailable, ValueError)) as caught:
            asyncio.run(getattr(registry, read)(*arguments))
        other._database.write([lambda db: db.execute(mend)])
        mended = asyncio.run(getattr(registry, read)(*arguments))
        stored = asyncio.run(registry.write_record(record("c")))
        del caught
    finally:
        gc.enable()
    registry.close()
    other.close()

    assert not mended
    assert stored
