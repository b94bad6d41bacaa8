"""A queue that is broken off while it opens or closes leaves its file to the next one."""

import asyncio
import threading
import time
from pathlib import Path

import pytest
from patience import SECONDS, wait_for

from outlast.data.drain import ThreadDrain
from outlast.data.queue import Queue
from outlast.data.records import Message
from outlast.errors import Unavailable


def opened(path: Path) -> bool:
    """Try until the file is free; a thread may be about to close it."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            with Queue(path):
                return True
        except Unavailable:
            time.sleep(0.01)
    return False


def test_an_opening_that_is_cancelled_is_undone(tmp_path: Path) -> None:
    """The thread that opens the file cannot be stopped: what it opened is closed again."""

    async def enter() -> None:
        async with Queue(tmp_path / "spool"):
            raise AssertionError("it was cancelled")

    async def run() -> None:
        task = asyncio.create_task(enter())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())

    assert opened(tmp_path / "spool")


def test_a_closing_that_is_cancelled_closes(tmp_path: Path) -> None:
    """Whoever will not wait for the deliveries under way has the file closed all the same."""
    begun = asyncio.Event()

    async def handle(message: Message) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def use(leaving: asyncio.Event) -> None:
        async with Queue(tmp_path / "spool") as queue:
            await queue.aput(b"x")
            queue.drain(handle)
            await begun.wait()
            leaving.set()

    async def run() -> bool:
        leaving = asyncio.Event()
        task = asyncio.create_task(use(leaving))
        await leaving.wait()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return await asyncio.to_thread(opened, tmp_path / "spool")

    assert asyncio.run(run())


def test_a_closing_that_is_interrupted_closes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for threads: the second Ctrl-C does not leave the file behind in use."""

    def interrupt(_: ThreadDrain) -> None:
        raise KeyboardInterrupt

    queue = Queue(tmp_path / "spool").__enter__()
    queue.drain(lambda _: None)
    monkeypatch.setattr(ThreadDrain, "stop", interrupt)
    with pytest.raises(KeyboardInterrupt):
        queue.__exit__(None, None, None)

    assert opened(tmp_path / "spool")


def test_a_second_opening_harms_no_first(tmp_path: Path) -> None:
    """An object that is open refuses to be opened again, and stays open."""

    async def again(queue: Queue) -> None:
        async with queue:
            raise AssertionError("it is open already")

    async def run() -> int:
        async with Queue(tmp_path / "spool") as queue:
            with pytest.raises(Unavailable, match="open already"):
                await again(queue)
            await queue.aput(b"x")
            return queue.stats().depth

    assert 1 == asyncio.run(run())


def test_a_thread_that_is_late_settles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A delivery that outlasts the closing comes again from the next opening, whatever its thread says afterwards."""
    monkeypatch.setattr("outlast.data.drain.STOP_SECONDS", 0.05)
    begun, go_on = threading.Event(), threading.Event()
    late: list[threading.Thread] = []

    def handle(_: Message) -> None:
        late.append(threading.current_thread())
        begun.set()
        go_on.wait(SECONDS)

    with Queue(tmp_path / "spool") as queue:
        queue.put(b"x")
        queue.drain(handle, concurrency=1)
        begun.wait(SECONDS)
    with Queue(tmp_path / "spool") as queue:
        (again,) = queue.lease()
        go_on.set()
        wait_for(lambda: not late[0].is_alive())
        queue.ack(again.receipt)
        stats = queue.stats()

    assert (2, 0, 1) == (again.attempts, stats.depth, stats.drained)
