"""Plain questions to a primary, and of their answers only what a provider looks at.

A pass of the control plane asks six questions for each endpoint, and most answers say that there is nothing, with an SOA
record in the authority section to say for how long (RFC 2308). Neither that nor the additional section tells what an
endpoint has, so they are not read: that is half the work of reading.
"""

import struct

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
from dns.message import Message
from dns.name import Name
from dns.rdataclass import IN
from dns.rdatatype import RdataType

_HEADER = struct.Struct("!HHHHHH")
_QUESTION = struct.Struct("!HH")
_COUNTS = 8
"""Where the counts of the last two sections stand in a header, up to its end (RFC 1035, section 4.1.1)."""
_REFUSALS = (dns.rcode.FORMERR, dns.rcode.SERVFAIL, dns.rcode.NOTIMP, dns.rcode.REFUSED)
"""With these a server need not repeat a question that it may not have understood."""


def question(owner: Name, rdtype: RdataType, number: int) -> bytes:
    """A question to an authority as it goes over the wire, with `number` as its id: no EDNS, recursion not desired."""
    name = owner.to_wire()
    assert name is not None, "it is returned if no file is given"
    return _HEADER.pack(number, 0, 1, 0, 0, 0) + name + _QUESTION.pack(rdtype, IN)


def answer_in(wire: bytes) -> Message:
    """A message without its authority and additional sections; for answers to questions without EDNS.

    Raises:
        dns.exception.DNSException: What is left is no DNS message.

    """
    none = bytes(_HEADER.size - _COUNTS)
    return dns.message.from_wire(wire[:_COUNTS] + none + wire[_HEADER.size :], ignore_trailing=True)


def fits(answer: Message, owner: Name, rdtype: RdataType) -> bool:
    """Whether it answers that question; ids are matched where messages are exchanged."""
    if not answer.flags & dns.flags.QR or answer.opcode() is not dns.opcode.QUERY:
        return False
    asked = [(item.name, item.rdtype, item.rdclass) for item in answer.question]
    return asked == [(owner, rdtype, IN)] or (not asked and answer.rcode() in _REFUSALS)
