"""The PowerDNS API provider against servers that misbehave on purpose, on loopback."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from zone_world import NOTHING, ONE, OPEN, ZONES, write

from outlast.errors import Unavailable
from outlast.provider.http_exchange import MAX_ANSWER
from outlast.provider.powerdns import PowerdnsProvider
from outlast.traffic.ports import Live, Outcome, Reply

CERTIFICATE = Path(__file__).with_name("certificate.pem")
"""Of 127.0.0.1, signed by itself, valid for a century, with a key that is worth nothing."""
Act = Callable[[PowerdnsProvider], Awaitable[object]]


def http(status: str, body: str = "", *, more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n{body}".encode()


def sets(*names: str, content: str = "192.0.2.1") -> bytes:
    """The answer with an A set at each of these names."""
    records = [{"content": content, "disabled": False}]
    found = [{"name": f"{name}.{OPEN}.", "type": "A", "ttl": 5, "records": records} for name in names]
    return http("200 OK", json.dumps({"rrsets": found}))


EMPTY = http("200 OK", json.dumps({"rrsets": []}))
CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"rr\r\nc\r\nsets": [] }\n\r\n0\r\n\r\n'


class Scripted:
    """A server that answers reads and changes each in one way."""

    def __init__(self, *, get: bytes = EMPTY, patch: bytes = b"") -> None:
        self._answers = {b"GET": get, b"PATCH": patch}
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head)
            writer.write(self._answers[head.split()[0]])
            await writer.drain()
        except (EOFError, OSError):
            return
        finally:
            writer.close()


async def against(script: Scripted, act: Act, *, tls: bool = False) -> object:
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0, ssl=context)
    try:
        url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}/dns"
        # Silence is part of the script: a short limit keeps the tests short.
        return await act(PowerdnsProvider(name="p", zones=tuple(ZONES), url=url, api_key="hush", timeout=2.0))
    finally:
        server.close()


async def commit(provider: PowerdnsProvider) -> Reply:
    return await provider.commit(write(f"db.{OPEN}", NOTHING, ONE))


async def read(provider: PowerdnsProvider) -> Live:
    return await provider.read(f"db.{OPEN}")


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        pytest.param(http("204 No Content"), Outcome.COMMITTED, "", id="done"),
        pytest.param(http("422 X", '{"error": "no\\nso"}'), Outcome.FAILED, "status 422: no so", id="refused"),
        pytest.param(http("302 Found", more="Location: /\r\n"), Outcome.LOST, "status 302", id="sent elsewhere"),
        pytest.param(http("500 X", "oops"), Outcome.LOST, "status 500: oops", id="failed, perhaps afterwards"),
        pytest.param(http("502 X"), Outcome.LOST, "status 502", id="a proxy lost it"),
        pytest.param(b"", Outcome.LOST, "closed before the answer", id="closed"),
        pytest.param(b"SSH-2.0-x\r\n", Outcome.LOST, "unreadable answer", id="not HTTP"),
        pytest.param(http("200 OK", "x" * 9)[:-5], Outcome.LOST, "unreadable answer", id="half an answer"),
    ],
)  # fmt: skip
def test_a_changes_answer_is_believed_only_as_far_as_it_goes(answer: bytes, outcome: Outcome, words: str) -> None:
    """Only a plain refusal means that nothing changed; in doubt it is lost, and reading tells what became of it."""
    reply = asyncio.run(against(Scripted(patch=answer), commit))

    assert isinstance(reply, Reply)
    assert (outcome, True) == (reply.outcome, words in reply.detail)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(http("500 X", "oops"), "status 500: oops", id="failed"),
        pytest.param(http("200 OK", "[]"), "unreadable answer", id="another document"),
        pytest.param(http("200 OK", '{"rrsets": [{"name": "x."}]}'), "unreadable answer", id="no records"),
        pytest.param(http("200 OK", '{"rrsets": 1}'), "unreadable answer", id="no list"),
        pytest.param(http("200 OK", "{"), "unreadable answer", id="half a document"),
        pytest.param(
            http(
                "200 OK",
                json.dumps(
                    {
                        "rrsets": [
                            {
                                "name": f"db.{OPEN}.",
                                "type": "A",
                                "ttl": 5,
                                "records": [{"content": "x", "disabled": False}],
                            }
                        ]
                    }
                ),
            ),
            "unreadable answer",
            id="no address",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * MAX_ANSWER, "more than 16 MiB", id="endless"),
    ],
)
def test_a_useless_answer_is_no_reading(answer: bytes, words: str) -> None:
    """What is not PowerDNS's answer to our question is not taken for absence, and nothing is sent upon it."""
    script = Scripted(get=answer)
    with pytest.raises(Unavailable, match=words):
        asyncio.run(against(script, read))
    reply = asyncio.run(against(script, commit))

    assert isinstance(reply, Reply)
    assert (Outcome.FAILED, set()) == (reply.outcome, {head for head in script.requests if head.startswith(b"PATCH")})


def test_an_answer_in_chunks_is_read() -> None:
    """A proxy in front may frame the answer as it likes; the path keeps the URL's own beginning."""
    script = Scripted(get=CHUNKED)

    assert NOTHING == asyncio.run(against(script, read))
    assert script.requests[0].startswith(
        b"GET /dns/api/v1/servers/localhost/zones/example.test.?rrset_name=_outlast.db."
    )


def test_a_whole_zone_is_looked_through() -> None:
    """A server too old to select by name answers with everything; only the name's own sets are read."""
    assert Live((), ONE.sets) == asyncio.run(against(Scripted(get=sets("ns", "DB", "x.db")), read))


def test_the_key_goes_only_to_who_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over TLS the certificate must be trusted and name the address; otherwise nothing is sent."""
    stranger, friend = Scripted(), Scripted(patch=http("204 No Content"))
    reply = asyncio.run(against(stranger, commit, tls=True))
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))

    assert isinstance(reply, Reply)
    assert (Outcome.FAILED, []) == (reply.outcome, stranger.requests)
    assert "its certificate is not trusted: self-signed certificate" in reply.detail
    assert Reply(Outcome.COMMITTED) == asyncio.run(against(friend, commit, tls=True))
    assert all(b"X-API-Key: hush\r\n" in head for head in friend.requests)
