"""A name server, and sites of one endpoint each whose roles can be killed: a configuration, a registry, a folder."""

import asyncio
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import dns.message
import dns.query
import dns.tsig
import dns.update

from outlast.config import wire
from outlast.config.parse import load
from outlast.drill.evidence import Evidence, Version
from outlast.drill.keys import KeyRing
from outlast.loop import drive
from outlast.registry.sqlite import SqliteRegistry
from outlast.system_clock import SystemClock
from outlast.traffic import enactor, planner
from outlast.traffic.driver import Driver
from outlast.traffic.messages import Event, Tick
from outlast.traffic.ports import Record

ZONE = "kill.test"
PROVIDER = "primary"
BOUND_SECONDS = 30.0
"""From the start of a process to the plan: a second on a free machine; the rest is for one that runs other suites too."""


class Nameserver(NamedTuple):
    """The one name server: where it is, its key, its journal."""

    port: int
    key_file: Path
    secret: str
    journal: Path

    def addresses(self, name: str) -> tuple[str, ...]:
        """What it answers now."""
        reply = dns.query.tcp(dns.message.make_query(name, "A"), "127.0.0.1", port=self.port, timeout=5)
        return tuple(sorted(str(item) for rrset in reply.answer for item in rrset))

    def delete_addresses(self, name: str) -> None:
        """Delete a name's A set behind everybody's back."""
        key = dns.tsig.Key("operator.", self.secret, "hmac-sha256.")
        update = dns.update.UpdateMessage(ZONE, keyring=key)
        update.delete(f"{name}.", "A")
        assert dns.query.tcp(update, "127.0.0.1", port=self.port, timeout=5).rcode() == 0

    def versions(self, name: str) -> list[Version]:
        """Every committed version of a name's answer or generation, from its first address on."""
        evidence = Evidence(groups={}, journal=self.journal, observer=self.journal.with_name("none"), roles={})
        evidence.poll()
        return [*itertools.dropwhile(lambda version: not version.addresses, evidence.versions(name))]

    def commits(self, name: str) -> int:
        """How many transactions changed a name or its sentinel."""
        lines = [json.loads(line) for line in self.journal.read_text().splitlines()]
        touched = [{change["name"] for change in line["changes"]} for line in lines if line["outcome"] == "committed"]
        return sum(1 for names in touched if names & {name, f"_outlast.{name}"})


