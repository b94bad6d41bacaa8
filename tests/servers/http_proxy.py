"""A relay in front of an HTTP API that swallows the reply to a change, holds a change back, or stops the world."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator


class HttpRelay:
    """Passes requests on, one for each connection.

    `swallows`: the reply to a PATCH ends the connection instead of travelling back. `hold()`: PATCHes wait, each having
    set `held`, until `release()`. `sleep_after_gets`: after so many replies to GETs this whole process, and the
    provider's machine with it, sleeps for so many seconds. `slow`: so many seconds pass before a GET is passed on.
    """

    def __init__(self, address: str, port: int) -> None:
        self._target = (address, port)
        self.port = 0
        self.swallows = False
        self.swallowed = 0
        self.changes = 0
        self.held = asyncio.Event()
        self.sleep_after_gets = (0, 0.0)
        self.slow = 0.0
        self._gets = 0
        self._may_pass = asyncio.Event()
        self._may_pass.set()

    def hold(self) -> None:
        self._may_pass.clear()

    def release(self) -> None:
        self._may_pass.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["HttpRelay"]:
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _request(reader)
            is_change = request.startswith(b"PATCH ")
            if is_change:
                self.changes += 1
                self.held.set()
                await self._may_pass.wait()
            else:
                await asyncio.sleep(self.slow)
            reply = await self._pass_on(request)
            if is_change and self.swallows:
                self.swallowed += 1
                return
            writer.write(reply)
            await writer.drain()
            self._sleep(is_get=not is_change)
        except (EOFError, OSError):
            return
        finally:
            writer.close()

    async def _pass_on(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self._target)
        try:
            writer.write(request)
            return await reader.read()
        finally:
            writer.close()

    def _sleep(self, *, is_get: bool) -> None:
        self._gets += is_get
        number, seconds = self.sleep_after_gets
        if is_get and self._gets == number:
            time.sleep(seconds)


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = (line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    length = next(lengths, b"0")
    return head + await reader.readexactly(int(length))
