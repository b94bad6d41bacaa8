"""The connection that all share who read a primary at the same time, against primaries that follow a script, on loopback."""

import asyncio
import gc
import time
import weakref
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

import dns.name
import pytest
from dns.rdatatype import TXT

from outlast.provider.asking import Question
from outlast.provider.exchange import NoReply, NotSent
from outlast.provider.line import LINGER_SECONDS, SharedLine

SECONDS = 20.0
"""How long somebody waits who is answered."""
SOON = 0.5
"""How long somebody waits who is not."""
T = TypeVar("T")
POISON, SILENCE = "poison", "silence"


def asked(label: str) -> bytes:
    return Question.of(dns.name.from_text(f"{label}.example.com"), TXT).wire


def says(label: str, wire: bytes) -> bool:
    return label.encode() in wire


class Primary:
    """Answers each question with itself and the number of its connection; closes at `POISON`, says nothing to `SILENCE`.

    With `gather`, it answers only when so many questions are there, the last one first.
    """

    def __init__(self, gather: int = 1) -> None:
        self.gather = gather
        self.connections = 0
        self.asked = asyncio.Event()
        self.closed = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number, kept = bytes([self.connections]), list[bytes]()
        try:
            while True:
                wire = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
                self.asked.set()
                if says(POISON, wire):
                    return
                kept += [] if says(SILENCE, wire) else [wire + number]
                if len(kept) >= self.gather:
                    writer.writelines(len(answer).to_bytes(2, "big") + answer for answer in reversed(kept))
                    kept.clear()
        except (EOFError, OSError):
            return
        finally:
            writer.close()
            self.closed.set()


def against(primary: Primary, act: Callable[[SharedLine], Awaitable[T]]) -> T:
    async def run() -> T:
        server = await asyncio.start_server(primary.serve, "127.0.0.1", 0)
        async with server:
            return await act(SharedLine("127.0.0.1", server.sockets[0].getsockname()[1]))

    return asyncio.run(run())


async def ask(line: SharedLine, *labels: str, seconds: float = SECONDS) -> list[tuple[str, int]]:
    """For each question the label that came back, and over which connection."""
    answers = await line.ask([asked(label) for label in labels], asyncio.get_running_loop().time() + seconds)
    return [(answer[13 : 13 + answer[12]].decode(), answer[-1]) for answer in answers]


async def side_by_side(line: SharedLine, askers: Iterable[Sequence[str]], *, seconds: float = SECONDS) -> list[Any]:
    asking = [ask(line, *labels, seconds=seconds) for labels in askers]
    return list(await asyncio.gather(*asking, return_exceptions=True))


def test_many_at_once_take_few_connections() -> None:
    """A hundred askers of six questions each get their own answers, in the order asked; each eight share a connection."""
    primary = Primary()
    askers = [[f"a{asker}-{number}" for number in range(6)] for asker in range(100)]
    found = against(primary, lambda line: side_by_side(line, askers))

    assert askers == [[label for label, _ in labels] for labels in found]
    assert 13 == primary.connections
    assert all(len({number for _, number in labels}) == 1 for labels in found)


def test_answers_come_in_any_order() -> None:
    """A server that answers the last question first confuses nobody (RFC 7766, section 7)."""
    askers = [["one", "two"], ["three"]]

    assert [[("one", 1), ("two", 1)], [("three", 1)]] == against(
        Primary(gather=3), lambda line: side_by_side(line, askers)
    )


def test_one_after_the_other_take_a_connection_each() -> None:
    """Nothing is kept open that nobody waits on: it could be dead when it is needed."""
    primary = Primary()

    async def act(line: SharedLine) -> Any:
        first = await ask(line, "one")
        await primary.closed.wait()
        return first, await ask(line, "two")

    assert ([("one", 1)], [("two", 2)]) == against(primary, act)


def test_who_asks_at_once_after_an_answer_shares_the_connection() -> None:
    """A pass that goes from one endpoint to the next needs one, however few it asks at a time."""

    async def act(line: SharedLine) -> list[Any]:
        return [await ask(line, label) for label in ("one", "two", "three")]

    assert [[("one", 1)], [("two", 1)], [("three", 1)]] == against(Primary(), act)


def test_a_full_connection_is_used_again_when_it_has_room() -> None:
    """Hundreds of endpoints, so many at a time that one connection is not enough, need no more than at the beginning."""
    primary = Primary()

    async def act(line: SharedLine) -> None:
        async def one_after_another(lane: int) -> None:
            for number in range(20):
                await ask(line, *(f"a{lane}-{number}-{question}" for question in range(6)))

        await asyncio.gather(*(one_after_another(lane) for lane in range(16)))

    against(primary, act)

    assert 2 == primary.connections


def test_a_question_without_an_answer_sticks_no_other() -> None:
    """Who asked it waits in vain until their deadline; the others have theirs, and later ones a new connection."""
    primary = Primary()

    async def act(line: SharedLine) -> Any:
        found = await side_by_side(line, [["one"], [SILENCE], ["two"]], seconds=SOON)
        return [*found, await ask(line, "three")]

    one, silent, two, three = against(primary, act)

    assert ([("one", 1)], [("two", 1)], [("three", 2)]) == (one, two, three)
    assert isinstance(silent, NoReply)
    assert "no answer in time" in silent.message


