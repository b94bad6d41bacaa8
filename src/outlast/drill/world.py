"""The drill's world: real processes on loopback, started once and used by all acts.

A name server that stands for the provider's data plane; two regions, each two load-balancer addresses in front of one
small HTTP service, with a shipper to the other; our control plane in three places (two planners, three enactors, three
probers, janitor); groups of clients; an observer.
The hazard automation belongs to its act, which starts and ends it.
"""

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from outlast.drill import region_stop, scale
from outlast.drill.addresses import PLACES, REGIONS
from outlast.drill.configuration import control_plane, history_zone
from outlast.drill.evidence import Evidence
from outlast.drill.keys import KeyRing
from outlast.drill.names import (
    DARK,
    ENACTORS,
    EVERYWHERE,
    FENCED,
    GROUPS,
    HAZARDS,
    HISTORY,
    OPERATOR,
    PLANNERS,
    ROLES,
    Names,
)
from outlast.drill.own import OwnOptions, OwnPart
from outlast.drill.processes import Crew
from outlast.drill.region_servers import RegionServers
from outlast.errors import Unavailable
from outlast.registry.sqlite import SqliteRegistry

READY_SECONDS = 30.0
"""A cold start of some fifteen interpreters on two slow cores."""
PAUSE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldOptions:
    """How the world is built.

    Args:
        seed: Decides which calls write and which keys are read.
        hazard: Whether the hazard's alias type is needed.
        fence: Take the prerequisites out of our transactions if false: only for the test that this shows.
        one_address: Use 127.0.0.1 alone.
        pace: How long things last, and how many calls are made.
        own: The user's own client and service, if they take part.

    """

    seed: int
    hazard: bool = True
    fence: bool = True
    one_address: bool = False
    pace: scale.Pace = scale.FULL
    own: OwnOptions | None = None


