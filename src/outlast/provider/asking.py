"""Plain questions to a primary, and of their answers only what a provider looks at.

A pass of the control plane asks six questions for each endpoint. Of an answer counts its code, whether an authority gave it,
and the records of exactly the name and type asked for. Authority and additional sections tell nothing about what an
endpoint has, so they are not read, and records of other names, where a CNAME or an alias leads to, are passed over.
"""

import struct
from typing import NamedTuple

import dns.flags
from dns.name import Name
from dns.rcode import Rcode
from dns.rdata import Rdata, from_wire_parser
from dns.rdataclass import IN
from dns.rdatatype import RdataType
from dns.wire import Parser

from outlast.errors import Unavailable

_HEADER = struct.Struct("!HHHHHH")
_FIXED = struct.Struct("!HH")
_QR, _AA, _RCODE = int(dns.flags.QR), int(dns.flags.AA), 0xF
_RCODES = tuple(map(Rcode.make, range(_RCODE + 1)))
_RECORD = "!HHIH"
_POINTER = b"\xc0\x0c"
"""To the name right after the header."""
_KIND = _QR | 0x7800
"""Whether it is an answer, and to what kind of request."""
_REFUSALS = (Rcode.FORMERR, Rcode.SERVFAIL, Rcode.NOTIMP, Rcode.REFUSED)
"""With these a server need not repeat a question that it may not have understood."""
_TTL_MAX = 2**31 - 1


class Question(NamedTuple):
    """A question to an authority, and as it goes over the wire: no EDNS, recursion not desired, no id before it is sent."""

    owner: Name
    rdtype: RdataType
    wire: bytes

    @classmethod
    def of(cls, owner: Name, rdtype: RdataType) -> "Question":
        """What is there of this type at this name?"""
        name = owner.to_wire()
        assert name is not None, "it is returned if no file is given"
        return cls(owner, rdtype, _HEADER.pack(0, 0, 1, 0, 0, 0) + name + _FIXED.pack(rdtype, IN))


class Answer(NamedTuple):
    """What counts of an answer; `found` is empty if there is nothing of the type asked for at the name itself."""

    rcode: Rcode
    is_authoritative: bool
    ttl: int
    found: tuple[Rdata, ...]


def answer_to(asked: Question, wire: bytes) -> Answer:
    """What answers a question. Ids are matched where messages are exchanged.

    Raises:
        dns.exception.DNSException: It is no DNS message.
        Unavailable: It answers something else.

    """
    parser = Parser(wire)
    _, flags, questions, answers, _, _ = parser.get_struct(_HEADER.format)
    rcode = _RCODES[flags & _RCODE]
    is_answer = flags & _KIND == _QR and (
        _is_repeated(asked, parser, questions) or (not questions and rcode in _REFUSALS)
    )
    if not is_answer:
        raise Unavailable("an answer does not fit its question")
    return Answer(rcode, bool(flags & _AA), *_found(asked, parser, answers))


def _is_repeated(asked: Question, parser: Parser, questions: int) -> bool:
    # Most servers repeat the question byte for byte; then nothing need be read to know that it is answered.
    if questions == 1 and parser.wire.startswith(asked.wire[_HEADER.size :], _HEADER.size):
        parser.seek(len(asked.wire))
        return True
    return [(parser.get_name(decompress=True), *parser.get_struct("!HH")) for _ in range(questions)] == [
        (asked.owner, asked.rdtype, IN)
    ]


def _found(asked: Question, parser: Parser, answers: int) -> tuple[int, tuple[Rdata, ...]]:
    ttl, found = _TTL_MAX, list[Rdata]()
    for _ in range(answers):
        is_own = _is_own(asked, parser)
        rdtype, rdclass, its_ttl, length = parser.get_struct(_RECORD)
        if is_own and (rdtype, rdclass) == (asked.rdtype, IN):
            with parser.restrict_to(length):
                found.append(from_wire_parser(IN, asked.rdtype, parser))
            ttl = min(ttl, its_ttl if its_ttl <= _TTL_MAX else 0)  # RFC 2181, sections 5.2 and 8
        else:
            parser.get_bytes(length)
    return ttl, tuple(dict.fromkeys(found))  # section 5: equal records are one


def _is_own(asked: Question, parser: Parser) -> bool:
    # Nearly every record's owner points to the question's name (RFC 1035, section 4.1.4), which is known by then.
    if parser.wire.startswith(_POINTER, parser.current):
        parser.seek(parser.current + len(_POINTER))
        return True
    return bool(parser.get_name(decompress=True) == asked.owner)
