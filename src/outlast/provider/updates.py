"""From a transaction to an UPDATE message (RFC 2136), and from the server's reply to an outcome. Nothing is sent here.

Whole sets are replaced: delete the set, add its coming values, all in one message, so that no server state in between
is ever visible. Only sets that differ from what was seen are touched; the sentinel always is.
"""

from collections.abc import Iterable
from typing import NamedTuple

import dns.rcode
import dns.rdatatype
from dns.message import Message
from dns.name import Name
from dns.rcode import Rcode
from dns.rdatatype import CNAME, SOA, TXT, RdataType
from dns.update import UpdateMessage

from outlast.errors import UnsafePlan
from outlast.provider.answers import SET_TYPES, Owners, rdatas_of, txt_of
from outlast.provider.tsig import Proof
from outlast.traffic.content import FAMILIES, RecordSet, describe
from outlast.traffic.ports import Live, Outcome, Reply, Transaction
from outlast.traffic.sentinel import TTL
from outlast.traffic.topology import Endpoint

CONFLICTS = (Rcode.NXRRSET, Rcode.YXRRSET, Rcode.NXDOMAIN, Rcode.YXDOMAIN)
"""RFC 2136, section 3.2: a prerequisite did not hold."""

_MAY_STAND_BESIDE_CNAME = {CNAME, RdataType.RRSIG, RdataType.NSEC, RdataType.KEY, RdataType.SIG, RdataType.NXT}
"""RFC 2181, section 10.1, RFC 4034, sections 3 and 4."""
_NEVER_BESIDE_A_NAME = {RdataType.NONE, RdataType.NSEC3}
"""NSEC3 is owned by hashes (RFC 5155, section 3); BIND refuses even to be asked about another owner."""
STRANGERS_TO_CNAME = tuple(
    rdtype
    for rdtype in RdataType
    if rdtype not in _MAY_STAND_BESIDE_CNAME | _NEVER_BESIDE_A_NAME
    and rdtype not in SET_TYPES
    and not dns.rdatatype.is_metatype(rdtype)
)
"""Every type known that cannot share a name with a CNAME, but for those that are fenced anyway."""

NEVER_THERE = {"A": "224.0.0.0", "AAAA": "ff00::", "CNAME": "nowhere.invalid."}
"""What is never published: no content may hold such addresses, and nothing is below `invalid` (RFC 6761)."""
REHEARSAL = "outlast doctor asks whether it might write here"


class Replacement(NamedTuple):
    """What a transaction changes among an endpoint's sets: types that go, and sets that come in place of theirs."""

    gone: tuple[str, ...]
    coming: tuple[RecordSet, ...]

    @classmethod
    def of(cls, transaction: Transaction) -> "Replacement":
        seen, wanted = transaction.seen.sets, transaction.content.sets
        kept = {item.type for item in wanted}
        gone = tuple(item.type for item in seen if item.type not in kept)
        return cls(gone, tuple(item for item in wanted if item not in seen))

    def result(self, seen: tuple[RecordSet, ...]) -> tuple[RecordSet, ...]:
        """The sets that will stand where `seen` stood."""
        touched = {*self.gone, *(item.type for item in self.coming)}
        return *(item for item in seen if item.type not in touched), *self.coming


def refuse_empty(transaction: Transaction, zone: Name) -> None:
    """The fourth door of "never empty": look at what would stand there afterwards.

    Raises:
        UnsafePlan: The endpoint would have neither address nor CNAME, or a CNAME that the server would pass over in
            silence while it deletes what was there (RFC 2136, section 3.4.2.2).

    """
    result = Replacement.of(transaction).result(transaction.seen.sets)
    types = {item.type for item in result if item.values}
    what = f"{transaction.endpoint}: refused, {describe(result)} would be left"
    if not types & {*FAMILIES, "CNAME"}:
        raise UnsafePlan(what, hint="an endpoint keeps at least one address")
    if "CNAME" in types and len(types) > 1:
        raise UnsafePlan(what, hint="a CNAME stands alone")
    if "CNAME" in types and Owners.of(transaction.endpoint).endpoint == zone:
        raise UnsafePlan(what, hint="a zone's own name cannot be a CNAME; give the endpoint addresses")


def add_prerequisites(message: UpdateMessage, transaction: Transaction) -> None:
    """Demand exactly what was seen: sentinel and each address-bearing set, or their absence (rule b)."""
    owners = Owners.of(transaction.endpoint)
    add_fence(message, owners, transaction.seen)
    if is_switch_to_cname(transaction):
        add_absences(message, owners.endpoint, STRANGERS_TO_CNAME)


