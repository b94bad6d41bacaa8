"""A request off the wire, read once and strictly.

dnspython's own reader hides what an authoritative server must judge: the TTL of a record without data, the class of a
deletion, where a signature begins. This one keeps them. Record data is read only where a server needs it (the
prerequisites and changes of an UPDATE); names are followed through compression, never in circles, by dnspython's parser.
"""

from typing import NamedTuple

import dns.exception
import dns.flags
import dns.name
import dns.opcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TSIG
import dns.wire
from dns.name import Name
from dns.opcode import Opcode
from dns.rdata import Rdata
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType

HEADER_BYTES = 12


class Malformed(Exception):
    """A packet that breaks the format; the sender is told FORMERR."""


class Header(NamedTuple):
    """The twelve bytes that even an answer to nonsense needs."""

    id: int
    flags: int
    counts: tuple[int, int, int, int]

    @property
    def opcode(self) -> Opcode:
        return dns.opcode.from_flags(self.flags)

    @property
    def is_response(self) -> bool:
        return bool(self.flags & dns.flags.QR)


class Question(NamedTuple):
    """A question, or the zone section of an UPDATE."""

    name: Name
    rdtype: RdataType
    rdclass: RdataClass


class Record(NamedTuple):
    """A record as sent. `rdata` is `None` if there are no bytes of it, or if nobody needs to understand them."""

    name: Name
    rdtype: RdataType
    rdclass: RdataClass
    ttl: int
    rdlength: int
    rdata: Rdata | None


class Edns(NamedTuple):
    """What the sender's OPT record says (RFC 6891)."""

    version: int
    payload: int


class Signature(NamedTuple):
    """The TSIG record, and where in the packet it begins: the MAC covers what is before."""

    owner: Name
    rdata: dns.rdtypes.ANY.TSIG.TSIG
    start: int


class Request(NamedTuple):
    """A packet taken apart. `answer` and `authority` are an UPDATE's prerequisites and changes (RFC 2136, section 2)."""

    header: Header
    question: tuple[Question, ...]
    answer: tuple[Record, ...]
    authority: tuple[Record, ...]
    edns: Edns | None
    signature: Signature | None


def read_header(wire: bytes) -> Header | None:
    """Return the header, or `None` if the packet is too short to have one."""
    if len(wire) < HEADER_BYTES:
        return None
    fields = [int.from_bytes(wire[at : at + 2], "big") for at in range(0, HEADER_BYTES, 2)]
    return Header(fields[0], fields[1], (fields[2], fields[3], fields[4], fields[5]))


def read_request(wire: bytes, header: Header) -> Request:
    """Take the packet apart.

    Raises:
        Malformed: Something in it breaks the format.

    """
    try:
        return _Reader(wire, header).read()
    except (dns.exception.DNSException, ValueError) as error:
        raise Malformed(str(error) or type(error).__name__) from error


class _Reader:
    def __init__(self, wire: bytes, header: Header) -> None:
        self._parser = dns.wire.Parser(wire)
        self._header = header
        self._edns: Edns | None = None
        self._signature: Signature | None = None

    def read(self) -> Request:
        self._parser.seek(HEADER_BYTES)
        questions, answers, authorities, additionals = self._header.counts
        if questions != 1:  # RFC 9619 for queries; RFC 2136, section 3.1.1, for updates
            raise Malformed("not exactly one question")
        question = (self._question(),)
        answer = tuple(self._record() for _ in range(answers))
        authority = tuple(self._record() for _ in range(authorities))
        for remaining in reversed(range(additionals)):
            self._additional(is_last=remaining == 0)
        if self._parser.remaining():
            raise Malformed("bytes after the last record")
        return Request(self._header, question, answer, authority, self._edns, self._signature)

    def _question(self) -> Question:
        name = self._parser.get_name(decompress=True)
        rdtype, rdclass = self._parser.get_struct("!HH")
        return Question(name, RdataType.make(rdtype), RdataClass.make(rdclass))

    def _record(self) -> Record:
        name, rdtype, rdclass, ttl, rdlength = self._record_header()
        if rdtype in (RdataType.OPT, RdataType.TSIG):
            raise Malformed(f"{rdtype.name} outside the additional section")
        return Record(name, rdtype, rdclass, ttl, rdlength, self._rdata(rdtype, rdclass, rdlength))

    def _record_header(self) -> tuple[Name, RdataType, RdataClass, int, int]:
        name = self._parser.get_name(decompress=True)
        rdtype, rdclass, ttl, rdlength = self._parser.get_struct("!HHIH")
        return name, RdataType.make(rdtype), RdataClass.make(rdclass), ttl, rdlength

    def _rdata(self, rdtype: RdataType, rdclass: RdataClass, rdlength: int) -> Rdata | None:
        is_data = rdclass == RdataClass.IN or (rdclass == RdataClass.NONE and rdlength > 0)
        if self._header.opcode != Opcode.UPDATE or not is_data:
            self._parser.get_bytes(rdlength)
            return None
        with self._parser.restrict_to(rdlength):
            # Class NONE says "delete this record of class IN" (RFC 2136, section 2.5.4): its data is that of class IN.
            return dns.rdata.from_wire_parser(RdataClass.IN, rdtype, self._parser)

    def _additional(self, *, is_last: bool) -> None:
        start = self._parser.current
        name, rdtype, rdclass, ttl, rdlength = self._record_header()
        if rdtype == RdataType.OPT:
            self._read_opt(name, rdclass, ttl)
            self._parser.get_bytes(rdlength)
        elif rdtype == RdataType.TSIG:
            # RFC 8945, section 5.1: the last record, of class ANY, TTL 0.
            if not is_last or rdclass != RdataClass.ANY or ttl != 0:
                raise Malformed("a TSIG that is not the last record, of class ANY and TTL 0")
            with self._parser.restrict_to(rdlength):
                rdata = dns.rdata.from_wire_parser(rdclass, rdtype, self._parser)
            assert isinstance(rdata, dns.rdtypes.ANY.TSIG.TSIG)
            self._signature = Signature(name, rdata, start)
        else:
            self._parser.get_bytes(rdlength)

    def _read_opt(self, name: Name, rdclass: RdataClass, ttl: int) -> None:
        # RFC 6891, section 6.1.1: more than one OPT is FORMERR; the owner is the root.
        if self._edns is not None or name != dns.name.root:
            raise Malformed("more than one OPT, or one below the root")
        self._edns = Edns(version=(ttl >> 16) & 0xFF, payload=int(rdclass))
