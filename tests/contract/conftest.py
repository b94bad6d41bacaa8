"""The servers that the contracts are tried on: each started once per run, on free loopback ports."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import registry_places
from servers import etcd, postgres, s3
from servers.embedded import embedded
from servers.peers import PEERS, demand
from zone_world import CLOSED, KEY, PLACES, PRIMARIES, SECRET, ZONES, Place


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what octoDNS does not tell us of: `test_provider_t4` shows what follows of it."""
    gone = [item for item in items if isinstance(item, pytest.Function) and _is_not_read(item)]
    if gone:
        items[:] = [item for item in items if item not in gone]
        config.hook.pytest_deselected(items=gone)


def _is_not_read(item: pytest.Function) -> bool:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    steps, place = params.get("steps", ""), PLACES.get(str(params.get("place")))
    if place is None:  # of another suite
        return False
    words = str(steps("a.test") if callable(steps) else steps)
    has_alias = "ALIAS" in words or "aliass_image" in item.name
    return (has_alias and not place.sees_aliases) or ("\\200" in words and not place.reads_any_text)


class Yard:
    """The servers running so far. One is started when a test first asks for it, and all end with the run."""

    def __init__(self, stack: ExitStack, folder: Callable[[str], Path]) -> None:
        self._stack = stack
        self._folder = folder
        self._running: dict[str, Any] = {}

    def place(self, kind: str) -> Place:
        server = self._server(PLACES[kind].server)
        return PLACES[kind]._replace(address=server.address, port=server.port, url=getattr(server, "url", ""))

    def _server(self, name: str) -> Any:
        if name not in self._running:
            if name in PEERS:
                demand(name)
            start = PEERS[name].start if name in PEERS else embedded
            running = start(self._folder(name), zones=ZONES, closed=(CLOSED,), key=KEY, secret=SECRET)
            self._running[name] = self._stack.enter_context(running)
        return self._running[name]


@pytest.fixture(scope="session")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with ExitStack() as stack:
        yield Yard(stack, tmp_path_factory.mktemp)


BY_ITS_SISTER = "octodns-powerdns"
"""Shares all but its plugin with octodns-bind: the common contract is tried on it by the long tests."""


@pytest.fixture(
    scope="session",
    params=[pytest.param(name, marks=[pytest.mark.long] * (name == BY_ITS_SISTER)) for name in PLACES],
)
def place(request: pytest.FixtureRequest, yard: Yard) -> Place:
    """Every server by every protocol that we can change it with."""
    return yard.place(request.param)


@pytest.fixture(scope="session", params=PRIMARIES)
def primary(request: pytest.FixtureRequest, yard: Yard) -> Place:
    """Every server that takes signed DNS UPDATE."""
    return yard.place(request.param)


# --------------------------------------------------------------------------------------------------------- registries


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Postgres]:
    if not postgres.is_installed():
        _leave_out("postgres", "postgresql")
    with postgres.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def etcd_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[etcd.Etcd]:
    if not etcd.is_installed():
        _leave_out("etcd", "etcd-server")
    with etcd.etcd(tmp_path_factory.mktemp("etcd")) as server:
        yield server


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.S3]:
    with pytest.MonkeyPatch.context() as patch, s3.s3(tmp_path_factory.mktemp("s3")) as server:
        for key, value in s3.ENVIRONMENT.items():
            patch.setenv(key, value)
        yield server


def _leave_out(program: str, package: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{program} not found, and CI=true leaves nothing out: apt install {package}")
    pytest.skip(f"{program} not found: PEERS=install make test, or apt install {package}")


def registry_place(kind: str, request: pytest.FixtureRequest, folder: Path) -> registry_places.Place:
    """A new, empty registry of this kind."""
    own = f"t{uuid.uuid4().hex}"
    words: dict[str, Any]
    match kind:
        case "sqlite":
            path = folder / "registry.sqlite"
            return registry_places.Place({"kind": kind, "path": str(path)}, registry_places.File(path))
        case "postgres":
            server = request.getfixturevalue("postgres_server")
            words = {"dsn": server.dsn, "password": postgres.PASSWORD, "schema": own}
        case "etcd":
            server = request.getfixturevalue("etcd_server")
            words = {"endpoints": [server.url], "prefix": f"{own}/"}
        case "s3":
            server = request.getfixturevalue("s3_server")
            words = {"bucket": s3.BUCKET, "prefix": f"{own}/", "endpoint": server.url}
        case _:
            return registry_places.Place({"kind": "memory"}, registry_places.File(folder))
    return registry_places.Place({"kind": kind, **words}, server)


@pytest.fixture
def registry_at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[registry_places.Place]:
    """The registry of the kind that the test is asked to try."""
    place = registry_place(request.param, request, tmp_path)
    yield place
    place.close()
