"""The stub resolver of one host: asks one server, keeps what the cache may keep, shares a question in flight.

It asks over UDP from a fresh socket (the kernel picks a fresh port) with a timeout of one second, twice, as a careful
system stub would; a truncated answer is asked for again over TCP (RFC 7766, section 5). Only A: the drill's world is
IPv4 loopback.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable

import dns.exception
import dns.flags
import dns.message
import dns.rdatatype

from outlast.drill.load.stub_cache import Lookup, StubCache, read_answer
from outlast.errors import Unavailable

TIMEOUT = 1.0  # seconds per try
TRIES = 2
PAYLOAD = 1232  # bytes, the flag day's UDP size
MAX_DATAGRAM = 65_535


class Unresolved(Unavailable):
    """A name has no address as far as this host can tell. `reason` is an rcode, NODATA or TIMEOUT."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class StubResolver:
    """Resolves names for one host.

    Args:
        server: Address and port of the name server.
        clock: Seconds of a clock that does not go back; times the cache.
        on_query: Called for each question sent, in the context of the caller that caused it.
        on_answer: Called with the name and what was learned when an answer has come.

    """

    def __init__(
        self,
        server: tuple[str, int],
        *,
        clock: Callable[[], float],
        on_query: Callable[[], None],
        on_answer: Callable[[str, Lookup], None] = lambda _name, _lookup: None,
    ) -> None:
        self._server = server
        self._clock = clock
        self._on_query = on_query
        self._on_answer = on_answer
        self._cache = StubCache()
        self._asking: dict[str, asyncio.Task[Lookup]] = {}
        self._turn = 0

    async def resolve(self, name: str) -> tuple[str, ...]:
        """The addresses of `name`, starting with another one each time.

        Raises:
            Unresolved: There is none, or nobody answered.

        """
        lookup = self._cache.get(name, self._clock()) or await self._ask_once(name)
        if not lookup.addresses:
            raise Unresolved(name, lookup.reason)
        self._turn += 1
        first = self._turn % len(lookup.addresses)
        return lookup.addresses[first:] + lookup.addresses[:first]

    async def _ask_once(self, name: str) -> Lookup:
        # A task of its own, so that a caller that is cancelled takes nothing from those who wait for the same answer.
        task = self._asking.get(name)
        if task is None:
            task = self._asking[name] = asyncio.create_task(self._ask(name))
            task.add_done_callback(lambda _: self._asking.pop(name, None))
        return await asyncio.shield(task)

    async def _ask(self, name: str) -> Lookup:
        query = dns.message.make_query(name, dns.rdatatype.A, use_edns=0, payload=PAYLOAD)
        for _ in range(TRIES):
            with contextlib.suppress(OSError, dns.exception.DNSException):
                response = await self._exchange(query)
                lookup = read_answer(response)
                self._cache.put(name, lookup, self._clock())
                self._on_answer(name, lookup)
                return lookup
        return Lookup("TIMEOUT", (), 0.0)

    async def _exchange(self, query: dns.message.Message) -> dns.message.Message:
        self._on_query()
        async with asyncio.timeout(TIMEOUT):
            response = await _ask_udp(self._server, query)
        if not response.flags & dns.flags.TC:
            return response
        self._on_query()
        async with asyncio.timeout(TIMEOUT):
            return await _ask_tcp(self._server, query)

    async def aclose(self) -> None:
        """Give up what is being asked."""
        for task in tuple(self._asking.values()):
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)


async def _ask_udp(server: tuple[str, int], query: dns.message.Message) -> dns.message.Message:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connected:
        connected.settimeout(0.0)
        connected.connect(server)
        connected.send(query.to_wire())
        loop = asyncio.get_running_loop()
        while True:
            wire = await loop.sock_recv(connected, MAX_DATAGRAM)
            # RFC 5452, section 9.1: what does not match the question is dropped, and the wait goes on.
            with contextlib.suppress(dns.exception.DNSException):
                response = dns.message.from_wire(wire, ignore_trailing=True, raise_on_truncation=False)
                if query.is_response(response):
                    return response


async def _ask_tcp(server: tuple[str, int], query: dns.message.Message) -> dns.message.Message:
    reader, writer = await asyncio.open_connection(*server)
    try:
        wire = query.to_wire()
        writer.write(len(wire).to_bytes(2, "big") + wire)
        length = int.from_bytes(await reader.readexactly(2), "big")
        response = dns.message.from_wire(await reader.readexactly(length), ignore_trailing=True)
    except EOFError as error:
        raise ConnectionError("the server closed the connection within an answer") from error
    finally:
        writer.close()
    if not query.is_response(response):
        raise ConnectionError("the server answered another question")
    return response
