"""Targets that are names, on a real BIND: the load balancers' own zones stand beside ours, and the prober asks it too."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.message
import dns.query
import dns.tsig
import dns.update
import pytest
from command_world import ENVIRONMENT, Targets, World, wait_for
from servers.bind import bind
from servers.peers import demand
from servers.process import Running

from outlast.config.exporter import Listening, run_exporter
from outlast.config.parse import load
from outlast.registry.sqlite import SqliteRegistry
from outlast.telemetry.watch import Watch
from outlast.traffic.assessment import Agreement

pytestmark = pytest.mark.slow

KEY, SECRET = "outlast.", "b3V0bGFzdCBuYW1lcyBvZiBsb2FkIGJhbGFuY2Vycw=="
ZONE = "$TTL 1\n$ORIGIN {}.\n@ SOA ns hostmaster 1 3600 600 86400 1\n@ NS ns\nns A 127.0.0.1\n{}"
ZONES = {
    "shop.test": ZONE.format("shop.test", ""),
    "east.test": ZONE.format("east.test", "lb-1 A 127.0.0.1\n"),
    "west.test": ZONE.format("west.test", "lb-2 A 127.0.0.2\n"),
}
API, LB1, LB2 = "api.shop.test", "lb-1.east.test.", "lb-2.west.test."


class NamesWorld(World):
    """A control plane for one endpoint, whose targets are two load balancers' names."""

    def __init__(self, folder: Path, targets: Targets, server: Running) -> None:
        super().__init__(folder, targets)
        self.server = server
        self.registry = SqliteRegistry(folder / "outlast.db")

    def configure(self, *lines: str) -> None:
        """Write the configuration; `lines` are those of the targets' table."""
        fresh = self.folder / "outlast.toml.new"
        fresh.write_text(
            f"""
            realm = "shop"
            [registry]
            kind = "sqlite"
            path = "outlast.db"
            [provider.primary]
            kind = "rfc2136"
            address = "127.0.0.1"
            port = {self.server.port}
            zones = ["shop.test"]
            key_name = "{KEY}"
            key_secret_env = "NAMES_SECRET"
            timeout = "5s"
            [health]
            port = {self.targets.port}
            interval = "100ms"
            timeout = "1s"
            max_signal_age = "5s"
            upstreams = ["127.0.0.1:{self.server.port}"]
            [planner]
            interval = "100ms"
            [enactor]
            interval = "100ms"
            [endpoint."{API}"]
            soak = "0s"
            [endpoint."{API}".targets]
            """
            + "\n".join(lines)
        )
        fresh.rename(self.folder / "outlast.toml")

    def balancer(self, zone: str, label: str, *addresses: str) -> None:
        """What a load balancer's operator does: its name has these addresses from now on."""
        update = dns.update.UpdateMessage(zone, keyring=dns.tsig.Key(KEY, SECRET))
        update.delete(label)
        for address in addresses:
            update.add(label, 1, "A", address)
        assert 0 == dns.query.tcp(update, "127.0.0.1", port=self.server.port, timeout=10).rcode()

    def published(self) -> list[str]:
        """What stands at the endpoint: its CNAME, or its addresses."""
        return self._ask("CNAME") or self._ask("A")

    def _ask(self, rdtype: str) -> list[str]:
        query = dns.message.make_query(API, rdtype)
        answer = dns.query.tcp(query, "127.0.0.1", port=self.server.port, timeout=10)
        return sorted(str(item) for rrset in answer.answer if str(rrset.name) == f"{API}." for item in rrset)

    def withheld(self) -> dict[str, str]:
        """The reason for each target that is not published, by the latest plan."""
        plan = asyncio.run(self.registry.latest_plan())
        entry = plan.entry(API) if plan is not None else None
        return {item.address: item.reason for item in entry.withheld} if entry is not None else {}

    def watched(self) -> tuple[Agreement, int]:
        """What the exporter makes of it: the agreement, and the number of addresses."""
        watches: list[Watch] = []

        @contextmanager
        def serve(watch: Watch, *, address: str, port: int) -> Iterator[int]:
            watches.append(watch)
            yield 0

        async def look() -> None:
            stop = asyncio.Event()

            def started(_: int) -> None:
                asyncio.get_running_loop().call_soon(stop.set)  # when the first look is under way

            listening = Listening(serve, "127.0.0.1", 0, 60.0)
            await run_exporter(
                load(self.folder / "outlast.toml"), listening, stop=stop, started=started, tell=lambda _: None
            )

        asyncio.run(look())
        assert watches[0].last is not None
        (reading,) = watches[0].last.readings
        return reading.agreement, reading.addresses

    def log(self) -> str:
        return (self.folder / "up---name.log").read_text()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NamesWorld]:
    demand("bind")
    monkeypatch.setitem(ENVIRONMENT, "NAMES_SECRET", SECRET)
    served = tmp_path / "bind"
    served.mkdir()
    with bind(served, zones=ZONES, closed=(), key=KEY, secret=SECRET) as server:
        targets = Targets("127.0.0.1", "127.0.0.2")
        made = NamesWorld(tmp_path, targets, server)
        try:
            yield made
        finally:
            made.registry.close()
            made.close()
            targets.close()


