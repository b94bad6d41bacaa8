"""What the zone says to questions."""

import dns.flags
import dns.message
import dns.opcode
import dns.rdataclass
import pytest
from dns.rcode import Rcode
from unit.nameserver.bench import Bench

ANSWERS = [
    ("www", "A", "NOERROR", ["192.0.2.1", "192.0.2.2"], False),
    ("WWW", "A", "NOERROR", ["192.0.2.1", "192.0.2.2"], False),
    ("www", "AAAA", "NOERROR", [], True),
    ("web", "A", "NOERROR", ["192.0.2.1", "192.0.2.2", "www.example.test."], False),
    ("web", "AAAA", "NOERROR", ["www.example.test."], True),
    ("web", "CNAME", "NOERROR", ["www.example.test."], False),
    ("far", "A", "NOERROR", ["www.elsewhere.test."], False),
    ("lost", "A", "NXDOMAIN", ["missing.example.test."], True),
    ("nothing", "A", "NXDOMAIN", [], True),
    ("deep", "A", "NOERROR", [], True),
    ("b.deep", "A", "NXDOMAIN", [], True),
    ("x.wild", "A", "NOERROR", ["192.0.2.7"], False),
    ("x.y.wild", "A", "NOERROR", ["192.0.2.7"], False),
    ("x.wild", "TXT", "NOERROR", [], True),
    ("wild", "A", "NOERROR", [], True),
    ("*.wild", "A", "NOERROR", ["192.0.2.7"], False),
    ("www.other.", "A", "REFUSED", [], False),
    ("@", "AXFR", "REFUSED", [], False),
    ("@", "IXFR", "REFUSED", [], False),
    ("www", "TKEY", "FORMERR", [], False),
]


@pytest.mark.parametrize(("name", "rdtype", "rcode", "values", "is_negative"), ANSWERS)
def test_a_question_is_answered(
    bench: Bench, name: str, rdtype: str, rcode: str, values: list[str], *, is_negative: bool
) -> None:
    """Each question has its code, its records, and an SOA exactly if the answer is negative."""
    reply = bench.ask(name, rdtype)
    found = (reply.rcode().name, sorted(rdata.to_text() for rrset in reply.answer for rdata in rrset))

    assert (rcode, values) == found
    assert is_negative == bool(reply.authority)


def test_a_negative_answer_lives_as_long_as_the_smaller_of_ttl_and_minimum(bench: Bench) -> None:
    """The SOA says 60 for itself and 7 as its MINIMUM: a negative answer may be kept for 7 seconds."""
    reply = bench.ask("nothing")

    assert reply.authority[0].ttl == 7


def test_a_wildcard_takes_the_name_that_was_asked_for(bench: Bench) -> None:
    """The synthesized record's owner is the question's name."""
    reply = bench.ask("x.wild")

    assert reply.answer[0].name.to_text() == "x.wild.example.test."


def test_a_circle_of_cnames_ends(bench: Bench) -> None:
    """Two CNAMEs that point at each other give a bounded answer."""
    reply = bench.ask("loop1")

    assert len(reply.answer) <= 17


def test_any_is_answered_with_one_set(bench: Bench) -> None:
    """RFC 8482: of the A and TXT sets only one is given."""
    reply = bench.ask("www", "ANY")

    assert len(reply.answer) == 1


def test_answers_are_authoritative_and_refusals_are_not(bench: Bench) -> None:
    """AA is set on what the zone says, NXDOMAIN included."""
    flags = [bool(bench.ask(name).flags & dns.flags.AA) for name in ("www", "nothing", "www.other.")]

    assert flags == [True, True, False]


def test_opt_is_answered_only_if_sent(bench: Bench) -> None:
    """RFC 6891, section 7: no OPT in the answer to a question without one."""
    found = [bench.ask("www").edns, bench.ask("www", edns=0).edns]

    assert found == [-1, 0]


def test_an_unknown_edns_version_is_badvers(bench: Bench) -> None:
    """RFC 6891, section 6.1.3: the answer says BADVERS and the highest version known."""
    reply = bench.ask("www", edns=1)

    assert (reply.rcode(), reply.edns) == (Rcode.BADVERS, 0)


@pytest.mark.parametrize(
    ("payload", "edns", "transport", "is_truncated"),
    [(1232, None, "udp", True), (4096, 0, "udp", True), (1232, None, "tcp", False)],
)
def test_what_does_not_fit_a_datagram_is_truncated(
    bench: Bench, payload: int, edns: int | None, transport: str, *, is_truncated: bool
) -> None:
    """A set of two kilobytes is cut over UDP, whatever payload is asked for, and whole over TCP."""
    reply = bench.ask("big", "TXT", transport=transport, edns=edns, payload=payload)

    assert is_truncated == bool(reply.flags & dns.flags.TC)
    assert is_truncated != bool(reply.answer)


def test_other_classes_are_refused(bench: Bench) -> None:
    """A question of class CH is not answered from a zone of class IN."""
    query = dns.message.make_query("www.example.test", "A", rdclass=dns.rdataclass.CH)

    assert bench.exchange(query).rcode() == Rcode.REFUSED


def test_other_opcodes_are_not_implemented(bench: Bench) -> None:
    """NOTIFY is answered NOTIMP."""
    query = dns.message.make_query("www.example.test", "A")
    query.set_opcode(dns.opcode.NOTIFY)
    reply = bench.responder.respond(query.to_wire(), "peer", "udp")

    assert reply is not None
    assert dns.message.from_wire(reply).rcode() == Rcode.NOTIMP


def test_malformed_packets_get_formerr_and_headerless_ones_and_responses_nothing(bench: Bench) -> None:
    """Whatever has a readable request header is answered; nothing else is."""
    query = dns.message.make_query("www.example.test", "A", id=7).to_wire()
    two_questions = query[:4] + b"\0\2" + query[6:]
    response = query[:2] + bytes([query[2] | 0x80]) + query[3:]
    packets = [query[:-3], query + b"x", two_questions, query[:11], b"", response]
    found = [bench.responder.respond(packet, "peer", "udp") for packet in packets]

    assert [Rcode(reply[3] & 15) for reply in found[:3] if reply] == [Rcode.FORMERR] * 3
    assert found[3:] == [None] * 3


def test_a_fault_is_answered_with_servfail(bench: Bench) -> None:
    """The fallback repeats id and opcode and says SERVFAIL; it never answers a response."""
    reply = bench.responder.fallback(dns.message.make_query("www.example.test", "A", id=7).to_wire())

    assert reply == b"\0\7\x81\2" + bytes(8)
    assert bench.responder.fallback(reply) is None
