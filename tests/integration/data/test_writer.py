"""The writer's groups: whoever waits for the disk waits together, and nobody spoils it for the others."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from busy_writer import Busy, together

from outlast.data.records import Kept, New, Put
from outlast.data.spool_format import Limits
from outlast.data.store import SpoolStore
from outlast.data.writer import GROUP_BYTES
from outlast.errors import Refused, Unavailable


class CountingConnection(sqlite3.Connection):
    """Counts its commits, each of which waits for the disk."""

    commits: ClassVar[int] = 0

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        type(self).commits += sql == "COMMIT"
        return super().execute(sql, parameters)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SpoolStore]:
    opened = SpoolStore(tmp_path / "spool", Limits(), reserve_bytes=0, sync="fsync", factory=CountingConnection)
    yield opened
    opened.close()


def put(store: SpoolStore, body: bytes, dedup: str | None = None) -> Callable[[], Kept]:
    return lambda: store.put(Put(New(body=body, dedup=dedup), 1, 1))


def test_whoever_waits_for_the_disk_waits_together(store: SpoolStore) -> None:
    """Thirty-two puts that come while the disk is busy cost one commit or two, and each has an id of its own."""
    before = CountingConnection.commits
    kept = together(store, [put(store, str(n).encode()) for n in range(32)])

    assert 32 == len({one.id for one in kept})
    # One is the commit of what made the disk busy.
    assert 3 >= CountingConnection.commits - before


def test_a_group_is_bounded_by_bytes(store: SpoolStore) -> None:
    """Large messages that come together are kept in several commits: the reserve must outweigh each of them."""
    before = CountingConnection.commits
    kept = together(store, [put(store, bytes(GROUP_BYTES // 2)) for _ in range(8)])

    assert 8 == len({one.id for one in kept})
    assert 8 <= CountingConnection.commits - before


def test_each_put_of_a_group_answers_for_itself(store: SpoolStore) -> None:
    """A refusal, a failure and a duplicate among others are their own callers' and nobody else's."""

    def refuse() -> None:
        store.run(refusing)

    def fail() -> None:
        store.run(failing)

    def refusing(_: object) -> None:
        raise Refused("told to")

    def failing(_: object) -> None:
        raise RuntimeError("bug")

    store.put(Put(New(body=b"x", dedup="d"), 1, 1))
    first, duplicate, mismatch, refused, failed, last = together(
        store, [put(store, b"1"), put(store, b"x", "d"), put(store, b"y", "d"), refuse, fail, put(store, b"2")]
    )
    bodies = {message.body for message in store.run(lambda spool: spool.lease(9, now=1, until=2, wall=1))}

    assert (False, True, False) == (first.is_duplicate, duplicate.is_duplicate, last.is_duplicate)
    assert ["DedupMismatch", "Refused", "RuntimeError"] == [type(e).__name__ for e in (mismatch, refused, failed)]
    assert {b"x", b"1", b"2"} == bodies


def test_what_nobody_waits_for_any_more_is_not_done(store: SpoolStore) -> None:
    """A put that is cancelled before its turn is left out; those of the same loop are answered."""

    async def run() -> list[Any]:
        with Busy(store):
            puts = [asyncio.create_task(store.aput(Put(New(body=b""), 1, 1))) for _ in range(3)]
            await asyncio.sleep(0)
            puts[1].cancel()
            await asyncio.sleep(0)
        return await asyncio.gather(*puts, return_exceptions=True)

    answers = asyncio.run(run())
    depth = store.run(lambda spool: spool.stats(now=1, wall=1)).depth

    assert [Kept, asyncio.CancelledError, Kept] == [type(answer) for answer in answers]
    assert 2 == depth


def test_a_loop_that_is_closed_stops_nobody(store: SpoolStore) -> None:
    """Whoever waits in another loop or thread is answered, though one loop went away in the middle."""
    with Busy(store):
        loop = asyncio.new_event_loop()
        task = loop.create_task(store.aput(Put(New(body=b""), 1, 1)))
        loop.run_until_complete(asyncio.sleep(0))
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.close()

    assert not store.put(Put(New(body=b""), 1, 1)).is_duplicate


def test_a_closed_store_refuses_both_ways(tmp_path: Path) -> None:
    """Threads and tasks that come late are told to open it."""
    store = SpoolStore(tmp_path / "spool", Limits(), reserve_bytes=0, sync="os")
    store.close()
    with pytest.raises(Unavailable, match="the queue is closed"):
        put(store, b"")()
    with pytest.raises(Unavailable, match="the queue is closed"):
        asyncio.run(store.aput(Put(New(body=b""), 1, 1)))
