"""Rows of 64-bit words and their numbers: a hash table that is asked for many rows at a time.

Open addressing with linear probing (Knuth, The Art of Computer Programming, volume 3, section 6.4), one round of probes for
all rows that are still looking at once. Rows are compared whole: a hash that is shared by two rows costs a probe, never a
state.
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Words = NDArray[np.uint64]
"""States, one a row: each row is so many words."""
Numbers = NDArray[np.int64]

SMALLEST = 1024
SHARE = 2
"""At most one slot in so many is taken."""
FREE = -1
MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
"""Odd numbers without a pattern; words beyond the fourth use them again, shifted by what came before."""


class Growing:
    """Rows of one kind, added at the end; `rows` shows those there are."""

    def __init__(self, kind: DTypeLike, width: int = 0) -> None:
        self._shape = (width,) if width else ()
        self._rows: NDArray[Any] = np.zeros((SMALLEST, *self._shape), kind)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def rows(self) -> NDArray[Any]:
        return self._rows[: self._count]

    def add(self, rows: Any) -> None:
        """Add rows, or one of them."""
        new = np.asarray(rows, self._rows.dtype).reshape(-1, *self._shape)
        needed = self._count + len(new)
        if needed > len(self._rows):
            larger = np.zeros((max(needed, 2 * len(self._rows)), *self._shape), self._rows.dtype)
            larger[: self._count] = self.rows
            self._rows = larger
        self._rows[self._count : needed] = new
        self._count = needed


class Numbering:
    """Numbers rows as they are first seen, from 0; `rows`, none of them twice, are numbered in their order."""

    def __init__(self, width: int, rows: Words | None = None) -> None:
        self._known = Growing(np.uint64, width)
        self._slots = np.full(SMALLEST, FREE, np.int32)
        if rows is not None:
            self._known.add(rows)
            self._spread(0)

    def __len__(self) -> int:
        return len(self._known)

    @property
    def rows(self) -> Words:
        """The rows by their numbers."""
        return self._known.rows

    def find_or_add(self, rows: Words) -> Numbers:
        """The number of each row; a row that is new gets the next one."""
        self._make_room(len(rows))
        slots, last = self._slots, len(self._slots) - 1
        at = _hashed(rows) & last
        numbers = np.empty(len(rows), np.int64)
        looking = np.arange(len(rows))
        while looking.size:
            there = slots[at]
            if (is_free := there == FREE).any():
                self._claim(at[is_free], rows, looking[is_free])
                there = slots[at]
            is_found = (self._known.rows[there] == rows[looking]).all(axis=1)
            numbers[looking[is_found]] = there[is_found]
            looking, at = looking[~is_found], (at[~is_found] + 1) & last
        return numbers

    def _claim(self, at: Numbers, rows: Words, looking: Numbers) -> None:
        # Several rows may want one free slot. The last to write has it: backwards, that is the first of them.
        mine = FREE - 1 - looking
        self._slots[at[::-1]] = mine[::-1]
        has_won = self._slots[at] == mine
        first = len(self._known)
        self._known.add(rows[looking[has_won]])
        self._slots[at[has_won]] = np.arange(first, len(self._known), dtype=np.int32)

    def _make_room(self, coming: int) -> None:
        if len(self._slots) < SHARE * (len(self) + coming):
            self._spread(coming)

    def _spread(self, coming: int) -> None:
        # All rows anew into a table that has room for so many more.
        size = len(self._slots)
        while size < SHARE * (len(self) + coming):
            size *= 2
        last = size - 1
        slots = self._slots = np.full(size, FREE, np.int32)
        at, placing = _hashed(self.rows) & last, np.arange(len(self))
        while placing.size:
            is_free = slots[at] == FREE
            slots[at[is_free]] = placing[is_free]
            is_looking = slots[at] != placing
            placing, at = placing[is_looking], (at[is_looking] + 1) & last


def _hashed(rows: Words) -> Numbers:
    mixed = rows[:, 0] * np.uint64(MULTIPLIERS[0])
    for word in range(1, rows.shape[1]):
        mixed ^= mixed >> np.uint64(29)
        mixed = (mixed ^ rows[:, word]) * np.uint64(MULTIPLIERS[word % len(MULTIPLIERS)])
    # The high bits have seen every bit of the rows.
    return (mixed >> np.uint64(32)).astype(np.int64)