def add_fence(message: UpdateMessage, owners: Owners, seen: Live) -> None:
    """Demand the sentinel and the sets of `seen`, value for value, and that nothing else bears addresses."""
    if seen.sentinel:
        message.present(owners.sentinel, *(txt_of(text) for text in seen.sentinel))
    else:
        message.absent(owners.sentinel, TXT)
        message.absent(owners.sentinel, CNAME)  # beside it the server would drop the sentinel in silence
    there = {item.type: item for item in seen.sets}
    for rdtype in SET_TYPES:
        item = there.get(dns.rdatatype.to_text(rdtype))
        if item is None:
            message.absent(owners.endpoint, rdtype)
        else:
            message.present(owners.endpoint, *rdatas_of(item))


def add_absences(message: UpdateMessage, owner: Name, rdtypes: tuple[RdataType, ...]) -> None:
    """Demand that `owner` has no set of these types, of its own: what a wildcard makes up does not count."""
    for rdtype in rdtypes:
        message.absent(owner, rdtype)


def add_rehearsal(message: UpdateMessage, zone: Name, endpoints: Iterable[Endpoint]) -> None:
    """Demand what cannot be, a zone without an SOA, and take records away that are not there: nothing changes, twice over."""
    message.absent(zone, SOA)
    for endpoint in endpoints:
        owners = Owners.of(endpoint.name)
        for rdtype in endpoint.families:
            message.delete(owners.endpoint, rdtype, NEVER_THERE[rdtype])
        message.delete(owners.sentinel, txt_of(REHEARSAL))


def is_switch_to_cname(transaction: Transaction) -> bool:
    """Whether a CNAME comes where none was: a stranger's set (MX, TXT) beside it would make the server drop it."""
    coming = {item.type for item in transaction.content.sets} - {item.type for item in transaction.seen.sets}
    return "CNAME" in coming


def add_changes(message: UpdateMessage, transaction: Transaction) -> None:
    """Replace what differs, and the sentinel."""
    owners = Owners.of(transaction.endpoint)
    replacement = Replacement.of(transaction)
    # All that goes, goes first: a CNAME and an address cannot meet even within the message.
    for rdtype in (*replacement.gone, *(item.type for item in replacement.coming)):
        message.delete(owners.endpoint, rdtype)
    for item in replacement.coming:
        message.add(owners.endpoint, item.ttl, *rdatas_of(item))
    message.delete(owners.sentinel, TXT)
    message.add(owners.sentinel, TTL, txt_of(transaction.sentinel.text))


def judge(answer: Message, proof: Proof, key_name: str) -> Reply:
    """What the server's answer means. Success and conflict count only under a valid signature."""
    rcode = answer.rcode()
    if proof.error == Rcode.BADTIME:
        return Reply(Outcome.FAILED, "BADTIME: the clocks differ too much; set this machine's or the server's")
    if proof.error != Rcode.NOERROR:
        # Knot says BADKEY too where the key is good and its access list refuses.
        fix = "compare its name, algorithm and secret with the server's, and whether it may change this zone"
        return Reply(
            Outcome.FAILED, f"{dns.rcode.to_text(proof.error, tsig=True)}: the server refuses key {key_name}; {fix}"
        )
    if not proof.is_valid and rcode in (Rcode.NOERROR, *CONFLICTS):
        # Anybody could have said so: only reading tells what became of it.
        return Reply(Outcome.LOST, f"{dns.rcode.to_text(rcode)} without a valid signature of key {key_name}")
    if rcode == Rcode.NOERROR:
        return Reply(Outcome.COMMITTED)
    if rcode in CONFLICTS:
        return Reply(Outcome.CONFLICT, dns.rcode.to_text(rcode))
    return Reply(Outcome.FAILED, _words(answer, key_name))


def _words(answer: Message, key_name: str) -> str:
    # RFC 8914: the server may say more than a number.
    said = [option.text for option in answer.extended_errors() if option.text]
    if answer.rcode() == Rcode.REFUSED and not said:
        # PowerDNS says no more than this of a wrong key, a wrong secret or a wrong time.
        ask = f"may the key {key_name} change this zone, and are its secret and both clocks right?"
        said = [f"the server does not say why: {ask}"]
    return ": ".join([dns.rcode.to_text(answer.rcode()), *said])
