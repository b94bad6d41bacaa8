"""The name server: zones from disk, answers on sockets, in one thread of one event loop."""

import asyncio
import signal
from collections.abc import Callable
from typing import Self

from outlast.clock import Clock
from outlast.listener.server import Listener, Peer, Statistics, Transport
from outlast.nameserver.journal import Journal
from outlast.nameserver.keys import Keyring
from outlast.nameserver.options import ServerOptions
from outlast.nameserver.responder import Responder
from outlast.nameserver.updater import Updater
from outlast.nameserver.zone import AuthoritativeZone
from outlast.system_clock import SystemClock


class Nameserver:
    """An authoritative name server; `start` and `stop` it, or use it as an async context manager.

    Args:
        options: What it answers for, where, and who may change it.
        clock: The system's clock, unless a test has its own.

    """

    def __init__(self, options: ServerOptions, *, clock: Clock | None = None) -> None:
        self._options = options
        self._clock = clock or SystemClock()
        self._listener: Listener | None = None
        self._journal: Journal | None = None

    def __repr__(self) -> str:
        zones = ", ".join(zone.name for zone in self._options.zones)
        return f"<Nameserver {zones} on {self._listener or 'nothing yet'}>"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def address(self) -> str:
        """The IP address it listens on."""
        return self._options.address

    @property
    def port(self) -> int:
        """The port it listens on, UDP and TCP; the one picked, once started, if the options said 0."""
        return self._listener.port if self._listener else self._options.port

    def stats(self) -> Statistics:
        """Return what the listener has seen so far."""
        return self._listener.stats() if self._listener else Statistics()

    async def start(self) -> None:
        """Load the zones, write the journal's first lines and begin to answer.

        Raises:
            InvalidConfig: A zone or state file cannot be read.
            Unavailable: The port, the address or the journal cannot be had.

        """
        options = self._options
        zones = tuple(AuthoritativeZone(zone) for zone in options.zones)
        self._journal = Journal(options.journal, self._clock)
        try:
            updater = Updater(zones, self._journal, follows_aliases=options.route53_aliases)
            updater.note_start()
            responder = Responder(updater, Keyring(options.keys), self._clock, follows_aliases=options.route53_aliases)
            self._listener = _listener(options, responder)
            await self._listener.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop answering and close the journal; stopping twice is harmless."""
        if self._listener is not None:
            await self._listener.stop()
        if self._journal is not None:
            self._journal.close()


def _listener(options: ServerOptions, responder: Responder) -> Listener:
    def handle(wire: bytes, peer: Peer, transport: Transport) -> bytes | None:
        return responder.respond(wire, str(peer), transport)

    return Listener(options.listener(), handle, fallback=responder.fallback)


async def serve(options: ServerOptions, *, ready: Callable[[Nameserver], None] = lambda _: None) -> None:
    """Run a name server until SIGTERM, SIGINT or cancellation.

    Args:
        options: What it answers for, where, and who may change it.
        ready: Called once it answers; the port is known then.

    Raises:
        InvalidConfig: A zone or state file cannot be read.
        Unavailable: The port, the address or the journal cannot be had.

    """
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    async with Nameserver(options) as server:
        for number in signals:
            loop.add_signal_handler(number, ended.set)
        try:
            ready(server)
            await ended.wait()
        finally:
            for number in signals:
                loop.remove_signal_handler(number)
