"""What it costs to keep a message so that a power cut cannot take it, beside SQLite with one commit for each message.

The peer is the least that does the same: one connection, one table, `synchronous=FULL`, an INSERT and its commit at a
time, behind a lock where there are many producers. Libraries that keep a queue in SQLite do that and more. Rounds
alternate, each with files of its own; the fastest counts. Only ratios within one run mean something: what a sync costs
differs by a factor of a hundred between disks.
"""

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from power_world import Recorder, Sync, library

from outlast import Queue

ROUNDS = 3
PUTS_PER_TRANSACTION = 32
"""A put costs less than what the other benchmarks measure, and 32 producers need something to do each."""
PRODUCERS = 32
SLOW_SECONDS = 0.002
"""What network block storage adds to a sync."""
SLOW_SHARE = 10
"""On a slow disk so many times fewer messages are put."""
BODY = b"x" * 256


class Sample(NamedTuple):
    """What one candidate did in one round."""

    puts: int
    wall: float
    cpu: float


def produce(put: Callable[[bytes], object], count: int, *, producers: int) -> Sample:
    """Put with so many threads at once."""
    share = max(1, count // producers)
    start = threading.Barrier(producers + 1)

    def work() -> None:
        start.wait()
        for _ in range(share):
            put(BODY)

    threads = [threading.Thread(target=work) for _ in range(producers)]
    for thread in threads:
        thread.start()
    begun, used = time.perf_counter(), time.process_time()
    start.wait()
    for thread in threads:
        thread.join()
    return Sample(share * producers, time.perf_counter() - begun, time.process_time() - used)


def spool(path: Path, count: int, *, producers: int) -> Sample:
    """Put into the queue from threads."""
    with Queue(path) as queue:
        return produce(queue.put, count, producers=producers)


def spool_tasks(path: Path, count: int, *, producers: int) -> Sample:
    """Put into the queue from tasks of one loop."""
    share = max(1, count // producers)

    async def run() -> Sample:
        async with Queue(path) as queue:

            async def work() -> None:
                for _ in range(share):
                    await queue.aput(BODY)

            begun, used = time.perf_counter(), time.process_time()
            await asyncio.gather(*(work() for _ in range(producers)))
            return Sample(share * producers, time.perf_counter() - begun, time.process_time() - used)

    return asyncio.run(run())


def plain(path: Path, count: int, *, producers: int) -> Sample:
    """Insert and commit one at a time."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL").fetchone()
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE message (seq INTEGER PRIMARY KEY AUTOINCREMENT, put_at INTEGER, body BLOB)")
    lock = threading.Lock()

    def put(body: bytes) -> None:
        with lock:
            db.execute("INSERT INTO message (put_at, body) VALUES (?, ?)", (time.time_ns(), body))

    try:
        return produce(put, count, producers=producers)
    finally:
        db.close()


CANDIDATES: dict[str, tuple[Callable[..., Sample], int]] = {
    "sqlite3, 1 thread": (plain, 1),
    "outlast, 1 thread": (spool, 1),
    "sqlite3, 32 threads": (plain, PRODUCERS),
    "outlast, 32 threads": (spool, PRODUCERS),
    "outlast, 32 tasks": (spool_tasks, PRODUCERS),
}


def on_slow_disk(name: str, path: Path, count: int) -> dict[str, float | None]:
    """Do it once more with slower syncs, which are counted; `None` where Python's SQLite cannot be listened to."""
    work, producers = CANDIDATES[name]
    try:
        library()
    except (OSError, AttributeError):
        return {"slow_puts_per_second": None, "syncs_per_put": None}
    recorder = Recorder(sync_seconds=SLOW_SECONDS)
    with recorder.recording():
        sample = work(path, count, producers=producers)
    syncs = sum(isinstance(step, Sync) for step in recorder.log)
    return {
        "slow_puts_per_second": round(sample.puts / sample.wall, 1),
        "syncs_per_put": round(syncs / sample.puts, 3),
    }


def run(transactions: int, folder: Path) -> dict[str, Any]:
    """Measure; return the result as JSON has it."""
    count = transactions * PUTS_PER_TRANSACTION
    best: dict[str, Sample] = {}
    for number in range(ROUNDS):
        for name, (work, producers) in CANDIDATES.items():
            sample = work(folder / f"{number} {name}", count, producers=producers)
            best[name] = min(sample, best.get(name, sample), key=lambda s: s.wall / s.puts)
    results = {}
    for name, sample in best.items():
        own = {"puts_per_second": round(sample.puts / sample.wall), "cpu_us": round(1e6 * sample.cpu / sample.puts, 1)}
        results[name] = {**own, **on_slow_disk(name, folder / f"slow {name}", max(PRODUCERS, count // SLOW_SHARE))}
    return {
        "benchmark": "spool",
        "puts": count,
        "rounds": ROUNDS,
        "cpus": os.cpu_count(),
        "candidates": results,
        "ratios": {
            f"puts per second, outlast to sqlite3, {how}": round(
                best[theirs].wall / best[theirs].puts / (best[ours].wall / best[ours].puts), 2
            )
            for how, ours, theirs in (
                ("1 thread", "outlast, 1 thread", "sqlite3, 1 thread"),
                ("32 threads", "outlast, 32 threads", "sqlite3, 32 threads"),
                ("32 tasks to 32 threads", "outlast, 32 tasks", "sqlite3, 32 threads"),
            )
        },
    }


def lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the result for a person."""
    yield f"spool: {result['puts']} puts of {len(BODY)} bytes, synced before they return, fastest of {result['rounds']} rounds"
    yield f"  {'':<25} {'puts/s':>9} {'CPU us/put':>11} {'if a sync takes 2 ms longer':>28} {'syncs/put':>10}"
    for name, item in result["candidates"].items():
        slow, syncs = (
            "not known" if item[key] is None else f"{item[key]:,g}" for key in ("slow_puts_per_second", "syncs_per_put")
        )
        yield f"  {name:<25} {item['puts_per_second']:>9,} {item['cpu_us']:>11.1f} {slow:>28} {syncs:>10}"
    yield from (f"  {name:<60}{value:>6.2f}" for name, value in result["ratios"].items())
