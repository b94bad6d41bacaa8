"""Who answers the resolver: strangers, floods, truncation, and upstreams that a name must not be asked of."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import dns.flags
import dns.message
import dns.rrset
import pytest

from outlast.errors import ResolutionFailed
from outlast.resolver import Protect, Resolver
from outlast.testing.scripted_dns import ScriptedDns

NAME = "db.example.com"
Reply = Callable[[dns.message.Message], list[dns.message.Message]]


@contextmanager
def answering(reply: Reply, seen: list[tuple[int, int]] | None = None) -> Iterator[str]:
    """A UDP server that sends whatever `reply` makes of a query, and notes each query's port and identifier."""

    def serve() -> None:
        while True:
            wire, source = server.recvfrom(65_535)
            if not wire:
                return
            query = dns.message.from_wire(wire)
            if seen is not None:
                seen.append((source[1], query.id))
            for message in reply(query):
                server.sendto(message.to_wire(), source)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield "{}:{}".format(*server.getsockname())
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", server.getsockname())
            thread.join()


def good(query: dns.message.Message, address: str = "127.0.0.1") -> dns.message.Message:
    response = dns.message.make_response(query)
    response.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", address))
    return response


def resolver(upstream: str, **options: Any) -> Resolver:
    return Resolver(upstreams=[upstream], families=("A",), deadline=10.0, timeout=2.0, **options)


def wrong_id(query: dns.message.Message) -> dns.message.Message:
    response = good(query, "127.0.0.66")
    response.id = query.id ^ 1
    return response


def wrong_question(query: dns.message.Message) -> dns.message.Message:
    other = dns.message.make_query("other.example.com", "A")
    other.id = query.id
    return good(other, "127.0.0.66")


@pytest.mark.parametrize("forge", [wrong_id, wrong_question], ids=["identifier", "question"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "asyncio"])
def test_forged_datagrams_are_dropped(forge: Callable[..., dns.message.Message], *, is_async: bool) -> None:
    """A datagram with another identifier or question is ignored, and the true answer behind it is taken."""
    with answering(lambda query: [forge(query), forge(query), good(query)]) as upstream:
        made = resolver(upstream)
        answer = asyncio.run(made.aresolve(NAME)) if is_async else made.resolve(NAME)

    assert ("127.0.0.1",) == answer.addresses


def test_a_flood_ends_the_question() -> None:
    """Too many datagrams that answer something else end the conversation as a failure."""
    with (
        answering(lambda query: [wrong_id(query)] * 40) as upstream,
        pytest.raises(ResolutionFailed, match="answered another question"),
    ):
        resolver(upstream).resolve(NAME)


def test_every_query_has_a_port_and_an_identifier_of_its_own() -> None:
    """Ports and identifiers do not repeat or count up."""
    seen: list[tuple[int, int]] = []
    with answering(lambda query: [good(query)], seen) as upstream:
        made = resolver(upstream)
        for number in range(20):
            made.resolve(f"n{number}.example.com")

    ports, identifiers = zip(*seen, strict=True)
    assert len(set(ports)) > 10
    assert len(set(identifiers)) > 15
    steps = {after - before for before, after in pairwise(identifiers)}
    assert len(steps) > 10


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "asyncio"])
def test_a_truncated_answer_is_asked_for_again(dns: ScriptedDns, *, is_async: bool) -> None:
    """What does not fit into a datagram comes over TCP."""
    addresses = tuple(f"2001:db8::{number:x}" for number in range(1, 61))
    dns.serve("many.example.com", addresses)
    made = Resolver(upstreams=[dns.address], families=("AAAA",))
    answer = asyncio.run(made.aresolve("many.example.com")) if is_async else made.resolve("many.example.com")

    assert sorted(addresses) == sorted(answer.addresses)
    assert ("AAAA", "AAAA") == dns.queries("many.example.com")


def test_truncation_without_tcp_is_a_failure() -> None:
    """Nobody answers over TCP: a failure, and nothing of the truncated answer is used."""

    def truncated(query: dns.message.Message) -> list[dns.message.Message]:
        response = good(query, "127.0.0.66")
        response.flags |= dns.flags.TC
        return [response]

    with answering(truncated) as upstream, pytest.raises(ResolutionFailed, match="Connection refused"):
        resolver(upstream).resolve(NAME)