class World:
    """Use it as a context: at its end no process is left.

    Args:
        options: How it is built.
        is_interrupted: Whether somebody wants to end the drill.

    Raises:
        Unavailable: Something could not be started.
        ChildDied: A child ended by itself, with its last words.

    """

    def __init__(self, options: WorldOptions, *, is_interrupted: Callable[[], bool] = lambda: False) -> None:
        self.options = options
        self.folder = Path(tempfile.mkdtemp(prefix="outlast-drill-"))
        self.holds = self.folder / "holds"
        self.holds.mkdir()
        self.crew = Crew(self.folder, is_interrupted=is_interrupted)
        self.keys = KeyRing(self.folder, (*ENACTORS, *HAZARDS, OPERATOR))
        self.port = 0
        self._registry = SqliteRegistry(self.folder / "registry.db")
        self._servers: RegionServers | None = None
        self._epoch = 0
        self.own = OwnPart(options.own, self.crew, self.folder) if options.own is not None else None
        self.groups = (*GROUPS, *((options.own.group,) if options.own is not None else ()))
        self.evidence = Evidence(
            groups={group: self.folder / f"{group}.jsonl" for group in self.groups},
            journal=self.folder / "journal.jsonl",
            observer=self.folder / "observer.jsonl",
            roles={role: self.folder / f"{role}.trace" for role in (*HAZARDS, *ROLES)},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.crew.end()
        self._registry.close()
        if self._servers is not None:
            self._servers.close()

    def remove_folder(self) -> None:
        """Delete every file of the drill."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def servers(self) -> RegionServers:
        """What listens in the regions, once the world has started."""
        assert self._servers is not None
        return self._servers

    @property
    def own_addresses(self) -> bool:
        """Whether each load balancer has an address of its own."""
        return not self.servers.services.address_map

    def start(self, progress: Callable[[str], None]) -> None:
        """Start everything that all acts use, and wait until it answers."""
        progress("binding the load balancers' addresses")
        self._servers = RegionServers(self.crew, self.folder, write=self._write, one_address=self.options.one_address)
        if self.own is not None:
            progress("starting your service")
            self.own.start(self.servers.services)
        progress("starting the name server")
        self._start_nameserver()
        progress("starting two regions")
        self.servers.start()
        progress("starting the control plane: two planners, three enactors, three probers, janitor")
        self._start_control_plane()
        self.wait_for("services and DynamoDB stand-ins", self.servers.are_ready)
        self.servers.close()
        self.wait_for("the first plan to be enacted", self._is_enacted)

    def direct(self, names: Names, *, watched: str | None = None, home_share: float = 0.0) -> int:
        """Point every client and the observer at an act's names; return the act's epoch.

        Args:
            names: Where clients call.
            watched: What the observer asks for; the eastern name, if not given.
            home_share: Share of the writes that only the first region may accept.

        """
        self._epoch += 1
        orders = {"epoch": self._epoch, "names": [names.east, names.west], "home_share": home_share}
        observed = {"epoch": self._epoch, "names": [watched or names.east]}
        self._write("clients.control", orders)
        self._write("observer.control", observed)
        if self._epoch == 1:
            self._start_clients(orders)
            self._start_observer(observed)
            self.wait_for("the clients", lambda: self.evidence.ready >= {*self.groups, "observer"})
        return self._epoch

    def wait_for(self, what: str, condition: Callable[[], bool], timeout: float = READY_SECONDS) -> None:
        """Wait while the world starts.

        Raises:
            Unavailable: It did not come in time.

        """
        limit = time.monotonic() + timeout
        while not condition():
            self.crew.check()
            self.evidence.poll()
            if time.monotonic() > limit:
                raise Unavailable(
                    f"{what}: not within {timeout:g} s", hint="keep the processes' logs with --keep and look there"
                )
            time.sleep(PAUSE)

    def write_topology(self, east: tuple[str, ...]) -> Path:
        """Edit the planners' outlast.toml: these targets stand behind the eastern name of *fenced*.

        Both planners read one file: two files could not be edited at one moment.
        """
        return self._write_text("planner.toml", self._toml(PLANNERS[0], east))

    def stop_region(self, region: str) -> float:
        """Stop everything that runs in a region as it stands; return the instant."""
        files = (self.folder / "registry.db", self.folder / f"{region}.db")
        return region_stop.stop(self.crew, self._members(region), files)

    def continue_region(self, region: str) -> float:
        """Let it go on; return the instant. Harmless if it was not stopped."""
        return region_stop.go_on(self.crew, self._members(region))

    def _members(self, region: str) -> list[str]:
        return [name for name in self.crew.alive if PLACES.get(name) == region or name.endswith(f"-{region}")]

    def stop_listening(self, region: str) -> None:
        """End what listens in a region: connections break, new ones are refused."""
        self.servers.stop_listening(region)
        if self.own is not None:
            self.own.stop_region(region)

    def listen_again(self, region: str) -> None:
        """Start what `stop_listening` ended, on the same addresses and with the same data.

        Raises:
            Unavailable: An address was taken meanwhile.

        """
        if self.own is not None:
            self.own.start_region(region)
        self.servers.listen_again(region)

    def stored_generations(self) -> frozenset[int]:
        """The generations of the plans that the registry holds now."""
        plans = asyncio.run(self._registry.plans())
        return frozenset(plan.generation for plan in plans)

    # ------------------------------------------------------------------------------------------------- starting

    def _start_nameserver(self) -> None:
        zone = self.folder / "history.zone"
        zone.write_text(history_zone(self.options.pace.negative_ttl), encoding="utf-8")
        options = {
            "zones": [
                {"name": HISTORY.zone, "file": str(zone)},
                *({"name": it.zone, "negative_ttl": self.options.pace.negative_ttl} for it in (FENCED, DARK)),
            ],
            "keys": [str(self.keys.file(role)) for role in self.keys.roles],
            "journal": str(self.folder / "journal.jsonl"),
            "route53_aliases": self.options.hazard,
            "ready": str(self.folder / "nameserver.ready"),
        }
        self._start("nameserver", options)
        ready = self.folder / "nameserver.ready"
        self.wait_for("the name server", ready.exists)
        self.port = json.loads(ready.read_text(encoding="utf-8"))["port"]

    def _start_control_plane(self) -> None:
        for role in ROLES:
            if role in PLANNERS:
                toml = self.write_topology(REGIONS["us-east-1"])
            else:
                toml = self._write_text(f"{role}.toml", self._toml(role, REGIONS["us-east-1"]))
            options = {
                "config": str(toml),
                "holds": str(self.holds),
                "trace": str(self.folder / f"{role}.trace"),
                "address_map": self.servers.services.address_map,
                "fence": self.options.fence,
            }
            self._start(role, options)

    def _start_clients(self, orders: dict[str, Any]) -> None:
        for number, group in enumerate(self.groups):
            listeners = self.servers.listeners_of(group)
            options = {
                "group": group,
                "kind": group,
                "output": str(self.folder / f"{group}.jsonl"),
                **orders,
                "nameserver": ["127.0.0.1", self.port],
                "port": listeners.port,
                "rate": scale.rate_of(self.options.pace, group),
                "caches": scale.CACHES,
                "deadline": scale.DEADLINE,
                "seed": self.options.seed + number,
                "address_map": listeners.address_map,
                "control": str(self.folder / "clients.control"),
                "regions": list(REGIONS),
                "folder": str(self.folder),
            }
            if self.own is not None and group == self.own.options.group:
                options |= self.own.changes()
            self.crew.start(group, "outlast.drill.load", str(self._write(f"{group}.json", options)))

    def _start_observer(self, orders: dict[str, Any]) -> None:
        observer = {
            **orders,
            "nameserver": ["127.0.0.1", self.port],
            "output": str(self.folder / "observer.jsonl"),
            "control": str(self.folder / "observer.control"),
        }
        self.crew.start("observer", "outlast.drill.observer", str(self._write("observer.json", observer)))

    def _start(self, role: str, options: dict[str, Any]) -> None:
        self.crew.start(role, "outlast.drill.roles", role, str(self._write(f"{role}.json", options)))

    def _toml(self, role: str, east: tuple[str, ...]) -> str:
        key_file = self.keys.file(role if role in ENACTORS else OPERATOR)
        return control_plane(
            port=self.port,
            key_file=key_file,
            service_port=self.servers.services.port,
            east=east,
            place=PLACES[role],
        )

    def _is_enacted(self) -> bool:
        return all(self.evidence.versions(name)[-1:] and self.evidence.versions(name)[-1].addresses
                   for name in (FENCED.east, FENCED.west, DARK.east, DARK.west, EVERYWHERE))  # fmt: skip

    # ---------------------------------------------------------------------------------------------------- files

    def _write(self, name: str, content: dict[str, Any]) -> Path:
        return self._write_text(name, json.dumps(content))

    def _write_text(self, name: str, text: str) -> Path:
        # Whole or not at all: children read these files while we write them.
        path, beside = self.folder / name, self.folder / f".{name}"
        beside.write_text(text, encoding="utf-8")
        return beside.replace(path)
