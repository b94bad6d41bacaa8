"""The region's service as a real process."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

PARENT = """
import subprocess, sys, time
child = "from outlast.drill.orphan import die_with_parent as d; d(); print(1, flush=True); import time; time.sleep(60)"
subprocess.Popen([sys.executable, "-c", child], stdin=0, stdout=1)
time.sleep(60)
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def start_service(start_child: Callable[..., Any], tmp_path: Path) -> Callable[..., tuple[Any, list[str]]]:
    """Start a service on two handed-over sockets; return the child and its two base URLs."""

    def start(**more: Any) -> tuple[Any, list[str]]:
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        descriptors = tuple(listening.fileno() for listening in sockets)
        options = {"region": "east", "database": str(tmp_path / "kv.sqlite"), "sockets": descriptors, **more}
        child = start_child("service", options, pass_fds=descriptors)
        urls = [f"http://127.0.0.1:{listening.getsockname()[1]}" for listening in sockets]
        for listening in sockets:
            listening.close()
        child.wait_for("ready")
        return child, urls

    return start


def test_answers_on_both_addresses(start_service: Callable[..., Any]) -> None:
    """What is written through one load balancer is read through the other, and each names itself and the region."""
    _, (first, second) = start_service()
    httpx.put(f"{first}/kv/colour", json={"value": "red"}, trust_env=False).raise_for_status()

    response = httpx.get(f"{second}/kv/colour", trust_env=False)

    expected = {"key": "colour", "value": "red", "region": "east"}
    assert (expected, "east", second) == (
        response.json(),
        response.headers["x-region"],
        "http://" + response.headers["x-target"],
    )


def test_many_keys_are_read_at_once(start_service: Callable[..., Any]) -> None:
    """Those that are there come with their values, the others not at all; too many, or none named, are refused."""
    _, (url, _) = start_service()
    asked = [{"keys": ["k1", "absent", "k2"]}, {"keys": ["k"] * 1001}, {"key": "k1"}]
    answers = [httpx.post(f"{url}/read", json=body, trust_env=False) for body in asked]

    assert [200, 413, 400] == [answer.status_code for answer in answers]
    assert {"k1": "v-k1", "k2": "v-k2"} == answers[0].json()["values"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/health", None, 200),
        ("GET", "/kv/k99", None, 200),
        ("GET", "/kv/k100", None, 404),
        ("PUT", "/kv/a", b'{"value": 1}', 200),
        ("PUT", "/kv/a", b"not json", 400),
        ("PUT", "/kv/a", b"[]", 400),
        ("PUT", "/kv/a", b" " * 70_000, 413),
        ("PUT", "/kv/" + "a" * 201, b'{"value": 1}', 413),
        ("DELETE", "/kv/a", None, 405),
    ],
)
def test_statuses(start_service: Callable[..., Any], method: str, path: str, body: bytes | None, status: int) -> None:
    """Seeded keys are there, bad bodies and what is too large are refused."""
    _, (url, _) = start_service()

    response = httpx.request(method, url + path, content=body, trust_env=False)

    assert status == response.status_code


