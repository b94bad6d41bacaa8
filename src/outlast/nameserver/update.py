"""The changes of an UPDATE (RFC 2136, sections 2.5 and 3.4), applied to a writable version of the zone.

| class | type | data | means |
|---|---|---|---|
| IN | T | data | add this record; its TTL becomes the set's |
| ANY | T | none | delete the set |
| ANY | ANY | none | delete every set of the name |
| NONE | T | data | delete this record |

All of them are checked in form before any is applied. Changes that contradict the zone are ignored one by one, as the
RFC wants: a CNAME beside other data, the zone's own SOA or last NS. DNSSEC's own records are refused: this server does
not sign.
"""

import itertools

import dns.rdataset
import dns.rdatatype
from dns.name import Name
from dns.rcode import Rcode
from dns.rdata import Rdata
from dns.rdataclass import RdataClass
from dns.rdataset import Rdataset
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.SOA import SOA
from dns.serial import Serial
from dns.zone import Transaction

from outlast.nameserver.refusal import Refusal
from outlast.nameserver.request import Record
from outlast.nameserver.zone import record_set, start_of_authority, written_nodes

TTL_SECONDS_MAX = 2**31 - 1
"""RFC 2181, section 8: a larger TTL is taken as zero."""

_SIGNED_TYPES = (RdataType.RRSIG, RdataType.SIG, RdataType.NSEC, RdataType.NSEC3)


def check_changes(origin: Name, records: tuple[Record, ...]) -> None:
    """Check the form of every change (section 3.4.1) before one is applied.

    Raises:
        Refusal: The first that is out of form, outside the zone, or of a type that may not be changed.

    """
    for record in records:
        if not record.name.is_subdomain(origin):
            raise Refusal(Rcode.NOTZONE, f"change {record.name}: outside the zone")
        if fault := _fault_of_form(record):
            raise Refusal(Rcode.FORMERR, f"change {record.name} {record.rdtype.name}: {fault}")
        if record.rdtype in _SIGNED_TYPES:
            raise Refusal(Rcode.REFUSED, f"change {record.name} {record.rdtype.name}: this server does not sign")


def _fault_of_form(record: Record) -> str:
    is_meta = dns.rdatatype.is_metatype(record.rdtype) or record.rdtype == RdataType.NONE
    match record.rdclass:
        case RdataClass.IN:
            return "not a type of data" if is_meta else ""
        case RdataClass.ANY:
            if record.ttl != 0 or record.rdlength != 0:
                return "a TTL or data in the deletion of a set"
            return "not a type of data" if is_meta and record.rdtype != RdataType.ANY else ""
        case RdataClass.NONE:
            if record.ttl != 0 or record.rdata is None:
                return "a TTL in the deletion of a record, or no data"
            return "not a type of data" if is_meta else ""
    return f"class {record.rdclass!s}"


def apply_changes(transaction: Transaction, origin: Name, records: tuple[Record, ...]) -> None:
    """Apply changes that `check_changes` passed, in their order (section 3.4.2)."""
    for (rdclass, rdtype, _), group in itertools.groupby(records, lambda it: (it.rdclass, it.rdtype, it.name)):
        run = tuple(group)
        if rdclass == RdataClass.IN and not dns.rdatatype.is_singleton(rdtype):
            _add_all(transaction, run)
            continue
        for record in run:
            if rdclass == RdataClass.IN:
                _put(transaction, origin, record)
            elif rdclass == RdataClass.ANY:
                _delete_sets(transaction, origin, record)
            else:
                _delete_record(transaction, origin, record)


def _add_all(transaction: Transaction, run: tuple[Record, ...]) -> None:
    # All that comes to one set at once: one by one, each would be compared with all before it.
    if _contradicts_cname(transaction, run[0]):
        return
    coming = dict.fromkeys(record.rdata for record in run if record.rdata is not None)
    present = record_set(written_nodes(transaction), run[0].name, run[0].rdtype)
    kept = [rdata for rdata in present or () if rdata not in coming]
    transaction.replace(run[0].name, dns.rdataset.from_rdata_list(_ttl(run[-1]), [*kept, *coming]))


def _put(transaction: Transaction, origin: Name, record: Record) -> None:
    # Of a type that has one record only: it replaces what is there.
    assert record.rdata is not None
    if _contradicts_cname(transaction, record) or _is_stale_soa(transaction, origin, record):
        return
    transaction.replace(record.name, dns.rdataset.from_rdata(_ttl(record), record.rdata))


def _ttl(record: Record) -> int:
    # One set has one TTL (RFC 2181, section 5.2): the newcomer's, as in BIND.
    return record.ttl if record.ttl <= TTL_SECONDS_MAX else 0


def _contradicts_cname(transaction: Transaction, record: Record) -> bool:
    # Section 3.4.2.2: a CNAME beside other data, or other data beside a CNAME, is silently ignored.
    node = written_nodes(transaction).get(record.name)
    if node is None:
        return False
    if record.rdtype == RdataType.CNAME:
        return any(rdataset.rdtype != RdataType.CNAME for rdataset in node)
    return any(rdataset.rdtype == RdataType.CNAME for rdataset in node)


def _is_stale_soa(transaction: Transaction, origin: Name, record: Record) -> bool:
    # Section 3.4.2.2: an SOA replaces the zone's own, and never with an older serial.
    if record.rdtype != RdataType.SOA:
        return False
    if record.name != origin:
        return True
    present, _ = start_of_authority(written_nodes(transaction), origin)
    assert isinstance(record.rdata, SOA)
    return not Serial(record.rdata.serial) >= Serial(present.serial)


def _delete_sets(transaction: Transaction, origin: Name, record: Record) -> None:
    node = written_nodes(transaction).get(record.name)
    is_apex = record.name == origin
    for rdataset in list(node or ()):
        is_meant = record.rdtype in (RdataType.ANY, rdataset.rdtype)
        # Section 3.4.2.3: the apex keeps its SOA and NS.
        if is_meant and not (is_apex and rdataset.rdtype in (RdataType.SOA, RdataType.NS)):
            transaction.delete(record.name, rdataset.rdtype, rdataset.covers)


def _delete_record(transaction: Transaction, origin: Name, record: Record) -> None:
    assert record.rdata is not None
    present = record_set(written_nodes(transaction), record.name, record.rdtype)
    if present is None or record.rdtype == RdataType.SOA or record.rdata not in present:
        return
    if record.name == origin and record.rdtype == RdataType.NS and len(present) == 1:
        return  # section 3.4.2.4: the last NS of the apex stays
    transaction.delete(record.name, _single(record.rdata))


def _single(rdata: Rdata) -> Rdataset:
    return dns.rdataset.from_rdata(0, rdata)
