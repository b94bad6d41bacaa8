"""The drill's world: real processes on loopback, started once and used by all acts.

A name server that stands for the provider's data plane; two regions, each two load-balancer addresses in front of one
small HTTP service; our control plane (planner, three enactors, janitor, prober); groups of clients; an observer.
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

from outlast.drill import scale
from outlast.drill.addresses import REGIONS, Listeners, listen
from outlast.drill.configuration import control_plane, history_zone
from outlast.drill.evidence import Evidence
from outlast.drill.keys import KeyRing
from outlast.drill.names import ENACTORS, FENCED, GROUPS, HAZARDS, HISTORY, OPERATOR, PROBER, Names
from outlast.drill.processes import Crew
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

    """

    seed: int
    hazard: bool = True
    fence: bool = True
    one_address: bool = False
    pace: scale.Pace = scale.FULL


class World:
    """Use it as a context: at its end no process is left.

    Raises:
        Unavailable: Something could not be started.
        ChildDied: A child ended by itself, with its last words.

    """

    def __init__(self, options: WorldOptions) -> None:
        self.options = options
        self.folder = Path(tempfile.mkdtemp(prefix="outlast-drill-"))
        self.holds = self.folder / "holds"
        self.holds.mkdir()
        self.crew = Crew(self.folder)
        self.keys = KeyRing(self.folder, (*ENACTORS, *HAZARDS, OPERATOR))
        self.port = 0
        self._registry = SqliteRegistry(self.folder / "registry.db")
        self._listeners: Listeners | None = None
        self._epoch = 0
        self.evidence = Evidence(
            groups={group: self.folder / f"{group}.jsonl" for group in GROUPS},
            journal=self.folder / "journal.jsonl",
            observer=self.folder / "observer.jsonl",
            roles={role: self.folder / f"{role}.trace" for role in (*HAZARDS, "planner", *ENACTORS, "janitor", PROBER)},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.crew.end()
        self._registry.close()
        if self._listeners is not None:
            self._listeners.close()

    def remove_folder(self) -> None:
        """Delete every file of the drill."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def own_addresses(self) -> bool:
        return self._listeners is not None and not self._listeners.address_map

    @property
    def service_port(self) -> int:
        assert self._listeners is not None
        return self._listeners.port

    @property
    def address_map(self) -> dict[str, tuple[str, int]]:
        assert self._listeners is not None
        return self._listeners.address_map

    def start(self, progress: Callable[[str], None]) -> None:
        """Start everything that all acts use, and wait until it answers."""
        progress("binding the load balancers' addresses")
        self._listeners = listen(one_address=self.options.one_address)
        progress("starting the name server")
        self._start_nameserver()
        progress("starting two regions")
        self._start_services()
        progress("starting the control plane: planner, three enactors, janitor, prober")
        self._start_control_plane()
        self.wait_for("the services", lambda: all(self._lines(f"service-{region}") for region in REGIONS))
        self._listeners.close()
        self.wait_for("the first plan to be enacted", self._is_enacted)

    def direct(self, names: Names) -> int:
        """Point every client and the observer at an act's names; return the act's epoch."""
        self._epoch += 1
        orders = {"epoch": self._epoch, "names": [names.east, names.west]}
        self._write("clients.control", orders)
        self._write("observer.control", orders | {"names": [names.east]})
        if self._epoch == 1:
            self._start_witnesses(names)
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

    def write_topology(self, east: tuple[str, ...]) -> None:
        """Edit the planner's outlast.toml: these targets stand behind the eastern name."""
        self._write_text("planner.toml", self._toml("planner", east))

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
                {"name": FENCED.zone, "negative_ttl": self.options.pace.negative_ttl},
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

    def _start_services(self) -> None:
        assert self._listeners is not None
        for region, sockets in self._listeners.sockets.items():
            descriptors = tuple(listening.fileno() for listening in sockets)
            options = {
                "region": region,
                "database": str(self.folder / f"{region}.db"),
                "output": str(self.folder / f"service-{region}.jsonl"),
                "sockets": descriptors,
                "connection_age": scale.CONNECTION_AGE,
            }
            path = self._write(f"service-{region}.json", options)
            self.crew.start(f"service-{region}", "outlast.drill.service", str(path), descriptors=descriptors)

    def _start_control_plane(self) -> None:
        for role in ("planner", *ENACTORS, "janitor", PROBER):
            toml = self._write_text(f"{role}.toml", self._toml(role, REGIONS["us-east-1"]))
            options = {
                "config": str(toml),
                "holds": str(self.holds),
                "trace": str(self.folder / f"{role}.trace"),
                "address_map": self.address_map,
                "fence": self.options.fence,
            }
            self._start(role, options)

    def _start_witnesses(self, names: Names) -> None:
        for number, group in enumerate(GROUPS):
            options = {
                "group": group,
                "kind": group,
                "output": str(self.folder / f"{group}.jsonl"),
                "names": [names.east, names.west],
                "nameserver": ["127.0.0.1", self.port],
                "port": self.service_port,
                "rate": self.options.pace.rate,
                "caches": scale.CACHES,
                "deadline": scale.DEADLINE,
                "seed": self.options.seed + number,
                "address_map": self.address_map,
                "control": str(self.folder / "clients.control"),
                "epoch": 1,
            }
            self.crew.start(group, "outlast.drill.load", str(self._write(f"{group}.json", options)))
        observer = {
            "names": [names.east],
            "nameserver": ["127.0.0.1", self.port],
            "output": str(self.folder / "observer.jsonl"),
            "control": str(self.folder / "observer.control"),
            "epoch": 1,
        }
        self.crew.start("observer", "outlast.drill.observer", str(self._write("observer.json", observer)))
        self.wait_for("the clients", lambda: self.evidence.ready >= {*GROUPS, "observer"})

    def _start(self, role: str, options: dict[str, Any]) -> None:
        self.crew.start(role, "outlast.drill.roles", role, str(self._write(f"{role}.json", options)))

    def _toml(self, role: str, east: tuple[str, ...]) -> str:
        key_file = self.keys.file(role if role in ENACTORS else OPERATOR)
        return control_plane(port=self.port, key_file=key_file, service_port=self.service_port, east=east)

    def _is_enacted(self) -> bool:
        return all(self.evidence.versions(name)[-1:] and self.evidence.versions(name)[-1].addresses
                   for name in (FENCED.east, FENCED.west))  # fmt: skip

    # ---------------------------------------------------------------------------------------------------- files

    def _lines(self, name: str) -> bool:
        path = self.folder / f"{name}.jsonl"
        return path.exists() and path.stat().st_size > 0

    def _write(self, name: str, content: dict[str, Any]) -> Path:
        return self._write_text(name, json.dumps(content))

    def _write_text(self, name: str, text: str) -> Path:
        # Whole or not at all: children read these files while we write them.
        path, beside = self.folder / name, self.folder / f".{name}"
        beside.write_text(text, encoding="utf-8")
        return beside.replace(path)
