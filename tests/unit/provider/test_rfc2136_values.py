"""The pure parts of the RFC 2136 provider: options, texts, replacements, judgements, signatures."""

import time

import dns.edns
import dns.exception
import dns.message
import dns.name
import dns.rdata
import dns.rrset
import dns.tsig
import dns.update
import pytest
from dns.rcode import Rcode
from dns.rdataclass import IN
from dns.rdatatype import TXT
from dns.rdtypes.ANY.TXT import TXT as TXTRecord  # noqa: N811  the class is named like the type's constant

from outlast.errors import InvalidConfig, UnsafePlan
from outlast.provider import tsig, updates
from outlast.provider.answers import text_of, txt_of
from outlast.provider.rfc2136 import Rfc2136Provider
from outlast.traffic.content import Content, RecordSet
from outlast.traffic.ports import Live, Outcome, Reply, Transaction
from outlast.traffic.sentinel import Sentinel, Standing

DB = "db.example.test"
ZONE = dns.name.from_text("example.test")
KEY = dns.tsig.Key("outlast.", "c2VjcmV0")
A1 = RecordSet("A", 5, ("192.0.2.1",))
A2 = RecordSet("A", 5, ("192.0.2.2",))
AAAA = RecordSet("AAAA", 5, ("2001:db8::1",))
CNAME = RecordSet("CNAME", 5, ("lb.example.net.",))
ALIAS = RecordSet("TYPE65280", 5, ("\\# 1 00",))


def transaction(seen: tuple[RecordSet, ...], content: tuple[RecordSet, ...]) -> Transaction:
    wanted = Content(content)
    sentinel = Sentinel("test", 2, 2, wanted.digest, Standing.LIVE, "one")
    return Transaction("p", DB, Live(("old",), seen), sentinel, wanted)


def test_all_faults_of_the_options_are_told_at_once() -> None:
    """Each wrong option is named with its value, but for the secret."""
    with pytest.raises(InvalidConfig) as caught:
        Rfc2136Provider(
            name="p", zones=("a..b",), address="ns.example.com", port=0,
            key_name="", key_secret="no base64!", key_algorithm="hmac-md5", timeout=0.0,
        )  # fmt: skip
    names = [fault.split(": ")[1] for fault in caught.value.faults]

    assert ["zones", "address", "port", "key_name", "key_secret", "key_algorithm", "timeout"] == names
    assert "no base64!" not in str(caught.value)


@pytest.mark.parametrize("timeout", [60.0, 0.001])
@pytest.mark.parametrize("port", [1, 65_535])
def test_options_just_inside_their_limits_are_taken(timeout: float, port: int) -> None:
    """The limits themselves are allowed."""
    provider = Rfc2136Provider(
        name="p", zones=("example.test",), address="2001:db8::53", port=port,
        key_name="k", key_secret="c2VjcmV0", timeout=timeout,
    )  # fmt: skip

    assert (port, timeout) == (provider.port, provider.timeout)


@pytest.mark.parametrize("wrong", [{"timeout": 60.1}, {"port": 65_536}, {"zones": ()}, {"key_secret": ""}])
def test_options_just_outside_their_limits_are_refused(wrong: dict[str, object]) -> None:
    """One step beyond a limit is a fault."""
    right: dict[str, object] = {
        "name": "p", "zones": ("example.test",), "address": "192.0.2.53", "key_name": "k", "key_secret": "c2VjcmV0",
    }  # fmt: skip
    with pytest.raises(InvalidConfig):
        Rfc2136Provider(**(right | wrong))  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("strings", "text"),
    [
        ((b"v=1 realm=x",), "v=1 realm=x"),
        ((b"",), ""),
        ((b"two", b"strings"), '"two" "strings"'),
        ((b'"quoted"',), '"\\"quoted\\""'),
        ((b"\xff\n",), '"\\255\\010"'),
        ((b"back\\slash",), "back\\slash"),
        ((b"a" * 255,), "a" * 255),
    ],
)
def test_a_txt_record_survives_the_way_through_text(strings: tuple[bytes, ...], text: str) -> None:
    """Every TXT record becomes one text, and that text the very same record again."""
    record = TXTRecord(IN, TXT, strings)

    assert (text, record) == (text_of(record), txt_of(text_of(record)))


