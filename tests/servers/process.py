"""A real server as a process of our own on loopback: started, stopped, made to stand still and go on, by its pid."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

START_SECONDS = 20.0
STOP_SECONDS = 10.0
ATTEMPTS = 5
"""A free port may be taken by somebody else before the server binds it."""


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
            self.port = free_port()
        raise AssertionError(f"no start:\n{self.log.read_text()[-2000:]}")

    def start(self) -> bool:
        """Start it on its port; say whether it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder
            )
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            if self.is_ready():
                return True
            time.sleep(0.02)
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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
