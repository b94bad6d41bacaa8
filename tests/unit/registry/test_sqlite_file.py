"""The SQLite registry as a file: mode, versions, damage, loss, restoration, and processes that share it."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from outlast.errors import Unavailable
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


def plan(generation: int, *, reason: str = "") -> Plan:
    entry = Entry(endpoint=DB, generation=generation, content=EAST)
    return Plan(realm="test", generation=generation, entries=(entry,), reason=reason)


def publish(registry: SqliteRegistry, *generations: int, after: int = 0) -> None:
    for generation in generations:
        assert asyncio.run(registry.publish(plan(generation), after=after))
        after = generation


def say_version(path: Path, version: int) -> None:
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {version}")
    db.close()


def refusal(registry: SqliteRegistry) -> str:
    with pytest.raises(Unavailable) as caught:
        asyncio.run(registry.floor())
    registry.close()
    return str(caught.value)


def test_the_file_is_private(path: Path) -> None:
    """The file and its side files are readable by their owner only, whatever the umask."""
    registry = SqliteRegistry(path)
    before = os.umask(0)
    try:
        publish(registry, 1)
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    finally:
        os.umask(before)
        registry.close()

    assert {f"registry.sqlite{suffix}": 0o600 for suffix in ("", "-shm", "-wal")} == modes


def test_what_was_stored_is_there_after_a_restart(path: Path) -> None:
    """Another instance on the same file goes on where the first stopped."""
    first, second = SqliteRegistry(path), SqliteRegistry(path)
    record = Record("p", DB, Sentinel("test", 1, 2, EAST.digest, Standing.HELD, "one"), EAST)
    publish(first, 1, 2)
    asyncio.run(first.write_record(record))
    first.close()
    known = asyncio.run(second.known("p", DB))
    second.close()

    assert Known(2, plan(2).entries[0], record) == known


def test_a_newer_schema_is_refused(path: Path) -> None:
    """A file written by a newer version is left alone, and the error says what to do."""
    registry = SqliteRegistry(path)
    publish(registry, 1)
    registry.close()
    say_version(path, 4)

    assert f"registry {path}: its schema is version 4, newer than 3 (upgrade outlast here)" == refusal(registry)


def test_an_older_schema_is_brought_forward(path: Path) -> None:
    """A file of version 1 keeps all it has, and takes orders once it is opened."""
    registry = SqliteRegistry(path)
    publish(registry, 1)
    registry.close()
    with sqlite3.connect(path) as db:
        db.executescript("DROP TABLE order_; DROP TABLE deed; DROP TABLE lease; PRAGMA user_version = 1")
    db.close()
    order = Order(Kind.EVACUATE, "us-east-1", "", (), "ann", 5, "INC-42")
    asyncio.run(registry.give_order(order))
    found = asyncio.run(registry.floor()), asyncio.run(registry.orders()), asyncio.run(registry.logged(5))
    registry.close()

    assert (1, (order,), ()) == found


def test_who_only_reads_brings_nothing_forward(path: Path) -> None:
    """An older file is left as it is, and the error says who brings it forward; an empty one is an empty registry."""
    registry = SqliteRegistry(path)
    publish(registry, 1)
    registry.close()
    say_version(path, 1)
    before, empty = path.read_bytes(), path.with_name("empty.sqlite")
    empty.touch()
    reader = SqliteRegistry(empty, is_reader=True)

    assert "its schema is version 1, older than 3 (any role" in refusal(SqliteRegistry(path, is_reader=True))
    assert (before, 0) == (path.read_bytes(), asyncio.run(reader.floor()))
    assert 0 == empty.stat().st_size


def test_a_strangers_database_is_refused(path: Path) -> None:
    """A database of another program is not filled with our tables."""
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()

    assert f"registry {path}: it is the database of another program (name another file)" == refusal(
        SqliteRegistry(path)
    )


def test_a_damaged_file_is_named(path: Path) -> None:
    """A file that is no database is refused with the ways out."""
    path.write_bytes(b"this is not a database, and long enough to be looked at " * 20)
    said = refusal(SqliteRegistry(path))

    assert f"registry {path}: file is not a database (restore a backup, or move it away: " in said


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """Where the folder is missing, the error says how to make it."""
    path = tmp_path / "gone" / "registry.sqlite"

    expected = f"registry {path}: No such file or directory (make its folder: mkdir -p {path.parent})"
    assert expected == refusal(SqliteRegistry(path))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """A folder in the file's place is said to be one."""
    said = refusal(SqliteRegistry(tmp_path))

    assert f"registry {tmp_path}: Is a directory (name a file in a folder that exists)" == said


