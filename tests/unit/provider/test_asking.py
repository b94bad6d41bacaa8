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

from outlast.errors import Unavailable
from outlast.provider.asking import answer_to, question

NAME = dns.name.from_text("db.example.com")
OTHER = dns.name.from_text("other.example.com")


def asked(rdtype: RdataType = A) -> dns.message.Message:
    return dns.message.make_query(NAME, rdtype, id=0, flags=0)


def answered(rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> dns.message.Message:
    reply = dns.message.make_response(asked())
    reply.set_rcode(rcode)
    reply.flags |= dns.flags.AA
    return reply


@pytest.mark.parametrize("rdtype", [A, AAAA, TXT])
def test_a_question_is_what_dnspython_would_send(rdtype: RdataType) -> None:
    """Byte for byte: no EDNS, no recursion, class IN."""
    assert asked(rdtype).to_wire() == question(NAME, rdtype)


def read(wire: bytes, *, of: bytes = question(NAME, A)) -> dns.message.Message:
    return answer_to(of, wire)


def with_an_address() -> dns.message.Message:
    reply = answered()
    reply.answer.append(dns.rrset.from_text(NAME, 5, "IN", "A", "192.0.2.1"))
    return reply


def test_an_answer_is_read_without_what_tells_nothing() -> None:
    """Answer section, code and flags are there; authority and additional sections are not."""
    reply = with_an_address()
    reply.authority.append(dns.rrset.from_text("example.com.", 5, "IN", "SOA", "ns. hm. 1 2 3 4 5"))
    reply.additional.append(dns.rrset.from_text("ns.example.com.", 5, "IN", "A", "192.0.2.9"))
    answer = read(reply.to_wire())

    assert (reply.answer, [], []) == (answer.answer, answer.authority, answer.additional)
    assert (dns.rcode.NOERROR, reply.flags) == (answer.rcode(), answer.flags)


@pytest.mark.parametrize("rcode", [dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.SERVFAIL, dns.rcode.REFUSED])
@pytest.mark.parametrize("is_authoritative", [True, False])
def test_an_answer_without_records_keeps_code_and_flags(rcode: dns.rcode.Rcode, *, is_authoritative: bool) -> None:
    """Whether it denies, refuses, or is from no authority is in the header."""
    reply = answered(rcode)
    reply.flags ^= dns.flags.Flag(0) if is_authoritative else dns.flags.AA
    reply.authority.append(dns.rrset.from_text("example.com.", 5, "IN", "SOA", "ns. hm. 1 2 3 4 5"))
    answer = read(reply.to_wire())

    assert (rcode, is_authoritative, []) == (answer.rcode(), bool(answer.flags & dns.flags.AA), answer.answer)


@pytest.mark.parametrize("length", [0, 5, 11, 12, 20])
def test_half_a_message_is_an_error(length: int) -> None:
    """Whatever is cut off within header or question is no message."""
    with pytest.raises(dns.exception.DNSException):
        read(answered().to_wire()[:length])


def test_an_answer_cut_within_its_records_is_an_error() -> None:
    """Records that the header promises and that are not there are not taken for none."""
    with pytest.raises(dns.exception.DNSException):
        read(with_an_address().to_wire()[:-3])


@pytest.mark.parametrize("reply", [answered(), with_an_address()], ids=["nothing", "an address"])
def test_whatever_case_the_server_writes_the_name_in(reply: dns.message.Message) -> None:
    """Names are equal whatever their case (RFC 4343)."""
    assert reply.answer == read(reply.to_wire().replace(b"db", b"DB")).answer


@pytest.mark.parametrize("reply", [answered(), with_an_address()], ids=["nothing", "an address"])
@pytest.mark.parametrize("asked_for", [question(OTHER, A), question(NAME, AAAA)], ids=["name", "type"])
def test_an_answer_to_something_else_is_none(asked_for: bytes, reply: dns.message.Message) -> None:
    """Another name, or another type."""
    with pytest.raises(Unavailable, match="does not fit"):
        read(reply.to_wire(), of=asked_for)


def test_a_question_is_no_answer() -> None:
    """Not even the same one: somebody sends back what they get."""
    with pytest.raises(Unavailable, match="does not fit"):
        read(asked().to_wire())


def test_another_kind_of_message_does_not_fit() -> None:
    """An answer to a NOTIFY is none."""
    reply = answered()
    reply.set_opcode(dns.opcode.NOTIFY)

    with pytest.raises(Unavailable, match="does not fit"):
        read(reply.to_wire())


@pytest.mark.parametrize("rcode", [dns.rcode.REFUSED, dns.rcode.FORMERR])
def test_a_refusal_may_leave_the_question_out(rcode: dns.rcode.Rcode) -> None:
    """A server that did not understand a question need not repeat it."""
    reply = answered(rcode)
    reply.question.clear()

    assert rcode is read(reply.to_wire()).rcode()


def test_a_denial_must_say_of_what() -> None:
    """NXDOMAIN without a question denies nothing."""
    reply = answered(dns.rcode.NXDOMAIN)
    reply.question.clear()

    with pytest.raises(Unavailable, match="does not fit"):
        read(reply.to_wire())
