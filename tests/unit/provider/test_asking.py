"""Plain questions as they go over the wire, and which answers answer them."""

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rrset
import pytest
from dns.rdatatype import AAAA, TXT, A, RdataType

from outlast.provider.asking import answer_in, fits, question

NAME = dns.name.from_text("db.example.com")
OTHER = dns.name.from_text("other.example.com")


def asked(rdtype: RdataType = A) -> dns.message.Message:
    return dns.message.make_query(NAME, rdtype, id=7, flags=0)


def answered(rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> dns.message.Message:
    reply = dns.message.make_response(asked())
    reply.set_rcode(rcode)
    reply.flags |= dns.flags.AA
    return reply


@pytest.mark.parametrize("rdtype", [A, AAAA, TXT])
def test_a_question_is_what_dnspython_would_send(rdtype: RdataType) -> None:
    """Byte for byte: no EDNS, no recursion, class IN."""
    assert asked(rdtype).to_wire() == question(NAME, rdtype, 7)


def test_an_answer_is_read_without_what_tells_nothing() -> None:
    """Answer section, code and flags are there; authority and additional sections are not."""
    reply = answered()
    found = dns.rrset.from_text(NAME, 5, "IN", "A", "192.0.2.1", "192.0.2.2")
    reply.answer.append(found)
    reply.authority.append(dns.rrset.from_text("example.com.", 5, "IN", "SOA", "ns. hm. 1 2 3 4 5"))
    reply.additional.append(dns.rrset.from_text("ns.example.com.", 5, "IN", "A", "192.0.2.9"))
    read = answer_in(reply.to_wire())

    assert ([found], [], []) == (read.answer, read.authority, read.additional)
    assert (dns.rcode.NOERROR, reply.flags, 7) == (read.rcode(), read.flags, read.id)


@pytest.mark.parametrize("length", [0, 5, 11, 12, 20])
def test_half_a_message_is_an_error(length: int) -> None:
    """Whatever is cut off within header or question is no message."""
    with pytest.raises(dns.exception.DNSException):
        answer_in(answered().to_wire()[:length])


def test_an_answer_cut_within_its_records_is_an_error() -> None:
    """Records that the header promises and that are not there are not taken for none."""
    reply = answered()
    reply.answer.append(dns.rrset.from_text(NAME, 5, "IN", "A", "192.0.2.1"))

    with pytest.raises(dns.exception.DNSException):
        answer_in(reply.to_wire()[:-3])


def test_an_answer_fits_its_own_question() -> None:
    """Whatever case the server writes the name in; not another name, another type, or a question."""
    read = answer_in(answered().to_wire())
    other_case = answer_in(answered().to_wire().replace(b"db", b"DB"))

    assert (True, True) == (fits(read, NAME, A), fits(other_case, NAME, A))
    assert (False, False) == (fits(read, OTHER, A), fits(read, NAME, AAAA))
    assert not fits(asked(), NAME, A)


def test_another_kind_of_message_does_not_fit() -> None:
    """An answer to an UPDATE is none."""
    reply = answered()
    reply.set_opcode(dns.opcode.NOTIFY)

    assert not fits(answer_in(reply.to_wire()), NAME, A)


@pytest.mark.parametrize(
    ("rcode", "expected"), [(dns.rcode.REFUSED, True), (dns.rcode.FORMERR, True), (dns.rcode.NXDOMAIN, False)]
)
def test_only_a_refusal_may_leave_the_question_out(rcode: dns.rcode.Rcode, *, expected: bool) -> None:
    """A server that did not understand need not repeat it; one that denies must say what."""
    reply = answered(rcode)
    reply.question.clear()

    assert expected is fits(answer_in(reply.to_wire()), NAME, A)