def test_a_file_is_no_folder(path: Path) -> None:
    """A file in the folder's place is said to be none."""
    path.touch()
    said = refusal(SqliteRegistry(path / "registry.sqlite"))

    assert f"registry {path}/registry.sqlite: Not a directory (name a file in a folder that exists)" == said


def test_a_file_that_cannot_be_written_is_named(path: Path) -> None:
    """What SQLite refuses to write becomes an error that names who must be able to."""
    registry = SqliteRegistry(path)
    publish(registry, 1)
    registry._database._connection().execute("PRAGMA query_only = 1")
    with pytest.raises(Unavailable, match=r"readonly database.*this user must be able to write") as caught:
        publish(registry, 2, after=1)
    registry.close()

    assert str(path) in str(caught.value)


def test_a_full_disk_is_named_and_harms_nothing(path: Path) -> None:
    """When there is no room, nothing is stored, the error says so, and with room the same call works."""
    registry = SqliteRegistry(path)
    publish(registry, 1)
    large = plan(2, reason="x" * 200_000)
    pages = registry._database._connection().execute("PRAGMA page_count").fetchone()[0]
    registry._database._connection().execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Unavailable, match="the disk is full: make room in"):
        asyncio.run(registry.publish(large, after=1))
    floor = asyncio.run(registry.floor())
    again = asyncio.run(registry.publish(large, after=1))
    registry.close()

    assert (1, True) == (floor, again)


def test_a_locked_file_is_an_error_within_the_timeout(path: Path) -> None:
    """Another process's endless transaction becomes an error after the timeout; readers are not disturbed."""
    registry = SqliteRegistry(path, busy_timeout=0.01)
    publish(registry, 1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match=r"database is locked.*another process holds it"):
        publish(registry, 2, after=1)
    floor = asyncio.run(registry.floor())
    other.execute("ROLLBACK")
    other.close()
    publish(registry, 2, after=1)
    registry.close()

    assert 1 == floor


def test_many_calls_on_a_locked_file_wait_no_longer_than_one(path: Path) -> None:
    """With the file held elsewhere each of many writers gives up after its own timeout, and a reader waits for none."""
    registry, patience = SqliteRegistry(path, busy_timeout=0.5), 0.5
    publish(registry, 1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ended: list[str] = []

    async def write() -> float:
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="another process holds it"):
            await registry.lift_order(("evacuate", "east", ""))
        ended.append("write")
        return time.monotonic() - begun

    async def read() -> None:
        assert 1 == await registry.floor()
        ended.append("read")

    async def ask() -> list[float]:
        writers = [asyncio.create_task(write()) for _ in range(20)]
        await asyncio.sleep(0)
        await read()
        return await asyncio.gather(*writers)

    took = asyncio.run(ask())
    other.close()
    registry.close()

    assert ["read", *["write"] * 20] == ended
    assert patience <= min(took)
    assert max(took) < 5 * patience


def test_a_file_deleted_under_a_running_process_is_made_again(path: Path) -> None:
    """Nothing is written into a file that nobody else can see: the registry starts anew, visible to all."""
    running, other = SqliteRegistry(path), SqliteRegistry(path)
    publish(running, 1, 2)
    for file in path.parent.iterdir():
        file.unlink()
    floor = asyncio.run(running.floor())
    publish(running, 7)
    seen = asyncio.run(other.latest_plan())
    running.close()
    other.close()

    assert (0, plan(7)) == (floor, seen)


def test_a_reader_makes_no_file_and_sees_it_once_it_is_there(path: Path) -> None:
    """To a reader a missing file is an empty registry; made by others it is read, and lost again it is empty again."""
    reader, writer = SqliteRegistry(path, is_reader=True), SqliteRegistry(path)
    before, left = asyncio.run(reader.latest_plan()), list(path.parent.iterdir())
    publish(writer, 1)
    during = asyncio.run(reader.latest_plan())
    writer.close()
    path.unlink()
    after = asyncio.run(reader.floor())
    reader.close()

    assert (None, [], plan(1), 0, False) == (before, left, during, after, path.exists())


def test_a_reader_tells_a_missing_folder(tmp_path: Path) -> None:
    """Where not even the folder is there, the path is wrong, and no registry is empty."""
    path = tmp_path / "gone" / "registry.sqlite"

    assert "make its folder" in refusal(SqliteRegistry(path, is_reader=True))


