"""An endpoint in a zone that BIND signs by itself, with the policy that comes with it and keys made on the spot."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.rrset
import pytest
from patience import wait_for
from servers.bind import bind
from servers.peers import demand
from zone_world import (
    APPEARED,
    CHANGED,
    COMMITTED,
    KEY,
    NOTHING,
    ONE,
    OPEN,
    PLACES,
    SECRET,
    TIMEOUT,
    TWO,
    ZONES,
    Place,
    cname,
    create,
    done,
    fresh,
    write,
)

from outlast.cli import main
from outlast.traffic.content import Content
from outlast.traffic.ports import Live


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    demand("bind")
    zones = {OPEN: ZONES[OPEN]}
    folder = tmp_path_factory.mktemp("signed")
    with bind(folder, zones=zones, closed=(), key=KEY, secret=SECRET, signed=(OPEN,)) as server:
        place = PLACES["bind"]._replace(address=server.address, port=server.port)
        wait_for(lambda: bool(ask(place, OPEN, "DNSKEY")))
        yield place


def ask(place: Place, name: str, rdtype: str) -> list[dns.rrset.RRset]:
    """The answer with its signatures."""
    query = dns.message.make_query(f"{name}.", rdtype, want_dnssec=True)
    return dns.query.tcp(query, place.address, timeout=TIMEOUT, port=place.port).answer


def is_signed(place: Place, name: str, rdtype: str) -> bool:
    """Whether the set is there and its signature is right under the zone's own keys."""
    answer = ask(place, name, rdtype)
    sets = [item for item in answer if item.rdtype == dns.rdatatype.from_text(rdtype)]
    signatures = [item for item in answer if item.rdtype == dns.rdatatype.RRSIG]
    keys = next(item for item in ask(place, OPEN, "DNSKEY") if item.rdtype == dns.rdatatype.DNSKEY)
    if not sets or not signatures:
        return False
    dns.dnssec.validate(sets[0], signatures[0], {dns.name.from_text(OPEN): keys})
    return True


def read(place: Place, endpoint: str) -> Live:
    return asyncio.run(place.provider().read(endpoint))


@pytest.mark.parametrize(
    "second", [pytest.param(TWO, id="an address"), pytest.param(cname("lb.example.net"), id="CNAME")]
)
def test_an_endpoint_is_created_and_replaced_in_a_signed_zone(signer: Place, second: Content) -> None:
    """Committed content is read back with valid signatures over records and sentinel; so is its replacement.

    Inline signing answers from a signed copy that follows a commit within moments.
    """
    endpoint = fresh()
    seen = asyncio.run(create(signer.provider(), endpoint))
    wait_for(lambda: read(signer, endpoint) == seen)

    assert is_signed(signer, endpoint, "A")
    assert is_signed(signer, f"_outlast.{endpoint}", "TXT")

    replacement = write(endpoint, seen, second, n=2)
    assert COMMITTED == asyncio.run(signer.provider().commit(replacement))
    wait_for(lambda: read(signer, endpoint) == done(replacement))

    assert is_signed(signer, endpoint, second.sets[0].type)


def test_the_fence_holds_in_a_signed_zone(signer: Place) -> None:
    """The prerequisites are held against the zone itself, not against the signed copy: the overtaken are refused."""
    endpoint = fresh()

    async def act() -> tuple[object, object]:
        provider = signer.provider()
        old = await create(provider, endpoint)
        again = await provider.commit(write(endpoint, NOTHING, TWO))
        assert COMMITTED == await provider.commit(write(endpoint, old, TWO, n=2))
        return again, await provider.commit(write(endpoint, old, ONE, n=2, by="sleeper"))

    assert (APPEARED, CHANGED) == asyncio.run(act())


def test_doctor_sees_that_the_zone_is_signed(signer: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A configuration that does not say so is told, with the line to add; one that does is right."""
    (tmp_path / "tsig.key").write_text(f'key "{KEY}" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n')
    told = []
    for more in ("", "signed = true"):
        (tmp_path / "outlast.toml").write_text(f"""
            realm = "test"
            [registry]
            kind = "sqlite"
            path = "plans.db"
            [provider.p]
            kind = "rfc2136"
            address = "{signer.address}"
            port = {signer.port}
            zones = ["{OPEN}"]
            key_secret_file = "tsig.key"
            {more}
            [endpoint."db.{OPEN}".targets]
            east = ["192.0.2.1"]
        """)
        with pytest.raises(SystemExit):
            main(["doctor", "--json", "--config", str(tmp_path / "outlast.toml")])
        findings = json.loads(capsys.readouterr().out)["findings"]
        told.append([(item["level"], item["fix"]) for item in findings if item["check"] == "signed"])

    assert [[("warn", "write signed = true in [provider.p]")], []] == told
