"""The zones of a server, the updates to them, and the journal of both."""

import dns.name
from dns.name import Name
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from outlast.nameserver.alias import ADDRESS_TYPES, ALIAS
from outlast.nameserver.answer import addresses
from outlast.nameserver.journal import Answers, Entry, Journal, Outcome, all_sets, name_text
from outlast.nameserver.keys import UpdateKey
from outlast.nameserver.refusal import Refusal
from outlast.nameserver.request import Request
from outlast.nameserver.transaction import Changed, update_zone
from outlast.nameserver.zone import AuthoritativeZone, record_set

ANSWERED_NAMES_MAX = 2_000
"""Zones with more names journal only the answers of the names an update touched; the rest is not compared."""

_ANSWERING_TYPES = (*ADDRESS_TYPES, RdataType.CNAME, ALIAS)


class Updater:
    """Holds the zones and changes them.

    Args:
        zones: What the server answers for.
        journal: Where each version and each update is written down.
        follows_aliases: The hazard of `outlast.nameserver.alias`.

    """

    def __init__(self, zones: tuple[AuthoritativeZone, ...], journal: Journal, *, follows_aliases: bool) -> None:
        self._zones = {zone.origin: zone for zone in zones}
        self._journal = journal
        self._follows_aliases = follows_aliases
        self._answers = {zone.origin: self._all_answers(zone) for zone in zones}

    def zone_above(self, name: Name) -> AuthoritativeZone | None:
        """Return the closest zone at or above this name, or `None`."""
        for depth in range(len(name.labels)):
            zone = self._zones.get(Name(name.labels[depth:]))
            if zone is not None:
                return zone
        return None

    def note_start(self) -> None:
        """Write down the version each zone starts with."""
        for zone in self._zones.values():
            line = Entry(name_text(zone.origin), zone.serial, "loaded", Rcode.NOERROR, zone.source)
            self._journal.append(line._replace(changes=all_sets(zone), answers=self._answers[zone.origin] or {}))

    def carry_out(self, request: Request, key: UpdateKey, peer: str) -> None:
        """Carry out a signed UPDATE and write it down.

        Raises:
            Refusal: It was not carried out, and not yet written down.
            Unavailable: The journal refused; the change is live, but without its line it is not acknowledged.

        """
        zone = self._zone_of(request)
        changed = update_zone(zone, request, key, follows_aliases=self._follows_aliases)
        outcome: Outcome = "committed" if changed.changes else "unchanged"
        entry = self._entry(request, outcome, key=key, peer=peer)
        self._journal.append(entry._replace(changes=changed.changes, answers=self._answers_after(zone, changed)))

    def note_refusal(self, request: Request, refusal: Refusal, *, key: UpdateKey | None, peer: str) -> None:
        """Write down an UPDATE that was not carried out."""
        entry = self._entry(request, "refused", key=key, peer=peer)
        self._journal.append(entry._replace(rcode=refusal.rcode, reason=refusal.reason))

    def _zone_of(self, request: Request) -> AuthoritativeZone:
        # RFC 2136, section 3.1.1.
        section = request.question[0]
        if section.rdtype != RdataType.SOA:
            raise Refusal(Rcode.FORMERR, "the zone section's type is not SOA")
        zone = self._zones.get(section.name)
        if zone is None or section.rdclass != RdataClass.IN:
            raise Refusal(Rcode.NOTAUTH, f"{section.name} is no zone of this server")
        return zone

    def _entry(self, request: Request, outcome: Outcome, *, key: UpdateKey | None, peer: str) -> Entry:
        origin = request.question[0].name
        zone = self._zones.get(origin)
        return Entry(
            name_text(origin),
            zone.serial if zone else None,
            outcome,
            Rcode.NOERROR,
            key=name_text(dns.name.from_text(key.name)) if key else None,
            peer=peer,
            names=sorted({name_text(record.name) for record in (*request.answer, *request.authority)}),
        )

    def _answers_after(self, zone: AuthoritativeZone, changed: Changed) -> Answers:
        touched = {name_text(name): self._answer(zone, name) for name in changed.names}
        if not changed.changes:
            return touched
        before, after = self._answers[zone.origin], self._all_answers(zone)
        self._answers[zone.origin] = after
        if before is None or after is None:
            return touched
        nothing = {rdtype.name: list[str]() for rdtype in ADDRESS_TYPES}
        names = {*before, *after}
        return touched | {name: after.get(name, nothing) for name in names if before.get(name) != after.get(name)}

    def _all_answers(self, zone: AuthoritativeZone) -> Answers | None:
        if len(zone.nodes) > ANSWERED_NAMES_MAX:
            return None
        return {
            name_text(name): self._answer(zone, name)
            for name in zone.nodes
            if any(record_set(zone.nodes, name, rdtype) for rdtype in _ANSWERING_TYPES)
        }

    def _answer(self, zone: AuthoritativeZone, name: Name) -> dict[str, list[str]]:
        return {
            rdtype.name: list(addresses(zone, name, rdtype, follows_aliases=self._follows_aliases))
            for rdtype in ADDRESS_TYPES
        }
