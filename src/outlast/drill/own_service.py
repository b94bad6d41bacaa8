"""Runs a command of the user's for each address of one region, as one process group that ends as a whole.

The user's program knows nothing of the drill, so this process stands between: it leads the group, ends all of it at
SIGTERM or when the drill is gone, and ends with the command's status as soon as one of them ends by itself. Run as
`python -m outlast.drill.own_service OPTIONS.json`.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from outlast.drill.child import BAD_OPTIONS, read_options

GRACE = 0.7
"""Seconds between SIGTERM and SIGKILL: less than the drill gives us."""
LOOK_SECONDS = 0.1
STDIN = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnServiceOptions:
    """What to start: `commands` as words, in `folder`."""

    commands: tuple[tuple[str, ...], ...]
    folder: str


def main() -> int:
    """Start all, and stay until one ends or we are told to end; return the exit status."""
    options = read_options(OwnServiceOptions, Path(sys.argv[1]))
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    started = []
    for words in options.commands:
        try:
            started.append(subprocess.Popen(words, cwd=options.folder, stdin=subprocess.DEVNULL))  # noqa: S603 - the user's own command, as asked
        except OSError as error:
            sys.stderr.write(f"{words[0]} cannot be started: {error.strerror}\n")
            _end_group()
    while all(process.poll() is None for process in started):
        time.sleep(LOOK_SECONDS)
    ended = next(process for process in started if process.poll() is not None)
    sys.stderr.write(f"{json.dumps(list(options.commands[started.index(ended)]))} ended: {ended.returncode}\n")
    _end_group()


def _end(_signal: int, _frame: FrameType | None) -> None:
    _end_group()


def _end_with_parent() -> None:
    with contextlib.suppress(OSError):
        while os.read(STDIN, 4096):
            pass
    os.kill(os.getpid(), signal.SIGTERM)  # to the main thread, which is where signals are handled


def _end_group() -> NoReturn:
    # The group is ours alone: the drill started us as its leader. A stopped program takes no signal until it goes on.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    os.killpg(0, signal.SIGCONT)
    end = time.monotonic() + GRACE
    while time.monotonic() < end and _has_children():
        time.sleep(LOOK_SECONDS / 5)
    os.killpg(0, signal.SIGKILL)
    raise AssertionError("nobody survives SIGKILL")


def _has_children() -> bool:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(BAD_OPTIONS)
    raise SystemExit(main())