def test_a_name_that_leads_nowhere_gives_way(world: NamesWorld) -> None:
    """The first name is published; its records vanish and the second follows; both gone, it stays, with alarms."""
    world.configure(f'east = ["{LB1}"]', f'west = ["{LB2}"]')
    world.start("up", "--name", "a")
    wait_for(lambda: world.published() == [LB1] and world.withheld() == {LB2: f"standby: {LB1} is published"})
    first = world.status()["exit"]

    world.balancer("east.test", "lb-1")
    wait_for(lambda: world.published() == [LB2])
    reason = world.withheld()[LB1]
    second = wait_for(lambda: world.status()["exit"] == 0)

    world.balancer("west.test", "lb-2")
    wait_for(lambda: "published name resolves to nothing" in world.log())
    gone, doctor, stays = world.status(), world.run("doctor", "--json"), world.published()
    watched = world.watched()

    world.balancer("west.test", "lb-2", "127.0.0.2")
    wait_for(lambda: world.status()["exit"] == 0)

    assert (0, True, 1, [LB2]) == (first, second, gone["exit"], stays)
    assert "unhealthy: resolves to nothing: NXDOMAIN (prober-a)" == reason
    assert ("dangling", f"{LB2} resolves to nothing, says prober-a") == (gone["agreement"], gone["words"][:50])
    assert (Agreement.DANGLING, 0) == watched
    found = {item["subject"]: item["level"] for item in json.loads(doctor.stdout)["findings"]}
    assert ("FAIL", "FAIL") == (found[f"{LB1} of {API}"], found[f"{LB2} of {API}"])


@pytest.mark.long
def test_addresses_become_a_name_and_a_name_addresses(world: NamesWorld) -> None:
    """An edit from addresses to a name waits until the name leads somewhere, then is one transaction; and back."""
    world.balancer("east.test", "lb-1")
    world.configure('east = ["127.0.0.1", "127.0.0.2"]')
    world.start("up", "--name", "a")
    wait_for(lambda: world.published() == ["127.0.0.1", "127.0.0.2"])

    world.configure(f'east = ["{LB1}"]')
    wait_for(lambda: f"until a name is fit, or pinned; {LB1}: resolves to nothing" in world.log())
    kept = world.published()
    world.balancer("east.test", "lb-1", "127.0.0.1")
    wait_for(lambda: world.published() == [LB1] and world.status()["exit"] == 0)
    differing = world.run("plan", "diff", "1")

    world.configure('east = ["127.0.0.2"]')
    wait_for(lambda: world.published() == ["127.0.0.2"] and world.status()["exit"] == 0)

    assert ["127.0.0.1", "127.0.0.2"] == kept
    assert f"{API}  -127.0.0.1 -127.0.0.2 +{LB1}" in differing.stdout.splitlines()
    assert {LB1: "not configured"}.items() <= world.withheld().items()


@pytest.mark.long
def test_people_move_a_name_by_hand(world: NamesWorld) -> None:
    """Evacuate, pin and break-glass know names, with or without the last dot, and the floor is what a name leads to."""
    world.configure(f'east = ["{LB1}"]', 'west = [{name = "LB-2.west.test", zone = "b"}]')
    world.start("up", "--name", "a")
    wait_for(lambda: world.published() == [LB1] and world.withheld() == {LB2: f"standby: {LB1} is published"})

    left = world.run("evacuate", "lb-1.EAST.test", "--apply")
    after_evacuation = world.published()
    world.run("evacuate", LB1, "--undo", "--apply", "--wait", "0")
    pinned = world.run("pin", API, "lb-1.east.test", "--apply")
    after_pin = world.published()
    world.run("pin", API, "--undo", "--apply", "--wait", "0")
    world.balancer("west.test", "lb-2")
    wait_for(lambda: "resolves to nothing" in world.withheld().get(LB2, ""))
    floor = world.run("evacuate", "east")
    by_hand = world.run("break-glass", API, "--cname", "lb-9.north.test", "--apply")

    assert (0, [LB2], 0, [LB1]) == (left.returncode, after_evacuation, pinned.returncode, after_pin)
    assert f"  kept, for a floor would be broken without: {LB1}" in floor.stdout
    assert (0, ["lb-9.north.test."]) == (by_hand.returncode, world.published())