def test_a_deleted_file_whose_journal_stayed_is_made_again(path: Path) -> None:
    """What the lost file's journal says is not taken over into the new one."""
    running = SqliteRegistry(path)
    publish(running, 1, 2)
    path.unlink()
    floor = asyncio.run(running.floor())
    publish(running, 1)
    running.close()

    assert 0 == floor


def test_a_backup_restored_under_a_running_process_is_seen(path: Path) -> None:
    """After a restore no cached plan of the lost future answers, even for an equal generation number."""
    backup = path.with_suffix(".backup")
    running, other = SqliteRegistry(path), SqliteRegistry(path)
    publish(running, 1)
    running.close()
    shutil.copy(path, backup)
    publish(running, 2, after=1)
    lost = asyncio.run(running.known("p", DB)).generation
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink()
    backup.replace(path)
    restored = asyncio.run(running.known("p", DB)).generation
    assert asyncio.run(other.publish(plan(2, reason="another"), after=1))
    seen = asyncio.run(running.latest_plan())
    running.close()
    other.close()

    assert (2, 1, plan(2, reason="another")) == (lost, restored, seen)


_PUBLISHER = """
import asyncio, sys
from outlast.errors import UnsafePlan
from outlast.registry.sqlite import SqliteRegistry
from outlast.traffic.content import Content
from outlast.traffic.orders import Kind, Order
from outlast.traffic.plan import Entry, Plan

async def main():
    registry = SqliteRegistry(sys.argv[1], busy_timeout=20)
    wins = 0
    for _ in range(40):
        after = (await registry.known("p", "db.example.com")).generation
        entry = Entry(endpoint="db.example.com", generation=after + 1, content=Content.of_addresses(["192.0.2.1"], ttl=5))
        wins += await registry.publish(Plan(realm="r", generation=after + 1, entries=(entry,)), after=after)
    registry.close()
    print(wins)

asyncio.run(main())
"""


@pytest.mark.slow
def test_two_processes_share_the_file(path: Path) -> None:
    """Processes that start on a missing file and publish in a race: every win is one generation, none is lost."""
    command = [sys.executable, "-c", _PUBLISHER, str(path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    wins = [int(process.communicate(timeout=60)[0]) for process in running]
    registry = SqliteRegistry(path)
    floor, plans = asyncio.run(registry.floor()), asyncio.run(registry.plans())
    registry.close()

    assert (floor, list(range(floor, 0, -1))) == (sum(wins), [info.generation for info in plans])


_READER = """
import asyncio, sys
from outlast.registry.sqlite import SqliteRegistry
registry = SqliteRegistry(sys.argv[1])
print(asyncio.run(registry.floor()))
registry.close()
"""


def test_what_was_acknowledged_outlives_another_process_that_comes_and_goes(path: Path) -> None:
    """Neither a second opening here nor the last close there takes the journal of a running process away."""
    running, second = SqliteRegistry(path), SqliteRegistry(path)
    publish(running, 1)
    asyncio.run(second.floor())
    command = [sys.executable, "-c", _READER, str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    publish(running, 2, after=1)
    seen = subprocess.run(command, check=True, capture_output=True, timeout=60, text=True).stdout
    running.close()
    second.close()

    assert "2\n" == seen


def test_a_damaged_plan_is_an_error_not_a_plan(path: Path) -> None:
    """A stored text that is no safe plan is never handed out."""
    registry = SqliteRegistry(path)
    publish(registry, 1)
    registry._database.write([lambda db: db.execute("UPDATE plan SET text = '{}', stamp = 'other'")])
    with pytest.raises(Unavailable, match="is damaged: plan 1"):
        asyncio.run(registry.latest_plan())
    registry.close()


@pytest.mark.parametrize("column", ["sentinel", "sets"])
def test_a_damaged_record_is_an_error_not_a_record(path: Path, column: str) -> None:
    """A stored record without a readable sentinel or a safe content is never handed out."""
    registry = SqliteRegistry(path)
    asyncio.run(registry.write_record(Record("p", DB, Sentinel("r", 1, 1, EAST.digest, Standing.LIVE, "x"), EAST)))
    registry._database.write([lambda db: db.execute(f"UPDATE record SET {column} = '[]'")])
    with pytest.raises(Unavailable, match=f"is damaged: the record of {DB} at p"):
        asyncio.run(registry.records())
    registry.close()


def test_the_repr_is_a_status_line(path: Path) -> None:
    """Registry and file say what they are."""
    registry = SqliteRegistry(path)

    assert (f"<SqliteRegistry {path}>", f"<Database {path} closed>") == (repr(registry), repr(registry._database))
