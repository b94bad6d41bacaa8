"""A registry that is reached by an alias of what its plans repair is found, and so is a zone that is not what is configured."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers.embedded import embedded

from outlast.audit.name_facts import gather_names
from outlast.audit.zone_facts import Server
from outlast.cli import main
from outlast.nameserver.server import Nameserver

ZONE = (
    "$ORIGIN names.test.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 1209600 5\n@ NS ns\nns A 127.0.0.1\n"
    "db A 192.0.2.1\nplans CNAME near\nnear CNAME db\nfree A 198.51.100.1\nfree AAAA 2001:db8::7\n"
    "lost CNAME gone\nloop CNAME pool\npool CNAME loop\n"
)
KEY, SECRET = "outlast.", "b3V0bGFzdCBjb250cmFjdCB0ZXN0cyBvbmx5ISEhISE="


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nameserver]:
    folder = tmp_path_factory.mktemp("names")
    with embedded(folder, zones={"names.test": ZONE}, closed=(), key=KEY, secret=SECRET) as running:
        yield running


def gathered(server: Nameserver, *hosts: str) -> Any:
    return asyncio.run(gather_names(hosts, Server(server.address, server.port)))


def test_every_alias_down_to_the_addresses_is_followed(server: Nameserver) -> None:
    """Chains, both families, several names; an address leads nowhere and is not asked for."""
    facts = gathered(server, "Plans.names.test.", "free.names.test", "192.0.2.9", "2001:db8::1")

    assert {
        "plans.names.test": ("near.names.test",),
        "near.names.test": ("db.names.test",),
        "db.names.test": ("192.0.2.1",),
        "free.names.test": ("198.51.100.1", "2001:db8::7"),
    } == facts.leads_to
    assert {} == facts.unseen


def test_names_that_lead_nowhere_are_told(server: Nameserver) -> None:
    """A name that is not there, one whose alias leads to nothing, and aliases in a ring: the end is named, and it ends."""
    facts = gathered(server, "none.names.test", "lost.names.test", "loop.names.test")

    assert {"none.names.test", "gone.names.test"} == facts.unseen.keys()
    assert "127.0.0.1 knows no address of it" == facts.unseen["gone.names.test"]
    assert ("pool.names.test",) == facts.leads_to["loop.names.test"]


def test_a_resolver_that_is_away_is_told() -> None:
    """Nothing is made up."""
    facts = asyncio.run(gather_names(["db.names.test"], Server("127.0.0.1", 1)))

    assert {} == facts.leads_to
    assert "127.0.0.1:1 does not answer" in facts.unseen["db.names.test"]


def test_this_machines_own_names_are_known() -> None:
    """What no resolver is asked about, or none knows, the machine's hosts file may."""
    facts = asyncio.run(gather_names(["localhost"], None))

    assert {"127.0.0.1", "::1"} & set(facts.leads_to["localhost"])


def doctor(
    server: Nameserver, folder: Path, capsys: pytest.CaptureFixture[str], *, registry: str, more: str = ""
) -> dict[str, list[dict[str, str]]]:
    """What doctor says, by check."""
    (folder / "tsig.key").write_text(f'key "outlast" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n')
    (folder / "outlast.toml").write_text(f"""
        realm = "test"
        [registry]
        {registry}
        [provider.p]
        kind = "rfc2136"
        address = "{server.address}"
        port = {server.port}
        zones = ["names.test"]
        key_secret_file = "tsig.key"
        {more}
        [endpoint."db.names.test".targets]
        east = ["192.0.2.1"]
    """)
    asked = f"{server.address}:{server.port}"
    with pytest.raises(SystemExit):
        main(["doctor", "--json", "--resolver", asked, "--config", str(folder / "outlast.toml")])
    found: dict[str, list[dict[str, str]]] = {}
    for item in json.loads(capsys.readouterr().out)["findings"]:
        found.setdefault(item["check"], []).append(item)
    return found


def test_doctor_refuses_a_registry_behind_an_alias_of_an_endpoint(
    server: Nameserver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The circle is printed with every alias on the way; nothing is connected to."""
    text = 'kind = "postgres"\ndsn = "postgresql://me@plans.names.test/plans"'
    (finding,) = doctor(server, tmp_path, capsys, registry=text)["registry"]
    way = "registry → plans.names.test → near.names.test → db.names.test → endpoint of the plans → registry"

    assert ("FAIL", f"it needs what its plans repair: {way}") == (finding["level"], finding["there"])


def test_doctor_says_what_it_could_not_follow(
    server: Nameserver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A declared dependency that no resolver knows is no proof that there is no circle."""
    text = 'kind = "sqlite"\npath = "plans.db"\ndepends_on = ["none.names.test", "free.names.test"]'
    unseen, missing = doctor(server, tmp_path, capsys, registry=text)["registry"]

    assert ("unknown", "warn") == (unseen["level"], missing["level"])
    assert unseen["there"].startswith("what none.names.test leads to is not known: ")


def test_doctor_says_that_a_zone_is_not_signed(
    server: Nameserver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A configuration that says signed of a zone without keys is wrong, and one that says nothing is right."""
    sqlite = 'kind = "sqlite"\npath = "plans.db"'
    (wrong,) = doctor(server, tmp_path, capsys, registry=sqlite, more="signed = true")["signed"]
    right = doctor(server, tmp_path, capsys, registry=sqlite)

    assert ("warn", "sign the zone, or take signed = true out of [provider.p]") == (wrong["level"], wrong["fix"])
    assert "signed" not in right