def test_after_a_silence_newcomers_do_not_join() -> None:
    """While others still wait on a connection where somebody waited in vain, whoever comes opens a new one."""

    async def act(line: SharedLine) -> Any:
        patient = asyncio.create_task(ask(line, SILENCE, seconds=SECONDS))
        await side_by_side(line, [[SILENCE]], seconds=SOON)
        found = await ask(line, "new")
        patient.cancel()
        await asyncio.wait([patient])
        return found

    assert [("new", 2)] == against(Primary(), act)


def test_a_question_that_breaks_the_connection_sticks_no_other() -> None:
    """The others ask once more, each alone; who asked it is told that the connection was closed."""
    primary = Primary(gather=9)  # nobody is answered before it breaks

    async def act(line: SharedLine) -> Any:
        asking = asyncio.create_task(side_by_side(line, [["one"], ["two"], [POISON], ["three"]]))
        await primary.closed.wait()
        primary.gather = 1
        return await asking

    one, two, poison, three = against(primary, act)

    assert ["one", "two", "three"] == [label for ((label, _),) in (one, two, three)]
    assert 1 not in {number for ((_, number),) in (one, two, three)}
    assert isinstance(poison, NoReply)
    assert "closed before the answer" in poison.message


def test_who_stops_waiting_harms_nobody() -> None:
    """One of two is cancelled; the other is answered over the same connection, which then is closed."""
    primary = Primary(gather=2)

    async def act(line: SharedLine) -> Any:
        leaving, staying = (asyncio.create_task(ask(line, label)) for label in ("leaving", "staying"))
        await asyncio.sleep(0)
        leaving.cancel()
        found = await staying
        await primary.closed.wait()
        return found, leaving.cancelled()

    assert ([("staying", 1)], True) == against(primary, act)


def test_the_last_who_stops_waiting_closes_it() -> None:
    """Nothing is left open behind a pass that was cut off."""
    primary = Primary()

    async def act(line: SharedLine) -> None:
        asking = asyncio.create_task(ask(line, SILENCE))
        await primary.asked.wait()
        asking.cancel()
        await asyncio.wait_for(primary.closed.wait(), SECONDS)

    against(primary, act)


def stand_still() -> None:
    """The whole process, loop and timers with it, as when it is stopped or its machine suspended."""
    time.sleep(2 * LINGER_SECONDS)


def test_no_connection_is_joined_that_was_to_be_closed() -> None:
    """Where the process stood still for longer than a line lingers, the line may be dead; its timer has not run yet."""

    async def act(line: SharedLine) -> list[Any]:
        first = await ask(line, "one")
        await asyncio.sleep(0)
        stand_still()
        return [first, await ask(line, "two")]

    assert [[("one", 1)], [("two", 2)]] == against(Primary(), act)


def test_a_loop_that_was_cut_off_is_not_kept() -> None:
    """Not even by a connection that had not begun when everything in the loop was cancelled."""
    line = SharedLine("127.0.0.1", 1)

    async def cut_off_before_it_begins() -> "weakref.ref[asyncio.AbstractEventLoop]":
        asking = asyncio.get_running_loop().create_task(ask(line, "one"))
        await asyncio.sleep(0)
        asking.cancel()
        return weakref.ref(asyncio.get_running_loop())

    loops = [asyncio.run(cut_off_before_it_begins()) for _ in range(3)]
    gc.collect()

    assert [None] * 3 == [loop() for loop in loops]


def test_what_ends_a_connection_unforeseen_sticks_nobody() -> None:
    """Somebody cancels all tasks of a loop that goes on: whoever waits asks once more, and not only after their deadline."""
    primary = Primary(gather=2)

    async def act(line: SharedLine) -> Any:
        asking = asyncio.create_task(ask(line, "one"))
        await primary.asked.wait()
        primary.gather = 1
        (serving,) = (task for task in asyncio.all_tasks() if "Line._serve" in repr(task.get_coro()))
        serving.cancel()
        return await asking

    assert [("one", 2)] == against(primary, act)


def test_nobody_listens() -> None:
    """Everybody is told that nothing was sent."""

    async def act() -> list[Any]:
        server = await asyncio.start_server(Primary().serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        return await side_by_side(SharedLine("127.0.0.1", port), [["one"], ["two"]])

    for error in asyncio.run(act()):
        assert isinstance(error, NotSent)
        assert "connection refused" in error.message
        assert "is the primary up" in (error.hint or "")


@pytest.mark.parametrize("rounds", [2])
def test_each_event_loop_has_its_own(rounds: int) -> None:
    """A provider that is used in one loop after another does not remember the connection of the first."""
    line = SharedLine("127.0.0.1", 0)

    async def once() -> object:
        primary = Primary()
        server = await asyncio.start_server(primary.serve, "127.0.0.1", 0)
        async with server:
            line._port = server.sockets[0].getsockname()[1]
            asking = asyncio.create_task(ask(line, SILENCE))
            return await ask(line, "one"), asking.cancel()

    assert [([("one", 1)], True)] * rounds == [asyncio.run(once()) for _ in range(rounds)]
