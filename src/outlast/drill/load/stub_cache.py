"""The cache of a stub resolver that does as the RFCs say: nothing kept longer, nothing given up earlier.

A positive answer lives for its smallest TTL. A negative one (NXDOMAIN, or NOERROR without the type asked for) lives for
the smaller of the SOA's TTL and its MINIMUM field, and not at all without an SOA (RFC 2308, section 5). Failures are
not kept: RFC 2308 section 7 allows it, most stubs do not, and it would only make the picture darker. Aliases are
followed within one answer, never by asking again: that is a recursive resolver's work.
"""

from collections import OrderedDict
from typing import NamedTuple

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

# RFC 8767, section 4: a positive TTL above a week is capped; RFC 2308, section 5: a negative one at three hours.
MAX_TTL = 7 * 86_400.0
MAX_NEGATIVE_TTL = 3 * 3_600.0
MAX_ENTRIES = 1_000  # a drill uses a handful of names


class Lookup(NamedTuple):
    """What an answer says about a name. `addresses` is empty if it says that there are none; `ttl` is in seconds."""

    rcode: str
    addresses: tuple[str, ...]
    ttl: float

    @property
    def reason(self) -> str:
        """Why there is no address: the rcode, or NODATA."""
        return "NODATA" if self.rcode == "NOERROR" else self.rcode


def read_answer(message: dns.message.Message) -> Lookup:
    """Read a response to an A question; `ttl` 0 means that it must not be kept."""
    rcode = message.rcode()
    text = dns.rcode.to_text(rcode)
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) or not isinstance(message, dns.message.QueryMessage):
        return Lookup(text, (), 0.0)
    try:
        chain = message.resolve_chaining()
    except dns.exception.DNSException:
        # An answer that contradicts itself (an alias loop, an NXDOMAIN with an answer) is a failed resolution.
        return Lookup("SERVFAIL", (), 0.0)
    if chain.answer is not None:
        return Lookup(text, tuple(rdata.address for rdata in chain.answer), min(chain.minimum_ttl, MAX_TTL))
    # Without an SOA at or above the name, dnspython gives a default or an alias's TTL: neither says how long it is absent.
    has_soa = any(
        rrset.rdtype == dns.rdatatype.SOA and chain.canonical_name.is_subdomain(rrset.name)
        for rrset in message.authority
    )
    return Lookup(text, (), min(chain.minimum_ttl, MAX_NEGATIVE_TTL) if has_soa else 0.0)


class StubCache:
    """One host's cache, by name. It is told the time in seconds of any clock that does not go back."""

    def __init__(self, *, capacity: int = MAX_ENTRIES) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[str, tuple[Lookup, float]] = OrderedDict()

    def __repr__(self) -> str:
        return f"<StubCache {len(self._entries)}/{self._capacity} names>"

    def get(self, name: str, now: float) -> Lookup | None:
        """What is known about `name`, unless it has expired."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        lookup, expires = entry
        if now >= expires:
            del self._entries[name]
            return None
        return lookup

    def put(self, name: str, lookup: Lookup, now: float) -> None:
        """Keep an answer for its TTL; if there are too many, the oldest goes."""
        self._entries.pop(name, None)
        if lookup.ttl <= 0:
            return
        self._entries[name] = (lookup, now + lookup.ttl)
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)
