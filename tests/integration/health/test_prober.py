"""The prober's loop, against real sockets and a registry that comes and goes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from outlast.errors import Unavailable
from outlast.health.detector import Thresholds
from outlast.health.driver import Probed, Prober, ProberOptions, Remark
from outlast.health.probe import HttpProbe
from outlast.health.signal import Signal, Verdict
from outlast.system_clock import SystemClock

TARGET = (Probed("127.0.0.1", "db.example.com"),)


class Shelf:
    """A registry's part that keeps signals, and may be told to be down."""

    def __init__(self, earlier: tuple[Signal, ...] = ()) -> None:
        self.is_down = False
        self.earlier = earlier
        self.rounds: list[tuple[Signal, ...]] = []
        self.recalls = 0

    async def recall(self) -> tuple[Signal, ...]:
        self.recalls += 1
        self._check()
        return self.earlier

    async def publish(self, signals: tuple[Signal, ...]) -> None:
        self._check()
        self.rounds.append(signals)

    def _check(self) -> None:
        if self.is_down:
            raise Unavailable("the registry is down")


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[int]:
    """An HTTP server that says this to everybody."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def prober(port: int, shelf: Shelf, remarks: list[Remark]) -> Prober:
    """A fast prober of one target."""
    return Prober(
        ProberOptions(observer="me", interval=0.05, probe=HttpProbe(port=port), thresholds=Thresholds(rise=2, fall=2)),
        lambda: TARGET,
        recall=shelf.recall,
        publish=shelf.publish,
        clock=SystemClock(),
        tell=remarks.append,
    )


async def until(check: Callable[[], object]) -> None:
    """Wait until `check()` is true, two seconds at most."""
    async with asyncio.timeout(2):
        while not check():  # noqa: ASYNC110  the prober offers no event: its effects are what is waited for
            await asyncio.sleep(0.01)


def test_a_round_publishes_every_target() -> None:
    """After `rise` rounds the target is published as healthy, by this observer."""

    async def run() -> Signal:
        shelf, remarks = Shelf(), list[Remark]()
        async with answering(b"HTTP/1.1 200 OK\r\n\r\n") as port:
            task = asyncio.create_task(prober(port, shelf, remarks).run(jitter=lambda: 0.0))
            await until(lambda: len(shelf.rounds) >= 3)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return shelf.rounds[-1][0]

    last = asyncio.run(run())

    assert ("127.0.0.1", "me", Verdict.HEALTHY, True) == (last.target, last.observer, last.verdict, last.ever_healthy)


def test_probing_goes_on_without_a_registry() -> None:
    """While the registry is down rounds go on, it is told once, and the newest signals follow afterwards."""

    async def run() -> tuple[list[str], Verdict]:
        shelf, remarks = Shelf(), list[Remark]()
        shelf.is_down = True
        async with answering(b"HTTP/1.1 503 No\r\n\r\n") as port:
            task = asyncio.create_task(prober(port, shelf, remarks).run(jitter=lambda: 0.0))
            await until(lambda: any(remark.place for remark in remarks) and shelf.recalls > 3)
            shelf.is_down = False
            await until(lambda: shelf.rounds)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return [remark.name for remark in remarks], shelf.rounds[0][0].verdict

    names, first = asyncio.run(run())

    expected = ["signals are not handed on", "unhealthy", "signals are handed on again"]
    assert (expected, Verdict.UNHEALTHY) == (names, first)


def test_a_restarted_prober_remembers_what_worked() -> None:
    """The first signals published after a restart carry `ever_healthy` from the earlier life of this observer only."""

    async def run(observer: str) -> bool:
        shelf = Shelf((Signal("127.0.0.1", observer, Verdict.HEALTHY, since=1, at=1, ever_healthy=True),))
        async with answering(b"HTTP/1.1 503 No\r\n\r\n") as port:
            task = asyncio.create_task(prober(port, shelf, []).run(jitter=lambda: 0.0))
            await until(lambda: shelf.rounds)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return shelf.rounds[0][0].ever_healthy

    assert (True, False) == (asyncio.run(run("me")), asyncio.run(run("you")))
