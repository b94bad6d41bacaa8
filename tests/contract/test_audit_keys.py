"""Whether a key may write, told by each real server to who writes nothing."""

import asyncio
from pathlib import Path
from typing import Any

import dns.name
import dns.query
import dns.tsig
import dns.update
import pytest
from dns.rcode import Rcode
from servers.peers import PEERS, demand
from zone_world import CLOSED, KEY, OPEN, PLACES, SECRET, TIMEOUT, ZONES, Place, create, fresh

from outlast.audit.findings import Finding, Level
from outlast.audit.keys import TOGETHER, check_key
from outlast.provider import updates
from outlast.provider.powerdns import PowerdnsProvider
from outlast.traffic.ports import Live, Provider
from outlast.traffic.topology import Endpoint, Target

RIGHT = "it is the server's, and nothing is said against changes by it"
NOTHING = Live((), ())


def endpoint(name: str, *targets: str) -> Endpoint:
    return Endpoint(name=name, targets=tuple(Target(address=it, region="east") for it in targets or ("192.0.2.1",)))


def checked(provider: Provider, zone: str, *endpoints: Endpoint) -> list[Finding]:
    return asyncio.run(check_key(provider, zone, endpoints))


def test_a_right_key_is_seen_without_a_change(primary: Place) -> None:
    """The key and the names are asked about; neither the zone's version nor what stands there moves."""
    provider, name = primary.provider(), f"asked.{OPEN}"
    before = primary.serial()
    found = checked(provider, OPEN, endpoint(name, "192.0.2.1", "2001:db8::1"), endpoint(f"www.{OPEN}", "lb.test."))

    assert [(Level.OK, "key", f"{OPEN} at p", RIGHT, "")] == found
    assert (before, NOTHING) == (primary.serial(), asyncio.run(provider.read(name)))


def test_even_a_server_that_compares_nothing_would_change_nothing(primary: Place) -> None:
    """Without its condition the update takes away what is not there: records and version stay."""
    provider, name = primary.provider(), fresh()
    there = asyncio.run(create(provider, name))
    before = primary.serial()
    message = dns.update.UpdateMessage(OPEN, keyring=dns.tsig.Key(KEY, SECRET))
    updates.add_rehearsal(message, dns.name.from_text(OPEN), [endpoint(name, "192.0.2.1", "2001:db8::1")])
    message.prerequisite.clear()
    answer = dns.query.tcp(message, primary.address, timeout=TIMEOUT, port=primary.port)

    assert (Rcode.NOERROR, 3) == (answer.rcode(), len(message.update))
    assert (before, there) == (primary.serial(), asyncio.run(provider.read(name)))


@pytest.mark.parametrize(
    ("key", "secret", "error"),
    [
        pytest.param(KEY, "d3Jvbmc=", "BADSIG", id="secret"),
        pytest.param("stranger.", "d3Jvbmc=", "BADKEY", id="name"),
    ],
)
def test_a_wrong_key_is_found(primary: Place, key: str, secret: str, error: str) -> None:
    """Without a write it is told, once for the zone: key, provider and the server's word."""
    (found,) = checked(primary.rfc2136(key=key, secret=secret), OPEN, endpoint(f"asked.{OPEN}"))
    word = error if primary.explains_signatures else "REFUSED"

    assert (Level.FAIL, f"{OPEN} at p") == (found.level, found.subject)
    assert found.there.startswith(f"signed with {key}, a change is answered {word}: ")
    assert "make the key of [provider.p] the server's" in found.fix


def test_a_zone_that_the_key_may_not_change_is_found(primary: Place) -> None:
    """But where a server looks at the condition first, as RFC 2136 has it: then nothing is said."""
    (found,) = checked(primary.provider(), CLOSED, endpoint(f"db.{CLOSED}"))

    if primary.server == "embedded":
        assert (Level.OK, RIGHT) == (found.level, found.there)
    else:
        assert (Level.FAIL, f"{CLOSED} at p") == (found.level, found.subject)
        assert found.there.startswith(f"signed with {KEY}, a change is answered {primary.refusal}: ")


@pytest.mark.parametrize("kind", ["bind", "knot"])
def test_names_that_the_key_may_not_change_are_found(kind: str, tmp_path: Path) -> None:
    """Of more than fit into one message each that is closed is told, with what to let the key do; the open one is not."""
    demand(kind)
    db, shut = f"db.{OPEN}", [endpoint(f"shut{number}.{OPEN}") for number in range(TOGETHER)]
    names = {"names": (db, f"_outlast.{db}")}
    with PEERS[kind].start(tmp_path, zones={OPEN: ZONES[OPEN]}, closed=(), key=KEY, secret=SECRET, **names) as server:
        place = PLACES[kind]._replace(address=server.address, port=server.port)
        alone = checked(place.provider(), OPEN, endpoint(db))
        found = checked(place.provider(), OPEN, *shut, endpoint(db))

    assert [Level.OK] == [it.level for it in alone]
    assert [(Level.FAIL, f"{it.name} at p") for it in shut] == [(it.level, it.subject) for it in found]
    assert found[0].there.startswith(f"signed with {KEY}, a change is answered {place.refusal}: ")
    assert f"let the key change A of shut0.{OPEN} and TXT of _outlast.shut0.{OPEN}: docs/DEPLOY.md" == found[0].fix


def test_the_key_of_powerdnss_api_is_looked_at(yard: Any) -> None:
    """By a reading: the one key may do everything. No words repeat it."""
    place = yard.place("powerdns-api")
    right, (wrong,) = checked(place.provider(), OPEN), checked(place.powerdns(api_key="no-such-key"), OPEN)
    elsewhere = PowerdnsProvider(name="p", zones=("elsewhere.test",), url=place.url, api_key="no-such-key")

    assert [(Level.OK, RIGHT)] == [(it.level, it.there) for it in right]
    assert (Level.FAIL, f"{OPEN} at p") == (wrong.level, wrong.subject)
    assert "status 401: Unauthorized (compare the key with api-key in its pdns.conf" in wrong.there
    assert "no-such-key" not in f"{wrong}{checked(elsewhere, 'elsewhere.test')}"


def test_what_octodns_reads_with_is_looked_at(yard: Any) -> None:
    """A credential that may not even read is found, also where readers have another way; no words repeat it."""
    place = yard.place("octodns-powerdns")
    right, (wrong,) = checked(place.provider(), OPEN), checked(place.by_octodns(secret="no-such-key"), OPEN)

    assert [Level.OK] == [it.level for it in right]
    assert (Level.FAIL, False) == (wrong.level, "no-such-key" in str(wrong))


@pytest.mark.parametrize("kind", ["bind", "powerdns-api", "octodns-powerdns"])
def test_a_server_that_is_away_is_not_judged(kind: str) -> None:
    """Where nobody answers nothing can be told of a key."""
    place = PLACES[kind]._replace(address="127.0.0.1", url="http://127.0.0.1:1")
    (found,) = checked(place.provider(port=1), OPEN)

    assert (Level.UNKNOWN, f"{OPEN} at p", True) == (found.level, found.subject, bool(found.fix))
