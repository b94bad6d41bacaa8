"""What a provider of tier T3 promises less, on a real PowerDNS: shown, so that nobody takes it for more."""

import asyncio
import json
import urllib.request
from typing import Any

import pytest
from contract_overtaken import assert_the_next_pass_goes_forward_again, overtaken
from servers.powerdns import API_KEY
from servers.relay import HttpRelay
from zone_world import (
    COMMITTED,
    NOTHING,
    ONE,
    OPEN,
    TWO,
    Place,
    addresses,
    cname,
    create,
    done,
    fresh,
    write,
)

from outlast.errors import Unavailable
from outlast.provider.powerdns import PowerdnsProvider
from outlast.traffic.content import Content
from outlast.traffic.ports import Live, Outcome, Reply


@pytest.fixture(scope="session")
def weak(yard: Any) -> Place:
    """PowerDNS by its HTTP API."""
    place = yard.place("powerdns-api")
    assert isinstance(place, Place)
    return place


def patch(place: Place, *sets: dict[str, Any]) -> None:
    """Change the zone by the API, behind the provider's back."""
    request = urllib.request.Request(
        f"{place.url}/api/v1/servers/localhost/zones/{OPEN}.",
        method="PATCH",
        data=json.dumps({"rrsets": [{"changetype": "REPLACE", "ttl": 5, **item} for item in sets]}).encode(),
        headers={"X-API-Key": API_KEY},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 204


@pytest.mark.parametrize(
    ("first", "late"),
    [
        pytest.param(TWO, addresses("192.0.2.3"), id="an address"),
        pytest.param(addresses("192.0.2.2", "2001:db8::1"), addresses("192.0.2.3"), id="a family less"),
        pytest.param(addresses("192.0.2.2", "2001:db8::1"), ONE, id="the old content, with less than came"),
        pytest.param(TWO, cname("lb.example.net"), id="a CNAME"),
        pytest.param(cname("lb.example.net"), addresses("192.0.2.3"), id="a CNAME less"),
    ],
)
def test_a_write_overtaken_after_its_comparison_lands_whole(weak: Place, first: Content, late: Content) -> None:
    """The weaker promise: a stale write that compared in time is accepted, and the newer one is gone.

    What stands is sentinel and sets of the later writer, never a mixture, and whoever reads it can go forward.
    """
    found = overtaken(weak, first, late)

    assert (COMMITTED, found.expected) == (found.reply, found.read)
    assert COMMITTED == found.repair


def test_the_next_pass_goes_forward_again(weak: Place) -> None:
    """What is overtaken and lands is mended by the next pass with the new plan."""
    assert_the_next_pass_goes_forward_again(weak)


def test_who_sleeps_after_the_comparison_sends_nothing(weak: Place) -> None:
    """The window is no longer than the timeout: a machine that stopped in it wakes up too late to write."""
    endpoint = fresh()

    async def act() -> tuple[Reply, int, Live, Live]:
        seen = await create(weak.provider(), endpoint)
        async with weak.relay().running() as relay:
            assert isinstance(relay, HttpRelay)
            relay.sleep_after_gets = (2, 0.6)
            reply = await weak.powerdns(port=relay.port, timeout=0.5).commit(write(endpoint, seen, TWO, n=2))
            return reply, relay.changes, seen, await weak.provider().read(endpoint)

    reply, patches, seen, read = asyncio.run(act())

    assert (Outcome.FAILED, 0, seen) == (reply.outcome, patches, read)
    assert "no answer in time" in reply.detail


def test_a_wrong_api_key_is_told_without_it(weak: Place) -> None:
    """With a wrong key nothing is read or written; the words say what to compare, and not the key."""
    provider = weak.powerdns(api_key="no-such-key")
    with pytest.raises(Unavailable, match=r"status 401: Unauthorized \(compare the key with api-key in"):
        asyncio.run(provider.read(fresh()))
    reply = asyncio.run(provider.commit(write(fresh(), NOTHING, ONE)))

    assert (Outcome.FAILED, False) == (reply.outcome, "no-such-key" in f"{reply} {provider!r}")


def test_an_api_without_the_zone_is_told(weak: Place) -> None:
    """Where the server does not have the zone, reading is unavailable and writing fails, with what to look at."""
    provider = PowerdnsProvider(name="p", zones=("elsewhere.test",), url=weak.url, api_key=API_KEY)
    with pytest.raises(Unavailable, match=r"status 404: Not Found \(has the server the zone elsewhere\.test\.,"):
        asyncio.run(provider.read("db.elsewhere.test"))
    reply = asyncio.run(provider.commit(write("db.elsewhere.test", NOTHING, ONE)))

    assert (Outcome.FAILED, True) == (reply.outcome, "status 404" in reply.detail)


def test_an_api_that_is_down_is_told(weak: Place) -> None:
    """Where nobody listens, reading is unavailable and writing fails: nothing can have arrived."""
    reply = asyncio.run(weak.provider(port=1).commit(write(fresh(), NOTHING, ONE)))

    assert Outcome.FAILED == reply.outcome
    assert "p: http://127.0.0.1:1: connection refused" in reply.detail


def test_what_is_disabled_is_not_there(weak: Place) -> None:
    """A disabled record answers nothing and is not read; an enabled one beside it is."""
    one, none = fresh(), fresh()
    disabled = {"content": "192.0.2.8", "disabled": True}
    patch(
        weak,
        {"name": f"{one}.", "type": "A", "records": [disabled, {"content": "192.0.2.9", "disabled": False}]},
        {"name": f"{none}.", "type": "A", "records": [disabled]},
    )
    provider = weak.provider()

    assert Live((), addresses("192.0.2.9").sets) == asyncio.run(provider.read(one))
    assert NOTHING == asyncio.run(provider.read(none))


def test_what_computes_addresses_is_seen_and_replaced(weak: Place) -> None:
    """A LUA record bears addresses: who has not seen it is refused, and who has replaces it."""
    provider, endpoint = weak.provider(), fresh()
    lua = "A \"ifportup(443, {'192.0.2.1'})\""
    patch(weak, {"name": f"{endpoint}.", "type": "LUA", "records": [{"content": lua, "disabled": False}]})

    async def act() -> tuple[Reply, tuple[str, ...], Reply, Live]:
        blind = await provider.commit(write(endpoint, NOTHING, ONE))
        seen = await provider.read(endpoint)
        reply = await provider.commit(write(endpoint, seen, ONE))
        return blind, tuple(item.type for item in seen.sets), reply, await provider.read(endpoint)

    blind, types, reply, read = asyncio.run(act())

    assert (Reply(Outcome.CONFLICT, "LUA changed since it was read"), ("LUA",)) == (blind, types)
    assert (COMMITTED, done(write(endpoint, NOTHING, ONE))) == (reply, read)


def test_planner_and_janitor_read_without_the_key(weak: Place) -> None:
    """What was written by the API is read by DNS at once, by a reader that has no credential."""
    endpoint = fresh()
    reader = weak.rfc2136(key="", secret="")

    async def act() -> tuple[Live, Live]:
        return await create(weak.provider(), endpoint), await reader.read(endpoint)

    expected, read = asyncio.run(act())

    assert expected == read
