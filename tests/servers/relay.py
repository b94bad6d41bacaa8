"""Relays in front of a server: replies that get lost, changes that are held back, a world that stops."""

import asyncio
import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Self

UPDATE = 5
"""The opcode (RFC 2136, section 1.3)."""


class Relay(ABC):
    """Passes requests on; while `swallows` is set, the reply to one that it is about ends the connection.

    Args:
        address: Of the server.
        port: Of the server.

    """

    def __init__(self, address: str, port: int) -> None:
        self._target = (address, port)
        self.port = 0
        self.swallows = False
        self.swallowed = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._pass_on(reader, writer)
        except (EOFError, OSError):
            return
        finally:
            writer.close()

    @abstractmethod
    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes on one connection."""

    def _is_swallowed(self) -> bool:
        self.swallowed += self.swallows
        return self.swallows


class DnsRelay(Relay):
    """Passes DNS messages on, any number for each connection; every reply can be swallowed."""

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, to_server = await asyncio.open_connection(*self._target)
        with contextlib.closing(to_server):
            while True:
                to_server.write(await _frame(reader))
                reply = await _frame(upstream)
                if self._is_swallowed():
                    return
                writer.write(reply)


class HoldingRelay(Relay):
    """Passes requests on, one for each connection, and knows changes from others.

    `hold()`: changes wait, each having set `held`, until `release()`. `slow`: so many seconds pass before any other request
    is passed on.
    """

    def __init__(self, address: str, port: int) -> None:
        super().__init__(address, port)
        self.changes = 0
        self.slow = 0.0
        self.held = asyncio.Event()
        self._may_pass = asyncio.Event()
        self._may_pass.set()

    def hold(self) -> None:
        self._may_pass.clear()

    def release(self) -> None:
        self._may_pass.set()

    async def _wait(self, *, is_change: bool) -> None:
        if not is_change:
            await asyncio.sleep(self.slow)
            return
        self.changes += 1
        self.held.set()
        await self._may_pass.wait()


class UpdateRelay(HoldingRelay):
    """Passes DNS messages on; a change is an UPDATE (RFC 2136). Answers of many messages, as a zone's transfer, go through."""

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, to_server = await asyncio.open_connection(*self._target)
        with contextlib.closing(to_server):
            request = await _frame(reader)
            is_change = request[4] >> 3 & 15 == UPDATE
            await self._wait(is_change=is_change)
            to_server.write(request)
            first = await _frame(upstream)
            if is_change and self._is_swallowed():
                return
            writer.write(first)
            rest = asyncio.create_task(_copy(upstream, writer))
            await reader.read()  # until the client has enough
            rest.cancel()


class HttpRelay(HoldingRelay):
    """Passes HTTP requests on; a change is a PATCH.

    `sleep_after_gets`: after so many replies to GETs this whole process, and the provider's machine with it, sleeps for so
    many seconds.
    """

    def __init__(self, address: str, port: int) -> None:
        super().__init__(address, port)
        self.sleep_after_gets = (0, 0.0)
        self._gets = 0

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _request(reader)
        is_change = request.startswith(b"PATCH ")
        await self._wait(is_change=is_change)
        reply = await self._answered(request)
        if is_change and self._is_swallowed():
            return
        writer.write(reply)
        await writer.drain()
        self._sleep(is_get=not is_change)

    async def _answered(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self._target)
        with contextlib.closing(writer):
            writer.write(request)
            return await reader.read()

    def _sleep(self, *, is_get: bool) -> None:
        self._gets += is_get
        number, seconds = self.sleep_after_gets
        if is_get and self._gets == number:
            time.sleep(seconds)


async def _frame(reader: asyncio.StreamReader) -> bytes:
    length = await reader.readexactly(2)
    return length + await reader.readexactly(int.from_bytes(length, "big"))


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = (line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    length = next(lengths, b"0")
    return head + await reader.readexactly(int(length))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65_536):
        writer.write(chunk)
