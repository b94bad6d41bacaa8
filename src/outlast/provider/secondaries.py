"""Whether the secondaries have what the primary has: each is asked for the zone's serial, and the serials are compared.

Secondaries answer most of a zone's questions and learn of a change later than the primary, or never. Read-back reports;
it never gates a write, and it is monotonic per server only: a serial says nothing about which content stands behind it
if the primary was put back to an older state and has counted up again.
"""

import asyncio
import secrets
from collections.abc import Iterable
from typing import NamedTuple, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdtypes.ANY.SOA
from dns.message import Message
from dns.name import Name
from dns.rdataclass import IN
from dns.rdatatype import SOA
from dns.serial import Serial

from outlast.errors import Unavailable
from outlast.provider.exchange import Primary, exchange


class Server(NamedTuple):
    """An authoritative server: an IP address, so that it is found while DNS is not, and a TCP port."""

    address: str
    port: int = 53


class Start(NamedTuple):
    """A zone's start of authority: its serial, how often secondaries ask for it (seconds), and all but the serial as text: a secondary repeats that."""

    serial: int
    rest: str
    refresh: int = 0


class ReadBack(NamedTuple):
    """What one secondary says of the zone: its serial, or why there is none."""

    server: Server
    serial: int | None
    is_current: bool
    detail: str


async def read_back(
    zone: str, *, primary: Server, secondaries: Iterable[Server], seconds: float = 2.0
) -> tuple[ReadBack, ...]:
    """Tell which secondaries answer the zone with a serial that is at least the primary's, in the order given.

    The primary is asked first, so a secondary that is current has at least all that was committed before the call.

    Args:
        zone: The zone's name.
        primary: Where records are written.
        secondaries: Who else answers for the zone.
        seconds: How long to wait for the primary, and again for all secondaries together.

    Raises:
        Unavailable: The primary did not answer usefully.

    """
    wanted = (await read_start(zone, primary, seconds)).serial
    return tuple(await asyncio.gather(*(_compare(zone, wanted, server, seconds) for server in secondaries)))


async def _compare(zone: str, wanted: int, server: Server, seconds: float) -> ReadBack:
    try:
        found = (await read_start(zone, server, seconds)).serial
    except Unavailable as error:
        return ReadBack(server, None, is_current=False, detail=error.message)
    if is_at_least(found, wanted):
        return ReadBack(server, found, is_current=True, detail="")
    return ReadBack(server, found, is_current=False, detail=f"serial {found}, and the primary has {wanted}")


def is_at_least(serial: int, wanted: int) -> bool:
    """Whether a serial is not older than another (RFC 1982, section 3.2); of two that are exactly 2³¹ apart none is."""
    return bool(Serial(serial) >= Serial(wanted))


async def read_start(zone: str, server: Server, seconds: float) -> Start:
    """Ask an authoritative server for a zone's start of authority.

    Raises:
        Unavailable: It did not answer usefully.

    """
    name = dns.name.from_text(zone)
    query = dns.message.make_query(name, SOA, id=secrets.randbelow(2**16), flags=0)
    place = Primary(server.address, server.port, asyncio.get_running_loop().time() + seconds)
    (wire,) = await exchange(place, [query.to_wire()])
    try:
        answer = dns.message.from_wire(wire)
    except dns.exception.DNSException as error:
        raise Unavailable(f"{place}: unreadable answer: {error}") from error
    if not query.is_response(answer):
        raise Unavailable(f"{place}: the answer does not fit its question")
    return _start_in(answer, name, place)


def _start_in(answer: Message, zone: Name, place: Primary) -> Start:
    if answer.rcode() != dns.rcode.NOERROR:
        raise Unavailable(f"{place}: {dns.rcode.to_text(answer.rcode())}", hint=f"does it serve {zone}?")
    found = answer.get_rrset(answer.answer, zone, IN, SOA)
    # An expired secondary, a parent and a resolver may all say something; only an authority for the zone counts.
    if found is None or not answer.flags & dns.flags.AA:
        raise Unavailable(f"{place}: not authoritative for {zone}", hint=f"does it serve {zone}?")
    soa = cast(dns.rdtypes.ANY.SOA.SOA, found[0])
    return Start(soa.serial, soa.replace(serial=0).to_text().lower(), soa.refresh)
