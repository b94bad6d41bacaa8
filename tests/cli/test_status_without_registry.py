"""A registry that is down keeps status waiting once, however many endpoints there are."""

import contextlib
import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_world import Run, World

ENDPOINTS = 40
"""More than are read at a time."""


class Silent:
    """A server that takes connections and says nothing; it counts them."""

    def __init__(self) -> None:
        self.taken: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.taken.append(self._socket.accept()[0])

    def close(self) -> None:
        for one in (self._socket, *self.taken):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    server = Silent()
    yield server
    server.close()


def test_a_silent_registry_is_asked_once(run: Run, tmp_path: Path, silent: Silent) -> None:
    """One connection is made to a registry that does not answer; every endpoint is told of all the same."""
    endpoints = "".join(f'[endpoint."e{it}.example.com".targets]\neast = ["192.0.2.1"]\n' for it in range(ENDPOINTS))
    (tmp_path / "tsig.key").write_text('key "outlast" { algorithm hmac-sha256; secret "c2VjcmV0"; };')
    (tmp_path / "outlast.toml").write_text(f"""
        realm = "shop"
        [registry]
        kind = "etcd"
        endpoints = ["http://127.0.0.1:{silent.port}"]
        timeout = "200ms"
        [provider.primary]
        kind = "rfc2136"
        address = "127.0.0.1"
        port = 1
        zones = ["example.com"]
        key_secret_file = "tsig.key"
        timeout = "50ms"
        {endpoints}
    """)
    done = run("status", "--json")
    lines = json.loads(done.stdout)["endpoints"]

    assert (3, 1, ENDPOINTS) == (done.returncode, len(silent.taken), len(lines))
    assert {None} == {line["generation"] for line in lines}


@pytest.mark.slow
def test_a_registry_that_answers_in_part_is_an_alarm(world: World) -> None:
    """The plan is there and a table is gone: no order can be given, and nothing may be green."""
    world.settle()
    with contextlib.closing(sqlite3.connect(world.folder / "outlast.db")) as database:
        database.execute("DROP TABLE order_")
    status, examined = world.run("status", "--json"), world.run("doctor", "--json")
    told = json.loads(status.stdout)
    (found,) = [it for it in json.loads(examined.stdout)["findings"] if it["check"] == "registry"]

    assert (1, False, 1, "FAIL") == (status.returncode, told["ok"], len(told["alarms"]), found["level"].upper())
    assert told["alarms"][0].startswith("the registry answers in part: ")
