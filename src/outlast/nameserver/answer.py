"""What a zone says to a question.

The order of RFC 1034, section 4.3.2, without its delegations: the exact name, its CNAME, a wildcard, nothing. The zone
is one piece; NS sets below its apex and DNAME are served as plain data and delegate or redirect nothing. There is no
DNSSEC.
"""

from typing import NamedTuple

import dns.name
import dns.rdataset
import dns.rrset
from dns.name import Name
from dns.node import Node
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdataset import Rdataset
from dns.rdatatype import RdataType
from dns.rrset import RRset

from outlast.nameserver.alias import ADDRESS_TYPES, ALIAS, follow_alias
from outlast.nameserver.zone import AuthoritativeZone, start_of_authority

CHAIN_MAX = 16
"""CNAMEs followed from one question, as BIND does; a circle ends here too."""


class Reply(NamedTuple):
    """The sections of an authoritative answer."""

    rcode: Rcode
    answer: tuple[RRset, ...] = ()
    authority: tuple[RRset, ...] = ()


def answer(zone: AuthoritativeZone, name: Name, rdtype: RdataType, *, follows_aliases: bool) -> Reply:
    """Answer a question about a name of this zone; `follows_aliases` turns the hazard of `alias` on."""
    chain: tuple[RRset, ...] = ()
    for _ in range(CHAIN_MAX + 1):
        node = _node(zone, name)
        if node is None:
            # The code is that of the chain's last name (RFC 6604, section 3).
            rcode = Rcode.NOERROR if zone.exists(name) else Rcode.NXDOMAIN
            return Reply(rcode, chain, (_negative(zone),))
        found = _found(zone, node, rdtype, follows_aliases=follows_aliases)
        if found is None:
            return Reply(Rcode.NOERROR, chain, (_negative(zone),))
        # A wildcard's records take the name that was asked for (RFC 4592, section 3.3.1); so do an alias's.
        chain += (_owned(name, found),)
        if found.rdtype != RdataType.CNAME or rdtype in (RdataType.CNAME, RdataType.ANY):
            return Reply(Rcode.NOERROR, chain)
        name = found[0].target
        if not name.is_subdomain(zone.origin):
            break
    return Reply(Rcode.NOERROR, chain)


def addresses(zone: AuthoritativeZone, name: Name, rdtype: RdataType, *, follows_aliases: bool) -> tuple[str, ...]:
    """Return the addresses of one family that the name leads to inside the zone, sorted as text."""
    reply = answer(zone, name, rdtype, follows_aliases=follows_aliases)
    return tuple(sorted(rdata.to_text() for rrset in reply.answer if rrset.rdtype == rdtype for rdata in rrset))


def _node(zone: AuthoritativeZone, name: Name) -> Node | None:
    node = zone.nodes.get(name)
    if node is not None or zone.exists(name):
        return node
    # RFC 4592, section 3.3.1: the wildcard right below the closest name that exists, and no other.
    encloser = name.parent()
    while not zone.exists(encloser):
        encloser = encloser.parent()
    return zone.nodes.get(dns.name.Name((b"*", *encloser.labels)))


def _found(zone: AuthoritativeZone, node: Node, rdtype: RdataType, *, follows_aliases: bool) -> Rdataset | None:
    if rdtype == RdataType.ANY:
        # RFC 8482, section 4.1: one of the sets is answer enough, and no amplifier.
        first: Rdataset = min(node.rdatasets, key=lambda rdataset: rdataset.rdtype)
        return first
    found = node.get_rdataset(RdataClass.IN, rdtype)
    if found is None and follows_aliases and rdtype in ADDRESS_TYPES:
        alias = node.get_rdataset(RdataClass.IN, ALIAS)
        found = follow_alias(zone.nodes, alias, rdtype) if alias else None
    return found if found is not None else node.get_rdataset(RdataClass.IN, RdataType.CNAME)


def _negative(zone: AuthoritativeZone) -> RRset:
    # RFC 2308, section 3: the SOA of a negative answer lives as long as the answer may.
    soa, ttl = start_of_authority(zone.nodes, zone.origin)
    return dns.rrset.from_rdata(zone.origin, min(ttl, soa.minimum), soa)


def _owned(name: Name, rdataset: Rdataset) -> RRset:
    return dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset))
