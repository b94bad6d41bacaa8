"""Asks one upstream one question over UDP, and again over TCP if the answer did not fit (RFC 7766, section 5).

Every query has a random identifier and a socket of its own, for which the kernel picks a fresh port; the socket is
connected, so that only datagrams of the upstream arrive; and a datagram that does not echo the question is dropped
(RFC 5452, section 9.1).
"""

import os
import socket
from collections.abc import Callable, Generator

import dns.exception
import dns.flags
import dns.message

from outlast.resolver.errand import Steps, Wait
from outlast.resolver.messages import Heard, SentinelHeard
from outlast.resolver.options import place
from outlast.resolver.reading import MAX_ALIASES, Family, Kind, Reading, read, read_texts
from outlast.resolver.retirement import is_retired, sentinel_name

PAYLOAD = 1232
"""Bytes of a UDP answer that arrive unfragmented everywhere (DNS flag day 2020)."""
MAX_DATAGRAM = 65_535
MAX_STRANGERS = 32
"""Datagrams that answer another question before the conversation is given up: more is an attack, or a broken server."""

Route = Callable[[str], tuple[str, ...]]
"""The upstreams that may be asked for a name."""
Exchange = Generator[Wait, None, dns.message.Message]


def ask(upstream: str, index: int, *, name: str, family: Family, route: Route) -> Steps:
    """Ask for the addresses of one family, and follow aliases into the zones of others.

    A recursive server follows them itself. An authoritative one, which somebody named for a zone, gives the alias alone if
    its target is elsewhere; the target is then asked of the upstreams of its own zone, and of no others.
    """
    reading = yield from _read(upstream, name, family)
    ttl = reading.ttl
    for _ in range(MAX_ALIASES):
        if not reading.alias:
            break
        target, places = reading.alias, route(reading.alias)
        if not places:
            reading = Reading(Kind.FAILED, words=f"an alias to {target}, for which no upstream may be asked")
            break
        # The hedge of a silent upstream begins at another place too.
        start = places.index(upstream) if upstream in places else index % len(places)
        for other in (*places[start:], *places[:start]):
            reading = yield from _read(other, target, family)
            if reading.kind is not Kind.FAILED or reading.alias:
                break
        ttl = min(ttl, reading.ttl)
        reading = reading._replace(ttl=ttl, words=f"{reading.words}, at the end of its aliases, {target}")
    return Heard(0, index, family, reading._replace(alias=""))


def _read(upstream: str, name: str, family: Family) -> Generator[Wait, None, Reading]:
    try:
        return read((yield from _exchange(upstream, name, family)))
    except (OSError, EOFError, dns.exception.DNSException) as error:
        return Reading(Kind.FAILED, words=words_of(error))


def ask_sentinel(upstream: str, name: str) -> Steps:
    """Ask whether the sentinel beside a name says that it was retired."""
    try:
        texts = read_texts((yield from _exchange(upstream, sentinel_name(name), "TXT")))
    except (OSError, EOFError, dns.exception.DNSException):
        texts = ()
    return SentinelHeard(0, is_retired(texts))


def words_of(error: Exception) -> str:
    """An error of the network or of a message, in a few words."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _exchange(upstream: str, name: str, rdtype: str) -> Exchange:
    query = dns.message.make_query(name, rdtype, use_edns=0, payload=PAYLOAD)
    server = place(upstream)
    assert server is not None, f"{upstream!r} was checked with the options"
    response = yield from _udp(server, query)
    return (yield from _tcp(server, query)) if response.flags & dns.flags.TC else response


def _udp(server: tuple[str, int], query: dns.message.Message) -> Exchange:
    with socket.socket(family_of(server[0]), socket.SOCK_DGRAM) as connected:
        connected.settimeout(0)
        connected.connect(server)
        connected.send(query.to_wire())
        for _ in range(MAX_STRANGERS):
            yield Wait(connected, is_writing=False)
            try:
                wire = connected.recv(MAX_DATAGRAM)
            except BlockingIOError:  # the kernel dropped a datagram with a wrong checksum after it woke us
                continue
            response = _parsed(wire, query)
            if response is not None:
                return response
    raise ConnectionError(f"{MAX_STRANGERS} datagrams answered another question")


def _parsed(wire: bytes, query: dns.message.Message) -> dns.message.Message | None:
    try:
        response = dns.message.from_wire(wire, ignore_trailing=True, raise_on_truncation=False)
    except dns.exception.DNSException:
        return None
    return response if query.is_response(response) else None


def _tcp(server: tuple[str, int], query: dns.message.Message) -> Exchange:
    with socket.socket(family_of(server[0]), socket.SOCK_STREAM) as stream:
        yield from connect(stream, server)
        data = query.to_wire(prepend_length=True)
        while data:
            data = data[stream.send(data) :]
            if data:
                yield Wait(stream, is_writing=True)
        length = int.from_bytes((yield from _receive(stream, 2)), "big")
        wire = yield from _receive(stream, length)
    response = _parsed(wire, query)
    if response is None:
        raise ConnectionError("an answer over TCP to another question")
    return response


def connect(stream: socket.socket, server: tuple[str, int]) -> Generator[Wait, None, None]:
    """Connect a TCP socket without blocking.

    Raises:
        OSError: There is nobody.

    """
    stream.settimeout(0)
    try:
        stream.connect(server)
    except BlockingIOError:
        yield Wait(stream, is_writing=True)
        number = stream.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, os.strerror(number)) from None


def _receive(stream: socket.socket, count: int) -> Generator[Wait, None, bytes]:
    data = b""
    while len(data) < count:
        yield Wait(stream, is_writing=False)
        try:
            part = stream.recv(count - len(data))
        except BlockingIOError:
            continue
        if not part:
            raise EOFError("the connection was closed within an answer")
        data += part
    return data


def family_of(address: str) -> socket.AddressFamily:
    """The socket family of an IP address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET
