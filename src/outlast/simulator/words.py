"""Packed states as rows of 64-bit words: from integers and back, field by field, and from one layout to a wider one."""

from typing import NamedTuple

import numpy as np

from outlast.simulator.numbering import Numbers, Words
from outlast.simulator.packing import WORD, Packing

ALL = (1 << WORD) - 1


class Field(NamedTuple):
    """Where one part's number stands in a row."""

    word: int
    shift: np.uint64
    bits: np.uint64

    @classmethod
    def of(cls, packing: Packing, part: int) -> "Field":
        word, shift = divmod(packing.shifts[part], WORD)
        return cls(word, np.uint64(shift), np.uint64(packing.bits[part]))

    def numbers(self, rows: Words) -> Numbers:
        """That part's number in each row."""
        return ((rows[:, self.word] >> self.shift) & self.bits).astype(np.int64)

    def put(self, rows: Words, numbers: Numbers) -> None:
        """Add the numbers to rows in which this field is empty."""
        rows[:, self.word] |= numbers.astype(np.uint64) << self.shift


def words_of(state: int, count: int) -> tuple[int, ...]:
    """The words of a state, the lowest bits first."""
    return tuple(state >> WORD * word & ALL for word in range(count))


def change_of(before: int, after: int, count: int) -> tuple[int, ...]:
    """What to add, word by word and modulo 2^64, to go from one state to the other."""
    pairs = zip(words_of(before, count), words_of(after, count), strict=True)
    return tuple(new - old & ALL for old, new in pairs)


def row_of(state: int, count: int) -> Words:
    return np.array([words_of(state, count)], np.uint64)


def state_of(row: Words) -> int:
    """The state as an integer again."""
    return sum(int(word) << WORD * at for at, word in enumerate(row))


def relaid(rows: Words, old: Packing, new: Packing) -> Words:
    """The same states, without budgets, in a wider layout."""
    result = np.zeros((len(rows), new.words), np.uint64)
    for part in range(len(old.values)):
        Field.of(new, part).put(result, Field.of(old, part).numbers(rows))
    return result
