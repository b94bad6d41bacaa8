"""The scripted upstream answers as its script says, over UDP and TCP, and leaves nothing behind."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from outlast.errors import InvalidConfig
from outlast.testing.scripted_dns import Behaviour, ScriptedDns

NAME = "db.example.com"
TIMEOUT = 5.0


@pytest.fixture
def scripted() -> Iterator[ScriptedDns]:
    with ScriptedDns(delay=0.2, negative_ttl=7) as server:
        server.serve(NAME, ["192.0.2.1", "2001:db8::1"], ttl=9)
        yield server


def ask(server: ScriptedDns, name: str = NAME, rdtype: str = "A", *, timeout: float = TIMEOUT) -> dns.message.Message:
    query = dns.message.make_query(name, rdtype, use_edns=0, payload=1232)
    return dns.query.udp(query, "127.0.0.1", port=server.port, timeout=timeout)


def records(response: dns.message.Message) -> list[str]:
    return sorted(rdata.to_text() for rrset in response.answer for rdata in rrset)


def test_each_family_is_answered(scripted: ScriptedDns) -> None:
    """A and AAAA have their own addresses with the TTL given, and names are compared without case."""
    v4, v6 = ask(scripted, "DB.example.com"), ask(scripted, rdtype="AAAA")

    assert (["192.0.2.1"], ["2001:db8::1"], 9) == (records(v4), records(v6), v4.answer[0].ttl)
    assert ("A", "AAAA") == scripted.queries(NAME)


@pytest.mark.parametrize(
    ("behaviour", "rcode", "has_soa"),
    [
        ("nodata", dns.rcode.NOERROR, True),
        ("nxdomain", dns.rcode.NXDOMAIN, True),
        ("servfail", dns.rcode.SERVFAIL, False),
    ],
)
def test_a_name_can_fail_and_come_back(
    scripted: ScriptedDns, behaviour: Behaviour, rcode: dns.rcode.Rcode, *, has_soa: bool
) -> None:
    """The behaviour changes at once, negative answers carry their TTL, and what was served is still there afterwards."""
    scripted.set(NAME, behaviour)
    failed = ask(scripted)
    scripted.set(NAME, "good")

    assert (rcode, []) == (failed.rcode(), records(failed))
    assert [7] * has_soa == [rrset.ttl for rrset in failed.authority]
    assert ["192.0.2.1"] == records(ask(scripted))


def test_silence_and_slowness(scripted: ScriptedDns) -> None:
    """A silent name is never answered, a slow one late, and neither holds another name up."""
    scripted.serve("other.example.com", ["192.0.2.2"])
    scripted.set(NAME, "silent")
    with pytest.raises(dns.exception.Timeout):
        ask(scripted, timeout=0.1)
    scripted.set(NAME, "slow")
    began = time.monotonic()
    late = ask(scripted)

    assert time.monotonic() - began >= 0.2
    assert ["192.0.2.1"] == records(late)
    assert ["192.0.2.2"] == records(ask(scripted, "other.example.com"))


def test_aliases_and_texts(scripted: ScriptedDns) -> None:
    """An alias is followed in the answer as far as its target allows; texts are served."""
    scripted.alias("www.example.com", NAME)
    scripted.text("_outlast.db.example.com", "v=1 st=live")
    whole = ask(scripted, "www.example.com")
    scripted.set(NAME, "nodata")
    dangling = ask(scripted, "www.example.com")

    assert ["192.0.2.1", "db.example.com."] == records(whole)
    assert ["db.example.com."] == records(dangling)
    assert ['"v=1 st=live"'] == records(ask(scripted, "_outlast.db.example.com", "TXT"))


def test_large_answers_need_tcp(scripted: ScriptedDns) -> None:
    """A datagram that would be too large is truncated, and TCP has it whole."""
    scripted.serve(NAME, [f"192.0.2.{number}" for number in range(1, 201)])
    short = ask(scripted)
    query = dns.message.make_query(NAME, "A")
    whole = dns.query.tcp(query, "127.0.0.1", port=scripted.port, timeout=TIMEOUT)

    assert short.flags & dns.flags.TC
    assert 200 == len(records(whole))


def test_an_unknown_name_does_not_exist(scripted: ScriptedDns) -> None:
    """A name that nobody served is NXDOMAIN."""
    assert dns.rcode.NXDOMAIN == ask(scripted, "unknown.example.com").rcode()


def test_a_misspelt_behaviour_is_refused(scripted: ScriptedDns) -> None:
    """The nearest behaviour is named."""
    misspelt: Any = "nxdomian"
    with pytest.raises(InvalidConfig, match="did you mean 'nxdomain'"):
        scripted.set(NAME, misspelt)


def test_it_ends_with_its_thread() -> None:
    """After the context its thread is gone and its port is free."""
    before = threading.active_count()
    with ScriptedDns() as server:
        place = repr(server)

    assert before == threading.active_count()
    assert "127.0.0.1" in place
