"""Two regions' services and the shipper between them, as real processes, one of them stopped and continued."""

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from outlast.data.region import RegionStore
from outlast.drill import region_stop
from outlast.drill.processes import Crew

pytestmark = pytest.mark.slow

EAST, WEST = "us-east-1", "us-west-2"
SECONDS = 10.0


class Pair(NamedTuple):
    """Two regions, with a shipper in each direction."""

    urls: dict[str, str]
    services: dict[str, Any]

    def put(self, region: str, key: str, value: object = 1, **headers: str) -> int:
        """Write a key; return the status."""
        url = f"{self.urls[region]}/kv/{key}"
        return httpx.put(url, json={"value": value}, headers=headers, trust_env=False).status_code

    def get(self, region: str, path: str) -> httpx.Response:
        return httpx.get(f"{self.urls[region]}{path}", timeout=1.0, trust_env=False)


@pytest.fixture
def pair(start_child: Callable[..., Any], tmp_path: Path) -> Pair:
    """Both regions, answering."""
    sockets = {region: socket.create_server(("127.0.0.1", 0)) for region in (EAST, WEST)}
    places = {region: listening.getsockname()[:2] for region, listening in sockets.items()}
    services = {}
    for region, peer in ((EAST, WEST), (WEST, EAST)):
        shared = {"region": region, "database": str(tmp_path / f"{region}.db")}
        descriptors = (sockets[region].fileno(),)
        options = {**shared, "sockets": descriptors, "homes": {"home-east-": EAST}, "peers": [peer], "lag_bound": 0}
        services[region] = start_child("service", options, pass_fds=descriptors)
        services[region].wait_for("ready")
        start_child("shipper", {**shared, "target": peer, "addresses": [places[peer]]})
    for listening in sockets.values():
        listening.close()
    return Pair({region: f"http://127.0.0.1:{port}" for region, (_, port) in places.items()}, services)


def until(condition: Callable[[], bool]) -> None:
    """Wait for it."""
    limit = time.monotonic() + SECONDS
    while True:
        with suppress(httpx.HTTPError):
            if condition():
                return
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_what_is_written_in_one_region_is_read_in_the_other(pair: Pair) -> None:
    """The shipper copies it, and then nothing is behind."""
    status = pair.put(EAST, "colour", "red")
    until(lambda: pair.get(WEST, "/kv/colour").is_success)
    until(lambda: pair.get(EAST, "/lag").json()["lag"][WEST]["writes"] == 0)

    assert (200, "red") == (status, pair.get(WEST, "/kv/colour").json()["value"])


def test_a_key_is_written_once(pair: Pair) -> None:
    """The same value again is fine, another one is a conflict; a seeded key has its value from the start."""
    statuses = [pair.put(EAST, "a", 1), pair.put(EAST, "a", 1), pair.put(EAST, "a", 2), pair.put(EAST, "k7", "v-k7")]

    assert [200, 200, 409, 200] == statuses


def test_a_key_with_a_home_is_accepted_there_alone(pair: Pair) -> None:
    """The other region says that it is the wrong one."""
    assert [421, 200] == [pair.put(WEST, "home-east-1"), pair.put(EAST, "home-east-1")]


def test_a_late_write_is_dropped_before_it_touches_the_store(pair: Pair) -> None:
    """It is answered 503, counted and told; nothing is there."""
    status = pair.put(EAST, "late", **{"x-outlast-deadline": f"{time.time() - 1:.3f}"})
    (told,) = pair.services[EAST].events("expired")

    assert (503, 404, 1) == (status, pair.get(EAST, "/kv/late").status_code, pair.get(EAST, "/lag").json()["expired"])
    assert ("PUT", "/kv/late") == (told["method"], told["path"])


def test_what_is_no_batch_is_refused(pair: Pair) -> None:
    """Neither rubbish nor a region's own writes."""
    url = f"{pair.urls[EAST]}/replicate"
    own = {"origin": [EAST, "m"], "changes": []}
    statuses = [httpx.post(url, content=text, trust_env=False).status_code for text in (b"[]", b"", b"\xff")]
    refused = httpx.post(url, json=own, trust_env=False).status_code

    assert ([400, 400, 400], 503) == (statuses, refused)


def test_a_region_that_was_stopped_serves_when_it_has_caught_up(pair: Pair) -> None:
    """Its listener accepts while it is stopped; what it was sent then is dropped, what it missed comes first."""
    pid = pair.services[EAST].process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        deadline = {"x-outlast-deadline": f"{time.time() + 0.3:.3f}"}
        url = f"{pair.urls[EAST]}/kv/stranded"
        with pytest.raises(httpx.ReadTimeout):
            httpx.put(url, json={"value": 1}, headers=deadline, timeout=0.3, trust_env=False)
        assert 200 == pair.put(WEST, "missed")
        time.sleep(2.0)  # longer than any pause that the service takes for a busy machine
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: pair.get(EAST, "/health").is_success)
    pair.services[EAST].wait_for("ready again")
    events = [line["event"] for line in pair.services[EAST].lines()]

    assert ["catching up", "ready again"] == [event for event in events if event.endswith(("up", "again"))]
    assert [200, 404] == [pair.get(EAST, f"/kv/{key}").status_code for key in ("missed", "stranded")]
    assert ["/kv/stranded"] == [e["path"] for e in pair.services[EAST].events("expired") if e["method"] == "PUT"]


HOLDER = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
while True:
    db.execute("BEGIN IMMEDIATE")
    time.sleep(0.004)
    db.execute("COMMIT")
    time.sleep(0.004)
"""


def test_a_region_is_stopped_while_it_holds_no_lock(tmp_path: Path) -> None:
    """A process that holds a lock half of its time is stopped in the other half: others can write."""
    path = tmp_path / "shared.db"
    with RegionStore(path, WEST) as store:
        (tmp_path / "holder.py").write_text(HOLDER)
        crew = Crew(tmp_path)
        try:
            crew.start("holder", "holder", str(path))
            time.sleep(0.3)
            at = region_stop.stop(crew, ["holder"], [path])
            status = Path(f"/proc/{crew.pid('holder')}/stat").read_text().rsplit(")", 1)[1].split()[0]
            store.put("key", "value")

            assert ("T", True) == (status, at <= time.monotonic())
        finally:
            crew.end()
