"""UDP and TCP on one port, in front of one handler.

A handler is a plain or an async callable from a request's bytes to the answer's bytes, or `None` for silence. A plain
one is called in the loop and answered at once, which keeps a request a single step; an async one becomes a task, within
limits. Nothing a peer sends and nothing a handler raises ends the listener: a fault is counted, the first few are
logged, and `fallback` answers in the handler's place.

The UDP side reads the socket directly when the loop reports it readable, a bounded number of datagrams per wake-up:
asyncio's datagram protocol costs five times as much for each.
"""

import asyncio
import contextlib
import inspect
import logging
import socket
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Literal, NamedTuple

from outlast.listener.limits import (
    DATAGRAMS_PER_WAKEUP,
    LOGGED_FAULTS_MAX,
    MESSAGE_BYTES_MAX,
    PENDING_MAX,
    PIPELINE_MAX,
    TURNS_TO_CLOSE,
    ListenerOptions,
)
from outlast.listener.sockets import bind

Transport = Literal["udp", "tcp"]


class Peer(NamedTuple):
    """Who sent a request."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


Answer = bytes | None
Handler = Callable[[bytes, Peer, Transport], Answer | Awaitable[Answer]]
Fallback = Callable[[bytes], Answer]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Statistics:
    """What a listener has seen since it started."""

    udp_requests: int = 0
    tcp_requests: int = 0
    connections: int = 0
    connections_refused: int = 0
    unheard: int = 0
    dropped: int = 0
    faults: int = 0
    last_fault: str = ""


class Listener:
    """Listens on one address and port over UDP and TCP until stopped.

    Args:
        options: Where, for whom, and how much.
        handle: Makes the answer to a request.
        fallback: Makes the answer when `handle` raised.

    """

    def __init__(self, options: ListenerOptions, handle: Handler, *, fallback: Fallback) -> None:
        self._options = options
        self._handle = handle
        self._fallback = fallback
        self._statistics = Statistics()
        self._udp: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._port = options.port
        self._is_open = False
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._pending: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        state = "listening" if self._server else "stopped"
        return f"<Listener {self.address}:{self.port} {state} connections={len(self._connections)} {self._statistics}>"

    @property
    def address(self) -> str:
        """The IP address bound."""
        return self._options.address

    @property
    def port(self) -> int:
        """The port bound; the one picked, once started, if the options said 0."""
        return self._port

    def stats(self) -> Statistics:
        """Return what was seen so far."""
        return self._statistics

    async def start(self) -> None:
        """Bind and begin to answer.

        Raises:
            Unavailable: The address or the port cannot be bound; the hint names the fix.

        """
        assert self._server is None, "a listener is started once at a time"
        udp, tcp = bind(self._options.address, self._options.port)
        self._udp = udp
        self._port = udp.getsockname()[1]
        self._is_open = True
        self._server = await asyncio.start_server(self._connected, sock=tcp, limit=MESSAGE_BYTES_MAX + 2)
        asyncio.get_running_loop().add_reader(udp, self._udp_readable, udp)

    async def stop(self) -> None:
        """Close both sockets and every connection; answers under way are given up. Stopping twice is harmless."""
        self._is_open = False
        loop = asyncio.get_running_loop()
        if self._udp is not None:
            loop.remove_reader(self._udp)
            self._udp.close()
            self._udp = None
        for task, writer in self._connections.items():
            task.cancel()
            writer.transport.abort()  # also where the task has not taken its first step, and never will
        for task in self._pending:
            task.cancel()
        await asyncio.gather(*self._connections, *self._pending, return_exceptions=True)
        if self._server is not None:
            # What is accepted comes to `_connected` some turns later, and Python 3.11 drops it with its socket open if
            # the server is closed by then: accept no more, let those arrive, then close.
            for accepting in self._server.sockets:
                loop.remove_reader(accepting.fileno())
            for _ in range(TURNS_TO_CLOSE):
                await asyncio.sleep(0)
            self._server.close()
            self._server = None

    # --- UDP ---------------------------------------------------------------------------------------------------------

    def _udp_readable(self, udp: socket.socket) -> None:
        for _ in range(DATAGRAMS_PER_WAKEUP):
            try:
                wire, source = udp.recvfrom(MESSAGE_BYTES_MAX)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # an earlier answer met a closed port (ICMP); the next read has the next datagram
                continue
            self._udp_request(udp, wire, source)

    def _udp_request(self, udp: socket.socket, wire: bytes, source: tuple[str, int]) -> None:
        if not self._options.hears(source[0]):
            self._statistics.unheard += 1
            return
        self._statistics.udp_requests += 1
        outcome = self._call(wire, Peer(*source[:2]), "udp")
        if not inspect.isawaitable(outcome):
            self._udp_send(udp, outcome, source)
        elif len(self._pending) < PENDING_MAX:
            self._track(self._udp_later(udp, outcome, wire, source))
        else:
            self._statistics.dropped += 1
            _discard(outcome)

    async def _udp_later(
        self, udp: socket.socket, outcome: Awaitable[Answer], wire: bytes, source: tuple[str, int]
    ) -> None:
        self._udp_send(udp, await self._settle(outcome, wire), source)

    def _udp_send(self, udp: socket.socket, answer: Answer, source: tuple[str, int]) -> None:
        if answer is None:
            return
        try:
            udp.sendto(answer, source)
        except OSError:  # a full buffer, an unreachable peer: UDP promises nothing, and the peer asks again
            self._statistics.dropped += 1

    # --- TCP ---------------------------------------------------------------------------------------------------------

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = writer.get_extra_info("peername")
        # No name: it is gone already. Not open: it was accepted, but not yet handed to us, when `stop` was called.
        if not name or not self._is_open or not self._admits(name[0]):
            writer.transport.abort()
            return
        self._statistics.connections += 1
        work = self._connection(reader, writer, Peer(*name[:2]))
        task = asyncio.get_running_loop().create_task(work)
        self._connections[task] = writer
        task.add_done_callback(self._connections.pop)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer) -> None:
        try:
            await self._serve(reader, writer, peer)
            writer.close()
            async with asyncio.timeout(self._options.idle_timeout):
                await writer.wait_closed()  # what is still buffered holds the connection open, and `stop` must know it
        except OSError:  # reset, or too slow: TimeoutError is one. What is still buffered is given up
            writer.transport.abort()
        except asyncio.CancelledError:
            writer.transport.abort()
            raise

    def _admits(self, host: str) -> bool:
        if not self._options.hears(host):
            self._statistics.unheard += 1
            return False
        if len(self._connections) >= self._options.connections_max:
            self._statistics.connections_refused += 1
            return False
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer) -> None:
        room = asyncio.Semaphore(PIPELINE_MAX)
        while (wire := await self._tcp_receive(reader)) is not None:
            self._statistics.tcp_requests += 1
            outcome = self._call(wire, peer, "tcp")
            if not inspect.isawaitable(outcome):
                await self._tcp_send(writer, outcome)
                continue
            await room.acquire()
            # Answers may overtake one another (RFC 7766, section 6.2.1.1); the message's id tells them apart.
            self._track(self._tcp_later(writer, outcome, wire, room))
        async with asyncio.timeout(self._options.idle_timeout):
            for _ in range(PIPELINE_MAX):  # a peer may close its side early and still wait for its answers
                await room.acquire()

    async def _tcp_receive(self, reader: asyncio.StreamReader) -> bytes | None:
        try:
            async with asyncio.timeout(self._options.idle_timeout):
                return await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        except asyncio.IncompleteReadError:
            return None

    async def _tcp_later(
        self, writer: asyncio.StreamWriter, outcome: Awaitable[Answer], wire: bytes, room: asyncio.Semaphore
    ) -> None:
        try:
            answer = await self._settle(outcome, wire)
            with contextlib.suppress(OSError):
                await self._tcp_send(writer, answer)
        finally:
            room.release()

    async def _tcp_send(self, writer: asyncio.StreamWriter, answer: Answer) -> None:
        if answer is None:
            return
        # One write, so that length and message are not split into two segments (RFC 7766, section 8).
        writer.write(len(answer).to_bytes(2, "big") + answer)
        async with asyncio.timeout(self._options.idle_timeout):
            await writer.drain()

    # --- the handler -------------------------------------------------------------------------------------------------

    def _call(self, wire: bytes, peer: Peer, transport: Transport) -> Answer | Awaitable[Answer]:
        try:
            return self._handle(wire, peer, transport)
        except Exception as error:  # noqa: BLE001 one packet must not end the service of all others
            return self._faulted(error, wire)

    async def _settle(self, outcome: Awaitable[Answer], wire: bytes) -> Answer:
        try:
            return await outcome
        except Exception as error:  # noqa: BLE001 as in _call
            return self._faulted(error, wire)

    def _faulted(self, error: Exception, wire: bytes) -> Answer:
        self._statistics.faults += 1
        self._statistics.last_fault = repr(error)
        if self._statistics.faults <= LOGGED_FAULTS_MAX:
            _log.error("a handler failed on %d bytes", len(wire), exc_info=error)
        try:
            return self._fallback(wire)
        except Exception:  # noqa: BLE001 silence is the last resort; the fault is already counted
            return None

    def _track(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)


def _discard(outcome: Awaitable[Answer]) -> None:
    if inspect.iscoroutine(outcome):
        outcome.close()
