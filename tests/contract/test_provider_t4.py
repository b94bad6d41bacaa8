"""What a provider of tier T4 promises less, by octoDNS on a real BIND and a real PowerDNS: shown, so that it is known."""

import asyncio
import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from contract_overtaken import assert_the_next_pass_goes_forward_again, overtaken
from servers.relay import HttpRelay, UpdateRelay
from zone_world import (
    CLOSED,
    COMMITTED,
    NOTHING,
    OCTODNS_BIND,
    ONE,
    OPEN,
    TIMEOUT,
    TWO,
    Place,
    addresses,
    alias_data,
    cname,
    create,
    done,
    fresh,
    write,
)

from outlast.errors import Unavailable
from outlast.provider.blocking import PREFIX
from outlast.provider.octodns import OctodnsProvider
from outlast.traffic.content import Content
from outlast.traffic.ports import Live, Outcome, Reply, Tier

PATIENCE = 2.5
"""Seconds within which octoDNS, on a busy machine, has read the zone and begun to write."""


@pytest.fixture(scope="session", params=["octodns-bind", "octodns-powerdns"])
def weakest(request: pytest.FixtureRequest, yard: Any) -> Place:
    """Each server that is changed by octoDNS."""
    place = yard.place(request.param)
    assert isinstance(place, Place)
    return place


def everything(place: Place) -> dict[tuple[str, str], list[str]]:
    """Every record of the zone but for its SOA, as octoDNS itself reads it, without any part of ours."""
    provider: Any = place.by_octodns()._octodns()
    zone: Any = __import__("octodns.zone", fromlist=["Zone"]).Zone(f"{OPEN}.", [])
    provider.populate(zone, target=True, lenient=True)
    return {(it.fqdn, it._type): sorted(map(str, getattr(it, "values", None) or [it.value])) for it in zone.records}


def wait_for_threads() -> None:
    """Wait for the calls that were given up."""
    for thread in threading.enumerate():
        if thread.name.startswith(PREFIX):
            thread.join(TIMEOUT)


def test_no_record_of_others_is_touched(weakest: Place) -> None:
    """In a zone of which nearly all is others' (odd TXT, semicolons, MX, delegations), a commit changes two names only."""
    endpoint, other = fresh(), fresh()
    steps: list[tuple[Any, ...]] = [("add", f"w{n}.{other}", 300, "A", f"198.51.100.{n}") for n in range(1, 21)]
    steps += [
        ("add", other, 300, "MX", f"10 ns.{OPEN}."),
        ("add", other, 300, "TXT", '"v=DKIM1; k=rsa; p=abc" "def"'),
        ("add", f"sub.{other}", 300, "NS", "ns.elsewhere.test."),
        ("add", f"_outlast.{other}", 300, "TXT", '"somebody else\'s; kept"'),
        ("add", f"*.{other}", 300, "A", "198.51.100.99"),
    ]
    weakest.change(*steps)
    before = everything(weakest)

    async def act() -> None:
        provider = weakest.provider()
        first = write(endpoint, await create(provider, endpoint, addresses("192.0.2.1", "2001:db8::1")), TWO, n=2)
        assert COMMITTED == await provider.commit(first)
        assert COMMITTED == await provider.commit(write(endpoint, done(first), cname("lb.example.net"), n=3))

    asyncio.run(act())
    after = everything(weakest)
    ours = {(f"{endpoint}.", "CNAME"), (f"_outlast.{endpoint}.", "TXT")}

    assert before == {key: value for key, value in after.items() if key not in ours}
    assert ours <= after.keys()


@pytest.mark.parametrize(
    ("first", "late"),
    [
        pytest.param(TWO, addresses("192.0.2.3"), id="an address"),
        pytest.param(TWO, cname("lb.example.net"), id="a CNAME"),
    ],
)
def test_a_write_overtaken_after_its_comparison_lands(weakest: Place, first: Content, late: Content) -> None:
    """The weaker promise: a stale write that compared in time is carried out, and the newer one is gone."""
    found = overtaken(weakest, first, late)

    if weakest.octodns == OCTODNS_BIND and late == cname("lb.example.net"):
        # octoDNS deletes what it has read, and no more; BIND drops a CNAME beside what is left in silence (RFC 2136,
        # section 3.4.2.2). So the late sentinel stands beside the newer addresses: a mixture, which read-back tells.
        assert (Outcome.LOST, Live(found.expected.sentinel, first.sets)) == (found.reply.outcome, found.read)
    else:
        assert (COMMITTED, found.expected) == (found.reply, found.read)
    assert COMMITTED == found.repair


def test_the_next_pass_goes_forward_again(weakest: Place) -> None:
    """What is overtaken and lands is mended by the next pass with the new plan."""
    assert_the_next_pass_goes_forward_again(weakest)


def test_who_is_given_up_before_the_change_sends_nothing(weakest: Place) -> None:
    """A thread cannot be stopped: one whose reading comes back after the time is over finds the gate closed."""
    endpoint = fresh()

    async def act() -> tuple[Reply, int, Live, Live]:
        seen = await create(weakest.provider(), endpoint)
        async with weakest.relay().running() as relay:
            assert isinstance(relay, UpdateRelay | HttpRelay)
            relay.slow = 0.8
            provider = weakest.by_octodns(port=relay.port)
            object.__setattr__(provider, "timeout", 0.3)
            reply = await provider.commit(write(endpoint, seen, TWO, n=2))
            await asyncio.to_thread(wait_for_threads)
            return reply, relay.changes, seen, await weakest.provider().read(endpoint)

    reply, changes, seen, read = asyncio.run(act())

    assert (Reply(Outcome.FAILED, "no answer within 0.3 s"), 0, seen) == (reply, changes, read)


