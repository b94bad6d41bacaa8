"""A full disk: puts are refused at the door, what is kept drains, and afterwards everything is as before."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from busy_writer import together

from outlast.data.queue import BODY_LIMIT, Queue
from outlast.data.records import Parked
from outlast.data.refusal import QueueFull

BODY = b"x" * 4000


def fill(queue: Queue) -> int:
    """Put until refused; return how many were kept."""
    for count in range(100_000):
        try:
            queue.put(BODY)
        except QueueFull:
            return count
    raise AssertionError("the disk never filled")


def drain(queue: Queue) -> int:
    count = 0
    while messages := queue.lease(50):
        for message in messages:
            queue.ack(message.receipt)
        count += len(messages)
    return count


def test_the_backlog_drains_from_a_full_disk(small_disk: Path) -> None:
    """Everything that was kept comes out while the disk is full, and then puts are taken again."""
    with Queue(small_disk / "spool") as queue:
        kept = fill(queue)
        with pytest.raises(QueueFull, match="the disk is full; nothing was added, and what is kept still drains"):
            queue.put(BODY)
        is_full = queue.stats().is_disk_full
        drained = drain(queue)
        end = time.monotonic() + 10
        while queue.stats().is_disk_full and time.monotonic() < end:
            time.sleep(0.05)
        queue.put(BODY)

        assert (True, kept) == (is_full, drained)
        assert (small_disk / "spool.reserve").exists()


def test_the_backlog_drains_though_somebody_else_filled_the_disk(small_disk: Path) -> None:
    """The reserve is enough for the whole backlog even if draining gives nothing back to the disk that stays free."""
    with Queue(small_disk / "spool", reserve_bytes=2 << 20) as queue:
        for _ in range(300):
            queue.put(BODY)
        (small_disk / "other").write_bytes(b"x" * _free(small_disk))
        kept = 300 + fill(queue)

        assert kept == drain(queue)


def test_large_messages_that_came_together_drain(small_disk: Path) -> None:
    """The log that seven of the largest messages leave at once is more than the smallest reserve has room to fold."""
    with Queue(small_disk / "spool", reserve_bytes=2 << 20) as queue:
        puts = [lambda: queue.put(b"x" * BODY_LIMIT)] * 7
        kept = sum(isinstance(one, Parked) for one in together(queue._store, puts)) + fill(queue)
        drained = drain(queue)

    assert 4 <= kept == drained


def test_a_full_disk_can_be_opened_and_drained(small_disk: Path) -> None:
    """A process that died on a full disk, its reserve spent, is no obstacle to the next one."""
    script = f"""
import os
from outlast.data.queue import Queue
from outlast.data.refusal import QueueFull
queue = Queue({str(small_disk / "spool")!r}).__enter__()
kept = 0
try:
    while True:
        queue.put(b"x" * 4000)
        kept += 1
except QueueFull:
    queue.lease(5)
    print(kept, flush=True)
    os.kill(os.getpid(), 9)
"""
    died = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    with Queue(small_disk / "spool") as queue:
        drained = drain(queue)

    assert int(died.stdout) == drained


def _free(place: Path) -> int:
    done = subprocess.run(["df", "--output=avail", "-B1", place], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[1])