@pytest.mark.parametrize(
    ("seen", "content", "gone", "coming"),
    [
        pytest.param((), (A1,), (), (A1,), id="creation"),
        pytest.param((A1,), (A1,), (), (), id="nothing differs"),
        pytest.param((A1,), (A2,), (), (A2,), id="a value"),
        pytest.param((A1,), (A1._replace(ttl=6),), (), (A1._replace(ttl=6),), id="a TTL"),
        pytest.param((A1, AAAA), (A1,), ("AAAA",), (), id="a family goes"),
        pytest.param((A1, AAAA), (CNAME,), ("A", "AAAA"), (CNAME,), id="CNAME comes"),
        pytest.param((CNAME,), (A1, AAAA), ("CNAME",), (A1, AAAA), id="CNAME goes"),
        pytest.param((A1, ALIAS), (A1,), ("TYPE65280",), (), id="an alias goes"),
    ],
)
def test_only_what_differs_is_replaced(
    seen: tuple[RecordSet, ...], content: tuple[RecordSet, ...], gone: tuple[str, ...], coming: tuple[RecordSet, ...]
) -> None:
    """Sets that differ are replaced, TTL included, others stay, and the result is the content."""
    replacement = updates.Replacement.of(transaction(seen, content))

    assert (updates.Replacement(gone, coming), set(content)) == (replacement, set(replacement.result(seen)))


@pytest.mark.parametrize("sets", [(), (RecordSet("A", 5, ()),), (A1, CNAME), (ALIAS,)])
def test_the_fourth_door_refuses_what_would_leave_nothing(sets: tuple[RecordSet, ...]) -> None:
    """Whatever content says of itself, sets that would leave no address or a CNAME in company are refused."""
    doubtful = transaction((A1,), (A2,))
    object.__setattr__(doubtful.content, "sets", sets)
    with pytest.raises(UnsafePlan, match=f"{DB}: refused"):
        updates.refuse_empty(doubtful, ZONE)


def test_the_prerequisites_are_what_was_seen() -> None:
    """Sentinel and every address-bearing set are demanded as seen, or absent."""
    message = dns.update.UpdateMessage(ZONE)
    updates.add_prerequisites(message, transaction((A1,), (A2,)))
    lines = sorted(line for item in message.prerequisite for line in item.to_text().splitlines())

    assert [
        '_outlast.db.example.test. 0 IN TXT "old"',
        "db.example.test. 0 IN A 192.0.2.1",
        "db.example.test. NONE AAAA",
        "db.example.test. NONE CNAME",
        "db.example.test. NONE TYPE65280",
        "db.example.test. NONE TYPE65401",
    ] == lines


PROVED = tsig.Proof(is_valid=True)
UNPROVED = tsig.Proof(is_valid=False)


@pytest.mark.parametrize(
    ("rcode", "proof", "outcome"),
    [
        (Rcode.NOERROR, PROVED, Outcome.COMMITTED),
        (Rcode.NOERROR, UNPROVED, Outcome.LOST),
        *((rcode, PROVED, Outcome.CONFLICT) for rcode in updates.CONFLICTS),
        *((rcode, UNPROVED, Outcome.LOST) for rcode in updates.CONFLICTS),
        *((rcode, proof, Outcome.FAILED) for rcode in (Rcode.SERVFAIL, Rcode.REFUSED) for proof in (PROVED, UNPROVED)),
        (Rcode.NOTAUTH, tsig.Proof(is_valid=False, error=Rcode.BADKEY), Outcome.FAILED),
        (Rcode.NOTAUTH, tsig.Proof(is_valid=True, error=Rcode.BADTIME, server_time=1), Outcome.FAILED),
    ],
)
def test_an_answer_is_judged_by_its_code_and_its_proof(rcode: Rcode, proof: tsig.Proof, outcome: Outcome) -> None:
    """The whole table of what an answer can mean."""
    answer = dns.message.Message()
    answer.set_rcode(rcode)

    assert outcome == updates.judge(answer, proof, "outlast.").outcome


def test_the_servers_own_words_are_passed_on() -> None:
    """An extended error's text stands behind the code."""
    answer = dns.message.Message()
    answer.use_edns(options=[dns.edns.EDEOption(dns.edns.EDECode.OTHER, "the zone is frozen")])
    answer.set_rcode(Rcode.REFUSED)

    assert Reply(Outcome.FAILED, "REFUSED: the zone is frozen") == updates.judge(answer, PROVED, "outlast.")


