"""A TCP relay in front of a primary that can swallow replies: the request lands, and nobody learns of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Relay:
    """Passes DNS messages on; while `swallows` is set, a reply ends the connection instead of travelling back."""

    def __init__(self, address: str, port: int) -> None:
        self._target = (address, port)
        self.port = 0
        self.swallows = False
        self.swallowed = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Relay"]:
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, to_server = await asyncio.open_connection(*self._target)
        try:
            while True:
                to_server.write(await _frame(reader))
                reply = await _frame(upstream)
                if self.swallows:
                    self.swallowed += 1
                    return
                writer.write(reply)
        except (EOFError, OSError):
            return
        finally:
            writer.close()
            to_server.close()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    length = await reader.readexactly(2)
    return length + await reader.readexactly(int.from_bytes(length, "big"))
