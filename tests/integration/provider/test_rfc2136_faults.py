"""The RFC 2136 provider against primaries that misbehave on purpose, on loopback."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.tsig
import pytest
from dns.rcode import Rcode
from zone_world import KEY, SECRET, Place, addresses, fresh, write

from outlast.errors import Unavailable
from outlast.provider.rfc2136 import Rfc2136Provider
from outlast.traffic.ports import Live, Outcome, Reply

NOTHING = Live((), ())
HOUR = 3600

Answer = Callable[[bytes], bytes | None]


def unsigned(rcode: Rcode, *, flags: int = 0) -> Answer:
    """An answer without a signature."""

    def answer(wire: bytes) -> bytes:
        request = dns.message.from_wire(wire, keyring=False)
        made = dns.message.make_response(request)
        made.tsig = None
        made.want_tsig_sign = False
        made.set_rcode(rcode)
        made.flags |= flags
        return made.to_wire() or b""

    return answer


def signed(error: Rcode, *, secret: str = SECRET, other: bytes = b"", rcode: Rcode = Rcode.NOTAUTH) -> Answer:
    """An answer signed, with a TSIG error, under any secret."""

    def answer(wire: bytes) -> bytes:
        request = dns.message.from_wire(wire, keyring=False)
        assert request.tsig is not None
        made = dns.message.make_response(request)
        made.use_tsig(dns.tsig.Key(KEY, secret), tsig_error=error, other_data=other)
        made.request_mac = request.tsig[0].mac
        made.set_rcode(rcode)
        return made.to_wire() or b""

    return answer


def strange_id(wire: bytes) -> bytes:
    return bytes([wire[0] ^ 1]) + wire[1:]


class Scripted:
    """A primary that answers every request in one way, and counts them."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.requests = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                wire = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
                self.requests += 1
                answer = self._answer(wire)
                if answer is None:
                    return
                writer.write(len(answer).to_bytes(2, "big") + answer)
        except (EOFError, OSError):
            return
        finally:
            writer.close()


async def against(script: Scripted, act: Callable[[Rfc2136Provider], Awaitable[object]]) -> object:
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        provider = Place("scripted", "scripted", "127.0.0.1", port).rfc2136()
        # Silence is part of the script: a short limit keeps the tests short.
        return await act(_impatient(provider))
    finally:
        server.close()


def _impatient(provider: Rfc2136Provider) -> Rfc2136Provider:
    return Rfc2136Provider(
        name="p", zones=provider.zones, address=provider.address, port=provider.port,
        key_name=provider.key_name, key_secret=provider.key_secret, timeout=0.5,
    )  # fmt: skip


async def commit(provider: Rfc2136Provider) -> Reply:
    return await provider.commit(write(fresh(), NOTHING, addresses("192.0.2.1")))


def tcp_reply(answer: Answer) -> tuple[Reply, int]:
    script = Scripted(answer)
    reply = asyncio.run(against(script, commit))
    assert isinstance(reply, Reply)
    return reply, script.requests


@pytest.mark.parametrize(
    ("answer", "outcome", "words", "requests"),
    [
        pytest.param(unsigned(Rcode.NOERROR), Outcome.LOST, "NOERROR without a valid signature", 1, id="unsigned yes"),
        pytest.param(unsigned(Rcode.NXRRSET), Outcome.LOST, "NXRRSET without a valid", 1, id="unsigned conflict"),
        pytest.param(unsigned(Rcode.SERVFAIL), Outcome.FAILED, "SERVFAIL", 1, id="unsigned failure"),
        pytest.param(
            signed(Rcode.NOERROR, secret="d3Jvbmc=", rcode=Rcode.NOERROR), Outcome.LOST, "NOERROR without a valid", 1,
            id="yes under another key",
        ),
        pytest.param(
            signed(Rcode.BADTIME, secret="d3Jvbmc=", other=bytes(6)), Outcome.FAILED, "BADTIME", 1,
            id="a forged time is not signed for",
        ),
        pytest.param(
            signed(Rcode.BADTIME, other=(4_000_000_000).to_bytes(6, "big")), Outcome.FAILED, "BADTIME", 2,
            id="a time error is answered once",
        ),
        pytest.param(signed(Rcode.BADTIME), Outcome.FAILED, "BADTIME", 1, id="a time error without the time"),
        pytest.param(signed(Rcode.BADTRUNC), Outcome.FAILED, "BADTRUNC: the server refuses key", 1, id="truncated MAC"),
        pytest.param(lambda wire: None, Outcome.LOST, "closed before the answer", 1, id="connection closed"),
        pytest.param(lambda wire: wire[:2] + b"\xff" * 9, Outcome.LOST, "unreadable answer", 1, id="garbage"),
        pytest.param(lambda wire: wire, Outcome.LOST, "an answer that does not fit", 1, id="our own request back"),
        pytest.param(strange_id, Outcome.LOST, "no answer in time", 1, id="another's answer"),
    ],
)  # fmt: skip
def test_an_answer_is_believed_only_as_far_as_it_is_proved(
    answer: Answer, outcome: Outcome, words: str, requests: int
) -> None:
    """Success and conflict need a valid signature; without one, only reading can tell what became of it."""
    reply, seen = tcp_reply(answer)

    assert (outcome, requests) == (reply.outcome, seen)
    assert words in reply.detail


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(unsigned(Rcode.SERVFAIL), "SERVFAIL", id="SERVFAIL"),
        pytest.param(unsigned(Rcode.REFUSED), "REFUSED", id="REFUSED"),
        pytest.param(unsigned(Rcode.NOERROR), "not authoritative for it", id="a resolver"),
        pytest.param(lambda wire: None, "closed before the answer", id="connection closed"),
        pytest.param(lambda wire: wire[:2] + b"\xff" * 9, "unreadable answer", id="garbage"),
        pytest.param(lambda wire: wire, "does not fit its question", id="our own question back"),
        pytest.param(strange_id, "no answer in time", id="another's answer"),
    ],
)
def test_a_useless_answer_is_no_reading(answer: Answer, words: str) -> None:
    """What is not an authority's answer to our question is not taken for absence; the error names the primary."""
    with pytest.raises(Unavailable, match=words) as caught:
        asyncio.run(against(Scripted(answer), lambda provider: provider.read(fresh())))

    assert "p at 127.0.0.1:" in str(caught.value)


