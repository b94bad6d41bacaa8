"""TSIG: who is believed, and how each disbelief is answered."""

from typing import cast

import dns.message
import dns.tsig
import pytest
from dns.rcode import Rcode
from dns.rdtypes.ANY.TSIG import TSIG
from unit.nameserver.bench import Bench, BenchFactory

from outlast.errors import InvalidConfig
from outlast.nameserver.keys import Keyring, UpdateKey
from outlast.nameserver.request import Malformed, Signature, read_header, read_request


def _rejected(bench: Bench, key: UpdateKey) -> dns.message.Message:
    update = bench.update(key)
    update.delete("www")
    answer = bench.responder.respond(update.to_wire(), "peer", "tcp")
    assert answer is not None
    return dns.message.from_wire(answer, keyring=False)


def _strange_keys(bench: Bench) -> list[tuple[UpdateKey, Rcode]]:
    return [
        (UpdateKey.generate("stranger"), Rcode.BADKEY),
        (UpdateKey.generate("main.key"), Rcode.BADSIG),
        (UpdateKey(name="main.key", secret=bench.key.secret, algorithm="hmac-sha512"), Rcode.BADKEY),
    ]


def test_an_unknown_key_and_a_wrong_mac_are_answered_without_a_signature(bench: Bench) -> None:
    """NOTAUTH with the TSIG error, and an empty MAC; nothing is changed."""
    for key, error in _strange_keys(bench):
        reply = _rejected(bench, key)

        assert (reply.rcode(), reply.tsig_error, reply.mac) == (Rcode.NOTAUTH, error, b"")
    assert bench.ask("www").answer


@pytest.mark.parametrize("skew", [-3600, 3600])
def test_a_wrong_time_is_answered_with_a_signature_and_the_servers_time(make_bench: BenchFactory, skew: int) -> None:
    """BADTIME carries the server's clock, under a MAC that the client can verify."""
    bench = make_bench(skew_seconds=skew)
    update = bench.update()
    wire = update.to_wire()
    answer = bench.responder.respond(wire, "peer", "tcp")
    assert answer is not None
    tsig = dns.message.from_wire(answer, keyring=False).tsig
    assert tsig is not None
    rdata = tsig[0]
    assert isinstance(rdata, TSIG)
    signed, _ = dns.tsig.sign(  # type: ignore[no-untyped-call]  # dnspython leaves its TSIG functions untyped
        answer[:10] + b"\0\0", bench.key.tsig_key(), rdata, rdata.time_signed, update.mac
    )

    assert rdata.error == Rcode.BADTIME
    assert abs(int.from_bytes(rdata.other, "big") - rdata.time_signed - skew) <= 2
    assert rdata.mac == signed.mac


@pytest.mark.parametrize(("skew", "is_accepted"), [(-290, True), (290, True), (-310, False), (310, False)])
def test_the_fudge_is_the_limit(make_bench: BenchFactory, skew: int, *, is_accepted: bool) -> None:
    """Clocks may be five minutes apart and no more."""
    bench = make_bench(skew_seconds=skew)
    answer = bench.responder.respond(bench.update().to_wire(), "peer", "tcp")
    assert answer is not None

    assert (answer[3] & 15 == Rcode.NOERROR) == is_accepted


def test_a_signed_question_has_a_signed_answer(bench: Bench) -> None:
    """Dnspython checks the answer's signature against the question's; a cut answer still fits its datagram."""
    query = dns.message.make_query("big.example.test", "TXT")
    query.use_tsig(bench.key.tsig_key())
    reply = bench.exchange(query)

    assert reply.had_tsig
    assert len(reply.wire or b"") <= 512


def test_a_shortened_mac_is_not_accepted(bench: Bench) -> None:
    """Half the hash or more is BADTRUNC, less is no TSIG at all (RFC 8945, section 5.2.2.1)."""
    wire = bench.update().to_wire()
    header = read_header(wire)
    assert header is not None
    signature = read_request(wire, header).signature
    assert signature is not None
    keyring = Keyring((bench.key,))

    def cut(length: int) -> Signature:
        rdata = cast("TSIG", signature.rdata.replace(mac=signature.rdata.mac[:length]))
        return signature._replace(rdata=rdata)

    assert keyring.verify(wire, cut(32), wall=signature.rdata.time_signed).error == Rcode.NOERROR
    assert keyring.verify(wire, cut(16), wall=signature.rdata.time_signed).error == Rcode.BADTRUNC
    with pytest.raises(Malformed):
        keyring.verify(wire, cut(15), wall=signature.rdata.time_signed)


def test_a_key_names_all_its_faults_at_once_and_hides_its_secret() -> None:
    """Three faults are three lines; the secret is in no repr."""
    with pytest.raises(InvalidConfig) as caught:
        UpdateKey(name="a..b", secret="!", algorithm="hmac-md5")

    assert len(caught.value.faults) == 3
    assert "c2VjcmV0" not in repr(UpdateKey(name="k", secret="c2VjcmV0"))


def test_a_key_is_read_from_the_form_of_nsupdate() -> None:
    """`algorithm:name:secret`, the algorithm optional."""
    found = [UpdateKey.from_text(text).algorithm for text in ("hmac-sha512:k:c2VjcmV0", "k:c2VjcmV0")]

    assert found == ["hmac-sha512", "hmac-sha256"]
