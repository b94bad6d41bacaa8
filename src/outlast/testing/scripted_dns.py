"""A DNS server in the test's own process whose answers are switched by name while the test runs.

Real sockets, UDP and TCP, on one free loopback port, served by one thread of its own that ends with the context. It
answers as a recursive resolver would: aliases are followed, a negative answer carries an SOA.
"""

import asyncio
import threading
from collections.abc import Awaitable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self, get_args

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
from dns.rdatatype import RdataType

from outlast.errors import InvalidConfig, did_you_mean
from outlast.listener.limits import ListenerOptions
from outlast.listener.server import Answer, Listener, Peer, Transport

Behaviour = Literal["good", "nodata", "nxdomain", "servfail", "silent", "slow"]
"""`good`: what was served. `nodata`, `nxdomain`, `servfail`: that, at once. `silent`: nothing. `slow`: good, but late."""

MAX_ALIASES = 11
PLAIN_PAYLOAD = 512
"""Bytes of a UDP answer to a question without EDNS (RFC 1035, section 4.2.1)."""
START_SECONDS = 10.0


@dataclass(slots=True)
class _Name:
    records: dict[RdataType, tuple[int, tuple[str, ...]]]
    behaviour: Behaviour = "good"


class ScriptedDns:
    """A scripted upstream.

    Args:
        delay: Seconds after which a `slow` name is answered.
        negative_ttl: Seconds that a negative answer says it may be kept.

    """

    def __init__(self, *, delay: float = 1.0, negative_ttl: int = 1) -> None:
        self._delay = delay
        self._negative_ttl = negative_ttl
        self._names: dict[str, _Name] = {}
        self._queries: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None
        self._listener = Listener(ListenerOptions(), self._handle, fallback=lambda _: None)

    def __repr__(self) -> str:
        with self._lock:
            names = ", ".join(f"{name} {item.behaviour}" for name, item in self._names.items())
        return f"<scripted DNS at {self.address}: {names or 'no names'}>"

    # --------------------------------------------------------------------------------------------------- the script

    def serve(self, name: str, addresses: list[str] | tuple[str, ...], *, ttl: int = 5) -> None:
        """Answer a name with these IPv4 and IPv6 addresses from now on; a family without any is empty (NODATA).

        Args:
            name: The name.
            addresses: All its addresses; they replace what was served.
            ttl: Seconds that the answer says it may be kept.

        """
        v4 = tuple(item for item in addresses if ":" not in item)
        v6 = tuple(item for item in addresses if ":" in item)
        self._put(name, {RdataType.A: v4, RdataType.AAAA: v6, RdataType.CNAME: ()}, ttl)

    def alias(self, name: str, target: str, *, ttl: int = 5) -> None:
        """Make a name an alias (CNAME) of another, whose own behaviour decides what is at its end."""
        self._put(name, {RdataType.CNAME: (f"{_key(target)}.",), RdataType.A: (), RdataType.AAAA: ()}, ttl)

    def text(self, name: str, *strings: str, ttl: int = 5) -> None:
        """Answer a TXT question for a name with these strings, a record each."""
        self._put(name, {RdataType.TXT: tuple(f'"{item}"' for item in strings)}, ttl)

    def set(self, name: str, behaviour: Behaviour) -> None:
        """Switch how questions for a name are answered; what it serves is kept for when it is `good` again."""
        if behaviour not in get_args(Behaviour):
            near = did_you_mean(behaviour, get_args(Behaviour))
            raise InvalidConfig((f"{behaviour!r} is not a behaviour: {', '.join(get_args(Behaviour))}{near}",))
        with self._lock:
            self._names.setdefault(_key(name), _Name({})).behaviour = behaviour

    def queries(self, name: str) -> tuple[str, ...]:
        """The record types that were asked for at a name, in order, such as `("A", "AAAA")`."""
        with self._lock:
            return tuple(self._queries.get(_key(name), ()))

    def _put(self, name: str, records: dict[RdataType, tuple[str, ...]], ttl: int) -> None:
        with self._lock:
            entry = self._names.setdefault(_key(name), _Name({}))
            for rdtype, texts in records.items():
                entry.records.pop(rdtype, None)
                if texts:
                    entry.records[rdtype] = (ttl, texts)

    # ---------------------------------------------------------------------------------------------------- its server

    @property
    def address(self) -> str:
        """Where it listens, as a resolver's `upstreams` want it: `127.0.0.1:PORT`."""
        return f"{self._listener.address}:{self._listener.port}"

    @property
    def port(self) -> int:
        """The port of both UDP and TCP."""
        return self._listener.port

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(ready)), name="scripted DNS", daemon=True
        )
        self._thread.start()
        assert ready.wait(START_SECONDS), "binding a free loopback port takes milliseconds"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None
        assert self._stop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await self._listener.start()
        ready.set()
        await self._stop.wait()
        await self._listener.stop()

    # ---------------------------------------------------------------------------------------------------- its answers

    def _handle(self, wire: bytes, _: Peer, transport: Transport) -> Answer | Awaitable[Answer]:
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if len(query.question) != 1:
            return None
        question = query.question[0]
        name = _key(question.name.to_text())
        with self._lock:
            self._queries.setdefault(name, []).append(dns.rdatatype.to_text(question.rdtype))
            names = self._chain(name)
            behaviours = [self._names[item].behaviour if item in self._names else "good" for item in names]
        if "silent" in behaviours:
            return None
        answer = self._answer(query, names, transport)
        return self._late(answer) if "slow" in behaviours else answer

    async def _late(self, answer: bytes) -> bytes:
        await asyncio.sleep(self._delay)
        return answer

    def _chain(self, name: str) -> list[str]:
        """The name and those its aliases lead to, as far as they answer with what they serve."""
        chain = [name]
        while len(chain) <= MAX_ALIASES:
            entry = self._names.get(chain[-1])
            if entry is None or entry.behaviour not in ("good", "slow") or RdataType.CNAME not in entry.records:
                break
            chain.append(_key(entry.records[RdataType.CNAME][1][0]))
        return chain

    def _answer(self, query: dns.message.Message, names: list[str], transport: Transport) -> bytes:
        response = dns.message.make_response(query, recursion_available=True)
        rdtype = query.question[0].rdtype
        with self._lock:
            for name in names[:-1]:
                self._add(response, name, RdataType.CNAME)
            entry = self._names.get(names[-1])
            behaviour = entry.behaviour if entry is not None else "nxdomain"
            if behaviour in ("good", "slow"):
                self._add(response, names[-1], rdtype)
        if behaviour == "servfail":
            response.set_rcode(dns.rcode.SERVFAIL)
        elif behaviour == "nxdomain":
            response.set_rcode(dns.rcode.NXDOMAIN)
        if behaviour != "servfail" and not any(rrset.rdtype == rdtype for rrset in response.answer):
            response.authority.append(self._soa(names[-1]))
        payload = (query.payload if query.edns >= 0 else PLAIN_PAYLOAD) if transport == "udp" else 65_535
        return response.to_wire(max_size=max(payload, PLAIN_PAYLOAD), prefer_truncation=True)

    def _add(self, response: dns.message.Message, name: str, rdtype: RdataType) -> None:
        entry = self._names.get(name)
        if entry is not None and rdtype in entry.records:
            ttl, texts = entry.records[rdtype]
            response.answer.append(dns.rrset.from_text(f"{name}.", ttl, "IN", rdtype, *texts))

    def _soa(self, name: str) -> dns.rrset.RRset:
        parent = name.partition(".")[2]
        ttl = self._negative_ttl
        return dns.rrset.from_text(f"{parent}.", ttl, "IN", "SOA", f"ns.{parent}. admin.{parent}. 1 60 60 60 {ttl}")


def _key(name: str) -> str:
    return name.lower().removesuffix(".")
