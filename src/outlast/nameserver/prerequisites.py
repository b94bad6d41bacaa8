"""The five prerequisites of an UPDATE (RFC 2136, sections 2.4 and 3.2): its compare before the swap.

| class | type | data | the zone must … | or else |
|---|---|---|---|---|
| ANY | ANY | none | have a record of this name | NXDOMAIN |
| NONE | ANY | none | have no record of this name | YXDOMAIN |
| ANY | T | none | have a set of this name and type | NXRRSET |
| NONE | T | none | have no set of this name and type | YXRRSET |
| IN | T | data | have exactly this set, TTLs aside | NXRRSET |

An empty non-terminal has no record, and a wildcard stands only for itself (section 2.4.4).
"""

from collections import defaultdict

from dns.name import Name
from dns.rcode import Rcode
from dns.rdata import Rdata
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

from outlast.nameserver.refusal import Refusal
from outlast.nameserver.request import Record
from outlast.nameserver.zone import Nodes, record_set

Expected = dict[tuple[Name, RdataType], set[Rdata]]


def check_prerequisites(nodes: Nodes, origin: Name, records: tuple[Record, ...]) -> None:
    """Hold the prerequisites against one version of the zone, in the order of section 3.2.5.

    Raises:
        Refusal: The first that does not hold.

    """
    expected: Expected = defaultdict(set)
    for record in records:
        _check_form(origin, record)
        if record.rdclass == RdataClass.IN:
            assert record.rdata is not None
            expected[record.name, record.rdtype].add(record.rdata)
        else:
            _check_existence(nodes, record)
    _check_values(nodes, expected)


def _check_form(origin: Name, record: Record) -> None:
    if record.ttl != 0:
        raise Refusal(Rcode.FORMERR, f"prerequisite {record.name}: its TTL is not 0")
    if not record.name.is_subdomain(origin):
        raise Refusal(Rcode.NOTZONE, f"prerequisite {record.name}: outside the zone")
    if record.rdclass not in (RdataClass.IN, RdataClass.ANY, RdataClass.NONE):
        raise Refusal(Rcode.FORMERR, f"prerequisite {record.name}: class {record.rdclass!s}")
    if record.rdclass != RdataClass.IN and record.rdlength != 0:
        raise Refusal(Rcode.FORMERR, f"prerequisite {record.name}: data where none may be")


def _check_existence(nodes: Nodes, record: Record) -> None:
    must_exist = record.rdclass == RdataClass.ANY
    label = f"{record.name} {record.rdtype.name}"
    if record.rdtype == RdataType.ANY:
        if must_exist and record.name not in nodes:
            raise Refusal(Rcode.NXDOMAIN, f"prerequisite {record.name}: there is no such name")
        if not must_exist and record.name in nodes:
            raise Refusal(Rcode.YXDOMAIN, f"prerequisite {record.name}: the name is in use")
    elif must_exist and not _has_set(nodes, record):
        raise Refusal(Rcode.NXRRSET, f"prerequisite {label}: there is no such set")
    elif not must_exist and _has_set(nodes, record):
        raise Refusal(Rcode.YXRRSET, f"prerequisite {label}: there is such a set")


def _has_set(nodes: Nodes, record: Record) -> bool:
    node = nodes.get(record.name)
    return node is not None and any(rdataset.rdtype == record.rdtype for rdataset in node)


def _check_values(nodes: Nodes, expected: Expected) -> None:
    for (name, rdtype), values in expected.items():
        present = record_set(nodes, name, rdtype)
        if present is None or set(present) != values:
            found = "absent" if present is None else "another value"
            raise Refusal(Rcode.NXRRSET, f"prerequisite {name} {rdtype.name}: {found}")
