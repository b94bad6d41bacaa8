"""One TCP connection to a primary: messages out, answers back, and whether anything can have arrived.

Questions are pipelined and answers matched by id, since a server may answer in any order (RFC 7766, section 7).
"""

import asyncio
import os
from collections.abc import Sequence
from typing import NamedTuple

from outlast.errors import Unavailable


class Primary(NamedTuple):
    """Where a primary listens. `deadline` is a moment of the running loop's clock."""

    address: str
    port: int
    deadline: float

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class NotSent(Unavailable):
    """There was no connection: nothing can have arrived."""


class NoReply(Unavailable):
    """The connection was there and an answer is missing: what was sent may have arrived, or may arrive later."""


async def exchange(primary: Primary, messages: Sequence[bytes]) -> tuple[bytes, ...]:
    """Send messages whose ids differ and return their answers in the same order.

    Raises:
        NotSent: No connection within the deadline.
        NoReply: Not all answers within the deadline.

    """
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout_at(primary.deadline):
            reader, writer = await asyncio.open_connection(primary.address, primary.port)
            writer.writelines(len(message).to_bytes(2, "big") + message for message in messages)
            answers = await _collect(reader, {message[:2] for message in messages})
    except (OSError, EOFError) as error:
        kind = NotSent if writer is None else NoReply
        raise kind(f"{primary}: {reason(error)}", hint="is the primary up, and is this its address?") from error
    finally:
        if writer is not None:
            writer.close()
    return tuple(answers[message[:2]] for message in messages)


async def _collect(reader: asyncio.StreamReader, ids: set[bytes]) -> dict[bytes, bytes]:
    answers: dict[bytes, bytes] = {}
    while ids - answers.keys():
        answer = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        if answer[:2] in ids:
            answers[answer[:2]] = answer
    return answers


def reason(error: OSError | EOFError) -> str:
    """What happened, in words for people."""
    match error:
        case TimeoutError():
            return "no answer in time"
        case asyncio.IncompleteReadError():
            return "the connection was closed before the answer"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
    return str(error)
