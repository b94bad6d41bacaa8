"""Stops everything that runs in one region, as it stands, and lets it go on: SIGSTOP and SIGCONT.

A stopped process keeps what it holds. Its connections hang instead of breaking, its listeners go on accepting in the
kernel, and a lock on a file that others share is held until it goes on. The last is an artefact of one machine: a
registry that is there for three places gives nobody a lock that outlives the holder's silence, and here all of them
share one SQLite file. So a region is stopped at a moment at which it holds no lock on the files that are named.
"""

import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from outlast.drill.processes import Crew
from outlast.errors import Unavailable

TRIES = 50
"""Each takes a fraction of a second at worst; roles hold a lock for about a millisecond in a hundred."""
LOCK_SECONDS = 0.2
"""A living process's transaction ends within this; what lasts longer is held by one that is stopped."""
STOP_SECONDS = 2.0
"""A busy machine gives every process a turn within this."""
PAUSE = 0.02


def stop(crew: Crew, names: Sequence[str], files: Sequence[Path]) -> float:
    """Stop these children, their own children included; return the instant since which all stand still.

    Args:
        crew: Whose children.
        names: Which.
        files: SQLite files on which they must hold no lock.

    Raises:
        Unavailable: They hold one at every try.

    """
    for _ in range(TRIES):
        _signal(crew, names, signal.SIGSTOP)
        _wait_stopped(crew, names)
        at = time.monotonic()
        if not any(_is_locked(path) for path in files):
            return at
        go_on(crew, names)
        time.sleep(PAUSE)
    raise Unavailable("the region's processes hold a lock whenever they are stopped", hint="the disk may be too slow")


def go_on(crew: Crew, names: Sequence[str]) -> float:
    """Let them go on; return the instant. Harmless if they were not stopped."""
    at = time.monotonic()
    _signal(crew, names, signal.SIGCONT)
    return at


def _signal(crew: Crew, names: Sequence[str], number: signal.Signals) -> None:
    for name in names:
        with contextlib.suppress(ProcessLookupError):
            # Each child leads a group of its own.
            os.killpg(crew.pid(name), number)


def _wait_stopped(crew: Crew, names: Sequence[str]) -> None:
    # A signal to a process that waits for a core takes effect when it gets one.
    limit = time.monotonic() + STOP_SECONDS
    while time.monotonic() < limit and not all(_is_stopped(crew.pid(name)) for name in names):
        time.sleep(0.001)


def _is_stopped(pid: int) -> bool:
    try:
        # Looks and takes nothing away: the crew itself asks later what became of its children.
        return os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT | os.WNOHANG) is not None
    except ChildProcessError:
        return True  # it has ended


def _is_locked(path: Path) -> bool:
    with contextlib.closing(sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)) as db:
        try:
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        db.execute("ROLLBACK")
        return False
