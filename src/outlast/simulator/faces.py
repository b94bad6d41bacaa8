"""`symmetry` for many states at a time: every row is exchanged for its representative."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlast.simulator.engine import Engine
from outlast.simulator.numbering import Numbers, Words
from outlast.simulator.symmetry import Order
from outlast.simulator.words import Field, words_of


class Faces:
    """Exchanges rows for their representatives."""

    def __init__(self, engine: Engine) -> None:
        packing = engine.packing
        self._symmetry, self._packing = engine.symmetry, packing
        self._twins = [Field.of(packing, part) for part in packing.protocol.twins]
        self._fields = [Field.of(packing, part) for part in range(len(packing.values))]
        self._placed: dict[Order, list[_Places]] = {}

    def representatives(self, rows: Words) -> Words:
        """The face of each state that is explored. The rows that were handed in may be changed."""
        if len(self._twins) < 2 or not len(rows):
            return rows
        numbers = np.stack([field.numbers(rows) for field in self._twins], axis=1)
        if self._symmetry.is_nameless:
            return self._sorted(rows, numbers)
        ranks = np.empty_like(numbers)
        for position in range(len(self._twins)):
            ranks[:, position] = np.array(self._symmetry.ranks(position))[numbers[:, position]]
        at = np.flatnonzero((ranks[:, :-1] > ranks[:, 1:]).any(axis=1))
        orders = np.argsort(ranks[at], axis=1, kind="stable")
        for order in np.unique(orders, axis=0):
            alike = at[(orders == order).all(axis=1)]
            rows[alike] = self._rearranged(rows[alike], tuple(order.tolist()))
        return rows

    def _sorted(self, rows: Words, numbers: Numbers) -> Words:
        at = np.flatnonzero((numbers[:, :-1] > numbers[:, 1:]).any(axis=1))
        if at.size:
            placed = np.sort(numbers[at], axis=1)
            for position, field in enumerate(self._twins):
                rows[at, field.word] &= ~(field.bits << field.shift)
                rows[at, field.word] |= placed[:, position].astype(np.uint64) << field.shift
        return rows

    def _rearranged(self, rows: Words, order: Order) -> Words:
        if order not in self._placed:
            self._placed[order] = [_Places() for _ in self._fields]
        result = np.zeros_like(rows)
        for part, (field, places) in enumerate(zip(self._fields, self._placed[order], strict=True)):
            numbers = field.numbers(rows)
            for number in places.unknown(numbers, len(self._packing.values[part]), self._packing.words):
                places.words[number] = words_of(self._symmetry.placed(part, number, order), self._packing.words)
                places.is_known[number] = True
            result |= places.words[numbers]
        return result


class _Places:
    """What each number of one part comes to in one order."""

    def __init__(self) -> None:
        self.words: Words = np.zeros((0, 1), np.uint64)
        self.is_known: NDArray[np.bool_] = np.zeros(0, bool)

    def unknown(self, numbers: Numbers, count: int, width: int) -> list[int]:
        if count > len(self.is_known):
            words, is_known = np.zeros((count, width), np.uint64), np.zeros(count, bool)
            words[: len(self.words)] = self.words if self.words.size else 0
            is_known[: len(self.is_known)] = self.is_known
            self.words, self.is_known = words, is_known
        found: Any = np.unique(numbers[~self.is_known[numbers]])
        return [int(number) for number in found]
