"""Symmetry: states that differ only in which of some identical agents is where are explored once.

The representative has its twins sorted by rank, a number for what a twin is apart from names. Names occur inside values
(who wrote a sentinel), so whoever is exchanged is renamed everywhere, from tables. Twins of equal rank stay as they are:
at worst a state is explored under two of its faces, which costs time and hides nothing. Where nobody is named, twins are
sorted by their values' numbers, and nothing need be renamed.
"""

from collections.abc import Callable

from outlast.simulator.packing import Packing

Order = tuple[int, ...]
"""For each new position, the old one whose twin goes there."""


class Symmetry:
    """Exchanges states for their representatives."""

    def __init__(self, packing: Packing) -> None:
        self._packing = packing
        self._twins = packing.protocol.twins
        self._places = [(packing.shifts[part], packing.bits[part]) for part in self._twins]
        self._ranks: dict[object, int] = {}
        self._rank_of: list[list[int]] = [[] for _ in self._twins]
        self._renamed: dict[Order, list[dict[int, int]]] = {}
        self._is_nameless = packing.protocol.rename is None
        self.representative: Callable[[int], int] = self._chosen()

    def _chosen(self) -> Callable[[int], int]:
        if len(self._twins) < 2:
            return lambda state: state
        if not self._is_nameless:
            return self._sorted
        if len(self._twins) == 2:
            return _sorting_two(*self._places)
        return _sorting_three(*self._places) if len(self._twins) == 3 else _sorting(self._places)

    def order(self, state: int) -> Order:
        """How the twins must be rearranged to be sorted."""
        ranks = self._ranks_in(state)
        return tuple(sorted(range(len(ranks)), key=ranks.__getitem__))

    def _ranks_in(self, state: int) -> list[int]:
        if self._is_nameless:
            return [state >> shift & bits for shift, bits in self._places]
        ranks = []
        for position, (shift, bits) in enumerate(self._places):
            own = state >> shift & bits
            known = self._rank_of[position]
            if own >= len(known):
                self._learn(position)
            ranks.append(known[own])
        return ranks

    def _learn(self, position: int) -> None:
        values = self._packing.values[self._twins[position]]
        known = self._rank_of[position]
        rank = self._packing.protocol.rank
        known += [self._ranks.setdefault(rank(value, position), len(self._ranks)) for value in values[len(known) :]]

    def _sorted(self, state: int) -> int:
        last = -1
        for position, (shift, bits) in enumerate(self._places):
            own = state >> shift & bits
            known = self._rank_of[position]
            if own >= len(known):
                self._learn(position)
            rank = known[own]
            if rank < last:
                return self.rearranged(state, self.order(state))
            last = rank
        return state

    def rearranged(self, state: int, order: Order) -> int:
        """The state with its twins rearranged, and renamed wherever they are named."""
        packing = self._packing
        tables = self._renamed.get(order)
        if tables is None:
            tables = self._renamed[order] = [{} for _ in packing.shifts]
        new = state & packing.budget_bits
        for part, table in enumerate(tables):
            number = state >> packing.shifts[part] & packing.bits[part]
            placed = table.get(number)
            if placed is None:
                placed = table[number] = self._placed(part, number, order)
            new += placed
        return new

    def _placed(self, part: int, number: int, order: Order) -> int:
        moved = [0] * len(order)
        for new, old in enumerate(order):
            moved[old] = new
        target = self._twins[moved[self._twins.index(part)]] if part in self._twins else part
        value, rename = self._packing.values[part][number], self._packing.protocol.rename
        value = rename(value, tuple(moved)) if rename is not None else value
        return self._packing.number(target, value) << self._packing.shifts[target]


Field = tuple[int, int]


def _sorting_two(one: Field, two: Field) -> Callable[[int], int]:
    # Written out for two and three twins: this runs once for each move of an exploration.
    (low, bits), (high, _) = one, two

    def chosen(state: int) -> int:
        a, b = state >> low & bits, state >> high & bits
        return state if a <= b else state + ((b - a) << low) + ((a - b) << high)

    return chosen


def _sorting_three(one: Field, two: Field, three: Field) -> Callable[[int], int]:
    (low, bits), (middle, _), (high, _) = one, two, three

    def chosen(state: int) -> int:
        a, b, c = state >> low & bits, state >> middle & bits, state >> high & bits
        if a <= b <= c:
            return state
        x, y, z = sorted((a, b, c))
        return state + ((x - a) << low) + ((y - b) << middle) + ((z - c) << high)

    return chosen


def _sorting(fields: list[Field]) -> Callable[[int], int]:
    def chosen(state: int) -> int:
        numbers = [state >> shift & bits for shift, bits in fields]
        return state + sum(
            (new - old) << shift for new, old, (shift, _) in zip(sorted(numbers), numbers, fields, strict=True)
        )

    return chosen
