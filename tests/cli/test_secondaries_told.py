"""Secondaries that are named are asked, too: what they still answer is told, by status and by whoever watches an order."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from command_world import KEY, Targets, World, wait_for
from servers.bind import bind, bind_secondary
from servers.embedded import embedded
from servers.peers import demand
from servers.process import free_port

pytestmark = pytest.mark.slow
MINUTE, HOUR = 60 * 10**9, 3600 * 10**9
BOTH = ("127.0.0.1", "127.0.0.2")
ZONE = "$ORIGIN example.com.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 5\n@ NS ns\nns A 127.0.0.1\n"


class Secondaries(World):
    """A world whose provider is a BIND, with a secondary that soon asks for changes, one that does not, and a dead one."""

    primary_port: int
    servers: tuple[str, ...]

    def open(self) -> None:
        """Write key and configuration; the servers run already."""
        self.port = self.primary_port
        (self.folder / "tsig.key").touch(mode=0o600)
        (self.folder / "tsig.key").write_text(
            f'key "outlast" {{ algorithm hmac-sha256; secret "{KEY.split(":")[2]}"; }};\n'
        )
        self.configure(*BOTH)
        path = self.folder / "outlast.toml"
        path.write_text(
            path.read_text().replace("[health]", f"secondaries = {json.dumps(self.servers)}\n            [health]", 1)
        )

    def reaches(self) -> list[tuple[str, bool]]:
        """How far status says that each secondary is, in the order of the settings."""
        return [(it["reach"], it["overdue"]) for it in self.status()["secondaries"]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secondaries]:
    demand("bind")
    targets = Targets(*BOTH)
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp
        server = stack.enter_context(
            bind(folder("primary"), zones={"example.com": ZONE}, closed=(), key="outlast", secret=KEY.split(":")[2])
        )
        quick, slow = (
            stack.enter_context(
                bind_secondary(folder(name), zone="example.com", primary_port=server.port, refresh=refresh)
            )
            for name, refresh in (("quick", 1), ("slow", 3600))
        )
        made = Secondaries(folder("world"), targets)
        made.primary_port = server.port
        made.servers = tuple(f"127.0.0.1:{port}" for port in (quick.port, slow.port, free_port()))
        stack.callback(targets.close)
        stack.callback(made.close)
        made.open()
        made.start("up", "--name", "a")
        wait_for(lambda: made.is_settled(*BOTH))
        wait_for(lambda: made.reaches()[0] == ("in step", False))
        yield made


def test_status_tells_what_each_secondary_answers(world: Secondaries) -> None:
    """In step, behind with what it still answers, and silent: told in words and in JSON, and no alarm while it is fresh."""
    text, told = world.run("status"), world.status()
    quick, slow, dead = told["secondaries"]
    words = (
        f"db.example.com at primary: secondary {slow['server']} behind: serial {slow['serial']}, and the primary has "
    )

    assert list(world.servers) == [it["server"] for it in told["secondaries"]]
    assert ["in step", "behind", "silent"] == [it["reach"] for it in told["secondaries"]]
    assert (told["sentinel"], told["sets"]) == (quick["sentinel"], quick["sets"])
    assert ([], [], None) == (slow["sentinel"], slow["sets"], dead["sets"])
    assert slow["words"].endswith("; still answers nothing")
    assert "connection refused" in dead["words"]
    assert (0, 0) == (told["exit"], text.returncode)
    assert words in text.stdout
    assert f"secondary {quick['server']}" not in text.stdout


def test_an_order_is_watched_at_the_secondaries_too(world: Secondaries) -> None:
    """Primary and quick secondary follow and the slowest is told; one that does not is named, and is no failure of the order."""
    done = world.run("evacuate", "127.0.0.2", "--apply", "--wait", "6", "--json")
    told: dict[str, Any] = json.loads(done.stdout)
    world.run("evacuate", "127.0.0.2", "--undo", "--apply", "--wait", "0")
    wait_for(lambda: world.is_settled(*BOTH))
    quick, slow, dead = told["secondaries"]

    assert 0 == done.returncode
    assert list(world.servers) == [it["server"] for it in told["secondaries"]]
    assert told["slowest_seconds"] <= quick["seconds"] == told["slowest_secondary_seconds"] < 6
    assert [None, None] == [slow["seconds"], dead["seconds"]]
    assert f"db.example.com at primary: secondary {quick['server']} follows after " in done.stderr
    assert f"db.example.com at primary: secondary {slow['server']} DOES NOT FOLLOW within 6 s" in done.stderr


def test_what_lags_for_long_is_an_alarm(world: Secondaries) -> None:
    """Once the plan is older than the zone's refresh, what a secondary still answers is an alarm; that one is silent is none."""
    wait_for(lambda: world.reaches()[0] == ("in step", False))
    with contextlib.closing(sqlite3.connect(world.folder / "outlast.db", isolation_level=None)) as registry:
        (generation,) = registry.execute("SELECT max(generation) FROM plan").fetchone()
        move = "UPDATE plan SET at = at + ? WHERE generation <= ?"
        registry.execute(move, (-HOUR + MINUTE, generation))
        before = world.status()
        registry.execute(move, (-2 * MINUTE, generation))
        after, text = world.status(), world.run("status")
        registry.execute(move, (HOUR + MINUTE, generation))

    assert (0, [False, False, False]) == (before["exit"], [it["overdue"] for it in before["secondaries"]])
    assert (1, [False, True, False]) == (after["exit"], [it["overdue"] for it in after["secondaries"]])
    assert (1, True) == (
        text.returncode,
        f"ALARM db.example.com at primary: secondary {world.servers[1]}" in text.stdout,
    )