def test_an_authoritative_nothing_is_a_reading() -> None:
    """NXDOMAIN with authority means that nothing is there, without any further question."""
    script = Scripted(unsigned(Rcode.NXDOMAIN, flags=dns.flags.AA))
    read = asyncio.run(against(script, lambda provider: provider.read(fresh())))

    assert (NOTHING, 6) == (read, script.requests)


def test_who_shares_a_message_that_was_never_sent_does_not_wait_twice() -> None:
    """Nobody is connected to: nothing was wrong with the message, so none of those in it is sent alone."""

    class Counting(Rfc2136Provider):
        async def _send(self, primary: Any, message: Any) -> Reply:
            alone.append(message)
            return await super()._send(primary, message)

    alone: list[Any] = []

    async def act() -> list[Reply]:
        server = await asyncio.start_server(Scripted(strange_id).serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        like = Place("scripted", "scripted", "127.0.0.1", port).rfc2136()
        provider = Counting(
            name="p", zones=like.zones, address=like.address, port=port, key_name=KEY, key_secret=SECRET
        )
        return list(await asyncio.gather(*(commit(provider) for _ in range(5))))

    replies = asyncio.run(act())

    assert {Outcome.FAILED} == {reply.outcome for reply in replies}
    assert all("connection refused" in reply.detail for reply in replies)
    assert 0 == len(alone)


def test_the_secret_is_never_told(caplog: pytest.LogCaptureFixture) -> None:
    """Neither `repr` nor the log nor a refusal holds the secret."""
    caplog.set_level(logging.DEBUG)
    provider = Place("scripted", "scripted", "127.0.0.1", 1).rfc2136()
    reply, _ = tcp_reply(signed(Rcode.BADTRUNC))

    assert SECRET not in repr(provider) + repr(reply) + caplog.text


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (signed(Rcode.NOERROR, rcode=Rcode.YXRRSET), ""),
        (
            signed(Rcode.NOERROR, rcode=Rcode.NOERROR),
            f"signed with {KEY}, a change whose condition cannot hold is taken: nothing is compared",
        ),
        (unsigned(Rcode.NOTAUTH), f"signed with {KEY}, a change is answered NOTAUTH"),
    ],
)
def test_what_is_said_of_a_change_that_cannot_be(answer: Answer, expected: str) -> None:
    """That its condition does not hold is as it should be; whoever takes it all the same compares nothing."""
    assert expected == asyncio.run(against(Scripted(answer), lambda it: it.refusal("example.test", ())))


@pytest.mark.parametrize(
    "answer", [unsigned(Rcode.NOERROR), unsigned(Rcode.YXRRSET), lambda wire: None, lambda wire: wire]
)
def test_of_an_answer_that_is_not_proved_no_key_is_judged(answer: Answer) -> None:
    """Neither for it nor against it."""
    with pytest.raises(Unavailable, match=r"^p at 127\.0\.0\.1:"):
        asyncio.run(against(Scripted(answer), lambda it: it.refusal("example.test", ())))
