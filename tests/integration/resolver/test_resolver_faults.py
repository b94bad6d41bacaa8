"""What an upstream does, by the name's mode, before and after a restart: what is answered, through both loops, and healing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outlast.errors import ResolutionFailed
from outlast.resolver import Protect, Resolver, Stale, Strict
from outlast.resolver.options import Rule
from outlast.testing.scripted_dns import ScriptedDns

NAME = "db.example.com"
QUICK: Any = {"hedge": 0.07, "timeout": 0.35, "patience": 0.4, "deadline": 2.7}
PATIENT: Any = {"hedge": 0.07, "timeout": 5.0, "patience": 6.0, "deadline": 12.0}
"""Where every upstream answers at once nobody waits for these, and a busy machine is not taken for a silent upstream."""
SLOW = 1.0
"""Seconds: above any patience of `QUICK`, below its deadline, and far enough from both for a busy machine."""
MODES: dict[str, Rule] = {"strict": Strict(), "stale": Stale(), "protect": Protect(verify="none")}
EXPECTED = {
    "nodata": {"strict": "NODATA", "stale": "NODATA", "protect": "last-known-good"},
    "nxdomain": {"strict": "NXDOMAIN", "stale": "NXDOMAIN", "protect": "last-known-good"},
    "dangling": {"strict": "NODATA", "stale": "NODATA", "protect": "last-known-good"},
    "servfail": {"strict": "SERVFAIL", "stale": "stale", "protect": "stale"},
    "silent": {"strict": "no answer", "stale": "stale", "protect": "stale"},
    "slow": {"strict": "upstream", "stale": "stale", "protect": "stale"},
    "0.0.0.0": {"strict": "0.0.0.0", "stale": "0.0.0.0", "protect": "last-known-good"},
}


@pytest.fixture
def dns() -> Iterator[ScriptedDns]:
    """The upstream of these tests, with a slowness of their own."""
    with ScriptedDns(delay=SLOW) as server:
        server.serve(NAME, ["127.0.0.1"], ttl=2)
        yield server


def break_it(dns: ScriptedDns, fault: str) -> None:
    """Make the upstream do what the row says."""
    match fault:
        case "0.0.0.0":
            dns.serve(NAME, ["0.0.0.0"])
        case "dangling":
            dns.alias(NAME, "gone.example.com")
            dns.set("gone.example.com", "nodata")
        case "nodata" | "nxdomain" | "servfail" | "silent" | "slow":
            dns.set(NAME, fault)


def outcome(resolver: Resolver, *, is_async: bool) -> str:
    """Say in one word what a resolution came to."""
    try:
        answer = asyncio.run(resolver.aresolve(NAME)) if is_async else resolver.resolve(NAME)
    except ResolutionFailed as error:
        return next(word for word in ("NODATA", "NXDOMAIN", "SERVFAIL", "no answer") if word in error.reason)
    return answer.source if answer.addresses == ("127.0.0.1",) else ", ".join(answer.addresses)


@pytest.mark.parametrize("fault", EXPECTED)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "asyncio"])
def test_what_is_answered_and_that_it_heals(
    fault: str, mode: str, *, is_async: bool, dns: ScriptedDns, clock: Any, tmp_path: Path
) -> None:
    """Each mode answers what its row says, before and after a restart, and the truth within five seconds of healing."""
    limits = QUICK if fault in ("silent", "slow") else PATIENT

    def make() -> Resolver:
        rule = MODES[mode]
        return Resolver(clock=clock, upstreams=[dns.address], names={NAME: rule}, store=tmp_path / "known", **limits)

    with make() as resolver:
        assert "upstream" == outcome(resolver, is_async=is_async)
        clock.let_pass(3)
        break_it(dns, fault)

        assert EXPECTED[fault][mode] == outcome(resolver, is_async=is_async)
    with make() as restarted:
        assert EXPECTED[fault][mode] == outcome(restarted, is_async=is_async)

        dns.serve(NAME, ["127.0.0.1"], ttl=2)
        dns.set(NAME, "good")
        clock.let_pass(5)

        assert "upstream" == outcome(restarted, is_async=is_async)


@pytest.mark.parametrize("fault", ["nodata", "nxdomain", "servfail", "silent"])
def test_another_upstream_rescues_a_protected_name(
    fault: str, dns: ScriptedDns, second: ScriptedDns, tmp_path: Path
) -> None:
    """While one of two upstreams answers, a protected name is answered from it, the other denying or dead."""
    break_it(dns, fault)
    limits = QUICK if fault == "silent" else PATIENT
    resolver = Resolver(upstreams=[dns.address, second.address], names={NAME: Protect(verify="none")}, **limits)

    assert "upstream" == outcome(resolver, is_async=False)


def test_a_silent_upstream_costs_patience_once(dns: ScriptedDns, clock: Any) -> None:
    """After the first caller has waited, the next ones are answered from memory, and a later one waits only briefly."""
    resolver = Resolver(clock=clock, upstreams=[dns.address], patience=1.2, timeout=0.5)
    resolver.resolve(NAME)
    dns.set(NAME, "silent")
    took = []
    for _ in range(3):
        clock.let_pass(4)
        began = clock.now()
        assert "stale" == resolver.resolve(NAME).source
        took.append((clock.now() - began) / 1e9)

    assert took[0] >= 1.2
    assert max(took[1:]) < 1.0


def test_keep_ends_protection(dns: ScriptedDns, clock: Any) -> None:
    """After `keep` the denial is the answer."""
    resolver = Resolver(
        clock=clock, upstreams=[dns.address], names={NAME: Protect(verify="none", keep="1h")}, **PATIENT
    )
    resolver.resolve(NAME)
    dns.set(NAME, "nxdomain")
    clock.let_pass(3590)
    inside = outcome(resolver, is_async=False)
    clock.let_pass(11)

    assert ("last-known-good", "NXDOMAIN") == (inside, outcome(resolver, is_async=False))


def test_a_retired_sentinel_ends_protection(dns: ScriptedDns, clock: Any, tmp_path: Path) -> None:
    """A name whose sentinel says retired is let go at once and stays forgotten after a restart."""
    options: Any = {
        "clock": clock,
        "upstreams": [dns.address],
        "names": {NAME: Protect(verify="none")},
        "store": tmp_path / "known",
        **PATIENT,
    }
    with Resolver(**options) as resolver:
        resolver.resolve(NAME)
        clock.let_pass(3)
        dns.set(NAME, "nodata")
        dns.text(f"_outlast.{NAME}", "v=1 realm=shop n=9 gen=4 plan=00 st=retired by=ann")

        assert "NODATA" == outcome(resolver, is_async=False)
    dns.text(f"_outlast.{NAME}")

    assert "NODATA" == outcome(Resolver(**options), is_async=False)


def test_a_person_can_accept_a_deletion(dns: ScriptedDns, clock: Any, tmp_path: Path) -> None:
    """Purging a name in one process lets it go in another that shares the store."""
    options: Any = {
        "clock": clock,
        "upstreams": [dns.address],
        "names": {NAME: Protect(verify="none")},
        "store": tmp_path / "known",
        **PATIENT,
    }
    with Resolver(**options) as running:
        running.resolve(NAME)
        clock.let_pass(3)
        dns.set(NAME, "nxdomain")
        before = outcome(running, is_async=False)
        with Resolver(**options) as command:
            assert command.purge(NAME)
        clock.let_pass(4)

        assert ("last-known-good", "NXDOMAIN") == (before, outcome(running, is_async=False))


def test_a_negative_answer_is_kept_briefly(dns: ScriptedDns, clock: Any) -> None:
    """A negative answer is not asked for again within its clamp, and is once that has passed."""
    with ScriptedDns(negative_ttl=3600) as upstream:
        resolver = Resolver(clock=clock, upstreams=[upstream.address], families=("A",), **PATIENT)
        for seconds in (0, 29, 2):
            clock.let_pass(seconds)
            with pytest.raises(ResolutionFailed, match="NXDOMAIN") as caught:
                resolver.resolve(NAME)
            assert caught.value.is_negative

        assert ("A", "A") == upstream.queries(NAME)