@contextmanager
def store_taken(path: Path) -> Iterator[None]:
    """Somebody else has the store's file: whoever writes waits."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        db.execute("ROLLBACK")
        db.close()


def sent(url: str, method: str, body: object, **headers: str) -> Future[httpx.Response]:
    """A request that is under way; it is of use for 0.4 s."""
    headers["x-outlast-deadline"] = f"{time.time() + 0.4:.3f}"
    pool = ThreadPoolExecutor(1)
    answer = pool.submit(httpx.request, method, url, json=body, headers=headers, timeout=9.0, trust_env=False)
    pool.shutdown(wait=False)
    return answer


def test_a_write_whose_turn_comes_too_late_is_not_made(start_service: Callable[..., Any], tmp_path: Path) -> None:
    """It came in time and waited for the store: its sender has gone elsewhere meanwhile."""
    child, (url, _) = start_service()
    with store_taken(tmp_path / "kv.sqlite"):
        answer = sent(f"{url}/kv/a", "PUT", {"value": 1})
        time.sleep(0.6)
    status = answer.result().status_code

    assert (503, 404) == (status, httpx.get(f"{url}/kv/a", trust_env=False).status_code)
    assert ["/kv/a"] == [line["path"] for line in child.events("expired")]


def test_word_from_before_a_stop_does_not_make_a_region_ready(
    start_service: Callable[..., Any], tmp_path: Path
) -> None:
    """A batch that was being taken when the region stopped says what was missing then."""
    child, (url, _) = start_service()
    batch = {"origin": ["west", "m"], "changes": []}
    with store_taken(tmp_path / "kv.sqlite"):
        answer = sent(f"{url}/replicate", "POST", batch, **{"x-outlast-missing": "0"})
        time.sleep(0.2)
        os.kill(child.process.pid, signal.SIGSTOP)
        time.sleep(2.0)  # longer than any pause that the service takes for a busy machine
        os.kill(child.process.pid, signal.SIGCONT)
    statuses = [answer.result().status_code, httpx.get(f"{url}/health", trust_env=False).status_code]
    statuses.append(sent(f"{url}/replicate", "POST", batch, **{"x-outlast-missing": "0"}).result().status_code)
    child.wait_for("ready again")

    assert [200, 503, 200] == statuses


def test_connection_is_closed_at_its_age(start_service: Callable[..., Any]) -> None:
    """Keep-alive works until the age; the first response after it says close."""
    _, (url, _) = start_service(connection_age=0.4)
    closes: list[bool] = []
    with httpx.Client(trust_env=False) as client:
        start = time.monotonic()
        while time.monotonic() < start + 0.7 and not (closes and closes[-1]):
            closes.append(client.get(f"{url}/health").headers.get("connection") == "close")
            time.sleep(0.05)

    assert (len(closes) >= 4, closes.index(True) == len(closes) - 1) == (True, True)


def test_idle_connection_is_closed_too(start_service: Callable[..., Any]) -> None:
    """A connection without requests ends after the same time."""
    _, (url, _) = start_service(connection_age=0.3)
    with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=3) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        received = [connection.recv(65_536)]
        while received[-1]:
            received.append(connection.recv(65_536))

    assert b"".join(received).startswith(b"HTTP/1.1 200")


def test_ends_in_order_within_a_second(start_service: Callable[..., Any]) -> None:
    """SIGTERM ends it with status 0 and a last line, even with a connection open."""
    child, (url, _) = start_service()
    with httpx.Client(trust_env=False) as client:
        client.get(f"{url}/health")
        seconds = child.terminate()

    assert (seconds < 1, child.process.returncode, child.events("end")[0]["requests"]) == (True, 0, 1)


def test_port_taken_is_said(start_child: Callable[..., Any], tmp_path: Path) -> None:
    """A port in use ends the process with a message and a status."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        options = {"region": "e", "database": str(tmp_path / "kv"), "listen": [taken.getsockname()[:2]]}
        child = start_child("service", options)
        status = child.process.wait(10)

    assert (status, child.lines()) == (1, [])


def test_ends_with_its_parent(start_service: Callable[..., Any]) -> None:
    """When the pipe that the parent holds is closed, the process ends by itself."""
    child, _ = start_service()
    child.process.stdin.close()

    assert child.process.wait(5) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_is_killed_when_its_parent_dies_with_the_pipe_still_open() -> None:
    """On Linux the kernel ends the process even if somebody else holds the other end of its input."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdin is not None
    assert parent.stdout is not None
    started = parent.stdout.readline()
    parent.kill()
    parent.wait(5)
    rest = parent.stdout.read()  # ends when the grandchild, the last holder of this pipe, is gone
    parent.stdin.close()
    parent.stdout.close()

    assert (started, rest) == (b"1\n", b"")
