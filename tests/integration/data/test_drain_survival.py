"""The drain goes on whatever a handler, a predicate or another task does to it, and says how it is."""

import asyncio
from pathlib import Path

import pytest
from patience import await_for, wait_for

from outlast.data.desk import DrainOptions
from outlast.data.queue import Queue
from outlast.data.ramp import RampOptions
from outlast.data.records import Message, Parked, Stats
from outlast.data.refusal import QueueFull

RAMP = (200.0, 1.0, 200.0)


class Poisonous:
    """Answers a bad message with an error that is no `Exception`."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def handle(self, message: Message) -> None:
        if message.body == b"bad":
            raise self._error

    async def ahandle(self, message: Message) -> None:
        self.handle(message)


ERRORS = [SystemExit(1), asyncio.CancelledError(), GeneratorExit()]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_a_poisonous_message_kills_no_thread(tmp_path: Path, error: BaseException) -> None:
    """More poisonous messages than threads become dead letters, and the good one behind them is delivered."""
    with Queue(tmp_path / "spool", max_attempts=1) as queue:
        for body in (*[b"bad"] * 6, b"good"):
            queue.put(body)
        queue.drain(Poisonous(error).handle, ramp=RAMP)
        wait_for(lambda: queue.stats().depth == 0)
        stats, reason = queue.stats(), queue.dead()[0].reason

    assert (6, 1, 4, repr(error)) == (stats.dead, stats.drained, stats.workers, stats.last_failure)
    assert repr(error) == reason


def test_a_poisonous_message_kills_no_task(tmp_path: Path) -> None:
    """A handler that raises a cancellation of its own making has failed; its task goes on."""

    async def run() -> Stats:
        async with Queue(tmp_path / "spool", max_attempts=1) as queue:
            for body in (*[b"bad"] * 6, b"good"):
                await queue.aput(body)
            queue.drain(Poisonous(asyncio.CancelledError()).ahandle, ramp=RAMP)
            await await_for(lambda: queue.stats().depth == 0)
            return queue.stats()

    stats = asyncio.run(run())

    assert (6, 1, 4) == (stats.dead, stats.drained, stats.workers)


def test_tasks_that_somebody_cancelled_are_missed(tmp_path: Path) -> None:
    """Whoever cancels every task of a loop stops the drain, which `stats` then says."""

    async def run() -> tuple[int, int]:
        async with Queue(tmp_path / "spool") as queue:
            queue.drain(lambda _: None)
            before = queue.stats().workers
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            await await_for(lambda: queue.stats().workers == 0)
            return before, queue.stats().workers

    assert (4, 0) == asyncio.run(run())


def test_a_predicate_that_fails_names_no_outage(tmp_path: Path) -> None:
    """A `park_on` that raises in the background counts the attempt, is told, and stops nobody."""
    asked: list[Exception] = []

    def park_on(error: Exception) -> bool:
        asked.append(error)
        if len(asked) > 1:
            raise RuntimeError("bug")
        return True

    def fail() -> None:
        raise OSError("down")

    draining = DrainOptions(ramp=RampOptions(*RAMP))
    with Queue(tmp_path / "spool", max_attempts=1, draining=draining) as queue:
        parked = queue.deliver(park_on=park_on)(fail)()
        wait_for(lambda: queue.stats().dead == 1)
        stats = queue.stats()

    assert isinstance(parked, Parked)
    assert (4, "park_on: RuntimeError('bug')") == (stats.workers, stats.last_failure)


def test_a_call_that_cannot_be_parked_tells_why_it_should_have_been(tmp_path: Path) -> None:
    """A refusal to park carries the error that made it necessary."""
    down = OSError("down")

    def fail() -> None:
        raise down

    async def afail() -> None:
        raise down

    async def run() -> None:
        async with Queue(tmp_path / "other", max_bytes=1) as queue:
            await queue.deliver(park_on=OSError)(afail)()

    with Queue(tmp_path / "spool", max_bytes=1) as queue, pytest.raises(QueueFull) as caught:
        queue.deliver(park_on=OSError)(fail)()
    with pytest.raises(QueueFull) as caught_in_loop:
        asyncio.run(run())

    assert [down, down] == [caught.value.__context__, caught_in_loop.value.__context__]
