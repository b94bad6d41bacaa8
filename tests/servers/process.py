"""A real server as a process of our own on loopback: started, stopped, made to stand still and go on, by its pid."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
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


def find_program(name: str) -> str | None:
    return shutil.which(name, path=FOLDERS)


class ServerProcess(ABC):
    """One server on one port, with its data in one folder.

    Args:
        folder: A folder for all its files.

    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "log"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped: list[int] = []

    @abstractmethod
    def command(self) -> list[str]:
        """How it is started on `port`."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it answers as it should."""

    @property
    def is_running(self) -> bool:
        return self._process is not None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start_somewhere(self) -> None:
        """Start it on a free port."""
        for _ in range(ATTEMPTS):
            if self.start():
                return
            said = self.log.read_text(errors="replace")
            assert _TAKEN.search(said), f"no start:\n{said[-2000:]}"
            self.port = free_port()
        raise AssertionError("no free port was found")

    def start(self) -> bool:
        """Start it on its port; say whether it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder
            )
        if wait_until(self.is_ready, self._process):
            return True
        self.stop()
        return False

    def stop(self, how: int = signal.SIGTERM) -> None:
        """Stop it, whatever state it is in."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self.resume()
            self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
        self._process = None

    def restart(self) -> None:
        """Stop it and start it on the same port and data."""
        self.stop()
        assert self.start(), self.log.read_text()[-2000:]

    def save(self, copy: Path) -> None:
        """Put a backup of its data at `copy`."""
        self.stop()
        shutil.copytree(self.data, copy, symlinks=True)
        assert self.start()

    def restore(self, copy: Path) -> None:
        """Put the backup in the place of its data."""
        self.stop()
        shutil.rmtree(self.data)
        shutil.copytree(copy, self.data, symlinks=True)
        self.own(self.data)
        assert self.start(), self.log.read_text()[-2000:]

    def own(self, folder: Path) -> None:
        """Give a folder that was copied to whom the server runs as: to us, unless a server says otherwise."""
        assert folder.is_dir()

    def pause(self) -> None:
        """Make it stand still: connections stay, nothing answers."""
        self._stopped = self._family()
        for pid in self._stopped:
            _send(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        while self._stopped:
            _send(self._stopped.pop(), signal.SIGCONT)

    def _family(self) -> list[int]:
        # The parent first, so that it makes no more children meanwhile.
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        children = [int(pid) for pid, parent in map(str.split, listed.splitlines()) if int(parent) == self.pid]
        return [self.pid, *children]


def _send(pid: int, how: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # a child that was about to end
        os.kill(pid, how)


class Launched(ServerProcess):
    """A server that is nothing but its command: ready when it listens.

    Args:
        name: Of its log.
        folder: A folder for all its files.
        launch: Writes the configuration for a port and returns the command.

    """

    def __init__(self, name: str, folder: Path, launch: Callable[[int], list[str]]) -> None:
        super().__init__(folder)
        self.log = folder / f"{name}.log"
        self._launch = launch

    def command(self) -> list[str]:
        return self._launch(self.port)

    def is_ready(self) -> bool:
        return answers(self.port)


class Running(NamedTuple):
    """A server that answers on loopback."""

    address: str
    port: int
    pid: int


@contextmanager
def serving(name: str, folder: Path, launch: Callable[[int], list[str]]) -> Iterator[Running]:
    """Run a server that nobody harms until the block ends; the arguments are those of `Launched`."""
    server = Launched(name, folder, launch)
    try:
        server.start_somewhere()
        yield Running("127.0.0.1", server.port, server.pid)
    finally:
        server.stop()


def wait_until(is_ready: Callable[[], bool], process: "subprocess.Popen[bytes] | None" = None) -> bool:
    """Wait until it is so; say `False` if the process ends before, or it never is."""
    deadline = time.monotonic() + START_SECONDS
    while (process is None or process.poll() is None) and time.monotonic() < deadline:
        if is_ready():
            return True
        time.sleep(0.02)
    return False


def wait_for_port(port: int, process: "subprocess.Popen[bytes] | None" = None) -> bool:
    """Wait until somebody listens; say `False` if the process ends before, or nobody ever does."""
    return wait_until(lambda: answers(port), process)


def free_port() -> int:
    """A port that is free for TCP and UDP."""
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", tcp.getsockname()[1]))
        return int(tcp.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
