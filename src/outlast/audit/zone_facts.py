"""Gathers what `zone_rules` judges: from the zone's primary, and about its delegation from a resolver. It only reads."""

import asyncio
import time
from collections.abc import Awaitable
from typing import NamedTuple, TypeVar

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
from dns.flags import RD
from dns.message import Message
from dns.rcode import Rcode
from dns.rdatatype import DNSKEY, DS, NS, RRSIG, SOA, A, RdataType
from dns.rrset import RRset

from outlast.audit.secondary_facts import Lagging, Primaries, find_lagging
from outlast.audit.zone_rules import Soa, ZoneFacts
from outlast.errors import Unavailable
from outlast.provider import secondaries

Fact = TypeVar("Fact")


class Server(NamedTuple):
    """Whom to ask: a primary, or a resolver. `timeout` is seconds for one answer."""

    address: str
    port: int = 53
    timeout: float = 3.0


class Unseen(Exception):
    """A question was not answered usefully; says why."""


async def gather_facts(
    zone: str,
    primary: Server,
    resolver: Server | None,
    *,
    authority_port: int = 53,
    others: tuple[Server, ...] = (),
    has_unseen: bool = False,
    followers: tuple[tuple[str, Server], ...] = (),
) -> ZoneFacts:
    """Ask for everything about a zone. What cannot be seen is a text that says why.

    Args:
        zone: Its name.
        primary: Is asked about the zone itself.
        resolver: Finds the servers of the parent zone; without one nothing is told of the delegation.
        authority_port: Where the servers of the parent and of the zone listen.
        others: Primaries of the same zone at other providers: their servers have other serials, and are in NS too.
        has_unseen: Whether it lies at a provider, too, whose servers nobody has named.
        followers: Addresses of secondaries, each with the primary that it is known to follow.

    """
    soa, servers, keys, left = await asyncio.gather(
        _fact(_soa(zone, primary)),
        _fact(_names(zone, primary)),
        _fact(_is_there(zone, DNSKEY, primary)),
        _fact(_signature_left(zone, primary)),
    )
    parent: tuple[str, ...] | str | None = None
    signed: bool | str | None = None
    lagging: Lagging | str | None = None
    if resolver is not None:
        named = servers if isinstance(servers, tuple) else ()
        own, *rest = map(_plain, (primary, *others))
        following = tuple((address, _plain(it)) for address, it in followers)
        primaries = Primaries(own, tuple(rest), has_unseen, following)
        parent, signed, lagging = await asyncio.gather(
            _fact(_delegated(zone, resolver, authority_port)),
            _fact(_is_there(zone, DS, resolver, recursive=True)),
            _fact(_lagging(zone, primaries, named, resolver, authority_port)),
        )
    return ZoneFacts(
        zone=zone,
        soa=soa,
        servers=servers,
        parent_servers=parent,
        delegation_signed=signed,
        is_signed=keys,
        signature_left=left,
        behind=lagging.sure if isinstance(lagging, Lagging) else lagging,
        unclear=lagging.unclear if isinstance(lagging, Lagging) else (),
    )


async def zone_is_signed(zone: str, resolver: Server) -> bool | str:
    """Whether a zone has DNSKEY records, by a resolver: for a zone whose primary is no server that could be asked."""
    return await _fact(_is_there(zone, DNSKEY, resolver, recursive=True))


async def _fact(question: Awaitable[Fact]) -> Fact | str:
    try:
        return await question
    except Unseen as error:
        return str(error)


async def _soa(zone: str, primary: Server) -> Soa:
    for rrset in (await ask(zone, SOA, primary)).answer:
        if rrset.rdtype == SOA:
            return Soa(rrset.ttl, rrset[0].expire, rrset[0].minimum)
    raise Unseen(f"{primary.address}:{primary.port} has no SOA for {zone}: is it a zone of its own there?")


async def _names(zone: str, server: Server) -> tuple[str, ...]:
    answer = await ask(zone, NS, server)
    return _targets([*answer.answer, *answer.authority])


def _targets(rrsets: list[RRset]) -> tuple[str, ...]:
    return tuple(
        sorted(str(item.target).lower().rstrip(".") for rrset in rrsets if rrset.rdtype == NS for item in rrset)
    )


async def _is_there(zone: str, rdtype: RdataType, server: Server, *, recursive: bool = False) -> bool:
    answer = await ask(zone, rdtype, server, recursive=recursive)
    return any(rrset.rdtype == rdtype for rrset in answer.answer)


async def _signature_left(zone: str, primary: Server) -> float | None:
    answer = await ask(zone, SOA, primary)
    ends = [item.expiration for rrset in answer.answer if rrset.rdtype == RRSIG for item in rrset]
    return min(ends) - time.time() if ends else None


async def _delegated(zone: str, resolver: Server, port: int) -> tuple[str, ...]:
    # What the parent's own servers say, in the referral; a resolver would answer with the zone's own set.
    parent = dns.name.from_text(zone).parent()
    while not (servers := await _recursively(parent, NS, resolver)):
        if parent == dns.name.root:
            raise Unseen(f"{resolver.address} knows no servers of the zones above {zone}")
        parent = parent.parent()
    last = Unseen(f"none of the servers of {parent} answered")
    for name in servers:
        for address in await _recursively(dns.name.from_text(name), A, resolver):
            try:
                return await _names(zone, Server(address, port, resolver.timeout))
            except Unseen as error:
                last = error
    raise last


async def _lagging(zone: str, primaries: Primaries, names: tuple[str, ...], resolver: Server, port: int) -> Lagging:
    found = [
        (name, secondaries.Server(address, port))
        for name in names
        for address in await _recursively(dns.name.from_text(name), A, resolver)
    ]
    try:
        return await find_lagging(zone, primaries, found, seconds=resolver.timeout)
    except Unavailable as error:
        raise Unseen(error.message) from error


def _plain(server: Server) -> secondaries.Server:
    return secondaries.Server(server.address, server.port)


async def _recursively(name: dns.name.Name, rdtype: RdataType, resolver: Server) -> tuple[str, ...]:
    answer = await ask(name.to_text(), rdtype, resolver, recursive=True)
    return tuple(str(item) for rrset in answer.answer if rrset.rdtype == rdtype for item in rrset)


async def ask(name: str, rdtype: RdataType, server: Server, *, recursive: bool = False) -> Message:
    """Ask one question over TCP.

    Raises:
        Unseen: It was not answered usefully.

    """
    query = dns.message.make_query(name, rdtype, want_dnssec=True, flags=RD if recursive else 0)
    where = f"{server.address}:{server.port}"
    try:
        answer = await dns.asyncquery.tcp(query, server.address, timeout=server.timeout, port=server.port)
    except (OSError, EOFError, dns.exception.DNSException) as error:
        raise Unseen(f"{where} does not answer: {str(error) or type(error).__name__}") from error
    if answer.rcode() not in {Rcode.NOERROR, Rcode.NXDOMAIN}:
        raise Unseen(f"{where} answers {answer.rcode().name} for {name} {rdtype.name}")
    return answer
