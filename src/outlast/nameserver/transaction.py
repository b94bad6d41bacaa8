"""One UPDATE from its zone section to its commit: all of it, or none.

The order is that of RFC 2136, section 3: the zone, the prerequisites, the permission, the form of the changes, the
changes; then the checks of the end state, the serial, the disk. Nothing else runs in between: the server has one thread.
"""

from typing import NamedTuple

import dns.rdataset
from dns.name import Name
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.zone import Transaction

from outlast.errors import Unavailable
from outlast.nameserver.alias import ALIAS, check_aliases_added
from outlast.nameserver.journal import Change, changes_between
from outlast.nameserver.keys import UpdateKey
from outlast.nameserver.prerequisites import check_prerequisites
from outlast.nameserver.refusal import Refusal
from outlast.nameserver.request import Record, Request
from outlast.nameserver.update import apply_changes, check_changes
from outlast.nameserver.zone import AuthoritativeZone, next_serial, serial_of, start_of_authority, written_nodes

NAMES_MAX = 100_000
"""Owner names of one zone; each commit copies their table, and this is where that begins to be felt (milliseconds)."""


class Changed(NamedTuple):
    """What a carried-out update changed; nothing, if all it asked for was so already."""

    changes: list[Change]
    names: set[Name]


def update_zone(zone: AuthoritativeZone, request: Request, key: UpdateKey, *, follows_aliases: bool) -> Changed:
    """Carry out an UPDATE for this zone, sent by the holder of `key`.

    Raises:
        Refusal: Why it was not carried out, a full disk included; the zone is as it was.

    """
    prerequisites, updates = request.answer, request.authority
    check_prerequisites(zone.nodes, zone.origin, prerequisites)
    _check_permission(key, updates)
    check_changes(zone.origin, updates)
    names = {record.name for record in updates}
    with zone.prepare() as transaction:
        apply_changes(transaction, zone.origin, updates)
        version = written_nodes(transaction)
        if len(version) > NAMES_MAX:
            raise Refusal(Rcode.REFUSED, f"the zone would have more than {NAMES_MAX} names", is_told=True)
        if follows_aliases:
            check_aliases_added(version, [record.name for record in updates if _adds_alias(record)])
        changes = changes_between(zone.nodes, version, names)
        if changes:
            _raise_serial(transaction, zone)
            _commit(zone, transaction)
        else:
            transaction.rollback()
    return Changed(changes, names)


def _commit(zone: AuthoritativeZone, transaction: Transaction) -> None:
    try:
        zone.commit(transaction)
    except Unavailable as error:
        raise Refusal(Rcode.SERVFAIL, error.message) from error


def _check_permission(key: UpdateKey, updates: tuple[Record, ...]) -> None:
    for record in updates:
        if not key.allows(record.name):
            raise Refusal(Rcode.REFUSED, f"the key {key.name} may not change {record.name}", is_told=True)


def _adds_alias(record: Record) -> bool:
    return record.rdclass == RdataClass.IN and record.rdtype == ALIAS


def _raise_serial(transaction: Transaction, zone: AuthoritativeZone) -> None:
    # RFC 2136, section 3.6: unless the update brought a serial of its own.
    if serial_of(written_nodes(transaction), zone.origin) != zone.serial:
        return
    soa, ttl = start_of_authority(written_nodes(transaction), zone.origin)
    raised = soa.replace(serial=next_serial(soa.serial))
    transaction.replace(zone.origin, dns.rdataset.from_rdata(ttl, raised))
