"""What every child process of the drill has in common: options from a JSON file, JSON lines out, an orderly end.

A child is started as `python -m outlast.drill.<name> OPTIONS.json`, by way of `outlast.drill.orphan`. It appends one JSON object per line to its output
file, each line flushed as a whole, because the drill reads the file while it grows. All times in it are seconds of
`time.monotonic()`, which on Linux and macOS is one clock for all processes.
"""

import json
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, TextIO, TypeVar

from outlast.errors import InvalidConfig, OutlastError

Options = TypeVar("Options")

BAD_OPTIONS = 2  # exit status, as argparse has it


class Lines:
    """An append-only file of JSON lines, flushed after each line."""

    def __init__(self, path: str) -> None:
        self._file: TextIO = Path(path).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115 - open as long as the process lives

    def write(self, event: str, fields: Mapping[str, Any]) -> None:
        """Append one line; `event` becomes its first field."""
        self._file.write(json.dumps({"event": event, **fields}, separators=(",", ":")) + "\n")

    def close(self) -> None:
        """Close the file; nothing is pending, so nothing is lost if this is never called."""
        self._file.close()


def read_options(kind: type[Options], path: Path) -> Options:
    """Build the frozen options `kind` from a JSON object; lists become tuples.

    Raises:
        InvalidConfig: The file cannot be read, is no object, lacks a field, has an unknown one, or `kind` refuses it.

    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict):
            raise InvalidConfig((f"{path}: not a JSON object",))
        return kind(**{key: _frozen(value) for key, value in data.items()})
    except (OSError, ValueError, TypeError) as error:
        raise InvalidConfig((f"{path}: {error}",)) from error


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return value


def require(*conditions: tuple[bool, str]) -> None:
    """Refuse options: raise `InvalidConfig` with the text of every condition that does not hold."""
    faults = tuple(fault for holds, fault in conditions if not holds)
    if faults:
        raise InvalidConfig(faults)


def on_termination(stop: Callable[[], None]) -> None:
    """Call `stop` at SIGTERM and at Ctrl-C, which a terminal sends to the drill's whole process group."""

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


def run_child(kind: type[Options], serve: Callable[[Options], None]) -> int:
    """Run `serve` with the options named on the command line; return the exit status."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m outlast.drill.{service|load|observer} OPTIONS.json\n")
        return BAD_OPTIONS
    try:
        serve(read_options(kind, Path(sys.argv[1])))
    except InvalidConfig as error:
        sys.stderr.write(f"{error}\n")
        return BAD_OPTIONS
    except (OutlastError, OSError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    return 0
