"""Plain questions to a primary, and of their answers only what a provider looks at.

A pass of the control plane asks six questions for each endpoint, and most answers say that there is nothing, with an SOA
record in the authority section to say for how long (RFC 2308). Neither that nor the additional section tells what an
endpoint has, so they are not read, and an answer without records not at all: that is most of the work of reading.
"""

import struct

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
from dns.message import Message, QueryMessage
from dns.name import Name
from dns.rdataclass import IN
from dns.rdatatype import RdataType

from outlast.errors import Unavailable

_HEADER = struct.Struct("!HHHHHH")
_QUESTION = struct.Struct("!HH")
_QUESTIONS = slice(4, 6)
"""How many there are (RFC 1035, section 4.1.1)."""
_ANSWERS = slice(6, 8)
_LAST_COUNTS = slice(8, 12)
"""How many records of authority and additional section."""
_BODY = slice(12, None)
_ONE, _NONE = b"\0\1", b"\0\0"
_KIND = dns.flags.QR | 0x7800
"""Whether it is an answer, and to what kind of request."""
_REFUSALS = (dns.rcode.FORMERR, dns.rcode.SERVFAIL, dns.rcode.NOTIMP, dns.rcode.REFUSED)
"""With these a server need not repeat a question that it may not have understood."""


def question(owner: Name, rdtype: RdataType) -> bytes:
    """A question to an authority as it goes over the wire: no EDNS, recursion not desired. Its id is chosen on sending."""
    name = owner.to_wire()
    assert name is not None, "it is returned if no file is given"
    return _HEADER.pack(0, 0, 1, 0, 0, 0) + name + _QUESTION.pack(rdtype, IN)


def answer_to(asked: bytes, wire: bytes) -> Message:
    """What answers a question, without authority and additional sections. Ids are matched where messages are exchanged.

    Raises:
        dns.exception.DNSException: It is no DNS message.
        Unavailable: It answers something else.

    """
    # Most servers repeat the question byte for byte; then nothing need be read to know that it is answered.
    is_echoed = wire[_QUESTIONS] == _ONE and wire[_BODY].startswith(asked[_BODY])
    if is_echoed and wire[_ANSWERS] == _NONE:
        empty: Message = QueryMessage(0)
        empty.flags = dns.flags.Flag(_HEADER.unpack_from(wire)[1])
        if empty.flags & _KIND == dns.flags.QR:
            return empty
    end = _LAST_COUNTS.stop
    answer = dns.message.from_wire(
        wire[: _LAST_COUNTS.start] + bytes(end - _LAST_COUNTS.start) + wire[end:], ignore_trailing=True
    )
    if not (is_echoed and answer.flags & _KIND == dns.flags.QR) and not _fits(answer, dns.message.from_wire(asked)):
        raise Unavailable("an answer does not fit its question")
    return answer


def _fits(answer: Message, asked: Message) -> bool:
    if not answer.flags & dns.flags.QR or answer.opcode() is not dns.opcode.QUERY:
        return False
    return answer.question == asked.question or (not answer.question and answer.rcode() in _REFUSALS)
