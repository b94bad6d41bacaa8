"""The servers that the provider contract is tried on: each started once per run, on free loopback ports."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from servers.embedded import embedded
from servers.peers import PEERS, demand
from zone_world import CLOSED, KEY, PLACES, PRIMARIES, SECRET, ZONES, Place


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


@pytest.fixture(scope="session", params=PLACES)
def place(request: pytest.FixtureRequest, yard: Yard) -> Place:
    """Every server by every protocol that we can change it with."""
    return yard.place(request.param)


@pytest.fixture(scope="session", params=PRIMARIES)
def primary(request: pytest.FixtureRequest, yard: Yard) -> Place:
    """Every server that takes signed DNS UPDATE."""
    return yard.place(request.param)
