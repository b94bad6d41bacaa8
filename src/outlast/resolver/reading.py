"""What one DNS response says about the addresses of a name, with everything dropped that it has no right to say.

Only records on the chain of aliases that starts at the question count; whatever else stands in the answer section is
ignored, and nothing is ever taken from the additional section (RFC 2181, section 5.4.1). Within one response a chain is
followed to its end; where that has neither addresses nor a denial, `alias` says whom to ask for next.
"""

import ipaddress
from enum import StrEnum
from typing import Literal, NamedTuple

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

Family = Literal["A", "AAAA"]

MAX_ALIASES = 11
"""Aliases in a chain; BIND and Unbound stop at eleven too."""
MAX_ADDRESSES = 64
"""Addresses of one name that are kept; the rest of a larger set is ignored."""
MAX_TTL = 7 * 86_400
"""Seconds; a larger TTL is taken for this (RFC 8767, section 4)."""


class Kind(StrEnum):
    """What a response amounts to."""

    POSITIVE = "positive"
    NODATA = "NODATA"
    NXDOMAIN = "NXDOMAIN"
    FAILED = "failed"
    """SERVFAIL, REFUSED, nonsense, an error of the network: says nothing about the name (RFC 8767, section 3)."""

    @property
    def is_negative(self) -> bool:
        """Whether it says that there is no address."""
        return self in (Kind.NODATA, Kind.NXDOMAIN)


class Reading(NamedTuple):
    """One response, read. `ttl` is in seconds; 0 must not be kept. `words` say what it was, for people.

    `alias` is the name at the end of a chain of which the response says nothing: an authoritative server's answer if the
    name belongs to a zone of somebody else. The kind is `FAILED` then, because nothing is known of the addresses.
    """

    kind: Kind
    addresses: tuple[str, ...] = ()
    ttl: int = 0
    words: str = ""
    alias: str = ""

    @property
    def is_null(self) -> bool:
        """Whether it gives nothing but the unspecified address, 0.0.0.0 or ::, which reaches nobody."""
        return bool(self.addresses) and not self.real

    @property
    def real(self) -> tuple[str, ...]:
        """The addresses without those that reach nobody."""
        return tuple(item for item in self.addresses if not ipaddress.ip_address(item).is_unspecified)


def read(message: dns.message.Message) -> Reading:
    """Read a response whose question is known to be ours."""
    rcode = message.rcode()
    text = dns.rcode.to_text(rcode)
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) or not isinstance(message, dns.message.QueryMessage):
        return Reading(Kind.FAILED, words=text)
    try:
        chain = message.resolve_chaining()
    except dns.exception.DNSException as error:
        return Reading(Kind.FAILED, words=f"an answer that contradicts itself: {error}")
    if len(chain.cnames) > MAX_ALIASES:
        return Reading(Kind.FAILED, words=f"more than {MAX_ALIASES} aliases")
    if chain.answer is not None:
        addresses = tuple(rdata.address for rdata in chain.answer)[:MAX_ADDRESSES]
        return Reading(Kind.POSITIVE, addresses, min(chain.minimum_ttl, MAX_TTL), ", ".join(addresses))
    return _negative(message, chain, Kind.NXDOMAIN if rcode == dns.rcode.NXDOMAIN else Kind.NODATA)


def read_texts(message: dns.message.Message) -> tuple[str, ...]:
    """The TXT strings at the very name asked for; an alias is not followed."""
    if message.rcode() != dns.rcode.NOERROR:
        return ()
    name = message.question[0].name
    found = message.get_rrset(message.answer, name, message.question[0].rdclass, dns.rdatatype.TXT)
    return tuple(b"".join(rdata.strings).decode("ascii", "replace") for rdata in found or ())


def _negative(message: dns.message.QueryMessage, chain: dns.message.ChainingResult, kind: Kind) -> Reading:
    has_soa = any(
        rrset.rdtype == dns.rdatatype.SOA and chain.canonical_name.is_subdomain(rrset.name)
        for rrset in message.authority
    )
    if kind is Kind.NODATA and not has_soa and chain.cnames:
        end = chain.canonical_name.canonicalize().to_text(omit_final_dot=True)
        return Reading(Kind.FAILED, (), min(chain.minimum_ttl, MAX_TTL), f"an alias to {end}, and no more", end)
    if kind is Kind.NODATA and not has_soa and any(rrset.rdtype == dns.rdatatype.NS for rrset in message.authority):
        # RFC 2308, section 2.2: name servers without an SOA are a referral, which answers nothing.
        return Reading(Kind.FAILED, words="a referral")
    words = f"{kind} at the end of its aliases, {chain.canonical_name}" if chain.cnames else str(kind)
    # RFC 2308, section 5: without an SOA nothing says how long it holds, so it is not kept.
    return Reading(kind, ttl=min(chain.minimum_ttl, MAX_TTL) if has_soa else 0, words=words)
