"""The drill's child processes: started once, watched, and ended by pid whatever happens.

Each child leads a process group of its own, so that a Ctrl-C in the terminal reaches the drill alone and the drill ends
its children in order. Each has a pipe from us as standard input: if we die without a word, it closes, and they end.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from outlast.errors import OutlastError
from outlast.interrupts import uninterrupted

GRACE = 1.5
"""Seconds between SIGTERM and SIGKILL."""
QUOTED = 400
"""Characters of a dead child's last words that are shown."""
ORPHAN = "outlast.drill.orphan"
"""Runs another module so that it ends with us."""


class ChildDied(OutlastError):
    """A child of the drill ended by itself."""


class Crew:
    """All children, by name.

    Args:
        folder: Where what they write is kept.
        is_interrupted: Whether somebody wants to end the drill.

    """

    def __init__(self, folder: Path, *, is_interrupted: Callable[[], bool] = lambda: False) -> None:
        self._folder = folder
        self._is_interrupted = is_interrupted
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._dismissed: set[str] = set()

    def start(
        self, name: str, module: str, *arguments: str, descriptors: Sequence[int] = (), ends_itself: bool = False
    ) -> int:
        """Start `python -m module arguments…`, anew if it was ended before; return its pid.

        It ends when we do: by `outlast.drill.orphan`, unless it `ends_itself`. What it writes goes into `<name>.log`.
        """
        module_words = [module] if ends_itself else [ORPHAN, module]
        with (self._folder / f"{name}.log").open("ab") as log, uninterrupted():
            child = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
                [sys.executable, "-m", *module_words, *arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=descriptors,
                start_new_session=True,
                cwd=self._folder,
            )
            self._children[name] = child
            self._dismissed.discard(name)
        return child.pid

    def pid(self, name: str) -> int:
        return self._children[name].pid

    @property
    def alive(self) -> tuple[str, ...]:
        """The names of those that have neither been ended nor ended by themselves."""
        return tuple(name for name, child in self._children.items() if child.poll() is None)

    def check(self) -> None:
        """See that all are alive and nobody wants to end them.

        Raises:
            ChildDied: Names the first one that is not, with its last words.
            KeyboardInterrupt: Somebody does; the first one was raised where Python forgets it.

        """
        if self._is_interrupted():
            raise KeyboardInterrupt
        for name, child in self._children.items():
            if name not in self._dismissed and child.poll() is not None:
                raise ChildDied(f"{name} ended with status {child.returncode}: {self._last_words(name)}")

    def dismiss(self, *names: str) -> None:
        """End some of them in order; they are not missed afterwards."""
        self._dismissed.update(names)
        self._end([self._children[name] for name in names if name in self._children])

    def kill(self, name: str) -> None:
        """SIGKILL, as a machine that loses power."""
        self._dismissed.add(name)
        child = self._children[name]
        _signal(child, signal.SIGKILL)
        child.wait()
        _close(child)

    def end(self) -> None:
        """End all. Safe to call again, and from an interrupted call of itself."""
        self._dismissed.update(self._children)
        self._end(list(self._children.values()))

    def _end(self, children: list[subprocess.Popen[bytes]]) -> None:
        try:
            for child in children:
                _signal(child, signal.SIGTERM)
                # A stopped process takes no SIGTERM until it goes on.
                _signal(child, signal.SIGCONT)
            deadline = time.monotonic() + GRACE
            while time.monotonic() < deadline and any(child.poll() is None for child in children):
                time.sleep(0.01)
        finally:
            for child in children:
                _signal(child, signal.SIGKILL)
            for child in children:
                child.wait()
                _close(child)

    def _last_words(self, name: str) -> str:
        text = (self._folder / f"{name}.log").read_text(encoding="utf-8", errors="replace").strip()
        return text[-QUOTED:] or "it said nothing"


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, number)


def _close(child: subprocess.Popen[bytes]) -> None:
    if child.stdin is not None:
        with contextlib.suppress(OSError):
            child.stdin.close()
