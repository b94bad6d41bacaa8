"""How a drill ends: its exit statuses, where its result may go, and in order if somebody interrupts it."""

import signal
from pathlib import Path
from types import FrameType
from typing import Any

from outlast.interrupts import ENDINGS

HELD, FAILED, INTERRUPTED = 0, 1, 130


def file_faults(option: str, file: Path | None) -> list[str]:
    """What keeps a result from being written there at the end; said at the beginning."""
    if file is None:
        return []
    if not file.absolute().parent.is_dir():
        return [f"{option} {file}: there is no folder {file.parent}"]
    return [f"{option} {file}: it is a folder; name a file"] if file.is_dir() else []


class Interrupts:
    """Ctrl-C and SIGTERM end the drill in order; what comes while it is cleaning up is noted and changes nothing."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self.is_noted = False

    def __enter__(self) -> None:
        for number in ENDINGS:
            self._before[number] = signal.signal(number, self._interrupt)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        # Once is enough: a second one must not cut the cleaning up short. It is noted, too, for wherever it is lost.
        self.is_noted = True
        for each in self._before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt
