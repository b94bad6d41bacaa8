"""Every kind of client as a real process, against two real regions and a scripted name server."""

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from outlast.drill.names import GROUPS, TABLE_GROUPS
from outlast.drill.readback import read_back, scan

pytestmark = pytest.mark.slow

EAST, WEST = "east.example.test.", "west.example.test."
REGIONS = {"us-east-1": (EAST, "127.0.1.1"), "us-west-2": (WEST, "127.0.2.1")}


BELIEVERS = ("plain", "boto3")
LEAVERS = ("plain-two-regions", "outlast", "boto3+outlast")
Calls = list[dict[str, Any]]


class World:
    """Two regions, each with a service and a DynamoDB stand-in, and what starts a group of clients of them."""

    def __init__(self, start_child: Callable[..., Any], dns: Any, scripts: Any, folder: Path) -> None:
        self._start_child = start_child
        self._dns = dns
        self._scripts = scripts
        self._maps: dict[str, dict[str, list[Any]]] = {"service": {}, "dynamodb": {}}
        self.folder = folder
        self.servers: dict[tuple[str, str], Any] = {}
        self.places: dict[str, dict[str, tuple[str, int]]] = {"service": {}, "dynamodb": {}}

    def open(self, *sorts: str) -> None:
        """Start the servers of these sorts, each reached through an address map."""
        for sort in sorts:
            for region in REGIONS:
                database = str(self.folder / f"{sort}-{region}.db")
                options = {"region": region, "database": database, "listen": [["127.0.0.1", 0]]}
                self.servers[sort, region] = self._start_child(sort, options)
        for (sort, region), server in self.servers.items():
            host, port = server.wait_for("ready", seconds=60)[0]["addresses"][0]
            self.places[sort][region], self._maps[sort][REGIONS[region][1]] = (host, port), [host, port]
        self.heal()

    def heal(self) -> None:
        """Let both names answer their region's address."""
        for name, address in REGIONS.values():
            self._dns.scripts[name] = self._scripts.positive(address, ttl=1)

    def empty(self) -> float:
        """Let the first region's name answer nothing, from now on."""
        self._dns.scripts[EAST] = self._scripts.negative(ttl=60, minimum=60)
        return time.monotonic()

    def start(self, kind: str, **more: Any) -> Any:
        """Start the clients of a kind."""
        options = {
            "group": kind,
            "kind": kind,
            "names": [EAST, WEST],
            "nameserver": self._dns.address,
            "port": 1,
            "rate": 10,
            "seed": 7,
            "address_map": self._maps[sort_of(kind)],
            "folder": str(self.folder),
        }
        return self._start_child("load", {**options, **more})

    def start_all(self, kinds: Iterable[str], **more: Any) -> dict[str, Any]:
        """Start clients of several kinds, and wait until all are ready."""
        children = {kind: self.start(kind, **more) for kind in kinds}
        for child in children.values():
            child.wait_for("ready", seconds=60)
        return children

    def read_back(self, kind: str, writes: dict[str, str]) -> Any:
        """Where these writes are found."""
        return read_back(kind, writes, places=self.places[sort_of(kind)], folder=self.folder)


def sort_of(kind: str) -> str:
    return "dynamodb" if kind in TABLE_GROUPS else "service"


def ended(child: Any) -> Calls:
    child.process.wait(90)
    found: Calls = child.events("call")
    return sorted(found, key=lambda call: call["scheduled"])


class Played(NamedTuple):
    """What became of every kind's calls, all kinds at the same time.

    In a healthy world (and where its writes are), after the record went empty and connections and TTLs had run out, and
    after the first region died.
    """

    healthy: dict[str, Calls]
    written: dict[str, Any]
    emptied: dict[str, Calls]
    dead: dict[str, Calls]


