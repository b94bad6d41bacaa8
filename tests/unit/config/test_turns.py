"""Whose turn it is at a provider that cannot compare and swap: one enactor at a time, and nobody without a registry."""

import asyncio
from typing import Any, NamedTuple

import pytest

from outlast.config.turns import TTL_MIN, Turns
from outlast.errors import Unavailable
from outlast.registry.memory import MemoryRegistry
from outlast.traffic.ports import Lease, Tier

SECOND = 10**9


class Named(NamedTuple):
    """As much of a provider as counts here."""

    name: str
    tier: Tier


class Clock:
    """Time that passes when told to."""

    now = SECOND

    def __call__(self) -> int:
        return self.now


class Away(MemoryRegistry):
    """A registry that can be away."""

    is_away = False

    async def lease(self, name: str) -> Lease | None:
        if self.is_away:
            raise Unavailable("away")
        return await super().lease(name)


def turns(me: str, clock: Clock, *tiers: Tier, interval: float = 1.0) -> Turns:
    providers: dict[str, Any] = {f"p{tier.name}": Named(f"p{tier.name}", tier) for tier in tiers}
    return Turns(me, providers, interval=interval, now=clock)


def run(clock: Clock, registry: MemoryRegistry, *who: Turns, seconds: int) -> list[frozenset[int]]:
    """Who has the turn after each second, by their places in `who`."""
    seen = []
    for _ in range(seconds):
        clock.now += SECOND
        others = [asyncio.run(one.others(registry)) for one in who]
        seen.append(frozenset(at for at, barred in enumerate(others) if not barred))
    return seen


@pytest.mark.parametrize("tier", [Tier.T1, Tier.T2])
def test_a_provider_that_compares_needs_no_lease(tier: Tier) -> None:
    """Everybody's turn, at once, and nothing is stored."""
    clock, registry = Clock(), MemoryRegistry()

    assert [frozenset({0, 1})] == run(clock, registry, turns("a", clock, tier), turns("b", clock, tier), seconds=1)
    assert None is asyncio.run(registry.lease(f"enactors of p{tier.name}"))


@pytest.mark.parametrize("tier", [Tier.T3, Tier.T4])
def test_never_two_at_once_and_soon_one(tier: Tier) -> None:
    """At most one has the turn; after the lease's time one has it, and keeps it."""
    clock = Clock()
    seen = run(clock, MemoryRegistry(), turns("a", clock, tier), turns("b", clock, tier), seconds=60)

    assert {0, 1} >= {len(who) for who in seen}
    assert 1 == len(set(seen[int(TTL_MIN) + 1 :]))
    assert 1 == len(seen[-1])


def test_another_takes_over_from_one_that_is_gone() -> None:
    """Within two times of the lease after the last renewal, and not while that one may still act."""
    clock, registry = Clock(), MemoryRegistry()
    first, second = turns("a", clock, Tier.T3), turns("b", clock, Tier.T3)
    assert frozenset({0}) == run(clock, registry, first, second, seconds=10)[-1]
    seen = run(clock, registry, second, seconds=12)
    since = next(at for at, who in enumerate(seen) if who)

    assert TTL_MIN * 0.4 <= since <= 2 * TTL_MIN


def test_without_a_registry_it_is_soon_nobodys_turn() -> None:
    """What is held runs out; nobody takes what nobody can record; back, somebody has it again."""
    clock, registry = Clock(), Away()
    one = turns("a", clock, Tier.T3)
    assert frozenset({0}) == run(clock, registry, one, seconds=10)[-1]
    registry.is_away = True
    gone = run(clock, registry, one, seconds=10)
    registry.is_away = False

    assert (frozenset({0}), frozenset()) == (gone[0], gone[-1])
    assert frozenset({0}) == run(clock, registry, one, seconds=10)[-1]


def test_a_lease_outlasts_slow_passes() -> None:
    """With long intervals the lease is longer, too: one who looks every minute keeps it."""
    clock, registry = Clock(), MemoryRegistry()
    one = turns("a", clock, Tier.T3, interval=60.0)
    barred = []
    for _ in range(20):
        clock.now += 60 * SECOND
        barred.append(asyncio.run(one.others(registry)))

    assert [frozenset()] * 10 == barred[10:]
