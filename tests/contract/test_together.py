"""Endpoints that are written at the same time share a message; one that is refused sticks no other (rule h)."""

import asyncio
from typing import Any

from zone_world import CHANGED, COMMITTED, NOTHING, ONE, TWO, Place, addresses, create, done, fresh, write

from outlast.errors import InvalidSentinel
from outlast.provider.rfc2136 import Rfc2136Provider
from outlast.traffic.ports import Live, Outcome, Reply, Transaction
from outlast.traffic.sentinel import MAX_COUNT


class Counting(Rfc2136Provider):
    """Counts the messages that it sends."""

    async def _sent(self, primary: Any, message: Any) -> Reply:
        sizes.append(len(message.update) if hasattr(message, "update") else 0)
        return await super()._sent(primary, message)


sizes: list[int] = []


def counting(primary: Place) -> Counting:
    like = primary.rfc2136()
    return Counting(
        name="p", zones=like.zones, address=like.address, port=like.port, key_name=like.key_name,
        key_secret=like.key_secret, timeout=like.timeout,
    )  # fmt: skip


def test_many_endpoints_take_few_messages(primary: Place) -> None:
    """Forty creations at once land, every one of them, in a handful of messages."""
    provider, names = counting(primary), [fresh(label="many") for _ in range(40)]
    wanted = [write(name, NOTHING, addresses(f"192.0.2.{1 + at}")) for at, name in enumerate(names)]
    sizes.clear()

    async def act() -> tuple[list[Reply], list[Live]]:
        replies = await asyncio.gather(*(provider.commit(transaction) for transaction in wanted))
        return replies, [await provider.read(name) for name in names]

    replies, there = asyncio.run(act())

    assert [COMMITTED] * 40 == replies
    assert [done(transaction) for transaction in wanted] == there
    assert len(sizes) < 10


def test_one_that_is_refused_sticks_no_other(primary: Place) -> None:
    """Of twelve written at once one was overtaken: it alone hears of it, the others land."""
    provider, names = primary.rfc2136(), [fresh(label="mixed") for _ in range(12)]

    async def act() -> tuple[list[Reply], list[Live]]:
        seen = [await create(provider, name) for name in names]
        overtaking = write(names[7], seen[7], TWO, n=2, by="other")
        assert COMMITTED == await provider.commit(overtaking)
        wanted = [write(name, live, addresses("192.0.2.77"), n=3) for name, live in zip(names, seen, strict=True)]
        replies = await asyncio.gather(*(provider.commit(transaction) for transaction in wanted))
        return replies, [await provider.read(name) for name in names]

    replies, there = asyncio.run(act())

    assert [CHANGED if at == 7 else COMMITTED for at in range(12)] == replies
    assert [7] == [at for at, live in enumerate(there) if live.sets == TWO.sets]


def test_two_writers_of_one_endpoint_never_share_a_message(primary: Place) -> None:
    """Both sent at once on the same reading: one lands, the other is refused."""
    provider, name = primary.rfc2136(), fresh()

    async def act() -> list[Reply]:
        seen = await create(provider, name)
        others = [create(provider, fresh()) for _ in range(4)]
        wanted: list[Transaction] = [write(name, seen, TWO, n=2), write(name, seen, ONE, n=2, by="other")]
        found = await asyncio.gather(*(provider.commit(transaction) for transaction in wanted), *others)
        return [reply for reply in found[:2] if isinstance(reply, Reply)]

    assert sorted([COMMITTED, CHANGED]) == sorted(asyncio.run(act()))


def test_one_that_cannot_be_written_sticks_no_other(primary: Place) -> None:
    """A sentinel beyond the largest count is the fault of its own endpoint alone."""
    provider, names = primary.rfc2136(), [fresh(label="largest") for _ in range(6)]
    wanted = [write(name, NOTHING, ONE, n=MAX_COUNT + 1 if at == 3 else 1) for at, name in enumerate(names)]

    async def act() -> list[Reply | BaseException]:
        return await asyncio.gather(*(provider.commit(it) for it in wanted), return_exceptions=True)

    replies = asyncio.run(act())

    assert [COMMITTED] * 5 == [reply for at, reply in enumerate(replies) if at != 3]
    assert isinstance(replies[3], InvalidSentinel)


def test_a_silent_primary_keeps_nobody_longer_than_the_timeout(primary: Place) -> None:
    """Several zones of one round are not waited for one after another."""
    like = primary.rfc2136()
    zones = tuple(f"z{number}.test" for number in range(8))

    async def act() -> tuple[list[Outcome], float]:
        async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(swallow, "127.0.0.1", 0)
        provider = Rfc2136Provider(
            name="p", zones=zones, address="127.0.0.1", port=server.sockets[0].getsockname()[1],
            key_name=like.key_name, key_secret=like.key_secret, timeout=1.0,
        )  # fmt: skip
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with server:
            replies = await asyncio.gather(*(provider.commit(write(f"db.{zone}", NOTHING, ONE)) for zone in zones))
            return [reply.outcome for reply in replies], loop.time() - begun

    outcomes, took = asyncio.run(act())

    assert [Outcome.LOST] * 8 == outcomes
    assert took < 5.0
