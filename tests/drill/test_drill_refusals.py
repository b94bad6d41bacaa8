"""Ports that are taken, addresses that are not there, and command lines that are wrong: a clear message, nothing left."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from drill_process import running, short

pytestmark = pytest.mark.slow

COMMAND = (sys.executable, "-m", "outlast.cli")
MISSING = "192.0.2.1"
"""Of TEST-NET-1 (RFC 5737), which no machine has; binding it sends nothing."""


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_nameserver_on_a_taken_port_names_it(tmp_path: Path, kind: socket.SocketKind) -> None:
    """Whether TCP or UDP is taken: status 1, the place and the fix on stderr, no traceback, no state left."""
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            other.listen()
        port = other.getsockname()[1]
        done = run(tmp_path, "nameserver", "serve", "--zone", "example.test", "--listen", f"127.0.0.1:{port}")

    assert (1, "") == (done.returncode, done.stdout), done.stderr
    assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr
    assert "choose another port" in done.stderr
    assert ("Traceback" in done.stderr, list(tmp_path.iterdir())) == (False, [])


def test_nameserver_on_an_address_of_nobody_names_it(tmp_path: Path) -> None:
    """Status 1, the address on stderr, no traceback."""
    arguments = ("--zone", "example.test", "--listen", f"{MISSING}:5353", "--allow", "192.0.2.0/24")
    done = run(tmp_path, "nameserver", "serve", *arguments)

    assert (1, "", False) == (done.returncode, done.stdout, "Traceback" in done.stderr), done.stderr
    assert MISSING in done.stderr


def without_loopback() -> list[tuple[str, ...]]:
    """Ways to run a command where loopback is of no use, as far as this machine has them."""
    ways: list[tuple[str, ...]] = [("sh", "-c", 'ulimit -n 16; exec "$@"', "sh")]
    unshare = shutil.which("unshare")
    if unshare is not None:
        for options in (("-n",), ("-rn",)):
            if subprocess.run([unshare, *options, "true"], capture_output=True, check=False).returncode == 0:
                return [*ways, (unshare, *options)]
    return ways


@pytest.mark.parametrize("way", without_loopback(), ids=lambda way: Path(way[0]).name)
def test_drill_without_addresses_says_so(tmp_path: Path, way: tuple[str, ...]) -> None:
    """No descriptor left, or a network namespace whose loopback is down: status 1, the cause in a line, nothing left."""
    with running(tmp_path / "tmp", *way, *short(seed=1)) as drill:
        status = drill.wait()
        left, folders = drill.left_behind(), drill.folders()

    assert (1, {}, []) == (status, left, folders), drill.output
    cause = "Too many open files" if way[0] == "sh" else "loopback cannot be reached"
    assert "the drill could not be played" in drill.output
    assert cause in drill.output
    assert "Traceback" not in drill.output


def test_wrong_command_line_starts_nothing(tmp_path: Path) -> None:
    """All faults at once, status 2, and no folder was made."""
    done = run(tmp_path, "drill", "--act", "histroy", "--json", "no/x.json")

    assert (2, "") == (done.returncode, done.stdout), done.stderr
    assert "did you mean 'history'?" in done.stderr
    assert "there is no folder no" in done.stderr
    assert [] == list(tmp_path.iterdir())


def test_drills_can_be_listed(tmp_path: Path) -> None:
    """Scenarios and acts, by the names that the command takes."""
    done = run(tmp_path, "drill", "list")

    assert 0 == done.returncode, done.stderr
    assert [] == [word for word in ("us-east-1-2025", "--act history", "--act fenced") if word not in done.stdout]