@pytest.mark.parametrize("algorithm", ["hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"])
def test_a_signature_is_one_that_others_verify(algorithm: str) -> None:
    """A request signed now is accepted by dnspython's own verification, with the same MAC."""
    key = dns.tsig.Key("outlast.", "c2VjcmV0", algorithm)
    wire = dns.update.UpdateMessage(ZONE).to_wire()
    now = int(time.time())  # dnspython verifies with the machine's clock
    request = tsig.sign(wire, key, at=now)
    read = dns.message.from_wire(request.wire, keyring=key)

    assert (request.mac, now) == (read.mac, read.tsig[0].time_signed if read.tsig else None)
    assert len(request.wire) - len(wire) <= tsig.RESERVE_BYTES


@pytest.mark.parametrize(("late", "is_valid"), [(0, True), (300, True), (301, False), (-300, True), (-301, False)])
def test_an_answer_of_another_time_proves_nothing(late: int, *, is_valid: bool) -> None:
    """An answer counts within the fudge around the request's time, and not a second beyond."""
    request = tsig.sign(dns.update.UpdateMessage(ZONE).to_wire(), KEY, at=1_000_000)
    answer = dns.update.UpdateMessage(ZONE)
    answer.use_tsig(KEY)
    assert answer.tsig is not None
    signed, _ = dns.tsig.sign(  # type: ignore[no-untyped-call]  # dnspython leaves its TSIG functions untyped
        dns.update.UpdateMessage(ZONE, id=answer.id).to_wire(), KEY, answer.tsig[0], 1_000_000 + late, request.mac
    )
    answer.tsig = dns.rrset.from_rdata(KEY.name, 0, signed)
    answer.want_tsig_sign = False

    assert tsig.Proof(is_valid=is_valid) == tsig.prove(answer.to_wire(), KEY, request)


@pytest.mark.parametrize("position", range(0, 60, 7))
def test_a_changed_answer_proves_nothing(position: int) -> None:
    """One bit changed anywhere in the signed part, and the answer proves nothing."""
    request = tsig.sign(dns.update.UpdateMessage(ZONE).to_wire(), KEY, at=1_000_000)
    answer = tsig.sign(dns.message.make_response(dns.message.make_query(DB, "A")).to_wire(), KEY, at=1_000_000)
    wire = bytearray(answer.wire)
    wire[min(position, len(wire) - 1)] ^= 1
    try:
        proof = tsig.prove(bytes(wire), KEY, request)
    except dns.exception.DNSException:
        proof = UNPROVED

    assert not proof.is_valid


def test_compressed_names_are_read_over() -> None:
    """Names before the signature may be compressed, as most servers' are (RFC 1035, section 4.1.4)."""
    query = dns.message.make_query(DB, "A")
    request = tsig.sign(query.to_wire(), KEY, at=1_000_000)
    answer = dns.message.make_response(query)
    answer.answer.append(dns.rrset.from_text(DB + ".", 5, "IN", "A", "192.0.2.1"))
    template = dns.update.UpdateMessage(ZONE, id=query.id)
    template.use_tsig(KEY)
    assert template.tsig is not None
    signed, _ = dns.tsig.sign(  # type: ignore[no-untyped-call]  # dnspython leaves its TSIG functions untyped
        answer.to_wire(), KEY, template.tsig[0], 1_000_000, request.mac
    )
    answer.tsig = dns.rrset.from_rdata(KEY.name, 0, signed)

    assert tsig.Proof(is_valid=True) == tsig.prove(answer.to_wire() or b"", KEY, request)


def test_an_answer_to_another_request_proves_nothing() -> None:
    """A signature covers the request's MAC: a recorded answer cannot be replayed."""
    request = tsig.sign(dns.update.UpdateMessage(ZONE).to_wire(), KEY, at=1_000_000)
    answer = tsig.sign(dns.update.UpdateMessage(ZONE).to_wire(), KEY, at=1_000_000)

    assert not tsig.prove(answer.wire, KEY, request).is_valid


def test_strangers_to_a_cname_leave_out_what_may_stand_beside_it() -> None:
    """DNSSEC's own types may stand beside a CNAME, and ours are fenced by value."""
    names = {rdtype.name for rdtype in updates.STRANGERS_TO_CNAME}

    assert ({"TXT", "MX", "SRV", "HTTPS", "NS", "SOA"}, set()) == (
        names & {"TXT", "MX", "SRV", "HTTPS", "NS", "SOA"},
        names & {"A", "AAAA", "CNAME", "RRSIG", "NSEC", "NSEC3", "NONE", "ANY", "OPT"},
    )
