"""Looks up the names that targets are, for the prober: plainly, without cache, stale answers or last-known-good.

The prober wants to know what clients get now; a resolver that survives an outage would hide it. A positive answer of any
upstream wins; that there is nothing must be said for both families by one that answers for the name. SERVFAIL, silence and
referrals say nothing (`reading`).
"""

import asyncio
import ipaddress
from pathlib import Path

import dns.asyncquery
import dns.exception
import dns.message
import dns.resolver

from outlast.errors import InvalidConfig
from outlast.health.lookup import MAX_UPSTREAMS, Found, Nothing, Silence
from outlast.resolver.options import place
from outlast.resolver.reading import Family, Kind, Reading, read

SYSTEM = Path("/etc/resolv.conf")
PAYLOAD = 1232
"""Bytes of a UDP answer that arrive unfragmented everywhere (DNS flag day 2020)."""


class PlainLookup:
    """Answers `health.lookup.Lookup`.

    Args:
        upstreams: Whom to ask, `ADDRESS:PORT` or `ADDRESS`; empty: those of the system's `resolv.conf`, read anew for each
            look-up.
        timeout: Seconds for one look-up, over all upstreams.

    Raises:
        InvalidConfig: An upstream is no address, or there are too many.

    """

    def __init__(self, upstreams: tuple[str, ...], *, timeout: float) -> None:
        faults = [f"upstreams: {text!r} is not ADDRESS:PORT" for text in upstreams if place(text) is None]
        if len(upstreams) > MAX_UPSTREAMS:
            faults.append(f"upstreams: {len(upstreams)}, more than {MAX_UPSTREAMS}")
        if faults:
            raise InvalidConfig(tuple(faults))
        self._upstreams = upstreams
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"<look-up at {' '.join(self._upstreams) or SYSTEM}>"

    async def __call__(self, name: str) -> Found | Nothing | Silence:
        """Look one name up."""
        places = self._places()
        if not places:
            return Silence(f"{SYSTEM} names no server, and no upstreams are configured")
        silence: Silence | None = None
        nothing: Nothing | None = None
        for at in places:
            match await _resolved(name, at, self._timeout / len(places)):
                case Found() as found:
                    return found
                case Nothing() as nothing:
                    pass
                case Silence() as silence:
                    pass
        return nothing or silence or Silence("nobody was asked")

    def _places(self) -> tuple[tuple[str, int], ...]:
        if self._upstreams:
            return tuple(at for text in self._upstreams if (at := place(text)) is not None)
        try:
            servers = dns.resolver.Resolver(filename=str(SYSTEM)).nameservers
        except (OSError, dns.exception.DNSException):
            return ()
        return tuple((str(server), 53) for server in servers[:MAX_UPSTREAMS])


async def _resolved(name: str, at: tuple[str, int], seconds: float) -> Found | Nothing | Silence:
    v4, v6 = await asyncio.gather(_ask(name, "A", at, seconds), _ask(name, "AAAA", at, seconds))
    positive = [reading for reading in (v4, v6) if reading.real]
    if positive:
        addresses = tuple(sorted({_plain(it) for reading in positive for it in reading.real}))
        return Found(addresses, min(reading.ttl for reading in positive))
    for reading in (v4, v6):
        if not (reading.kind.is_negative or reading.is_null):
            return Silence(f"{at[0]}:{at[1]}: {reading.words}")
    return Nothing(" and ".join(dict.fromkeys(reading.words for reading in (v4, v6))))


def _plain(address: str) -> str:
    return str(ipaddress.ip_address(address))


async def _ask(name: str, family: Family, at: tuple[str, int], seconds: float) -> Reading:
    query = dns.message.make_query(name, family, use_edns=0, payload=PAYLOAD)
    try:
        async with asyncio.timeout(seconds):  # over UDP and, for an answer that does not fit, TCP
            answer, _ = await dns.asyncquery.udp_with_fallback(
                query, at[0], port=at[1], ignore_unexpected=True, ignore_errors=True
            )
    except TimeoutError:
        return Reading(Kind.FAILED, words=f"no answer within {seconds:g} s")
    except (OSError, EOFError, dns.exception.DNSException) as error:
        return Reading(Kind.FAILED, words=str(error) or type(error).__name__)
    return read(answer)
