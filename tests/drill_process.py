"""The drill as a process of its own, watched from outside: what it printed, what it left behind."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

SCRIPT = Path(__file__).with_name("drill") / "short_drill.py"
LIMIT_SECONDS = 240.0
"""A drill of two shortened acts takes under a minute on two free cores."""
TIMED = ("failover of the slowest host", "seconds from the stop until DNS answers", "caches recovers within")
"""Expectations that hold a time bound which a machine that is busy with something else can miss once."""
GONE_SECONDS = 3.0
"""Within which nothing of a drill may be left."""


class Drill:
    """A running drill. Its temporary folder is inside `folder`, and all its processes carry that path."""

    def __init__(self, folder: Path, *command: str) -> None:
        self.folder = folder
        self._chunks: list[str] = []
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(folder), "COLUMNS": "160", "LINES": "50", "NO_COLOR": "1"},
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while chunk := os.read(self.process.stdout.fileno(), 65536):
            self._chunks.append(chunk.decode(errors="replace"))

    @property
    def output(self) -> str:
        return "".join(self._chunks)

    def wait_for(self, text: str) -> None:
        """Wait until it has printed this."""
        until = time.monotonic() + LIMIT_SECONDS
        while text not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < until, self.output
            time.sleep(0.02)

    def wait(self) -> int:
        """Wait for its end; return its status as a shell tells it."""
        status = self.process.wait(LIMIT_SECONDS)
        return status if status >= 0 else 128 - status

    def children(self) -> dict[int, str]:
        """Living processes that name the folder in their command line or environment, but not the drill itself."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command, environment = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
            except OSError:
                continue
            if str(self.folder).encode() in command + environment and command:
                found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace")
        found.pop(self.process.pid, None)
        return found

    def left_behind(self) -> dict[int, str]:
        """Processes that are still there after the grace period."""
        until = time.monotonic() + GONE_SECONDS
        while (alive := self.children()) and time.monotonic() < until:
            time.sleep(0.05)
        return alive

    def folders(self) -> list[str]:
        """What it left in its temporary folder."""
        return sorted(path.name for path in self.folder.iterdir())

    def close(self) -> None:
        """End it and all of its processes, by pid."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pid in self.left_behind():
            os.kill(pid, signal.SIGKILL)
        self._reader.join(5)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def running(folder: Path, *command: str) -> Iterator[Drill]:
    """A command that runs the drill; whatever is left of it at the end is ended."""
    folder.mkdir(exist_ok=True)
    drill = Drill(folder, *command)
    try:
        yield drill
    finally:
        drill.close()


def short(**options: Any) -> tuple[str, ...]:
    """The command of a shortened drill with these options."""
    return (sys.executable, str(SCRIPT), json.dumps(options))


class Finished(NamedTuple):
    """A drill that came to its end."""

    status: int
    output: str
    result: dict[str, Any]
    left: dict[int, str]
    folders: list[str]

    def act(self, name: str) -> dict[str, Any]:
        """One act's figures."""
        found: dict[str, Any] = next(act for act in self.result["acts"] if act["name"] == name)
        return found


def finished(folder: Path, **options: Any) -> Finished:
    """Run a shortened drill to its end; once more if nothing but time bounds was missed, and then those count, too."""
    first = _finished(folder, **options)
    missed = [item["claim"] for act in first.result["acts"] for item in act["expectations"] if not item["held"]]
    if missed and all(any(words in claim for words in TIMED) for claim in missed):
        second = _finished(folder, **options)
        return second._replace(output=f"{first.output}\nplayed again: {missed} missed\n{second.output}")
    return first


def _finished(folder: Path, **options: Any) -> Finished:
    json_file = folder / "result.json"
    with running(folder / "tmp", *short(json_file=str(json_file), **options)) as drill:
        status = drill.wait()
        left = drill.left_behind()
        folders = drill.folders()
        output = drill.output
    result = json.loads(json_file.read_text()) if json_file.exists() else {"acts": []}
    return Finished(status, output, result, left, folders)
