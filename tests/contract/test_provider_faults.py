"""What every provider does when something is wrong: lost replies, keys, clocks, zones, a primary that is down."""

import asyncio

import pytest
from servers.proxy import Relay
from zone_world import (
    CLOSED,
    NOTHING,
    ONE,
    TWO,
    WILD,
    Place,
    create,
    done,
    fresh,
    write,
)

from outlast.errors import Unavailable
from outlast.provider.rfc2136 import Rfc2136Provider
from outlast.system_clock import SystemClock
from outlast.traffic.ports import Live, Outcome, Reply

HOUR = 3600 * 10**9


def test_a_lost_reply_is_recognised(primary: Place) -> None:
    """A transaction whose reply is swallowed on the way is reported as lost, and reading tells that it landed."""
    endpoint = fresh()
    transaction = write(endpoint, NOTHING, ONE)

    async def act() -> tuple[Reply, int, Live]:
        async with Relay(primary.address, primary.port).running() as relay:
            provider = primary.provider(port=relay.port)
            relay.swallows = True
            reply = await provider.commit(transaction)
            relay.swallows = False
            return reply, relay.swallowed, await provider.read(endpoint)

    reply, swallowed, read = asyncio.run(act())

    assert (Outcome.LOST, 1, done(transaction)) == (reply.outcome, swallowed, read)
    assert "the connection was closed before the answer" in reply.detail


@pytest.mark.parametrize(
    ("key", "secret", "error"),
    [
        pytest.param("outlast.", "d3Jvbmc=", "BADSIG", id="secret"),
        pytest.param("stranger.", "d3Jvbmc=", "BADKEY", id="name"),
    ],
)
def test_a_wrong_key_is_named(primary: Place, key: str, secret: str, error: str) -> None:
    """With a wrong key nothing is written, and the reply names the key and what to compare."""
    provider, endpoint = primary.provider(key=key, secret=secret), fresh()
    reply = asyncio.run(provider.commit(write(endpoint, NOTHING, ONE)))
    fix = "compare its name, algorithm and secret with the server's"

    assert Reply(Outcome.FAILED, f"{error}: the server refuses key {key}; {fix}") == reply
    assert [] == primary.ask(endpoint, "A")


class Skewed(SystemClock):
    """A wall clock that is wrong by so much."""

    def __init__(self, skew: int) -> None:
        self._skew = skew

    def wall(self) -> int:
        return super().wall() + self._skew


@pytest.mark.parametrize("skew", [-24 * HOUR, -HOUR, HOUR, 24 * HOUR])
def test_a_wrong_clock_does_not_stop_us(primary: Place, skew: int) -> None:
    """A TSIG time error is answered with a request signed with the server's time, for writing and for looking."""
    provider, endpoint = primary.provider(clock=Skewed(skew)), fresh(WILD)

    async def act() -> tuple[Live, Live, Live]:
        return await provider.read(endpoint), await create(provider, endpoint), await provider.read(endpoint)

    read, expected, created = asyncio.run(act())

    assert (NOTHING, expected) == (read, created)


def test_a_zone_that_the_key_may_not_change_is_said(primary: Place) -> None:
    """A refusal by the zone's policy is a failure with the server's word, and nothing changes."""
    provider, endpoint = primary.provider(), fresh(CLOSED)
    reply = asyncio.run(provider.commit(write(endpoint, NOTHING, ONE)))

    assert (Outcome.FAILED, "REFUSED") == (reply.outcome, reply.detail.split(":")[0])
    assert NOTHING == asyncio.run(provider.read(endpoint))


def test_a_zone_that_the_server_does_not_have_is_said(primary: Place) -> None:
    """Where the server is no authority, reading is unavailable and writing fails with its word."""
    provider = Rfc2136Provider(
        name="p", zones=("elsewhere.test",), address=primary.address, port=primary.port,
        key_name="outlast.", key_secret=primary.provider().key_secret,
    )  # fmt: skip
    endpoint = "db.elsewhere.test"
    with pytest.raises(Unavailable, match="REFUSED"):
        asyncio.run(provider.read(endpoint))
    reply = asyncio.run(provider.commit(write(endpoint, NOTHING, ONE)))

    assert (Outcome.FAILED, "NOTAUTH") == (reply.outcome, reply.detail.split(":")[0])


def test_an_endpoint_in_none_of_the_zones_is_said(primary: Place) -> None:
    """What no zone of the provider holds is not asked for and not sent."""
    provider = primary.provider()
    with pytest.raises(Unavailable, match="is in none of its zones"):
        asyncio.run(provider.read("db.example.org"))
    reply = asyncio.run(provider.commit(write("db.example.org", NOTHING, ONE)))

    assert Outcome.FAILED == reply.outcome


def test_a_primary_that_is_down_is_named(primary: Place) -> None:
    """Where nobody listens, reading is unavailable and writing fails: nothing can have arrived."""
    provider = primary.provider(port=1)
    with pytest.raises(Unavailable, match=r"p at 127\.0\.0\.1:1: 127\.0\.0\.1:1: connection refused"):
        asyncio.run(provider.read(fresh()))
    reply = asyncio.run(provider.commit(write(fresh(), NOTHING, ONE)))

    assert Reply(Outcome.FAILED, "127.0.0.1:1: connection refused") == reply


def test_without_a_key_it_only_reads(primary: Place) -> None:
    """A provider without a key reads what is there, and refuses to write before it sends anything."""
    provider, endpoint = primary.provider(), fresh()
    reader = Rfc2136Provider(name="p", zones=provider.zones, address=provider.address, port=provider.port)

    async def act() -> tuple[Live, Live, Reply]:
        seen = await create(provider, endpoint)
        return seen, await reader.read(endpoint), await reader.commit(write(endpoint, seen, TWO, n=2))

    seen, read, reply = asyncio.run(act())

    assert (seen, Reply(Outcome.FAILED, "p has no key here: it can only read")) == (read, reply)
