"""Every kind of client as a real process, against two real regions and a scripted name server."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from outlast.drill.names import GROUPS, TABLE_GROUPS
from outlast.drill.readback import read_back, scan

pytestmark = pytest.mark.slow

EAST, WEST = "east.example.test.", "west.example.test."
REGIONS = {"us-east-1": (EAST, "127.0.1.1"), "us-west-2": (WEST, "127.0.2.1")}


class World(NamedTuple):
    """Two regions of one sort of server, and what starts a group of clients of them."""

    servers: dict[str, Any]
    places: dict[str, tuple[str, int]]
    start: Callable[..., Any]
    folder: Path


@pytest.fixture
def build(start_child: Callable[..., Any], scripted_dns: Any, scripts: Any, tmp_path: Path) -> Callable[[str], World]:
    """Start what a kind calls: services or DynamoDB stand-ins, each reached through an address map."""

    def build(kind: str) -> World:
        sort = "dynamodb" if kind in TABLE_GROUPS else "service"
        servers, places, address_map = {}, {}, {}
        for region, (name, address) in REGIONS.items():
            options = {"region": region, "database": str(tmp_path / f"{region}.db"), "listen": [["127.0.0.1", 0]]}
            servers[region] = start_child(sort, options)
            host, port = servers[region].wait_for("ready", seconds=30)[0]["addresses"][0]
            places[region], address_map[address] = (host, port), [host, port]
            scripted_dns.scripts[name] = scripts.positive(address, ttl=1)

        def start(**more: Any) -> Any:
            options = {
                "group": kind,
                "kind": kind,
                "names": [EAST, WEST],
                "nameserver": scripted_dns.address,
                "port": 1,
                "rate": 10,
                "seed": 7,
                "address_map": address_map,
                "folder": str(tmp_path),
            }
            child = start_child("load", {**options, **more})
            child.wait_for("ready", seconds=30)
            return child

        return World(servers, places, start, tmp_path)

    return build


def ended(child: Any) -> list[dict[str, Any]]:
    child.process.wait(60)
    found: list[dict[str, Any]] = child.events("call")
    return sorted(found, key=lambda call: call["scheduled"])


@pytest.mark.parametrize("kind", GROUPS)
def test_every_kind_answers_in_a_healthy_world_with_one_attempt(kind: str, build: Callable[[str], World]) -> None:
    """Reads and writes, from the first region; connections and questions are counted; what is written is there, once."""
    world = build(kind)
    calls = ended(world.start(seconds=3, write_share=0.5, deadline=10.0))
    writes = {call["key"]: f"v-{call['id']}" for call in calls if call["kind"] == "write"}
    written = read_back(kind, writes, places=world.places, folder=world.folder)

    assert {(True, 1, "us-east-1")} == {(call["ok"], call["attempts"], call["region"]) for call in calls}
    assert (30, {"read", "write"}) == (len(calls), {call["kind"] for call in calls})
    assert 4 <= sum(call["connections"] for call in calls) <= sum(call["resolved"] for call in calls)
    assert sum(call["dns_queries"] for call in calls) >= 4
    assert (frozenset(writes), frozenset()) == written


@pytest.mark.parametrize("kind", ["plain", "boto3", "resolver", "outlast", "boto3+outlast"])
def test_empty_record_darkens_those_who_believe_it(
    kind: str, build: Callable[[str], World], scripted_dns: Any, scripts: Any
) -> None:
    """After connections and TTLs have run out, kinds with our resolver go on in the first region, the others fail."""
    world = build(kind)
    child = world.start(seconds=8)
    child.wait_for("call", count=16, seconds=20)
    scripted_dns.scripts[EAST] = scripts.negative(ttl=60, minimum=60)
    emptied = time.monotonic()
    late = [call for call in ended(child) if call["scheduled"] > emptied + 4]
    is_believer = kind in ("plain", "boto3")

    assert len(late) >= 10
    assert {(not is_believer, None if is_believer else "us-east-1")} == {(call["ok"], call["region"]) for call in late}


@pytest.mark.parametrize("kind", ["plain-two-regions", "outlast", "boto3+outlast"])
def test_dead_region_is_left_by_those_who_have_another(kind: str, build: Callable[[str], World]) -> None:
    """When the first region's server is gone, calls are answered by the second; nothing is parked or lost."""
    world = build(kind)
    child = world.start(seconds=5)
    child.wait_for("call", count=10, seconds=20)
    world.servers["us-east-1"].terminate()
    gone = time.monotonic()
    later = [call for call in ended(child) if call["scheduled"] > gone]

    assert len(later) >= 10
    assert {(True, "us-west-2")} == {(call["ok"], call["region"]) for call in later}


def test_write_that_belongs_to_a_dead_region_is_parked_and_drains_when_it_is_back(
    build: Callable[[str], World], start_child: Callable[..., Any], tmp_path: Path
) -> None:
    """It is in no region until then, it never goes to the other one, and it arrives once."""
    world = build("outlast")
    host, port = world.places["us-east-1"]
    world.servers["us-east-1"].terminate()
    control = tmp_path / "control"
    control.write_text(json.dumps({"epoch": 2, "home_share": 1.0}))
    child = world.start(write_share=1.0, control=str(control))
    child.wait_for("directed", seconds=20)
    child.wait_for("call", count=30, seconds=30)
    parked = {call["key"]: f"v-{call['id']}" for call in child.events("call") if call["error"] == "parked"}
    before = read_back("outlast", parked, places=world.places, folder=world.folder)
    control.write_text(json.dumps({"epoch": 2, "home_share": 0.0}))
    options = {"region": "us-east-1", "database": str(tmp_path / "us-east-1.db"), "listen": [[host, port]]}
    start_child("service", options).wait_for("ready", seconds=30)
    for (
        key
    ) in parked:  # writes go on until the new orders are read: others are parked after these, and drain among them
        child.wait_for("drained", seconds=30, key=key)
    after = read_back("outlast", parked, places=world.places, folder=world.folder)

    assert len(parked) >= 5
    assert all(key.startswith("home-east-") for key in parked)
    assert (frozenset(), frozenset(parked), frozenset()) == (before.readable, after.readable, after.twice)
    assert {"us-east-1"} == {line["region"] for line in child.events("drained")}


def test_stand_in_keeps_its_items_over_a_restart(start_child: Callable[..., Any], tmp_path: Path) -> None:
    """An end in order loses nothing; seeded keys are there from the start."""
    options = {"region": "us-west-2", "database": str(tmp_path / "items"), "keys": 30, "listen": [["127.0.0.1", 0]]}
    first = start_child("dynamodb", options.copy())
    host, port = first.wait_for("ready", seconds=30)[0]["addresses"][0]
    seeded = scan((host, port), "us-west-2")
    first.terminate()
    second = start_child("dynamodb", {**options, "keys": 0})
    host, port = second.wait_for("ready", seconds=30)[0]["addresses"][0]

    assert {f"k{number}": f"v-k{number}" for number in range(30)} == seeded == scan((host, port), "us-west-2")
