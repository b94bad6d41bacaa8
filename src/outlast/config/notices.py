"""What roles tell people: notes with their place, the same one not again and again."""

import time
from collections.abc import Callable
from typing import NamedTuple

from outlast.traffic.messages import Note

REPEAT_SECONDS = 60.0
"""A condition that lasts is told again after this long, so that a log's last page shows it."""
MAX_REMEMBERED = 100_000
"""Places whose last note is remembered; beyond it, all are forgotten and may be told once more."""


class Notice(NamedTuple):
    """One note of one role about one place: an endpoint at a provider, a target, or nothing in particular."""

    role: str
    place: str
    note: Note


Tell = Callable[[Notice], None]


class Notices:
    """Lets a notice through if it is news for its place: another note than the last, or the same after a while.

    Args:
        tell: Given what is news.
        now: A monotonic clock in seconds.

    """

    def __init__(self, tell: Tell, now: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._now = now
        self._last: dict[tuple[str, str], tuple[tuple[Note, ...], float]] = {}

    def __repr__(self) -> str:
        return f"<notices: {len(self._last)} places>"

    def told(self, role: str, place: str, notes: tuple[Note, ...]) -> None:
        """Tell all notes of one pass at one place, unless the last pass there had the very same."""
        key, now = (role, place), self._now()
        last, at = self._last.get(key, ((), 0.0))
        if notes == last and (not notes or now - at < REPEAT_SECONDS):
            return
        if len(self._last) >= MAX_REMEMBERED:
            self._last.clear()
        self._last[key] = (notes, now)
        for note in notes:
            self._tell(Notice(role, place, note))
