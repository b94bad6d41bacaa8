"""What every provider does when something is wrong: lost replies, keys, clocks, zones, a primary that is down."""

import asyncio

import pytest
from zone_world import (
    CLOSED,
    COMMITTED,
    NOTHING,
    ONE,
    TWO,
    WILD,
    Place,
    addresses,
    create,
    done,
    fresh,
    write,
)

from outlast.errors import Unavailable
from outlast.provider.rfc2136 import Rfc2136Provider
from outlast.system_clock import SystemClock
from outlast.traffic.content import MAX_VALUES, RecordSet
from outlast.traffic.ports import Live, Outcome, Reply
from outlast.traffic.sentinel import sentinel_name

HOUR = 3600 * 10**9
REFUSED = "REFUSED: the server does not say why: may the key {key} change this zone, and are its secret and both clocks right?"


def test_a_lost_reply_is_recognised(place: Place) -> None:
    """A transaction whose reply is swallowed on the way is reported as lost, and reading tells that it landed."""
    endpoint = fresh()
    transaction = write(endpoint, NOTHING, ONE)

    async def act() -> tuple[Reply, int, Live]:
        async with place.relay().running() as relay:
            provider = place.provider(port=relay.port)
            relay.swallows = True
            reply = await provider.commit(transaction)
            relay.swallows = False
            return reply, relay.swallowed, await provider.read(endpoint)

    reply, swallowed, read = asyncio.run(act())

    assert (Outcome.LOST, 1, done(transaction)) == (reply.outcome, swallowed, read)
    # octoDNS's providers say it in the words of their own libraries.
    assert place.octodns or "the connection was closed before the answer" in reply.detail


@pytest.mark.slow
def test_as_many_addresses_as_content_may_hold_are_replaced(primary: Place) -> None:
    """The largest set, every value of it demanded and every value replaced in one message, arrives whole."""
    provider, endpoint = primary.provider(), fresh()
    first, second = (addresses(*(f"2001:db8:{n}::{host:x}" for host in range(MAX_VALUES))) for n in (1, 2))

    async def act() -> tuple[Live, Live]:
        transaction = write(endpoint, await create(provider, endpoint, first), second, n=2)
        assert COMMITTED == await provider.commit(transaction)
        return done(transaction), await provider.read(endpoint)

    expected, read = asyncio.run(act())

    assert expected == read


def test_a_transaction_beyond_a_message_is_not_sent(primary: Place) -> None:
    """What does not fit into 64 KiB is a failure that says so, and nothing changes."""
    provider, endpoint = primary.provider(), fresh()
    many = RecordSet("AAAA", 5, tuple(f"2001:db8::{n:x}" for n in range(2500)))

    async def act() -> tuple[Reply, Live, Live]:
        seen = await create(provider, endpoint)
        reply = await provider.commit(write(endpoint, Live(seen.sentinel, (*seen.sets, many)), TWO, n=2))
        return reply, seen, await provider.read(endpoint)

    reply, seen, read = asyncio.run(act())

    assert Reply(Outcome.FAILED, "the transaction does not fit into a message of 65535 bytes") == reply
    assert seen == read


@pytest.mark.parametrize(
    ("key", "secret", "error"),
    [
        pytest.param("outlast.", "d3Jvbmc=", "BADSIG", id="secret"),
        pytest.param("stranger.", "d3Jvbmc=", "BADKEY", id="name"),
    ],
)
def test_a_wrong_key_is_named(primary: Place, key: str, secret: str, error: str) -> None:
    """With a wrong key nothing is written, and the reply names the key and what to compare."""
    provider, endpoint = primary.rfc2136(key=key, secret=secret), fresh()
    reply = asyncio.run(provider.commit(write(endpoint, NOTHING, ONE)))
    expected = f"{error}: the server refuses key {key}" if primary.explains_signatures else REFUSED.format(key=key)

    assert (Outcome.FAILED, expected) == (reply.outcome, reply.detail.split(";")[0])
    assert [] == primary.ask(endpoint, "A")


class Skewed(SystemClock):
    """A wall clock that is wrong by so much."""

    def __init__(self, skew: int) -> None:
        self._skew = skew

    def wall(self) -> int:
        return super().wall() + self._skew


