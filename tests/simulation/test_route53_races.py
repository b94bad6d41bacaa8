"""The shipped machines race on a strict Route 53 in memory: random walks with every fault, and a broken adapter is found.

Replay one walk, with its trace: `walk(SEED, Route53World(SEED))`.
"""

import asyncio
from collections.abc import Iterator, MutableMapping
from random import Random

import pytest
from protocol_checker import Violation, Writer
from protocol_walk import WORLDS, walk
from protocol_world import World
from route53_world import Blind, HandClock

from outlast.provider.memory import MemoryRoute53
from outlast.provider.route53 import Route53Provider
from outlast.provider.route53_sets import api_set, plain_set, txt_of
from outlast.traffic import messages as m
from outlast.traffic.ports import Live, Outcome, Transaction
from outlast.traffic.sentinel import sentinel_name

ZONE, ZONE_ID = "example", "Z1"
WALKS = 40
FOUND_WITHIN = 10

Place = tuple[str, str]


class Accounts(MutableMapping[Place, Live]):
    """The primaries of a world: one account for each provider, read through the provider and damaged behind its back."""

    def __init__(self, places: tuple[Place, ...], kind: type[Route53Provider], *, pairs_equals: bool) -> None:
        self._places = places
        self._loop = asyncio.new_event_loop()
        self.providers: dict[str, Route53Provider] = {}
        self._aws: dict[str, MemoryRoute53] = {}
        for name, _ in places:
            clock = HandClock()
            aws = self._aws[name] = MemoryRoute53(clock, {ZONE_ID: ZONE}, pairs_equals=pairs_equals)
            self.providers[name] = kind(
                name=name, zones={ZONE: ZONE_ID}, client=aws, clock=clock, sleep=clock.sleep, jitter=lambda: 0.5
            )

    def close(self) -> None:
        self._loop.close()

    def commit(self, transaction: Transaction) -> m.Event:
        reply = self._loop.run_until_complete(self.providers[transaction.provider].commit(transaction))
        match reply.outcome:
            case Outcome.COMMITTED:
                return m.Committed()
            case Outcome.CONFLICT:
                return m.Conflict(reply.detail)
            case Outcome.FAILED:
                return m.Failed(reply.detail)
            case Outcome.LOST:
                return m.Lost(reply.detail)

    def __getitem__(self, place: Place) -> Live:
        name, endpoint = place
        return self._loop.run_until_complete(self.providers[name].read(endpoint))

    def __setitem__(self, place: Place, live: Live) -> None:
        name, endpoint = place
        look = self._loop.run_until_complete(self.providers[name].look(endpoint))
        coming = [api_set(endpoint, item) for item in live.sets]
        if live.sentinel:
            coming.append(plain_set(sentinel_name(endpoint), "TXT", 5, map(txt_of, live.sentinel)))
        going = [_change("DELETE", item) for item in look.sets if item not in coming]
        batch = [*going, *(_change("CREATE", item) for item in coming if item not in look.sets)]
        if batch:
            reply = self._loop.run_until_complete(self.providers[name].change(ZONE, batch))
            assert reply.outcome is Outcome.COMMITTED, reply

    def __delitem__(self, place: Place) -> None:
        raise AssertionError(f"nobody takes {place} out of a world")

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _change(action: str, item: object) -> dict[str, object]:
    return {"Action": action, "ResourceRecordSet": item}


class Route53World(World):
    """The world of the plan protocol whose primaries are at Route 53."""

    def __init__(self, seed: int, kind: type[Route53Provider] = Route53Provider, *, pairs_equals: bool = True) -> None:
        super().__init__(*WORLDS[Random(seed).randrange(len(WORLDS))])
        self.accounts = Accounts(self.places, kind, pairs_equals=pairs_equals)
        self.primaries = self.accounts
        self.landed = 0

    def _commit(self, transaction: Transaction, writer: Writer) -> m.Event:
        place = (transaction.provider, transaction.endpoint)
        before = self.primaries[place]
        event = self.accounts.commit(transaction)
        if isinstance(event, m.Committed):
            self.landed += 1
            self.trace.append(f"landed {transaction.sentinel.text} {transaction.content}")
            self.checker.landed(before, self.primaries[place], transaction, writer)
        return event


def walked(seed: int, kind: type[Route53Provider] = Route53Provider, *, pairs_equals: bool = True) -> Route53World:
    world = Route53World(seed, kind, pairs_equals=pairs_equals)
    try:
        walk(seed, world)
    finally:
        world.accounts.close()
    return world


@pytest.mark.slow
@pytest.mark.parametrize("pairs_equals", [True, False])
def test_walks_over_route53_are_safe_and_converge(*, pairs_equals: bool) -> None:
    """No walk empties an endpoint, lets a generation fall or overwrites what it has not read, and all end healthy."""
    worlds = [walked(seed, pairs_equals=pairs_equals) for seed in range(WALKS)]

    assert WALKS * 3 < sum(world.landed for world in worlds)
    assert WALKS / 5 > sum(bool(world.checker.excused) for world in worlds)


@pytest.mark.slow
def test_an_adapter_that_upserts_is_found() -> None:
    """Without the comparison in the batch, the same walks find a broken rule within a few seeds."""

    def is_found(seed: int) -> bool:
        try:
            walked(seed, Blind)
        except Violation:
            return True
        return False

    assert any(is_found(seed) for seed in range(FOUND_WITHIN))
