"""The stub resolver against a real little name server; the cache's clock is ours."""

import asyncio
import contextlib
from typing import Any

import pytest

from outlast.drill.load.stub_resolver import StubResolver, Unresolved

NAME = "db.example.test."


class Stub:
    """A resolver whose time stands still unless it is moved."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.now = 100.0
        self.queries = 0
        self.resolver = StubResolver(server, clock=lambda: self.now, on_query=self._count)

    def _count(self) -> None:
        self.queries += 1

    async def ask(self) -> tuple[str, ...] | str:
        try:
            return await self.resolver.resolve(NAME)
        except Unresolved as error:
            return error.reason


async def ask_at(stub: Stub, *moments: float) -> list[tuple[str, ...] | str]:
    answers = []
    for stub.now in moments:
        answers.append(await stub.ask())
    return answers


def test_ttl_is_obeyed_and_addresses_rotate(scripted_dns: Any, scripts: Any) -> None:
    """Within the TTL nothing is asked and each lookup starts with another address; at its end it is asked again."""
    scripted_dns.scripts[NAME] = scripts.positive("127.0.1.1", "127.0.1.2", ttl=2)
    stub = Stub(scripted_dns.address)

    answers = asyncio.run(ask_at(stub, 100, 101.9))
    within = stub.queries
    asyncio.run(ask_at(stub, 102.1))

    assert (1, 2, {("127.0.1.1", "127.0.1.2"), ("127.0.1.2", "127.0.1.1")}) == (within, stub.queries, set(answers))


@pytest.mark.parametrize(
    ("rcode", "reason", "with_soa", "queries"),
    [
        ("NOERROR", "NODATA", True, 2),
        ("NXDOMAIN", "NXDOMAIN", True, 2),
        ("NOERROR", "NODATA", False, 3),
        ("SERVFAIL", "SERVFAIL", True, 3),
    ],
)
def test_negative_ttl_is_obeyed(
    scripted_dns: Any, scripts: Any, *, rcode: str, reason: str, with_soa: bool, queries: int
) -> None:
    """Absence is kept for min(SOA TTL, MINIMUM), 5 s here; without an SOA, or for a failure, not at all."""
    scripted_dns.scripts[NAME] = scripts.negative(rcode, ttl=9, minimum=5, with_soa=with_soa)
    stub = Stub(scripted_dns.address)

    answers = asyncio.run(ask_at(stub, 100, 104.9, 105.1))

    assert ([reason] * 3, queries) == (answers, stub.queries)


def test_truncated_answer_is_asked_for_over_tcp(scripted_dns: Any, scripts: Any) -> None:
    """TC over UDP leads to the same question over TCP."""
    scripted_dns.scripts[NAME] = scripts.truncated_over_udp(scripts.positive("127.0.1.1"))
    stub = Stub(scripted_dns.address)

    answers = asyncio.run(ask_at(stub, 100))

    assert (answers, [transport for transport, _, _ in scripted_dns.questions]) == ([("127.0.1.1",)], ["udp", "tcp"])


def test_same_question_at_the_same_time_is_asked_once(scripted_dns: Any, scripts: Any) -> None:
    """Twenty callers wait for one question, and one that gives up takes nothing from the others."""
    scripted_dns.scripts[NAME] = scripts.positive("127.0.1.1")
    stub = Stub(scripted_dns.address)

    async def ask_together() -> list[Any]:
        tasks = [asyncio.create_task(stub.ask()) for _ in range(20)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await tasks[0]
        return await asyncio.gather(*tasks[1:])

    answers = asyncio.run(ask_together())

    assert (stub.queries, answers) == (1, [("127.0.1.1",)] * 19)


@pytest.mark.slow
def test_silence_is_asked_again_and_not_kept(scripted_dns: Any) -> None:
    """A server that says nothing is asked twice, a second each; nothing is remembered."""
    scripted_dns.scripts[NAME] = lambda _query, _transport: None
    stub = Stub(scripted_dns.address)

    answers = asyncio.run(ask_at(stub, 100))

    assert (answers, stub.queries, repr(stub.resolver._cache)) == (["TIMEOUT"], 2, "<StubCache 0/1000 names>")
