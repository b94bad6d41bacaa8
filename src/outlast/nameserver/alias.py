"""Aliases of the kind a cloud provider's DNS has, for replaying what they did. Hazard only.

A record of the private type TYPE65280 (RFC 3597: its data is one uncompressed name) makes its owner answer A and AAAA
with the addresses of its target, found in the same zone at the moment of the question. Two rules are the provider's and
are kept because the incident needs both: an update that *adds* an alias whose target does not resolve in the end state
is refused as a whole; the *deletion* of a target under a live alias is not checked, and leaves a name that answers
NOERROR with nothing. Together they let a zone go empty and then refuse its own repair.
"""

from collections.abc import Iterable

import dns.exception
import dns.wire
from dns.name import Name
from dns.rcode import Rcode
from dns.rdata import GenericRdata, Rdata
from dns.rdataset import Rdataset
from dns.rdatatype import RdataType

from outlast.nameserver.refusal import Refusal
from outlast.nameserver.zone import Nodes, record_set

ALIAS = RdataType.make(65280)

ALIAS_DEPTH_MAX = 4
"""Aliases followed from one question; a longer chain, or a circle, answers nothing."""

ADDRESS_TYPES = (RdataType.A, RdataType.AAAA)


def alias_target(rdata: Rdata) -> Name | None:
    """Return the name an alias points at, or `None` if its data is no name."""
    if not isinstance(rdata, GenericRdata):
        return None
    try:
        parser = dns.wire.Parser(rdata.data)
        name = parser.get_name()
    except (dns.exception.DNSException, ValueError):
        return None
    return name if parser.remaining() == 0 else None


def follow_alias(nodes: Nodes, alias: Rdataset, rdtype: RdataType) -> Rdataset | None:
    """Return the addresses an alias leads to, or `None` if it leads nowhere."""
    at: Rdataset | None = alias
    for _ in range(ALIAS_DEPTH_MAX):
        target = alias_target(at[0]) if at else None
        if target is None:
            return None
        if found := record_set(nodes, target, rdtype):
            return found
        at = record_set(nodes, target, ALIAS)
    return None


def check_aliases_added(nodes: Nodes, owners: Iterable[Name]) -> None:
    """Check the aliases that an update added and left in place, in the version it would commit.

    Raises:
        Refusal: One has no name for data, more than one target, or a target that does not resolve.

    """
    for owner in owners:
        if alias := record_set(nodes, owner, ALIAS):
            _check(nodes, owner, alias)


def _check(nodes: Nodes, owner: Name, alias: Rdataset) -> None:
    target = alias_target(alias[0])
    if target is None or len(alias) > 1:
        raise Refusal(Rcode.REFUSED, f"An alias names exactly one target; {owner} does not.", is_told=True)
    if not any(follow_alias(nodes, alias, rdtype) for rdtype in ADDRESS_TYPES):
        raise Refusal(
            Rcode.REFUSED,
            f"Tried to create an alias that targets {target}, but that target was not found.",
            is_told=True,
        )
