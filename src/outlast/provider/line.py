"""Few TCP connections to a primary for all who ask it at the same time, from the first question to the last answer.

A pass of the control plane reads many endpoints side by side, and a connection for each of them would be most of the work
(RFC 7766, section 6.2.1: clients should reuse connections and pipeline). Nobody waits for anybody else: questions go out
when they are asked, answers are matched by id in whatever order they come, and each asker has their own deadline. A moment
after nobody waits on it any more a connection is closed, so none is ever found dead after a rest.

Only questions go this way. Whoever changes something has a connection of their own, where a missing reply means something.
"""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Callable, Container, Sequence
from errno import ECONNABORTED
from weakref import WeakKeyDictionary

from outlast.provider.exchange import NoReply, NotSent, Primary, reason

ID_BYTES = 2
MOST = 48
"""Questions on one connection, before another is opened: the six of eight endpoints. A server may answer a connection's
questions one after another, as PowerDNS does, and what waits behind the others must still be answered in time."""

LINGER_SECONDS = 0.05
"""Who was answered may ask for the next endpoint at once; no server gives up a connection within so short a time."""


class Asker:
    """Who waits for the answers to some questions, by id and in the order asked."""

    def __init__(self, ids: Sequence[bytes]) -> None:
        self.answers: dict[bytes, bytes] = dict.fromkeys(ids, b"")
        self.missing = len(self.answers)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self, answer: bytes) -> None:
        self.answers[answer[:ID_BYTES]] = answer
        self.missing -= 1
        if not self.missing and not self.done.done():
            self.done.set_result(None)

    def fail(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Line:
    """One connection in one event loop. It ends with the last who waits, and takes nobody more once somebody waited in vain.

    `ended` is called when it has ended, for whatever reason.
    """

    def __init__(self, primary: Primary, ended: "Callable[[Line], None]") -> None:
        self.is_open = True
        self._ended = ended
        self._primary = primary
        self._askers: dict[bytes, Asker] = {}
        self._waiting = 0
        self._closing: asyncio.TimerHandle | None = None
        self._unsent: list[bytes] = []
        self._writer: asyncio.StreamWriter | None = None
        self._serving = asyncio.get_running_loop().create_task(self._serve())
        # Not within it: a task that is cancelled before its first step never comes to its end.
        self._serving.add_done_callback(self._over)

    def __repr__(self) -> str:
        return f"<line to {self._primary}: {self._waiting} waiting>"

    @property
    def has_room(self) -> bool:
        is_lost = self._writer is not None and self._writer.is_closing()  # before it is read that it is
        # Where the process stood still, the timer that ends it has not run yet.
        is_old = self._closing is not None and self._closing.when() <= asyncio.get_running_loop().time()
        return self.is_open and not is_lost and not is_old and len(self._askers) < MOST

    async def ask(self, questions: Sequence[bytes], deadline: float) -> tuple[bytes, ...]:
        """Send questions, whose ids are chosen here, and return their answers in the same order.

        Raises:
            NotSent: No connection within the deadline.
            NoReply: Not all answers within the deadline.

        """
        asker = self._enter(questions)
        self._waiting += 1
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        try:
            async with asyncio.timeout_at(deadline):
                await asker.done
        except TimeoutError as error:
            self.is_open = False
            raise self._fault(error) from error
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._rest()
        return tuple(asker.answers.values())

    def _enter(self, questions: Sequence[bytes]) -> Asker:
        messages = _with_ids(questions, self._askers)
        asker = Asker([message[:ID_BYTES] for message in messages])
        self._askers.update(dict.fromkeys(asker.answers, asker))
        frames = [len(message).to_bytes(2, "big") + message for message in messages]
        if self._writer is None:
            self._unsent += frames
        else:
            # Not writelines(): from Python 3.12 on it fails oddly on a connection that is just lost.
            self._writer.write(b"".join(frames))
        return asker

    async def _serve(self) -> None:
        try:
            reader, self._writer = await asyncio.open_connection(self._primary.address, self._primary.port)
            self._writer.write(b"".join(self._unsent))
            self._unsent.clear()
            while True:
                _acknowledge_at_once(self._writer)
                answer = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
                if asker := self._askers.pop(answer[:ID_BYTES], None):
                    asker.take(answer)
        finally:
            self.is_open = False
            if self._writer is not None:
                self._writer.close()

    def _over(self, serving: asyncio.Task[None]) -> None:
        self.is_open = False
        error = ConnectionAbortedError(ECONNABORTED) if serving.cancelled() else serving.exception()
        assert error is not None, "it serves until something ends it"
        for asker in set(self._askers.values()):
            asker.fail(self._fault(error) if isinstance(error, OSError | EOFError) else error)
        self._ended(self)

    def _fault(self, error: OSError | EOFError) -> NotSent | NoReply:
        kind = NotSent if self._writer is None else NoReply
        return kind(f"{self._primary}: {reason(error)}", hint="is the primary up, and is this its address?")

    def _rest(self) -> None:
        if self.is_open and not self._askers:
            self._closing = asyncio.get_running_loop().call_later(LINGER_SECONDS, self._end)
        else:
            self._end()

    def _end(self) -> None:
        self.is_open = False
        self._serving.cancel()


class SharedLine:
    """The lines to one primary, of each event loop as many as its questions fill."""

    def __init__(self, address: str, port: int) -> None:
        self._address = address
        self._port = port
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, list[Line]] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"<shared line to {self._address} port {self._port}>"

    async def ask(self, questions: Sequence[bytes], deadline: float) -> tuple[bytes, ...]:
        """Send questions and return their answers in the same order. If a shared connection breaks, ask once more alone.

        Raises:
            NotSent, NoReply: As `Line.ask`.

        """
        primary = Primary(self._address, self._port, deadline)
        line = self._line_to(primary)
        try:
            return await line.ask(questions, deadline)
        except NoReply as error:
            if isinstance(error.__cause__, TimeoutError):
                raise
        # The connection broke: perhaps over somebody else's question, which must not stick the others.
        return await Line(primary, self._forget).ask(questions, deadline)

    def _line_to(self, primary: Primary) -> Line:
        # The first with room, so that the last ones run dry and end. What a loop left behind that was closed under them
        # holds it.
        for loop in [loop for loop in self._lines if loop.is_closed()]:
            del self._lines[loop]
        lines = self._lines.setdefault(asyncio.get_running_loop(), [])
        line = next((line for line in lines if line.has_room), None) or Line(primary, self._forget)
        if line not in lines:
            lines.append(line)
        return line

    def _forget(self, line: Line) -> None:
        loop = asyncio.get_running_loop()
        if others := [other for other in self._lines.pop(loop, ()) if other is not line]:  # their tasks hold the loop
            self._lines[loop] = others


def _acknowledge_at_once(writer: asyncio.StreamWriter) -> None:
    # A server that sends answers one by one without TCP_NODELAY, as BIND does, holds the second until the first is
    # acknowledged, and Linux takes 40 ms for that on a connection that is not new. The option does not last.
    # Reading works without it, too.
    with contextlib.suppress(AttributeError, OSError):
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _with_ids(questions: Sequence[bytes], taken: Container[bytes]) -> list[bytes]:
    """The same messages with ids that differ from each other and from those taken.

    By chance, and no count: who is not on the path cannot guess them (RFC 5452, section 4.3).
    """
    ids: dict[bytes, None] = {}
    while len(ids) < len(questions):
        numbers = secrets.token_bytes(ID_BYTES * (len(questions) - len(ids)))
        fresh = (numbers[at : at + ID_BYTES] for at in range(0, len(numbers), ID_BYTES))
        ids |= dict.fromkeys(number for number in fresh if number not in taken)
    return [number + text[ID_BYTES:] for number, text in zip(ids, questions, strict=True)]
