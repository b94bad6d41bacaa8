"""A person's turn at a provider that cannot compare and swap: enactors give way, the wait has an end, nobody is stuck."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from outlast.config.hand_turns import PATIENCE, HandTurn, Pace
from outlast.config.turns import Turns, lease_of
from outlast.errors import Refused, Unavailable
from outlast.registry.memory import MemoryRegistry
from outlast.traffic.content import Content
from outlast.traffic.lease import NOBODY
from outlast.traffic.ports import Lease, Live, Outcome, Reply, Tier, Transaction
from outlast.traffic.sentinel import Sentinel, Standing

SECOND = 10**9
PACE = Pace(ttl=5.0, timeout=2.0)
CONTENT = Content.of_addresses(["192.0.2.1"], ttl=5)
WRITE = Transaction(
    "p", "db.example.com", Live((), ()), Sentinel("r", 1, 1, CONTENT.digest, Standing.LIVE, "e"), CONTENT
)


class Slow(NamedTuple):
    """A provider of a weak tier that answers when told to."""

    may_answer: asyncio.Event
    outcome: Outcome = Outcome.COMMITTED
    name: str = "p"
    tier: Tier = Tier.T3

    async def read(self, endpoint: str) -> Live:
        raise AssertionError(endpoint)

    async def commit(self, transaction: Transaction) -> Reply:
        assert transaction is WRITE
        await self.may_answer.wait()
        return Reply(self.outcome)


class Away(MemoryRegistry):
    """A registry that can be away."""

    is_away = False

    async def lease(self, name: str) -> Lease | None:
        if self.is_away:
            raise Unavailable("away")
        return await super().lease(name)


class Scene:
    """A clock that waiting moves, one enactor that passes every second, and people."""

    def __init__(self, *, outcome: Outcome = Outcome.COMMITTED, passes: bool = True) -> None:
        self.now = SECOND
        self.registry = Away()
        self.slow = Slow(asyncio.Event(), outcome)
        providers: dict[str, Any] = {"p": self.slow}
        self.turns = Turns("enactor-a", providers, interval=1.0, now=lambda: self.now)
        self.door = self.turns.guarded(providers)["p"]
        self.passes, self.passed = passes, 0
        self.said: list[str] = []

    def hand(self, me: str = "freeze/ann") -> HandTurn:
        return HandTurn(
            me, "p", self.registry, PACE, self.said.append, now=lambda: self.now, sleep=self.sleep
        )  # fmt: skip

    async def sleep(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)
        await asyncio.sleep(0)
        if self.passes and self.now - self.passed >= SECOND:
            self.passed = self.now
            await self.turns.others(self.registry)

    async def settle(self) -> None:
        """Let the enactor take its lease."""
        while not self.turns.is_mine("p"):
            await self.sleep(1.0)

    async def row(self) -> Lease | None:
        return await self.registry.lease(lease_of("p"))


async def reached(is_so: Callable[[], bool]) -> None:
    """Let the others go on until it is so."""
    for _ in range(10_000):
        if is_so():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to it")


def test_an_idle_enactor_gives_way_on_its_next_pass() -> None:
    """It is told, not waited out; while the hand writes it sends nothing, and afterwards it goes on at once."""

    async def act() -> tuple[float, Reply, bool, Reply]:
        scene = Scene()
        await scene.settle()
        begun, hand = scene.now, scene.hand()
        await hand.take()
        took = (scene.now - begun) / SECOND
        during = await scene.door.commit(WRITE)
        await hand.give_back()
        await scene.sleep(1.0)
        scene.slow.may_answer.set()
        return took, during, scene.turns.is_mine("p"), await scene.door.commit(WRITE)

    took, during, again, after = asyncio.run(act())

    assert took <= 1.2
    assert Reply(Outcome.FAILED, "it is not our turn to write there any more") == during
    assert (True, Reply(Outcome.COMMITTED)) == (again, after)


@pytest.mark.parametrize(("outcome", "longest"), [(Outcome.COMMITTED, 4.3), (Outcome.LOST, 7.1)])
def test_a_write_under_way_is_waited_for(outcome: Outcome, longest: float) -> None:
    """The hand's turn begins after that write has ended; after a lost reply, when it must have landed if it ever does."""

    async def act() -> tuple[float, bool]:
        scene = Scene(outcome=outcome)
        await scene.settle()
        writing = asyncio.create_task(scene.door.commit(WRITE))
        await asyncio.sleep(0)
        begun = scene.now
        taking = asyncio.create_task(scene.hand().take())
        await reached(lambda: scene.now >= begun + 3 * SECOND)
        early = taking.done()
        scene.slow.may_answer.set()
        await writing
        await taking
        return (scene.now - begun) / SECOND, early

    took, early = asyncio.run(act())

    assert not early
    assert longest - 1.3 <= took <= longest


