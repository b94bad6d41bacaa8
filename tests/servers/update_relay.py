"""A TCP relay in front of a DNS server that looks at what passes: changes may be held or their replies swallowed.

Unlike `servers.proxy` it lets answers of many messages through, such as a zone's transfer.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

UPDATE = 5
"""The opcode (RFC 2136, section 1.3)."""


class UpdateRelay:
    """Passes DNS messages on.

    `swallows`: the reply to an UPDATE ends the connection instead of travelling back. `hold()`: UPDATEs wait, each having
    set `held`, until `release()`. `slow`: so many seconds pass before any other request is passed on.
    """

    def __init__(self, address: str, port: int) -> None:
        self._target = (address, port)
        self.port = 0
        self.swallows = False
        self.swallowed = 0
        self.changes = 0
        self.slow = 0.0
        self.held = asyncio.Event()
        self._may_pass = asyncio.Event()
        self._may_pass.set()

    def hold(self) -> None:
        self._may_pass.clear()

    def release(self) -> None:
        self._may_pass.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["UpdateRelay"]:
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, to_server = await asyncio.open_connection(*self._target)
        try:
            request = await _frame(reader)
            is_change = request[4] >> 3 & 15 == UPDATE
            if is_change:
                self.changes += 1
                self.held.set()
                await self._may_pass.wait()
            else:
                await asyncio.sleep(self.slow)
            to_server.write(request)
            first = await _frame(upstream)
            if is_change and self.swallows:
                self.swallowed += 1
                return
            writer.write(first)
            rest = asyncio.create_task(_pass_on(upstream, writer))
            await reader.read()  # until the client has enough
            rest.cancel()
        except (EOFError, OSError):
            return
        finally:
            writer.close()
            to_server.close()


async def _pass_on(upstream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await upstream.read(65_536):
        writer.write(chunk)


async def _frame(reader: asyncio.StreamReader) -> bytes:
    length = await reader.readexactly(2)
    return length + await reader.readexactly(int.from_bytes(length, "big"))
