"""Answers on the wire: flags, EDNS (RFC 6891), extended errors (RFC 8914), truncation."""

from typing import NamedTuple

import dns.edns
import dns.flags
import dns.message
import dns.rrset
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rrset import RRset

from outlast.nameserver.request import HEADER_BYTES, Edns, Header, Question

PAYLOAD_BYTES = 1232
"""What a datagram may carry without being split on any path (DNS flag day 2020), sent and advertised."""

PLAIN_BYTES = 512
"""What a datagram may carry without EDNS (RFC 1035, section 4.2.1), and the least EDNS can ask for (RFC 6891, 6.2.5)."""

STREAM_BYTES = 65_535

TOLD_CHARACTERS_MAX = 250
"""An extended error is a sentence; names in it can be long, and it must fit beside the rest of the smallest answer."""

_ECHOED = dns.flags.RD


class Response(NamedTuple):
    """An answer before it has a form. `told` is the text of an extended error, sent if the request had EDNS."""

    rcode: Rcode
    question: tuple[Question, ...] = ()
    answer: tuple[RRset, ...] = ()
    authority: tuple[RRset, ...] = ()
    is_authoritative: bool = False
    told: str = ""


def header_only(header: Header, rcode: Rcode) -> bytes:
    """Answer a packet of which only the header could be, or had to be, read."""
    # QR is set; opcode and RD are echoed; everything else is zero.
    flags = dns.flags.QR | (header.flags & (0x7800 | _ECHOED)) | rcode
    return header.id.to_bytes(2, "big") + int(flags).to_bytes(2, "big") + bytes(HEADER_BYTES - 4)


def size_max(transport: str, edns: Edns | None) -> int:
    """Return how many bytes an answer may have on this transport."""
    if transport == "tcp":
        return STREAM_BYTES
    return max(PLAIN_BYTES, min(edns.payload, PAYLOAD_BYTES)) if edns else PLAIN_BYTES


def render(header: Header, response: Response, *, edns: Edns | None, size: int) -> bytes:
    """Return the answer in at most `size` bytes; what does not fit is left out by whole record sets, and TC is set."""
    message = _message(header, response, edns)
    wire = message.to_wire(max_size=size, prefer_truncation=True)
    if len(wire) <= size:
        return wire
    # dnspython never goes below 512 bytes; a signature that must fit beside the answer can ask for less.
    message.flags |= dns.flags.TC
    message.answer, message.authority = [], []
    return message.to_wire(max_size=size, prefer_truncation=True)


def _message(header: Header, response: Response, edns: Edns | None) -> dns.message.Message:
    message = dns.message.Message(id=header.id)
    message.flags = dns.flags.QR | dns.flags.Flag(header.flags & _ECHOED)
    message.set_opcode(header.opcode)
    if response.is_authoritative:
        message.flags |= dns.flags.AA
    if edns is not None:
        message.use_edns(0, payload=PAYLOAD_BYTES, options=_options(response))
    message.set_rcode(response.rcode)
    message.question = [_question(question) for question in response.question]
    message.answer = list(response.answer)
    message.authority = list(response.authority)
    return message


def _options(response: Response) -> list[dns.edns.Option]:
    return [dns.edns.EDEOption(dns.edns.EDECode.OTHER, response.told[:TOLD_CHARACTERS_MAX])] if response.told else []


def _question(question: Question) -> RRset:
    return dns.rrset.RRset(question.name, RdataClass.make(question.rdclass), question.rdtype)