def test_a_dead_enactor_costs_its_lease_and_no_more() -> None:
    """Nobody gives way: after the lease and one write's time the hand goes on, and says what it waited for."""

    async def act() -> tuple[float, str, list[str]]:
        scene = Scene()
        await scene.settle()
        scene.passes, begun, hand = False, scene.now, scene.hand()
        await hand.take()
        return (scene.now - begun) / SECOND, hand.unguarded, scene.said

    took, unguarded, said = asyncio.run(act())

    assert (True, "") == (PACE.ttl + PACE.timeout <= took <= PACE.ttl + PACE.timeout + 0.2, unguarded)
    assert ["waiting for the enactors of p to give way, at most 7 s", said[1]] == said
    assert "its lease has run out" in said[1]


def test_without_the_registry_the_hand_goes_on_and_says_so() -> None:
    """Nothing is waited for, and what nobody guards is told with what to do."""

    async def act() -> tuple[float, str]:
        scene = Scene()
        await scene.settle()
        scene.registry.is_away, begun, hand = True, scene.now, scene.hand()
        await hand.take()
        await hand.give_back()
        return scene.now - begun, hand.unguarded

    took, unguarded = asyncio.run(act())

    assert (0, True) == (took, unguarded.startswith("not guarded against an enactor that is just writing (away)"))
    assert "look again in 7 s: outlast status" in unguarded


def test_a_registry_that_goes_meanwhile_costs_the_lease() -> None:
    """Once the lease is taken nobody can write after it has run out, told or not."""

    async def act() -> tuple[float, str]:
        scene = Scene(passes=False)
        hand = scene.hand()
        taking = asyncio.create_task(hand.take())
        await reached(lambda: bool(scene.said))
        scene.registry.is_away, begun = True, scene.now
        await taking
        return (scene.now - begun) / SECOND, hand.unguarded

    took, unguarded = asyncio.run(act())

    assert (True, "") == (took <= PACE.ttl + PACE.timeout, unguarded)


def test_people_wait_for_one_another_and_not_for_ever() -> None:
    """A command at work is not pushed aside; one that ended is followed at once; one that hangs is named."""

    async def act() -> tuple[str, list[str], float, Lease | None]:
        scene = Scene()
        first, second, third = scene.hand(), scene.hand("thaw/bob"), scene.hand("retire/eve")
        await first.take()
        keeping = asyncio.create_task(first.keep())
        with pytest.raises(Refused) as caught:
            await second.take()
        keeping.cancel()
        await first.give_back()
        begun = scene.now
        await third.take()
        return str(caught.value), scene.said, (scene.now - begun) / SECOND, await scene.row()

    refused, said, took, row = asyncio.run(act())

    assert "freeze/ann is at work at p (try again when that command has ended)" == refused
    assert f"waiting for freeze/ann at p, at most {PATIENCE:g} s" in said
    assert (0.0, True) == (took, row is not None and row.holder.startswith("hand/retire/eve/"))


def test_a_command_that_died_is_followed_after_its_lease() -> None:
    """A hand that stopped without giving back holds nobody up for longer than its lease: neither people nor enactors."""

    async def act() -> tuple[float, bool]:
        scene = Scene(passes=False)
        await scene.hand().take()
        begun = scene.now
        await scene.hand("thaw/bob").take()
        took = (scene.now - begun) / SECOND
        scene.passes = True
        for _ in range(8):
            await scene.sleep(1.0)
        return took, scene.turns.is_mine("p")

    took, again = asyncio.run(act())

    assert (True, True) == (took <= 2 * PACE.ttl + PACE.timeout + 0.3, again)


def test_a_turn_that_was_lost_is_told() -> None:
    """A command that stood still for longer than its lease does not say that it was guarded."""

    async def act() -> tuple[str, Lease | None]:
        scene = Scene()
        hand = scene.hand()
        await hand.take()
        for _ in range(10):
            await scene.sleep(1.0)
        await hand.give_back()
        return hand.unguarded, await scene.row()

    unguarded, row = asyncio.run(act())

    assert "(the turn was lost meanwhile)" in unguarded
    assert row is not None
    assert row.holder not in {NOBODY, ""}
