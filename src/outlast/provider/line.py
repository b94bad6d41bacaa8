"""One TCP connection to a primary for all who ask it at the same time, from the first question to the last answer.

A pass of the control plane reads many endpoints side by side, and a connection for each of them would be most of the work
(RFC 7766, section 6.2.1: clients should reuse connections and pipeline). Nobody waits for anybody else: questions go out
when they are asked, answers are matched by id in whatever order they come, and each asker has their own deadline. When
nobody waits any more the connection is closed, so none is ever found dead after a rest.

Only questions go this way. Whoever changes something has a connection of their own, where a missing reply means something.
"""

import asyncio
import secrets
from collections.abc import Container, Sequence
from weakref import WeakKeyDictionary

from outlast.provider.exchange import NoReply, NotSent, Primary, reason

ID_BYTES = 2
MOST = 48
"""Questions on one connection, before another is opened: the six of eight endpoints. A server may answer a connection's
questions one after another, as PowerDNS does, and what waits behind the others must still be answered in time."""


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

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Line:
    """One connection in one event loop. It ends with the last who waits, and takes nobody more once somebody waited in vain."""

    def __init__(self, primary: Primary) -> None:
        self.is_open = True
        self._primary = primary
        self._askers: dict[bytes, Asker] = {}
        self._waiting = 0
        self._unsent: list[bytes] = []
        self._writer: asyncio.StreamWriter | None = None
        self._serving = asyncio.get_running_loop().create_task(self._serve())

    def __repr__(self) -> str:
        return f"<line to {self._primary}: {self._waiting} waiting>"

    @property
    def has_room(self) -> bool:
        return self.is_open and len(self._askers) < MOST

    async def ask(self, questions: Sequence[bytes], deadline: float) -> tuple[bytes, ...]:
        """Send questions, whose ids are chosen here, and return their answers in the same order.

        Raises:
            NotSent: No connection within the deadline.
            NoReply: Not all answers within the deadline.

        """
        asker = self._enter(questions)
        self._waiting += 1
        try:
            async with asyncio.timeout_at(deadline):
                await asker.done
        except TimeoutError as error:
            self.is_open = False
            raise self._fault(error) from error
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._end()
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
                answer = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
                if asker := self._askers.pop(answer[:ID_BYTES], None):
                    asker.take(answer)
        except (OSError, EOFError) as error:
            for asker in set(self._askers.values()):
                asker.fail(self._fault(error))
        finally:
            self.is_open = False
            if self._writer is not None:
                self._writer.close()

    def _fault(self, error: OSError | EOFError) -> NotSent | NoReply:
        kind = NotSent if self._writer is None else NoReply
        return kind(f"{self._primary}: {reason(error)}", hint="is the primary up, and is this its address?")

    def _end(self) -> None:
        self.is_open = False
        self._serving.cancel()


class SharedLine:
    """The lines to one primary, one in each event loop."""

    def __init__(self, address: str, port: int) -> None:
        self._address = address
        self._port = port
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, Line] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"<shared line to {self._address} port {self._port}>"

    async def ask(self, questions: Sequence[bytes], deadline: float) -> tuple[bytes, ...]:
        """Send questions and return their answers in the same order. If a shared connection breaks, ask once more alone.

        Raises:
            NotSent, NoReply: As `Line.ask`.

        """
        loop = asyncio.get_running_loop()
        primary = Primary(self._address, self._port, deadline)
        line = self._lines.get(loop)
        if line is None or not line.has_room:
            line = self._lines[loop] = Line(primary)
        try:
            return await line.ask(questions, deadline)
        except NoReply as error:
            if isinstance(error.__cause__, TimeoutError):
                raise
        finally:
            if not line.is_open and self._lines.get(loop) is line:
                del self._lines[loop]  # its task holds the loop
        # The connection broke: perhaps over somebody else's question, which must not stick the others.
        return await Line(primary).ask(questions, deadline)


def _with_ids(questions: Sequence[bytes], taken: Container[bytes]) -> list[bytes]:
    """The same messages with ids that differ from each other and from those taken.

    By chance, and no count: who is not on the path cannot guess them (RFC 5452, section 4.3).
    """
    ids: list[bytes] = []
    while len(ids) < len(questions):
        number = secrets.token_bytes(ID_BYTES)
        if number not in taken and number not in ids:
            ids.append(number)
    return [number + text[ID_BYTES:] for number, text in zip(ids, questions, strict=True)]
