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
from outlast.provider.asking import Answer, Question, answer_to

NAME = dns.name.from_text("db.example.com")
OTHER = dns.name.from_text("other.example.com")
ASKED = Question.of(NAME, A)


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
    assert asked(rdtype).to_wire() == Question.of(NAME, rdtype).wire


def read(wire: bytes, *, of: Question = ASKED) -> Answer:
    return answer_to(of, wire)


def addresses(answer: Answer) -> list[str]:
    return sorted(rdata.to_text() for rdata in answer.found)


def with_an_address() -> dns.message.Message:
    reply = answered()
    reply.answer.append(dns.rrset.from_text(NAME, 5, "IN", "A", "192.0.2.1"))
    return reply


def test_an_answer_is_read_without_what_tells_nothing() -> None:
    """Code, authority, TTL and records are there; what stands in authority and additional sections is not."""
    reply = with_an_address()
    reply.authority.append(dns.rrset.from_text("example.com.", 5, "IN", "SOA", "ns. hm. 1 2 3 4 5"))
    reply.additional.append(dns.rrset.from_text(NAME, 1, "IN", "A", "192.0.2.9"))
    answer = read(reply.to_wire())

    assert (dns.rcode.NOERROR, True, 5) == answer[:3]
    assert ["192.0.2.1"] == addresses(answer)


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("owner", ["db.example.com.", "DB.example.COM."])
def test_a_set_is_read_whole(owner: str, *, compress: bool) -> None:
    """Each of its values; whether the owner points to the question or is written out, in whatever case."""
    reply = answered()
    reply.answer.append(dns.rrset.from_text(owner, 5, "IN", "A", "192.0.2.1", "192.0.2.2"))
    written_out = dns.name.from_text(owner).to_wire()
    assert written_out is not None
    wire = reply.to_wire().replace(b"\xc0\x0c", b"\xc0\x0c" if compress else written_out)

    assert ["192.0.2.1", "192.0.2.2"] == addresses(read(wire))


def test_equal_records_are_one() -> None:
    """Whoever sends a record twice has it once (RFC 2181, section 5): a sentinel is still one."""
    reply = answered()
    record = dns.rrset.from_text(NAME, 5, "IN", "A", "192.0.2.1")
    reply.answer += [record, record]
    wire = reply.to_wire()

    assert 2 == int.from_bytes(wire[6:8], "big")
    assert ["192.0.2.1"] == addresses(read(wire))


def test_records_of_others_are_passed_over() -> None:
    """Where a CNAME leads to, another type at the name, another class: none is what was asked for."""
    reply = answered()
    strangers = [(NAME, "IN", "CNAME", "other.example.com."), (OTHER, "IN", "A", "192.0.2.9"), (NAME, "CH", "TXT", "x")]
    reply.answer += [dns.rrset.from_text(owner, 1, *rest) for owner, *rest in strangers]
    reply.answer += with_an_address().answer
    answer = read(reply.to_wire())

    assert (5, ["192.0.2.1"]) == (answer.ttl, addresses(answer))


@pytest.mark.parametrize(
    ("ttls", "expected"), [((7, 5), 5), ((2**31 - 1,), 2**31 - 1), ((2**31,), 0), ((9, 2**32 - 1), 0)]
)
def test_the_ttl_of_a_set(ttls: tuple[int, ...], expected: int) -> None:
    """The smallest one of its records (RFC 2181, section 5.2); one with the highest bit set is 0 (section 8)."""
    reply = answered()
    reply.answer += [dns.rrset.from_text(NAME, 0, "IN", "A", f"192.0.2.{number}") for number, _ in enumerate(ttls)]
    wire = reply.to_wire()
    for number, ttl in enumerate(ttls):
        tail = b"\0\4" + bytes([192, 0, 2, number])
        wire = wire.replace(bytes(4) + tail, ttl.to_bytes(4, "big") + tail)

    assert expected == read(wire).ttl


@pytest.mark.parametrize("rcode", [dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.SERVFAIL, dns.rcode.REFUSED])
@pytest.mark.parametrize("is_authoritative", [True, False])
def test_an_answer_without_records_keeps_code_and_flags(rcode: dns.rcode.Rcode, *, is_authoritative: bool) -> None:
    """Whether it denies, refuses, or is from no authority is in the header."""
    reply = answered(rcode)
    reply.flags ^= dns.flags.Flag(0) if is_authoritative else dns.flags.AA
    reply.authority.append(dns.rrset.from_text("example.com.", 5, "IN", "SOA", "ns. hm. 1 2 3 4 5"))
    answer = read(reply.to_wire())

    assert (rcode, is_authoritative, ()) == (answer.rcode, answer.is_authoritative, answer.found)


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
    answer = read(reply.to_wire().replace(b"db", b"DB"))

    assert [rdata.to_text() for rrset in reply.answer for rdata in rrset] == addresses(answer)


@pytest.mark.parametrize("reply", [answered(), with_an_address()], ids=["nothing", "an address"])
@pytest.mark.parametrize("asked_for", [Question.of(OTHER, A), Question.of(NAME, AAAA)], ids=["name", "type"])
def test_an_answer_to_something_else_is_none(asked_for: Question, reply: dns.message.Message) -> None:
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

    assert rcode is read(reply.to_wire()).rcode


def test_a_denial_must_say_of_what() -> None:
    """NXDOMAIN without a question denies nothing."""
    reply = answered(dns.rcode.NXDOMAIN)
    reply.question.clear()

    with pytest.raises(Unavailable, match="does not fit"):
        read(reply.to_wire())