def test_who_is_given_up_during_the_change_is_lost(weakest: Place) -> None:
    """Once the change has begun nobody can say what becomes of it: it is lost, and lands when the server wakes."""
    endpoint = fresh()

    async def act() -> tuple[Reply, Live, Live]:
        seen = await create(weakest.provider(), endpoint)
        async with weakest.relay().running() as relay:
            assert isinstance(relay, UpdateRelay | HttpRelay)
            relay.hold()
            provider = weakest.by_octodns(port=relay.port)
            object.__setattr__(provider, "timeout", PATIENCE)
            transaction = write(endpoint, seen, TWO, n=2)
            reply = await provider.commit(transaction)
            relay.release()
            await asyncio.to_thread(wait_for_threads)
            return reply, done(transaction), await weakest.provider().read(endpoint)

    reply, expected, read = asyncio.run(act())

    assert (Reply(Outcome.LOST, f"no answer within {PATIENCE:g} s"), expected) == (reply, read)


def test_a_wrong_secret_is_told_without_it(weakest: Place, caplog: pytest.LogCaptureFixture) -> None:
    """With a wrong secret nothing is read or written; neither words nor logs nor `repr` hold it."""
    secret = "bm8tc3VjaC1rZXk="
    provider = weakest.by_octodns(secret=secret)
    with caplog.at_level(logging.DEBUG):
        with pytest.raises(Unavailable) as caught:
            asyncio.run(provider.read(fresh()))
        reply = asyncio.run(provider.commit(write(fresh(), NOTHING, ONE)))

    assert Outcome.FAILED == reply.outcome
    assert secret not in f"{reply} {provider!r} {caught.value} {caplog.text}"


def test_a_zone_that_the_server_has_not_is_not_made(weakest: Place) -> None:
    """OctoDNS's PowerDNS provider makes the zones it lacks; nothing of ours lets it."""
    provider = weakest.by_octodns(zones=("elsewhere.test",))
    with pytest.raises(Unavailable):
        asyncio.run(provider.read("db.elsewhere.test"))
    reply = asyncio.run(provider.commit(write("db.elsewhere.test", NOTHING, ONE)))

    assert Outcome.FAILED == reply.outcome
    with pytest.raises(Unavailable):
        asyncio.run(provider.read("db.elsewhere.test"))


def test_a_refusal_changes_nothing(yard: Any) -> None:
    """A key that may read and not change: octoDNS's word for it comes back, and the zone is as it was."""
    place, endpoint = yard.place("octodns-bind"), fresh(CLOSED)
    reply = asyncio.run(place.provider().commit(write(endpoint, NOTHING, ONE)))

    assert Reply(Outcome.FAILED, "Rfc2136ProviderUpdateFailed: Unable to perform update: REFUSED") == reply
    assert [] == place.ask(endpoint, "A")


def test_what_octodns_does_not_read_is_not_compared(yard: Any) -> None:
    """An alias on BIND is of a type that octoDNS passes over: it is not seen, and it stays."""
    place, endpoint = yard.place("octodns-bind"), fresh()
    place.change(("add", endpoint, 5, "ALIAS", alias_data(f"ns.{OPEN}")))
    provider = place.provider()
    seen = asyncio.run(provider.read(endpoint))
    reply = asyncio.run(provider.commit(write(endpoint, seen, ONE)))

    assert (NOTHING, COMMITTED, 1) == (seen, reply, len(place.ask(endpoint, place.alias)))


def test_text_that_octodns_cannot_read_hides_the_whole_zone(yard: Any) -> None:
    """One TXT record that is not UTF-8, anywhere in the zone: nothing is read or written there until it is gone."""
    place, odd = yard.place("octodns-bind"), fresh()
    place.change(("add", odd, 5, "TXT", '"\\200"'))
    try:
        with pytest.raises(Unavailable, match="p: RdataParseError"):
            asyncio.run(place.provider().read(fresh()))
        reply = asyncio.run(place.provider().commit(write(fresh(), NOTHING, ONE)))
    finally:
        place.change(("delete", odd))

    assert Outcome.FAILED == reply.outcome


def test_a_provider_that_writes_zones_whole_is_refused(tmp_path: Path) -> None:
    """OctoDNS's file providers would leave nothing of a zone but the endpoint: neither read nor written by us."""
    file = tmp_path / f"{OPEN}."
    file.write_text(f"$ORIGIN {OPEN}.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 5\n@ NS ns\nns A 127.0.0.1\n")
    before = file.read_bytes()
    provider = OctodnsProvider(
        name="p", zones=(OPEN,), class_path="octodns_bind.ZoneFileProvider", options={"directory": str(tmp_path)}
    )
    with pytest.raises(Unavailable, match="this kind of provider writes zones whole"):
        asyncio.run(provider.read(fresh()))
    reply = asyncio.run(provider.commit(write(fresh(), NOTHING, ONE)))

    assert (Outcome.FAILED, before, Tier.T4) == (reply.outcome, file.read_bytes(), provider.tier)


def test_what_octodns_warns_of_is_not_logged(weakest: Place, caplog: pytest.LogCaptureFixture) -> None:
    """A zone with an odd record is read every second: octoDNS's warning of it would fill the log."""
    odd = fresh(label="under_score.host")
    weakest.change(("add", odd, 5, "SRV", f"1 1 1 {OPEN}."), ("add", f"srv.{odd}", 5, "SRV", f"1 1 1 {OPEN}."))
    with caplog.at_level(logging.DEBUG, logger="Record"), caplog.at_level(logging.DEBUG, logger="Zone"):
        asyncio.run(weakest.provider().read(fresh()))

    assert [] == [item for item in caplog.records if item.name in {"Record", "Zone", "Plan"}]
