"""Symmetry: states that differ only in which of some identical agents is where are explored once.

The representative has its twins sorted by rank, a number for what a twin is apart from names. Names occur inside values
(who wrote a sentinel), so whoever is exchanged is renamed everywhere, from tables. Twins of equal rank stay as they are:
at worst a state is explored under two of its faces, which costs time and hides nothing. Where nobody is named, twins are
sorted by their values' numbers, and nothing need be renamed.
"""

from typing import Any

from outlast.simulator.packing import Packing
from outlast.simulator.protocol import Protocol

Order = tuple[int, ...]
"""For each new position, the old one whose twin goes there."""


class Ranks:
    """The rank of each number that each twin may have; they do not change when there is more room for numbers."""

    def __init__(self, protocol: Protocol) -> None:
        self._rank, self._known = protocol.rank, [list[int]() for _ in protocol.twins]
        self._ranks: dict[object, int] = {}

    def of(self, position: int, values: list[Any]) -> list[int]:
        """The ranks of the twin at this position, by number."""
        known = self._known[position]
        new = values[len(known) :]
        known += [self._ranks.setdefault(self._rank(value, position), len(self._ranks)) for value in new]
        return known


class Symmetry:
    """Exchanges states for their representatives."""

    def __init__(self, packing: Packing, ranks: Ranks) -> None:
        self._packing = packing
        self._twins = packing.protocol.twins
        self._ranks = ranks
        self._renamed: dict[Order, list[dict[int, int]]] = {}
        self.is_nameless = packing.protocol.rename is None

    def representative(self, state: int) -> int:
        """The face of this state that is explored."""
        order = self.order(state)
        return state if order == tuple(range(len(order))) else self.rearranged(state, order)

    def order(self, state: int) -> Order:
        """How the twins must be rearranged to be sorted."""
        packing = self._packing
        ranks = []
        for position, part in enumerate(self._twins):
            own = packing.number_in(state, part)
            ranks.append(own if self.is_nameless else self.ranks(position)[own])
        return tuple(sorted(range(len(ranks)), key=ranks.__getitem__))

    def ranks(self, position: int) -> list[int]:
        """The rank of each number that the twin at this position may have."""
        return self._ranks.of(position, self._packing.values[self._twins[position]])

    def rearranged(self, state: int, order: Order) -> int:
        """The state with its twins rearranged, and renamed wherever they are named."""
        packing = self._packing
        tables = self._renamed.get(order)
        if tables is None:
            tables = self._renamed[order] = [{} for _ in packing.shifts]
        new = state & packing.budget_bits
        for part, table in enumerate(tables):
            number = packing.number_in(state, part)
            placed = table.get(number)
            if placed is None:
                placed = table[number] = self.placed(part, number, order)
            new += placed
        return new

    def placed(self, part: int, number: int, order: Order) -> int:
        """What a part that has this number comes to when twins are rearranged: as a state without the other parts."""
        moved = [0] * len(order)
        for new, old in enumerate(order):
            moved[old] = new
        target = self._twins[moved[self._twins.index(part)]] if part in self._twins else part
        value, rename = self._packing.values[part][number], self._packing.protocol.rename
        value = rename(value, tuple(moved)) if rename is not None else value
        return self._packing.placed(target, self._packing.number(target, value))