def test_a_scoped_name_is_never_asked_elsewhere(dns: ScriptedDns, second: ScriptedDns) -> None:
    """A private name whose servers fail is not asked of the public ones, and names nobody may forward of no one."""
    second.serve("db.corp.example", ["127.0.0.66"])
    dns.set("db.corp.example", "servfail")
    made = Resolver(upstreams={".": [second.address], "corp.example": [dns.address]})
    for name in ("db.corp.example", "printer", "db.test", "x.onion"):
        with pytest.raises(ResolutionFailed):
            made.resolve(name)

    assert () == second.queries("db.corp.example")
    assert () == (*second.queries("printer"), *second.queries("db.test"), *second.queries("x.onion"))
    assert ("127.0.0.1", "::1") == made.resolve("LocalHost.").addresses
    assert ("127.0.0.1", "::1") == made.resolve("app.localhost").addresses


def alias_of(targets: dict[str, str]) -> Reply:
    """Answer as an authoritative server does: the alias alone, because its target is in a zone of somebody else."""

    def reply(query: dns.message.Message) -> list[dns.message.Message]:
        response = dns.message.make_response(query)
        name = query.question[0].name.to_text(omit_final_dot=True)
        response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"{targets[name]}."))
        return [response]

    return reply


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "asyncio"])
def test_an_alias_into_another_zone_is_followed(dns: ScriptedDns, clock: Any, *, is_async: bool) -> None:
    """The target is asked of the upstreams of its own zone, and the shortest TTL of the way counts."""
    dns.serve("lb.example.net", ["127.0.0.8", "::8"], ttl=7)
    with answering(alias_of({"db.corp.example": "lb.example.net"})) as own:
        made = Resolver(upstreams={".": [dns.address], "corp.example": [own]}, clock=clock)
        answer = asyncio.run(made.aresolve("db.corp.example")) if is_async else made.resolve("db.corp.example")
        clock.let_pass(6)
        kept = made.resolve("db.corp.example").source
        clock.let_pass(2)
        renewed = made.resolve("db.corp.example").source

    assert (("127.0.0.8", "::8"), "upstream", "fresh", "upstream") == (answer.addresses, answer.source, kept, renewed)
    assert () == dns.queries("db.corp.example")


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ({"db.corp.example": "lb.example.net"}, "an alias to lb.example.net, for which no upstream may be asked"),
        ({"db.corp.example": "x.corp.example", "x.corp.example": "db.corp.example"}, "and no more"),
    ],
)
def test_an_alias_to_nowhere_is_a_failure(targets: dict[str, str], words: str) -> None:
    """A target that belongs to no zone of ours is asked of nobody, and a circle ends; neither denies the name."""
    with answering(alias_of(targets)) as own:
        made = Resolver(upstreams={"corp.example": [own]}, families=("A",))
        with pytest.raises(ResolutionFailed, match=words) as caught:
            made.resolve("db.corp.example")

    assert not caught.value.is_negative


def test_a_dead_upstream_of_the_target_is_passed_over(dns: ScriptedDns, second: ScriptedDns) -> None:
    """If the first upstream of the target's zone fails, the next one is asked; a denial of the target is one of the name."""
    dns.set("lb.example.net", "servfail")
    second.serve("lb.example.net", ["127.0.0.8"])
    with answering(alias_of({"db.corp.example": "lb.example.net"})) as own:
        upstreams = {".": [dns.address, second.address], "corp.example": [own]}
        found = Resolver(upstreams=upstreams, families=("A",)).resolve("db.corp.example")
        second.set("lb.example.net", "nodata")
        with pytest.raises(ResolutionFailed, match="NODATA, at the end of its aliases") as caught:
            Resolver(upstreams=upstreams, families=("A",)).resolve("db.corp.example")

    assert ("127.0.0.8",) == found.addresses
    assert caught.value.is_negative


def test_null_addresses_beside_real_ones_are_dropped(dns: ScriptedDns) -> None:
    """For a protected name 0.0.0.0 is no address, not even one of several; for others it is what the answer said."""
    dns.serve(NAME, ["0.0.0.0", "127.0.0.5"])
    protected = Resolver(upstreams=[dns.address], names={NAME: Protect(verify="none")}).resolve(NAME)
    plain = Resolver(upstreams=[dns.address]).resolve(NAME)

    assert (("127.0.0.5",), ["0.0.0.0", "127.0.0.5"]) == (protected.addresses, sorted(plain.addresses))


def test_what_is_no_name_is_refused_and_an_address_is_itself(dns: ScriptedDns) -> None:
    """Nothing is asked for either of them."""
    made = Resolver(upstreams=[dns.address])
    with pytest.raises(ResolutionFailed, match="not a host name"):
        made.resolve("a..b")

    assert ("pin", ("::1",)) == made.resolve("::1")[2:0:-1]
