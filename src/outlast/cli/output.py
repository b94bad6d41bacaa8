"""How commands speak: results on stdout, everything else on stderr, one line per thing."""

import json
import sys
from datetime import UTC, datetime
from typing import Any

from outlast.config.notices import Notice
from outlast.errors import InvalidConfig, OutlastError

FAILED = 1
BAD_CONFIG = 2


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
