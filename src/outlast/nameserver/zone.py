"""One zone: dnspython's versioned zone, what exists between its names, and its copy on disk.

Everything runs in one thread of one loop, so between two requests the committed version is all there is; a writable one
lives only inside one update. The copy on disk is written from the writable version before that is committed, so what
has been acknowledged is on disk, and what could not be written never becomes visible.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import dns.exception
import dns.name
import dns.rdata
import dns.rdataset
import dns.rdatatype
import dns.versioned
import dns.zone
from dns.name import Name
from dns.node import Node
from dns.rdataclass import RdataClass
from dns.rdataset import Rdataset
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.SOA import SOA
from dns.serial import Serial
from dns.zone import Transaction

from outlast.errors import InvalidConfig, Unavailable
from outlast.nameserver.options import ZoneOptions

Nodes = Mapping[Name, Node]
"""One version of a zone, committed or not: owner name → record sets. All names are absolute."""

ZONE_FILE_BYTES_MAX = 64 << 20
"""Far above any zone this server is for; a wrong path to a huge file fails at once instead of filling memory."""


class SetKey(NamedTuple):
    """Which record set of a zone."""

    name: Name
    rdtype: RdataType
    covers: RdataType


def record_set(nodes: Nodes, name: Name, rdtype: RdataType) -> Rdataset | None:
    """Return the record set, or `None` if there is none."""
    node = nodes.get(name)
    return node.get_rdataset(RdataClass.IN, rdtype) if node is not None else None


def record_sets(nodes: Nodes, names: Iterable[Name]) -> dict[SetKey, Rdataset]:
    """Return every record set of these owner names."""
    return {
        SetKey(name, rdataset.rdtype, rdataset.covers): rdataset
        for name in names
        if (node := nodes.get(name)) is not None
        for rdataset in node
    }


class AuthoritativeZone:
    """A zone this server answers for.

    Args:
        options: Its name, where it comes from, and where it is kept.

    Raises:
        InvalidConfig: The zone file or the state file cannot be read as this zone.

    """

    def __init__(self, options: ZoneOptions) -> None:
        self.origin = dns.name.from_text(options.name)
        self._state = options.state
        self.source, self._zone = _load(options, self.origin)
        self._below: Counter[Name] = Counter()
        for name in self.nodes:
            self._count(name, 1)

    def __repr__(self) -> str:
        return f"<AuthoritativeZone {self.origin} serial={self.serial} names={len(self.nodes)}>"

    @property
    def nodes(self) -> Nodes:
        """The committed version."""
        return self._zone.nodes

    @property
    def serial(self) -> int:
        """The SOA's serial number in the committed version."""
        return serial_of(self.nodes, self.origin)

    def exists(self, name: Name) -> bool:
        """Whether the name owns records or is an empty non-terminal above one that does (RFC 4592, section 2.2.2)."""
        return name in self.nodes or self._below[name] > 0

    def prepare(self) -> Transaction:
        """Open a writable version as a context manager; an exception in it rolls it back.

        End it with `commit` or with the transaction's own `rollback`.
        """
        return self._zone.writer()

    def commit(self, transaction: Transaction) -> None:
        """Write the version to disk, if there is a place for it, and make it the one that is answered from.

        Raises:
            Unavailable: It could not be written; nothing has changed.

        """
        before = set(self.nodes)
        if self._state is not None:
            _save(self._state, self.origin, written_nodes(transaction))
        transaction.commit()
        after = set(self.nodes)
        for name in after - before:
            self._count(name, 1)
        for name in before - after:
            self._count(name, -1)

    def _count(self, name: Name, change: int) -> None:
        while name != self.origin:
            name = name.parent()
            self._below[name] += change


def written_nodes(transaction: Transaction) -> Nodes:
    """Return the version that a transaction is writing."""
    assert transaction.version is not None
    return transaction.version.nodes


def serial_of(nodes: Nodes, origin: Name) -> int:
    """Return the serial number of a version."""
    return start_of_authority(nodes, origin)[0].serial


def start_of_authority(nodes: Nodes, origin: Name) -> tuple[SOA, int]:
    """Return the SOA of a version and its TTL in seconds; every version has one."""
    rdataset = record_set(nodes, origin, RdataType.SOA)
    assert rdataset is not None, "a zone always has its SOA"
    soa = rdataset[0]
    assert isinstance(soa, SOA)
    return soa, rdataset.ttl


def next_serial(serial: int) -> int:
    """Return the serial number after this one (RFC 1982); zero is skipped, as RFC 2136, section 7.11, advises."""
    return (Serial(serial) + 1).value or 1


def _load(options: ZoneOptions, origin: Name) -> tuple[str, dns.versioned.Zone]:
    if options.state is not None and options.state.exists():
        return f"state {options.state}", _read(options.state, origin)
    if options.file is not None:
        return f"file {options.file}", _read(options.file, origin)
    return "a new zone", _parse(_empty_zone_text(origin, options.negative_ttl), origin)


def _empty_zone_text(origin: Name, negative_ttl: int) -> str:
    # The negative TTL is the smaller of the SOA's own TTL and its MINIMUM (RFC 2308, section 5), so both say it.
    text = origin.to_text()
    dot = "" if text == "." else text
    return (
        f"{text} {negative_ttl} IN SOA ns.{dot} hostmaster.{dot} 1 3600 600 1209600 {negative_ttl}\n"
        f"{text} 3600 IN NS ns.{dot}\n"
    )


def _read(path: Path, origin: Name) -> dns.versioned.Zone:
    try:
        if path.stat().st_size > ZONE_FILE_BYTES_MAX:
            raise InvalidConfig((f"zone {origin}: {path} is larger than {ZONE_FILE_BYTES_MAX} bytes",))
        return _parse(path.read_text(encoding="utf-8"), origin)
    except (OSError, UnicodeDecodeError, dns.exception.DNSException, KeyError, ValueError) as error:
        # KeyError is dnspython's word for a zone without records at its origin.
        raise InvalidConfig((f"zone {origin}: cannot read {path}: {str(error) or type(error).__name__}",)) from error


def _parse(text: str, origin: Name) -> dns.versioned.Zone:
    zone = dns.zone.from_text(
        text, origin, relativize=False, zone_factory=dns.versioned.Zone, filename="zone", allow_include=False
    )
    assert isinstance(zone, dns.versioned.Zone)
    if any(not name.is_subdomain(origin) for name in zone.nodes):
        raise ValueError("a record is outside the zone")
    return zone


def _save(path: Path, origin: Name, nodes: Nodes) -> None:
    temporary = path.with_name(f"{path.name}.new")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(zone_text(origin, nodes))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise Unavailable(f"zone {origin}: cannot write {path}: {error.strerror}", hint="free space?") from error


def _sync_folder(folder: Path) -> None:
    # The new name is only as durable as the folder that holds it.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def zone_text(origin: Name, nodes: Nodes) -> str:
    """Return a version as a zone file with absolute names, the SOA first."""
    rows = sorted(record_sets(nodes, nodes).items(), key=lambda row: (row[0].rdtype != RdataType.SOA, row[0]))
    return f"$ORIGIN {origin}\n" + "".join(
        f"{rdataset.to_text(key.name, relativize=False)}\n" for key, rdataset in rows
    )
