"""Where the registries of the contract live: how to connect to one, from this process or another, and how to harm it."""

import json
import shutil
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from outlast.registry.memory import MemoryRegistry
from outlast.registry.sqlite import SqliteRegistry
from outlast.traffic.content import Content
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.ports import Leases, Record, Registry
from outlast.traffic.sentinel import Sentinel, Standing

TIMEOUT = 10.0
"""Seconds: what a busy machine may take. Tests of the timeout itself give their own."""


class Harm(Protocol):
    """What can be done to a server."""

    def restart(self) -> None: ...
    def save(self, copy: Path) -> None: ...
    def restore(self, copy: Path) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


DB = "db.example.com"
EAST = Content.of_addresses(["192.0.2.1"], ttl=5)


def plan(generation: int, *, reason: str = "") -> Plan:
    entry = Entry(endpoint=DB, generation=generation, content=EAST)
    return Plan(realm="test", generation=generation, entries=(entry,), at=generation, reason=reason)


def record(n: int, *, gen: int = 1, endpoint: str = DB) -> Record:
    return Record("p", endpoint, Sentinel("test", n, gen, EAST.digest, Standing.LIVE, "one"), EAST)


def connect(words: dict[str, Any]) -> Registry:
    """A new connection to the registry that these words describe."""
    options = {"timeout": TIMEOUT, **words}
    # Each kind loads what it needs alone, so that a process that writes in a race is soon there.
    match options.pop("kind"):
        case "memory":
            return MemoryRegistry()
        case "sqlite":
            return SqliteRegistry(options["path"], busy_timeout=options["timeout"])
        case "postgres":
            postgres = import_module("outlast.registry.postgres")
            return cast("Registry", postgres.PostgresRegistry(**options))
        case "etcd":
            return _on(import_module("outlast.registry.etcd").EtcdStore(**options), options["timeout"])
        case "s3":
            store = import_module("outlast.registry.s3").S3Store(**options)
            return _on(_shared_client(store), options["timeout"])
    raise AssertionError(words)


def _on(store: Any, timeout: float) -> Registry:
    return cast("Registry", import_module("outlast.registry.documents").DocumentRegistry(store, timeout=timeout))


_CLIENTS: dict[tuple[str, float], Any] = {}


def _shared_client(store: Any) -> Any:
    # boto3 takes a tenth of a second of computing for each client, and there is a registry for each test.
    key = store._endpoint, store._timeout
    store._client = _CLIENTS[key] = _CLIENTS.get(key) or store._connected()
    return store


def leases_of(registry: Registry) -> Leases:
    """The same registry by its other port."""
    return cast("Leases", registry)


@dataclass
class Place:
    """One registry of its own, and its server if it has one."""

    words: dict[str, Any]
    server: Harm
    opened: list[Any] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return str(self.words["kind"])

    def connect(self, **options: float) -> Registry:
        """Another connection; it is closed with the place."""
        registry = connect({**self.words, **options})
        self.opened.append(registry)
        return registry

    def close(self) -> None:
        for registry in self.opened:
            if not isinstance(registry, MemoryRegistry):
                registry.close()

    def __str__(self) -> str:
        return json.dumps(self.words)


class File:
    """An SQLite file in the place of a server: a restart is nothing, a partition cannot be."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def restart(self) -> None:
        return

    def save(self, copy: Path) -> None:
        copy.mkdir()
        for file in self._path.parent.glob(f"{self._path.name}*"):
            shutil.copy(file, copy)

    def restore(self, copy: Path) -> None:
        for file in self._path.parent.glob(f"{self._path.name}*"):
            file.unlink()
        for file in copy.iterdir():
            shutil.copy(file, self._path.parent)

    def pause(self) -> None:
        raise AssertionError("a file does not stand still")

    def resume(self) -> None:
        raise AssertionError("a file does not stand still")
