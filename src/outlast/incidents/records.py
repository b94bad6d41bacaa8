"""How the hazard automation lays a zone out, and the transactions it sends.

For an endpoint E: the top alias at E, the rollback alias at `rollback.E`, the lock (TXT) at `lock.E` and one tree of A
records at `plan-<number>.E`. All of them live in the same zone. The alias is the drill nameserver's private record
type; its data is the target's name in wire format (RFC 3597 section 3).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.update
from dns.rdtypes.ANY.TXT import TXT

ALIAS = dns.rdatatype.RdataType.make(65280)

TREE_PREFIX = "plan-"

# What RFC 6891 section 6.2.5 suggests is far above what fits without fragments; over TCP the figure has no effect.
# OPT is sent only to be told the reason of a refusal (RFC 8914 section 2).
EDNS_PAYLOAD = 1232


@dataclass(frozen=True, slots=True)
class Zone:
    """Writes the messages of one zone; sends nothing.

    Args:
        origin: The zone's name.
        key: Signs the transactions (RFC 8945).
        ttl: Seconds, of every record written.

    """

    origin: dns.name.Name
    key: dns.tsig.Key
    ttl: int

    def build_tree(self, number: int, endpoint: str, *, addresses: Iterable[str]) -> dns.update.UpdateMessage:
        """Create one plan's records, or write them again."""
        update = self._update()
        name = tree_name(number, endpoint)
        update.delete(name, dns.rdatatype.A)
        for address in addresses:
            update.add(name, self.ttl, dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.A, address))
        return update

    def delete_tree(self, number: int, endpoint: str) -> dns.update.UpdateMessage:
        """Delete one plan's records, whatever points at them."""
        update = self._update()
        update.delete(tree_name(number, endpoint))
        return update

    def acquire_lock(self, endpoint: str, *, over: str, fresh: str) -> dns.update.UpdateMessage:
        """Create the lock `fresh`, or replace exactly the lock `over` if that is not empty."""
        update = self._update()
        if over:
            self._renew(update, endpoint, held=over, fresh=fresh)
        else:
            update.absent(lock_name(endpoint), dns.rdatatype.TXT)
            update.add(lock_name(endpoint), self.ttl, _text(fresh))
        return update

    def install(
        self, number: int, endpoint: str, *, active: int | None, held: str, fresh: str
    ) -> dns.update.UpdateMessage:
        """Renew exactly the lock `held`; point the top alias at a plan, and the rollback alias at `active` if any."""
        update = self._update()
        self._renew(update, endpoint, held=held, fresh=fresh)
        update.replace(_name(endpoint), self.ttl, _alias(tree_name(number, endpoint)))
        if active is not None:
            update.replace(rollback_name(endpoint), self.ttl, _alias(tree_name(active, endpoint)))
        return update

    def release_lock(self, endpoint: str, *, held: str) -> dns.update.UpdateMessage:
        """Delete exactly the lock `held`."""
        update = self._update()
        update.present(lock_name(endpoint), _text(held))
        update.delete(lock_name(endpoint), dns.rdatatype.TXT)
        return update

    def _renew(self, update: dns.update.UpdateMessage, endpoint: str, *, held: str, fresh: str) -> None:
        # The preamble "DELETE exact, CREATE fresh" of the original is, in RFC 2136, a prerequisite on the exact set
        # (section 2.4.2: compared as a whole) and a replacement.
        update.present(lock_name(endpoint), _text(held))
        update.replace(lock_name(endpoint), self.ttl, _text(fresh))

    def _update(self) -> dns.update.UpdateMessage:
        update = dns.update.UpdateMessage(self.origin, keyring=self.key)
        update.use_edns(edns=0, payload=EDNS_PAYLOAD)
        return update


def lock_name(endpoint: str) -> dns.name.Name:
    """Where the endpoint's lock stands."""
    return dns.name.from_text("lock", _name(endpoint))


def rollback_name(endpoint: str) -> dns.name.Name:
    """Where the endpoint's rollback alias stands."""
    return dns.name.from_text("rollback", _name(endpoint))


def tree_name(number: int, endpoint: str) -> dns.name.Name:
    """Where the endpoint's tree of one plan stands."""
    return dns.name.from_text(f"{TREE_PREFIX}{number}", _name(endpoint))


def question(name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.message.Message:
    """Ask an authoritative server; no recursion is wanted."""
    return dns.message.make_query(name, kind, flags=0)


def values(response: dns.message.Message, kind: dns.rdatatype.RdataType) -> tuple[dns.rdata.Rdata, ...]:
    """Take the records of one type from the answer section."""
    return tuple(rdata for rrset in response.answer if rrset.rdtype == kind for rdata in rrset)


def lock_of(response: dns.message.Message) -> str:
    """Read the lock's value, empty if there is no lock."""
    found = values(response, dns.rdatatype.TXT)
    return b"".join(found[0].strings).decode("ascii", "replace") if found and isinstance(found[0], TXT) else ""


def alias_target(response: dns.message.Message) -> int | None:
    """Read which plan an alias names, or `None` if there is no alias or it names no plan."""
    found = values(response, ALIAS)
    if not found:
        return None
    target, _ = dns.name.from_wire(found[0].to_digestable(), 0)
    number = target.labels[0].decode("ascii", "replace").removeprefix(TREE_PREFIX)
    return int(number) if number.isdecimal() else None


def reason_of(response: dns.message.Message) -> str:
    """Tell in words why a transaction was refused: the server's own text if it sent one, otherwise its code."""
    texts = [error.text for error in response.extended_errors() if error.text]
    return "; ".join(texts) or dns.rcode.to_text(response.rcode())


def _name(endpoint: str) -> dns.name.Name:
    return dns.name.from_text(endpoint)


def _alias(target: dns.name.Name) -> dns.rdata.Rdata:
    return dns.rdata.GenericRdata(dns.rdataclass.IN, ALIAS, target.to_digestable())


def _text(value: str) -> dns.rdata.Rdata:
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.TXT, f'"{value}"')
