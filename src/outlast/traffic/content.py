"""What an endpoint answers, as values: record sets and the content that a plan promises.

`RecordSet` describes anything read from a primary. `Content` is what we are willing to publish: building an empty one
is impossible, which is the first of the four doors of "an endpoint is never empty".
"""

import hashlib
import ipaddress
import json
import re
from dataclasses import dataclass
from typing import NamedTuple

from outlast import hostnames
from outlast.errors import UnsafePlan

FAMILIES = ("A", "AAAA")
MAX_VALUES = 512
"""Values in one set. BIND warns from 100 (`max-records-per-type`); a UDP answer holds about 60 addresses."""
MAX_TTL = 86_400

# What may stand in DNS, which is more than a host name: somebody's CNAME may be adopted (RFC 1035, section 2.3.4).
_NAME = re.compile(r"(?!.{255})([^.\s]{1,63}\.)+")
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_FIRST = "(?:1[0-9][0-9]|[1-9][0-9]?|2[01][0-9]|22[0-3]|24[0-9]|25[0-5])"
"""What an address may begin with that is neither unspecified nor multicast."""
_PLAIN = re.compile(rf"{_FIRST}(?:\.{_OCTET}){{3}}")


class RecordSet(NamedTuple):
    """One record set of an endpoint: its type in DNS words, TTL in seconds, values sorted and without repeats."""

    type: str
    ttl: int
    values: tuple[str, ...]

    @classmethod
    def of(cls, rdtype: str, ttl: int, values: "tuple[str, ...] | list[str]") -> "RecordSet":
        """Bring a set as read into the one form that is compared and digested."""
        if rdtype != "A" or not _are_plain(values):
            values = [_canonical(rdtype, value) for value in values]
        return cls(rdtype, ttl, tuple(sorted(set(values))))


def _are_plain(values: "tuple[str, ...] | list[str]") -> bool:
    """Whether all are IPv4 addresses in their one canonical form that somebody can reach.

    That is most of what is read and planned, and found out ten times faster than by `ipaddress`, which has the last word
    on everything else.
    """
    return all(map(_PLAIN.fullmatch, values))


def _canonical(rdtype: str, value: str) -> str:
    if rdtype in FAMILIES:
        return str(ipaddress.ip_address(value))
    return value.lower().rstrip(".") + "." if rdtype == "CNAME" else value


