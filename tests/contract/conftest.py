"""The servers that the contracts are tried on: started once per run, on free loopback ports."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import registry_places
from servers import etcd, postgres, s3
from servers.bind import bind, is_installed
from servers.embedded import embedded
from zone_world import CLOSED, KEY, SECRET, ZONES, Place


@pytest.fixture(scope="session", params=["embedded", "bind"])
def primary(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    start = {"embedded": _embedded, "bind": _bind}[request.param]
    yield from start(tmp_path_factory.mktemp(request.param))


def _embedded(folder: Path) -> Iterator[Place]:
    with embedded(folder, zones=ZONES, closed=(CLOSED,), key=KEY, secret=SECRET) as server:
        yield Place("embedded", server.address, server.port)


def _bind(folder: Path) -> Iterator[Place]:
    if not is_installed():
        if os.environ.get("CI") == "true":
            pytest.fail("named not found, and CI=true leaves nothing out: apt install bind9")
        pytest.skip("named not found: PEERS=install make test, or apt install bind9")
    with bind(folder, zones=ZONES, closed=(CLOSED,), key=KEY, secret=SECRET) as server:
        yield Place("bind", server.address, server.port)


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
