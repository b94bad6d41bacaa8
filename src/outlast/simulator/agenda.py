"""What is left in a state's budgets, and in which order states are explored.

Nothing ever reads a budget but the question whether it is used up; so of two states that are alike otherwise, the one with
at least as much left everywhere can do all that the other can, in as many steps. The poorer one need not be explored, and
of the ways to a fault through the richer one none is longer.

In order of discovery (breadth first) the poorer one is often found before the richer, and both are explored. Thrifty, by
how much was spent, richer ones come first: fewer states for a proof, but traces that are not the shortest.
"""

from collections import deque
from collections.abc import Iterator
from itertools import product

from outlast.simulator.packing import Packing


class Purse:
    """The budgets' bits of a state, as numbers. `bit[left]` marks that combination, `richer[left]` all as rich or richer."""

    def __init__(self, packing: Packing) -> None:
        self.bits = packing.budget_bits
        ranges = [range(count + 1) for count in packing.protocol.budgets.values()]
        combinations = {packing.budget_field(left): left for left in product(*ranges)}
        self.bit = {left: 1 << at for at, left in enumerate(combinations)}
        self.richer = {
            left: sum(
                self.bit[other]
                for other, more in combinations.items()
                if all(a >= b for a, b in zip(more, counts, strict=True))
            )
            for left, counts in combinations.items()
        }
        total = sum(packing.protocol.budgets.values())
        self.spent = {left: total - sum(counts) for left, counts in combinations.items()}


class Agenda:
    """States to explore, by index; yields them until none is left, those added meanwhile too."""

    def __init__(self, purse: Purse, *, is_thrifty: bool) -> None:
        self._purse = purse
        self._queues: list[deque[int]] = [deque() for _ in range(max(purse.spent.values()) + 1 if is_thrifty else 1)]
        self._is_thrifty = is_thrifty

    def add(self, state: int, index: int) -> None:
        self._queues[self._purse.spent[state & self._purse.bits] if self._is_thrifty else 0].append(index)

    def __iter__(self) -> Iterator[int]:
        for queue in self._queues:
            while queue:
                yield queue.popleft()