@pytest.fixture(scope="module")
def played(
    start_module_child: Callable[..., Any], module_dns: Any, scripts: Any, tmp_path_factory: pytest.TempPathFactory
) -> Played:
    world = World(start_module_child, module_dns, scripts, tmp_path_factory.mktemp("kinds"))
    world.open("service", "dynamodb")
    children = world.start_all(GROUPS, seconds=3, write_share=0.5, deadline=10.0)
    healthy = {kind: ended(child) for kind, child in children.items()}
    written = {kind: world.read_back(kind, writes_of(calls)) for kind, calls in healthy.items()}

    children = world.start_all(kind for kind in GROUPS if kind != "plain-two-regions")
    for child in children.values():
        child.wait_for("call", count=16, seconds=30)
    emptied = after(world.empty() + 4, children)

    world.heal()
    children = world.start_all(LEAVERS)
    for child in children.values():
        child.wait_for("call", count=10, seconds=30)
    for sort in ("service", "dynamodb"):
        world.servers[sort, "us-east-1"].terminate()
    return Played(healthy, written, emptied, after(time.monotonic(), children))


def after(at: float, children: dict[str, Any]) -> dict[str, Calls]:
    """The calls scheduled after that instant: ten or more of each kind, then they are ended."""

    def calls_of(child: Any) -> Calls:
        calls: Calls = child.events("call")
        return [call for call in calls if call["scheduled"] > at and call["error"] != "given up"]

    end = time.monotonic() + 60
    while any(len(calls_of(child)) < 10 for child in children.values()):
        assert time.monotonic() < end, {kind: len(calls_of(child)) for kind, child in children.items()}
        time.sleep(0.2)
    for child in children.values():
        child.terminate()
    return {kind: calls_of(child) for kind, child in children.items()}


def writes_of(calls: Calls) -> dict[str, str]:
    return {call["key"]: f"v-{call['id']}" for call in calls if call["kind"] == "write"}


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", GROUPS)
def test_every_kind_answers_in_a_healthy_world_with_one_attempt(kind: str, played: Played) -> None:
    """Reads and writes, from the first region; connections and questions are counted; what is written is there, once."""
    calls = played.healthy[kind]

    assert {(True, 1, "us-east-1")} == {(call["ok"], call["attempts"], call["region"]) for call in calls}
    assert (30, {"read", "write"}) == (len(calls), {call["kind"] for call in calls})
    assert 4 <= sum(call["connections"] for call in calls) <= sum(call["resolved"] for call in calls)
    assert sum(call["dns_queries"] for call in calls) >= 4
    assert (frozenset(writes_of(calls)), frozenset()) == played.written[kind]


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["plain", "boto3", "resolver", "outlast", "boto3+outlast"])
def test_empty_record_darkens_those_who_believe_it(kind: str, played: Played) -> None:
    """After connections and TTLs have run out, kinds with our resolver go on in the first region, the others fail."""
    late, believes = played.emptied[kind], kind in BELIEVERS

    assert len(late) >= 10
    assert {(not believes, None if believes else "us-east-1")} == {(call["ok"], call["region"]) for call in late}


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", LEAVERS)
def test_dead_region_is_left_by_those_who_have_another(kind: str, played: Played) -> None:
    """When the first region's server is gone, calls are answered by the second; nothing is parked or lost."""
    later = played.dead[kind]

    assert len(later) >= 10
    assert {(True, "us-west-2")} == {(call["ok"], call["region"]) for call in later}


def test_write_that_belongs_to_a_dead_region_is_parked_and_drains_when_it_is_back(
    start_child: Callable[..., Any], scripted_dns: Any, scripts: Any, tmp_path: Path
) -> None:
    """It is in no region until then, it never goes to the other one, and it arrives once."""
    world = World(start_child, scripted_dns, scripts, tmp_path)
    world.open("service")
    host, port = world.places["service"]["us-east-1"]
    world.servers["service", "us-east-1"].terminate()
    control = tmp_path / "control"
    control.write_text(json.dumps({"epoch": 2, "home_share": 1.0}))
    child = world.start("outlast", write_share=1.0, control=str(control))
    child.wait_for("directed", seconds=20)
    child.wait_for("call", count=30, seconds=30)
    parked = {call["key"]: f"v-{call['id']}" for call in child.events("call") if call["error"] == "parked"}
    before = world.read_back("outlast", parked)
    control.write_text(json.dumps({"epoch": 2, "home_share": 0.0}))
    options = {"region": "us-east-1", "database": str(tmp_path / "service-us-east-1.db"), "listen": [[host, port]]}
    start_child("service", options).wait_for("ready", seconds=30)
    for (
        key
    ) in parked:  # writes go on until the new orders are read: others are parked after these, and drain among them
        child.wait_for("drained", seconds=30, key=key)
    after = world.read_back("outlast", parked)

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
