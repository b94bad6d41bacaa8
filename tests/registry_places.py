"""Where the registries of the contract live: how to connect to one, from this process or another, and how to harm it."""

import json
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from outlast.registry.documents import DocumentRegistry
from outlast.registry.etcd import EtcdStore
from outlast.registry.memory import MemoryRegistry
from outlast.registry.postgres import PostgresRegistry
from outlast.registry.s3 import S3Store
from outlast.registry.sqlite import SqliteRegistry
from outlast.traffic.ports import Registry

TIMEOUT = 10.0
"""Seconds: what a busy machine may take. Tests of the timeout itself give their own."""


class Harm(Protocol):
    """What can be done to a server."""

    def restart(self) -> None: ...
    def save(self, copy: Path) -> None: ...
    def restore(self, copy: Path) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


def connect(words: dict[str, Any]) -> Registry:
    """A new connection to the registry that these words describe."""
    options = {"timeout": TIMEOUT, **words}
    match options.pop("kind"):
        case "memory":
            return MemoryRegistry()
        case "sqlite":
            return SqliteRegistry(options["path"], busy_timeout=options["timeout"])
        case "postgres":
            return PostgresRegistry(**options)
        case "etcd":
            return DocumentRegistry(EtcdStore(**options), timeout=options["timeout"])
        case "s3":
            return DocumentRegistry(S3Store(**options), timeout=options["timeout"])
    raise AssertionError(words)


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


def seconds_since(begun: float) -> float:
    return time.monotonic() - begun
