"""What the real servers of the tests have in common: a free port, a folder, and one process that is ended by its pid."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

START_SECONDS = 20.0
STOP_SECONDS = 10.0
ATTEMPTS = 5
"""A free port may be taken by somebody else before the server binds it."""
FOLDERS = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin:/opt/homebrew/bin"
"""Servers are seldom on a user's PATH."""

_TAKEN = re.compile("address (already )?in use", re.IGNORECASE)


class Running(NamedTuple):
    """A server that answers on loopback."""

    address: str
    port: int
    pid: int


def find_program(name: str) -> str | None:
    return shutil.which(name, path=FOLDERS)


@contextmanager
def serving(name: str, folder: Path, launch: Callable[[int], list[str]]) -> Iterator[Running]:
    """Run a server until the block ends.

    Args:
        name: Of the server, for messages and its log.
        folder: A folder for all its files.
        launch: Writes the configuration for a port and returns the command.

    """
    log = folder / f"{name}.log"
    for attempt in range(ATTEMPTS):
        port = free_port()
        with _running(launch(port), folder, log) as process:
            if wait_for_port(port, process):
                yield Running("127.0.0.1", port, process.pid)
                return
        said = log.read_text(errors="replace")
        assert _TAKEN.search(said), f"{name} did not start (attempt {attempt}):\n{said[-2000:]}"
    raise AssertionError(f"{name} found no free port")


@contextmanager
def _running(command: list[str], folder: Path, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, stdin=subprocess.DEVNULL, cwd=folder)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)


def wait_for_port(port: int, process: "subprocess.Popen[bytes] | None" = None) -> bool:
    """Wait until somebody listens; say `False` if the process ends before, or nobody ever does."""
    deadline = time.monotonic() + START_SECONDS
    while (process is None or process.poll() is None) and time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.02)
    return False


def free_port() -> int:
    """A port that is free for TCP and UDP."""
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", tcp.getsockname()[1]))
        return int(tcp.getsockname()[1])