def digest(sets: tuple[RecordSet, ...]) -> str:
    """32 hex digits that are equal exactly when the record sets are; the order of the sets does not matter."""
    text = json.dumps([list(item) for item in sorted(sets)], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Content:
    """The record sets that one endpoint shall have.

    Raises:
        UnsafePlan: There is no address, an address is 0.0.0.0, :: or not of its family, a set is empty or too large, or
            a CNAME stands beside other sets (RFC 1034 section 3.6.2).

    """

    sets: tuple[RecordSet, ...]

    def __post_init__(self) -> None:
        faults = [fault for item in self.sets for fault in _faults(item)]
        types = [item.type for item in self.sets]
        if not types:
            faults.append("it has no record set")
        if len(types) != len(set(types)):
            faults.append("it has two sets of one type")
        if "CNAME" in types and len(types) > 1:
            faults.append("a CNAME stands beside other sets")
        if faults:
            raise UnsafePlan(f"content refused: {'; '.join(faults)}", hint="an endpoint keeps at least one address")

    @classmethod
    def of_addresses(cls, addresses: "tuple[str, ...] | list[str]", *, ttl: int) -> "Content":
        """The content that answers with these IPv4 and IPv6 addresses."""
        if addresses and _are_plain(addresses):
            return cls((RecordSet(FAMILIES[0], ttl, tuple(sorted(set(addresses)))),))
        by_family = {family: [it for it in addresses if family_of(it) == family] for family in FAMILIES}
        return cls(tuple(RecordSet.of(family, ttl, of) for family, of in by_family.items() if of))

    @classmethod
    def of_targets(cls, targets: "tuple[str, ...] | list[str]", *, ttl: int) -> "Content":
        """The content that answers with these addresses, or with this one absolute name."""
        if targets and all(map(hostnames.is_absolute, targets)):
            return cls((RecordSet.of("CNAME", ttl, targets),))
        return cls.of_addresses(targets, ttl=ttl)

    @property
    def digest(self) -> str:
        return digest(self.sets)

    @property
    def targets(self) -> tuple[str, ...]:
        """What it points to: its addresses, or the one name."""
        return targets_in(self.sets)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every IPv4 and IPv6 address, in order."""
        return addresses_in(self.sets)

    def __str__(self) -> str:
        return describe(self.sets)


def publishable(sets: tuple[RecordSet, ...]) -> Content | None:
    """The sets as content, or `None` if we would not publish them. A forged sentinel may name anything."""
    try:
        return Content(sets)
    except UnsafePlan:
        return None


def _faults(item: RecordSet) -> list[str]:
    faults = []
    if not item.values:
        faults.append(f"its {item.type} set is empty")
    if len(item.values) > MAX_VALUES:
        faults.append(f"its {item.type} set has {len(item.values)} values, more than {MAX_VALUES}")
    if not 0 <= item.ttl <= MAX_TTL:
        faults.append(f"the TTL {item.ttl} of its {item.type} set is not within 0 and {MAX_TTL} seconds")
    if item.type not in (*FAMILIES, "CNAME"):
        faults.append(f"{item.type} is not a type that outlast publishes")
    if item.type in FAMILIES and not (item.type == "A" and _are_plain(item.values)):
        faults += [fault for value in item.values if (fault := _fault_in(value, item.type))]
    if item.type == "CNAME" and len(item.values) > 1:
        faults.append("its CNAME has more than one target")
    if item.type == "CNAME":
        faults += [f"{value!r} is not a domain name" for value in item.values if not _NAME.fullmatch(value)]
    return faults


def _fault_in(value: str, family: str) -> str:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return f"{value!r} is not an address"
    if family_of(value) != family:
        return f"{value} does not belong into an {family} set"
    return f"{value} is not an address anybody can reach" if address.is_unspecified or address.is_multicast else ""


def target_fault(text: str) -> str:
    """Why a text cannot be the address of a target; empty if it can. It must be in its canonical form."""
    if _are_plain((text,)):
        return ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return f"{text!r} is not an IPv4 or IPv6 address"
    if str(address) != text:
        return f"write {text} as {address}"
    return f"{text} cannot be a target" if address.is_unspecified or address.is_multicast else ""


def family_of(address: str) -> str:
    """`A` or `AAAA`, as the address's form demands."""
    return "AAAA" if ":" in address else "A"


def of_family(addresses: "tuple[str, ...] | list[str]", family: str) -> tuple[str, ...]:
    return tuple(address for address in addresses if family_of(address) == family)


def addresses_in(sets: tuple[RecordSet, ...]) -> tuple[str, ...]:
    if len(sets) == 1 and sets[0].type in FAMILIES:
        return sets[0].values
    return tuple(value for item in sets if item.type in FAMILIES for value in item.values)


def targets_in(sets: tuple[RecordSet, ...]) -> tuple[str, ...]:
    """What the sets point to: addresses, and the name of a CNAME."""
    if len(sets) == 1 and sets[0].type in (*FAMILIES, "CNAME"):
        return sets[0].values
    return tuple(value for item in sets if item.type in (*FAMILIES, "CNAME") for value in item.values)


def describe(sets: tuple[RecordSet, ...]) -> str:
    """The sets for a person: `A 192.0.2.1 192.0.2.2 (ttl 5)`."""
    return ", ".join(f"{item.type} {' '.join(item.values)} (ttl {item.ttl})" for item in sets) or "nothing"
