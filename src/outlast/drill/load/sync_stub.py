"""The stub resolver of one host whose client library blocks: as `stub_resolver`, for threads.

The same questions, timeouts, tries and cache. Threads that ask at the same time each ask for themselves, as they do
with a system's stub.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rdatatype

from outlast.drill.load.stub_cache import Lookup, StubCache, read_answer
from outlast.drill.load.stub_resolver import PAYLOAD, TIMEOUT, TRIES, Unresolved
from outlast.drill.load.trace import TRACE, count_dns_query


class Found(NamedTuple):
    """Addresses, in the words of our client library's port."""

    addresses: tuple[str, ...]
    source: str = "upstream"
    age: float = 0.0
    reason: str = ""


class SyncStub:
    """Resolves names for one host.

    Args:
        server: Address and port of the name server.
        on_answer: Called with the name and what was learned when an answer has come.

    """

    def __init__(self, server: tuple[str, int], *, on_answer: Callable[[str, Lookup], None]) -> None:
        self._server = server
        self._on_answer = on_answer
        self._lock = threading.Lock()
        self._cache = StubCache()
        self._turn = 0

    def resolve(self, name: str, *, deadline: float | None = None) -> Found:
        """The addresses of `name`, starting with another one each time; a `deadline` shortens the waits.

        Raises:
            Unresolved: There is none, or nobody answered.

        """
        trace = TRACE.get(None)
        if trace is not None:
            trace.resolved = True
        with self._lock:
            lookup = self._cache.get(name, time.monotonic())
        lookup = lookup or self._ask(name, TIMEOUT if deadline is None else min(TIMEOUT, deadline))
        if not lookup.addresses:
            raise Unresolved(name, lookup.reason)
        with self._lock:
            self._turn += 1
            first = self._turn % len(lookup.addresses)
        return Found(lookup.addresses[first:] + lookup.addresses[:first])

    async def aresolve(self, name: str, *, deadline: float | None = None) -> Found:
        """Nobody who blocks asks like this; there for the port's sake."""
        return self.resolve(name, deadline=deadline)

    def _ask(self, name: str, timeout: float) -> Lookup:
        query = dns.message.make_query(name, dns.rdatatype.A, use_edns=0, payload=PAYLOAD)
        for _ in range(TRIES):
            with contextlib.suppress(OSError, dns.exception.DNSException):
                lookup = read_answer(self._exchange(query, timeout))
                with self._lock:
                    self._cache.put(name, lookup, time.monotonic())
                self._on_answer(name, lookup)
                return lookup
        return Lookup("TIMEOUT", (), 0.0)

    def _exchange(self, query: dns.message.Message, timeout: float) -> dns.message.Message:
        host, port = self._server
        count_dns_query()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.connect((host, port))  # only this server's datagrams come in (RFC 5452, section 9.1)
            response = dns.query.udp(query, host, timeout=timeout, port=port, sock=own, ignore_unexpected=True)
        if not response.flags & dns.flags.TC:
            return response
        count_dns_query()
        return dns.query.tcp(query, host, timeout=timeout, port=port)