@pytest.mark.parametrize("skew", [-24 * HOUR, -HOUR, HOUR, 24 * HOUR])
def test_a_wrong_clock_is_corrected_or_told(primary: Place, skew: int) -> None:
    """A TSIG time error is answered with a request signed with the server's time, for writing and for looking.

    A server that does not say that it is the time gets no other request; what it says is passed on, with what to look at.
    """
    provider, endpoint = primary.rfc2136(clock=Skewed(skew)), fresh(WILD)
    if not primary.explains_signatures:
        with pytest.raises(Unavailable, match="are its secret and both clocks right"):
            asyncio.run(provider.read(endpoint))
        reply = asyncio.run(provider.commit(write(endpoint, NOTHING, ONE)))

        assert (Outcome.FAILED, REFUSED.format(key="outlast.")) == (reply.outcome, reply.detail.split(";")[0])
        return

    async def act() -> tuple[Live, Live, Live]:
        return await provider.read(endpoint), await create(provider, endpoint), await provider.read(endpoint)

    read, expected, created = asyncio.run(act())

    assert (NOTHING, expected) == (read, created)


def test_a_zone_that_the_key_may_not_change_is_said(primary: Place) -> None:
    """A refusal by the zone's policy is a failure with the server's word, and nothing changes."""
    provider, endpoint = primary.provider(), fresh(CLOSED)
    reply = asyncio.run(provider.commit(write(endpoint, NOTHING, ONE)))

    assert (Outcome.FAILED, primary.refusal) == (reply.outcome, reply.detail.split(":")[0])
    assert NOTHING == asyncio.run(provider.read(endpoint))


def test_a_zone_that_the_server_does_not_have_is_said(primary: Place) -> None:
    """Where the server is no authority, reading is unavailable and writing fails with its word."""
    provider = Rfc2136Provider(
        name="p", zones=("elsewhere.test",), address=primary.address, port=primary.port,
        key_name="outlast.", key_secret=primary.rfc2136().key_secret,
    )  # fmt: skip
    endpoint = "db.elsewhere.test"
    with pytest.raises(Unavailable, match="REFUSED"):
        asyncio.run(provider.read(endpoint))
    reply = asyncio.run(provider.commit(write(endpoint, NOTHING, ONE)))

    assert (Outcome.FAILED, primary.stranger) == (reply.outcome, reply.detail.split(":")[0])


def test_an_endpoint_in_none_of_the_zones_is_said(place: Place) -> None:
    """What no zone of the provider holds is not asked for and not sent."""
    provider = place.provider()
    with pytest.raises(Unavailable, match="is in none of its zones"):
        asyncio.run(provider.read("db.example.org"))
    reply = asyncio.run(provider.commit(write("db.example.org", NOTHING, ONE)))

    assert Outcome.FAILED == reply.outcome


def test_a_primary_that_is_down_is_named(primary: Place) -> None:
    """Where nobody listens, reading is unavailable and writing fails: nothing can have arrived."""
    provider = primary.rfc2136(port=1)
    with pytest.raises(Unavailable, match=r"p at 127\.0\.0\.1:1: 127\.0\.0\.1:1: connection refused"):
        asyncio.run(provider.read(fresh()))
    reply = asyncio.run(provider.commit(write(fresh(), NOTHING, ONE)))

    assert Reply(Outcome.FAILED, "127.0.0.1:1: connection refused") == reply


def test_without_a_key_it_only_reads(primary: Place) -> None:
    """A provider without a key reads what is there, and refuses to write before it sends anything."""
    provider, endpoint = primary.rfc2136(), fresh()
    reader = Rfc2136Provider(name="p", zones=provider.zones, address=provider.address, port=provider.port)

    async def act() -> tuple[Live, Live, Reply]:
        seen = await create(provider, endpoint)
        return seen, await reader.read(endpoint), await reader.commit(write(endpoint, seen, TWO, n=2))

    seen, read, reply = asyncio.run(act())

    assert (seen, Reply(Outcome.FAILED, "p has no key here: it can only read")) == (read, reply)


def test_a_cname_at_the_sentinels_name_is_told_and_nothing_written(primary: Place) -> None:
    """Beside it the server would drop the sentinel in silence and take the records: a write without a fence."""
    provider, endpoint = primary.rfc2136(), fresh(label="led")
    primary.change(("add", sentinel_name(endpoint), 5, "CNAME", "elsewhere.test."))

    async def act() -> tuple[Reply, Reply, Live]:
        seen = await provider.read(endpoint)
        first = await provider.commit(write(endpoint, seen, TWO, n=2))
        return first, await provider.commit(write(endpoint, seen, ONE)), await provider.read(endpoint)

    first, older, there = asyncio.run(act())

    assert [Outcome.FAILED] * 2 == [first.outcome, older.outcome]
    assert f"{sentinel_name(endpoint)}. is a CNAME, beside which no sentinel can stand; remove it" in first.detail
    assert NOTHING == there