def test_other_records_under_no_smaller_serial_are_told(world: Secondaries) -> None:
    """What follows somebody else is no secondary of ours, whatever its serial says."""
    zone = f"{ZONE.replace('hostmaster 1 ', 'hostmaster 99 ')}db A 192.0.2.9\n"
    folder = world.folder / "stranger"
    folder.mkdir()
    with embedded(folder, zones={"example.com": zone}, closed=(), key="outlast.", secret=KEY.split(":")[2]) as stranger:
        text = (world.folder / "outlast.toml").read_text()
        named = json.dumps([f"127.0.0.1:{stranger.port}"])
        (world.folder / "other.toml").write_text(text.replace(json.dumps(world.servers), named))
        status = world.run("status", "--json", "--config", "other.toml")
    (echo,) = json.loads(status.stdout)["endpoints"][0]["secondaries"]

    assert ("other records", 99, False) == (echo["reach"], echo["serial"], echo["overdue"])
    assert echo["words"].startswith("serial 99, and the primary has no more; still answers A 192.0.2.9")


def test_a_world_without_secondaries_asks_nobody(world: Secondaries) -> None:
    """The setting is optional: without it nothing is asked and nothing told."""
    path = world.folder / "plain.toml"
    lines = (world.folder / "outlast.toml").read_text().splitlines()
    path.write_text("\n".join(line for line in lines if "secondaries" not in line))
    status = world.run("status", "--json", "--config", "plain.toml")

    assert [] == json.loads(status.stdout)["endpoints"][0]["secondaries"]


@pytest.mark.parametrize(
    ("value", "fix"),
    [
        ('["ns2.example.net"]', "a name would need the DNS that is down"),
        ('["192.0.2.54", "192.0.2.54:53"]', "name each server once"),
        ('"192.0.2.54"', "write a list of servers"),
    ],
)
def test_a_wrong_secondary_is_refused(world: Secondaries, value: str, fix: str) -> None:
    """Each with how to write it."""
    text = (world.folder / "outlast.toml").read_text()
    (world.folder / "wrong.toml").write_text(
        text.replace(f"secondaries = {json.dumps(world.servers)}", f"secondaries = {value}")
    )
    refused = world.run("status", "--config", "wrong.toml")

    assert (2, True) == (refused.returncode, fix in refused.stderr)