class Process:
    """A role as the drill starts it."""

    def __init__(self, role: str, options: dict[str, object], folder: Path) -> None:
        self.role = role
        path = folder / f"{role}.json"
        path.write_text(json.dumps(options))
        self._log = folder / f"{role}.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "outlast.drill.roles", role, str(path)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=folder,
            )

    def wait(self) -> int:
        """Wait for its end; return its status."""
        return self._process.wait(BOUND_SECONDS)

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self.close()

    def stop(self) -> int:
        """SIGTERM; return its status."""
        self._process.terminate()
        status = self._process.wait(BOUND_SECONDS)
        self.close()
        return status

    def close(self) -> None:
        """Leave nothing behind."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(BOUND_SECONDS)
        if self._process.stdin is not None:
            self._process.stdin.close()

    def said(self) -> str:
        return self._log.read_text()


class Site:
    """One endpoint with its own folder: a configuration, a registry, and roles that can be killed."""

    def __init__(self, nameserver: Nameserver, folder: Path, label: str) -> None:
        self.nameserver = nameserver
        self.endpoint = f"{label}.{ZONE}"
        self.folder = folder / label
        self.folder.mkdir()
        self._toml = self.folder / "outlast.toml"

    def configure(self, addresses: tuple[str, ...], *, health_port: int = 0) -> None:
        """Write the configuration, whole or not at all; without a port nothing is probed."""
        beside = self.folder / ".outlast.toml"
        beside.write_text(f"""
            realm = "kills"
            [registry]
            kind = "sqlite"
            path = "registry.db"
            [provider.{PROVIDER}]
            kind = "rfc2136"
            address = "127.0.0.1"
            port = {self.nameserver.port}
            zones = ["{ZONE}"]
            key_secret_file = "{self.nameserver.key_file}"
            [health]
            port = {health_port or 80}
            interval = "50ms"
            timeout = "500ms"
            rise = 1
            max_signal_age = "1s"
            [planner]
            interval = "100ms"
            [enactor]
            interval = "100ms"
            [janitor]
            interval = "100ms"
            keep = 1
            grace = "0s"
            wait = "0s"
            [endpoint."{self.endpoint}"]
            soak = "0s"
            velocity_window = "0s"
            probed = {"true" if health_port else "false"}
            [endpoint."{self.endpoint}".targets]
            east = {json.dumps(addresses)}
        """)
        beside.replace(self._toml)

    # What a living role would do, in this process.

    def plan(self, addresses: tuple[str, ...]) -> None:
        """Configure these addresses and publish the plan for them."""
        self.configure(addresses)
        settings = load(self._toml)
        options = planner.Options("planner", settings.realm, wire.places(settings), int(1e9))
        tick: Event = Tick()
        asyncio.run(drive(planner.step, planner.PlannerState(options), tick, self._driver().carry_out))

    def enact(self) -> None:
        """Bring DNS to the latest plan."""
        state = enactor.EnactorState("enactor-z", "kills", PROVIDER, self.endpoint)
        tick: Event = Tick()
        asyncio.run(drive(enactor.step, state, tick, self._driver().carry_out))

    def _driver(self) -> Driver:
        settings = load(self._toml)
        return Driver(
            registry=wire.registry(settings),
            providers=wire.providers(settings),
            clock=SystemClock(),
            listen=lambda _: None,
            topology=lambda: settings.topology,
        )

    # What is there.

    def addresses(self) -> tuple[str, ...]:
        return self.nameserver.addresses(self.endpoint)

    def planned(self) -> tuple[int, tuple[str, ...]]:
        """Generation and addresses of the latest plan; 0 and nothing without one."""
        plan = asyncio.run(self._registry().latest_plan())
        entry = None if plan is None else plan.entry(self.endpoint)
        return (0, ()) if plan is None or entry is None else (plan.generation, entry.content.addresses)

    def record(self) -> Record | None:
        return next(iter(asyncio.run(self._registry().records())), None)

    def stored(self) -> list[int]:
        """Generations of the plans in the registry."""
        return sorted(info.generation for info in asyncio.run(self._registry().plans()))

    def _registry(self) -> SqliteRegistry:
        return SqliteRegistry(self.folder / "registry.db")

    def effects(self, role: str) -> list[str]:
        """What the role has carried out, in order."""
        lines = (json.loads(line) for line in (self.folder / f"{role}.trace").read_text().splitlines())
        return [line["effect"] for line in lines if line["phase"] == "end"]

    # Processes.

    def start(self, role: str) -> Process:
        options = {
            "config": str(self._toml),
            "holds": str(self.folder),
            "trace": str(self.folder / f"{role}.trace"),
            "address_map": {},
            "fence": True,
        }
        return Process(role, options, self.folder)

    def wait_for(self, what: Callable[[], bool], process: Process) -> None:
        """Wait until it is so, as long as the process lives and the bound allows."""
        until = time.monotonic() + BOUND_SECONDS
        while not what():
            assert process.is_alive(), process.said()
            assert time.monotonic() < until, f"{process.role} did not come that far: {process.said()}"
            time.sleep(0.02)


def start_nameserver(folder: Path) -> tuple[Process, Nameserver]:
    """Start the one name server and wait until it answers."""
    keys = KeyRing(folder, ("operator",))
    ready, journal = folder / "ready", folder / "journal.jsonl"
    options: dict[str, object] = {
        "zones": [{"name": ZONE, "negative_ttl": 1}],
        "keys": [str(keys.file("operator"))],
        "journal": str(journal),
        "route53_aliases": False,
        "ready": str(ready),
    }
    process = Process("nameserver", options, folder)
    until = time.monotonic() + BOUND_SECONDS
    while not ready.exists():
        assert process.is_alive(), process.said()
        assert time.monotonic() < until, process.said()
        time.sleep(0.02)
    port = json.loads(ready.read_text())["port"]
    return process, Nameserver(port, keys.file("operator"), keys.secret("operator"), journal)
