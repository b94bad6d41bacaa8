"""The primaries that the provider contract is tried on: started once per run, on free loopback ports."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
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
