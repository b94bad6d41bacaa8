"""How commands speak: results on stdout, everything else on stderr, one line per thing."""

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from outlast.config.notices import Notice
from outlast.errors import InvalidConfig, OutlastError

if TYPE_CHECKING:
    from rich.console import Console

FAILED = 1
BAD_CONFIG = 2
UNBROKEN = 1_000_000
"""Columns where there is no terminal: more than any table has, and a table takes only what it needs."""


def failed(error: OutlastError) -> int:
    """Print an error and its hint on stderr; return the exit status for it."""
    for line in error.faults if isinstance(error, InvalidConfig) else (error.message,):
        sys.stderr.write(f"outlast: {line}\n")
    if error.hint:
        sys.stderr.write(f"  {error.hint}\n")
    return BAD_CONFIG if isinstance(error, InvalidConfig) else FAILED


def put(line: str = "") -> None:
    """Print a line of the result."""
    sys.stdout.write(f"{line}\n")


def put_json(value: Any) -> None:
    """Print the result as JSON."""
    put(json.dumps(value, indent=2))


def console() -> "Console":
    """Where tables go: as wide as the terminal, and without one so wide that nothing is broken and grep finds it."""
    from rich.console import Console  # starting a command needs none

    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=UNBROKEN)


def log(notice: Notice) -> None:
    """Print a role's notice as one line on stderr: when, who, where, what."""
    when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    note = notice.note
    words = (f"{when}Z", notice.role, notice.place, "ALARM" if note.alarm else "", note.name, printable(note.detail))
    sys.stderr.write(" ".join(word for word in words if word) + "\n")
    sys.stderr.flush()


def printable(text: str) -> str:
    """One line without control characters: what comes from the network must not write to a terminal."""
    joined = "; ".join(text.splitlines())
    return "".join(character if character.isprintable() else "?" for character in joined)
