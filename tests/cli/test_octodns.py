"""The whole control plane at a provider of octoDNS, as processes: PowerDNS by its HTTP API, from outlast.toml."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_world import Targets, World, wait_for
from servers.peers import demand
from servers.powerdns import API_KEY, PowerDns, powerdns

from outlast.traffic.sentinel import Sentinel, parse

ZONE = """$ORIGIN example.com.
$TTL 300
@ SOA ns hostmaster 1 3600 600 86400 5
@ NS ns
ns A 127.0.0.1
mail MX 10 ns
@ TXT "v=DKIM1; k=rsa; p=abc"
"""


class OctodnsWorld(World):
    """A world whose one provider is octoDNS's."""

    server: PowerDns

    def open(self) -> None:
        """Write the key and the configuration; the server runs already."""
        self.port = self.server.port
        (self.folder / "api.key").write_text(f"{API_KEY}\n")
        self.configure("127.0.0.1", "127.0.0.2")
        path = self.folder / "outlast.toml"
        head, _, rest = path.read_text().partition("[provider.primary]")
        provider = f"""
            [provider.primary]
            kind = "octodns"
            class = "octodns_powerdns.PowerDnsProvider"
            zones = ["example.com"]
            address = "127.0.0.1"
            port = {self.server.port}
            timeout = "5s"
            [provider.primary.settings]
            host = "127.0.0.1"
            port = {self.server.url.rpartition(":")[2]}
            api_key = {{file = "api.key"}}
        """
        path.write_text(head + provider + rest[rest.index("[health]") :])

    def put_back(self, sentinel: str, *addresses: str) -> None:
        """Write by the API what a writer that was overtaken would write late."""
        sets = [("_outlast.db", "TXT", [f'"{sentinel}"']), ("db", "A", list(addresses))]
        body = [
            {"name": f"{label}.example.com.", "type": rdtype, "ttl": 5, "changetype": "REPLACE"}
            | {"records": [{"content": value, "disabled": False} for value in values]}
            for label, rdtype, values in sets
        ]
        request = urllib.request.Request(
            f"{self.server.url}/api/v1/servers/localhost/zones/example.com.",
            method="PATCH",
            data=json.dumps({"rrsets": body}).encode(),
            headers={"X-API-Key": API_KEY},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 204


@pytest.fixture
def world(tmp_path: Path) -> Iterator[OctodnsWorld]:
    demand("powerdns")
    targets = Targets("127.0.0.1", "127.0.0.2")
    folder = tmp_path / "pdns"
    folder.mkdir()
    world = OctodnsWorld(tmp_path, targets)
    with powerdns(folder, zones={"example.com": ZONE}, closed=(), key="outlast.", secret="c2VjcmV0") as world.server:
        world.open()
        yield world
        world.close()
    targets.close()


@pytest.mark.long
def test_a_sick_target_leaves_dns_by_octodns(world: OctodnsWorld) -> None:
    """Planner, prober and enactor of the file: the sick target goes, and everybody says T4."""
    up = world.start("up", "--name", "a")
    wait_for(lambda: world.is_settled("127.0.0.1", "127.0.0.2"))
    world.targets.sick.add("127.0.0.2")
    wait_for(lambda: world.addresses() == ["127.0.0.1"])
    status = world.run("status")
    doctor = json.loads(world.run("doctor", "--json").stdout)["findings"]
    world.stop(up)
    logs = "".join(path.read_text() for path in world.folder.glob("*.log"))

    assert "primary is T4, neither transactions nor compare and swap: a write may be seen half done" in status.stdout
    assert [("warn", "primary")] == [(it["level"], it["subject"]) for it in doctor if it["check"] == "tier"]
    assert API_KEY not in logs + status.stdout + status.stderr + json.dumps(doctor)
    assert "enacted gen=2" in logs


@pytest.mark.long
@pytest.mark.slow
def test_what_another_hand_put_back_is_mended(world: OctodnsWorld) -> None:
    """Read-back at T4: sentinel and records of a time ago, as a late writer leaves them, last until the next pass."""
    up = world.start("up", "--name", "a")
    wait_for(lambda: world.is_settled("127.0.0.1", "127.0.0.2"))
    before = world.status()
    world.stop(up)
    world.targets.sick.add("127.0.0.2")
    up = world.start("up", "--name", "a")
    wait_for(lambda: world.is_settled("127.0.0.1"))
    world.put_back(before["sentinel"][0], "127.0.0.1", "127.0.0.2")
    wait_for(lambda: world.is_settled("127.0.0.1"))
    after = world.status()
    world.stop(up)

    assert "in step" == after["agreement"]
    assert numbers(after["sentinel"]) > numbers(before["sentinel"])


def numbers(sentinel: list[str]) -> tuple[int, int]:
    """Generation and count of writes."""
    read = parse(tuple(sentinel))
    assert isinstance(read, Sentinel)
    return read.gen, read.n
