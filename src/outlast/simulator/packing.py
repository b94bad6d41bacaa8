"""States as integers: each part's value gets a small number (collapse compression), and the numbers stand side by side.

So a state costs one integer, a move is an addition, and what a move depends on is a mask. The fields are made wider and
the exploration starts anew if a part has more values than its field holds; that is decided by `Overflow`, never by chance.
"""

from collections.abc import Hashable
from typing import Any

from outlast.simulator.protocol import Protocol, Values

PART_BITS = 16
TWIN_BITS = 18
"""Machines that read much have the most states of all parts."""


class Overflow(Exception):
    """A part has more values than its field can number."""

    def __init__(self, part: int) -> None:
        super().__init__(f"part {part} has more values than its field can number")
        self.part = part


class Packing:
    """Numbers for the values of each part, and where they stand in a state.

    Args:
        protocol: Whose states.
        wider: Extra bits by part, after an `Overflow`.

    """

    def __init__(self, protocol: Protocol, wider: dict[int, int] | None = None) -> None:
        self.protocol = protocol
        self.values: list[list[Any]] = [[] for _ in protocol.parts]
        self._numbers: list[dict[Hashable, int]] = [{} for _ in protocol.parts]
        if protocol.rename is None:
            # Twins that nobody names have the same values, so that they can be sorted by number.
            for part in protocol.twins[1:]:
                self.values[part] = self.values[protocol.twins[0]]
                self._numbers[part] = self._numbers[protocol.twins[0]]
        self.shifts: list[int] = []
        self.bits: list[int] = []
        self.needs: dict[str, int] = {}
        self._ones: dict[str, int] = {}
        shift = 0
        for name, budget in protocol.budgets.items():
            width = budget.bit_length()
            self.needs[name] = ((1 << width) - 1) << shift
            self._ones[name] = 1 << shift
            shift += width
        self.budget_bits = (1 << shift) - 1
        for part in range(len(protocol.parts)):
            width = (TWIN_BITS if part in protocol.twins else PART_BITS) + (wider or {}).get(part, 0)
            self.shifts.append(shift)
            self.bits.append((1 << width) - 1)
            shift += width

    def number(self, part: int, value: Hashable) -> int:
        """Return the value's number, a new one for a new value.

        Raises:
            Overflow: The field is full.

        """
        numbers = self._numbers[part]
        found = numbers.get(value)
        if found is None:
            found = numbers[value] = len(self.values[part])
            if found > self.bits[part]:
                raise Overflow(part)
            self.values[part].append(value)
        return found

    def pack(self, values: Values, budgets: dict[str, int] | None = None) -> int:
        """Put a state together."""
        left = self.protocol.budgets if budgets is None else budgets
        state = sum(self._ones[name] * left[name] for name in self._ones)
        for part, value in enumerate(values):
            state += self.number(part, value) << self.shifts[part]
        return state

    def budget_field(self, left: tuple[int, ...]) -> int:
        """The budgets' bits for what is left of each, in order."""
        return sum(one * count for one, count in zip(self._ones.values(), left, strict=True))

    def value(self, state: int, part: int) -> Any:
        return self.values[part][state >> self.shifts[part] & self.bits[part]]

    def unpack(self, state: int) -> Values:
        """Return the value of each part."""
        return tuple(self.value(state, part) for part in range(len(self.values)))

    def budgets_left(self, state: int) -> dict[str, int]:
        return {name: (state & need) // self._ones[name] for name, need in self.needs.items()}

    def mask(self, parts: tuple[int, ...]) -> int:
        """Return the bits where these parts stand."""
        return sum(self.bits[part] << self.shifts[part] for part in set(parts))

    def delta(self, parts: tuple[int, ...], before: Values, after: Values, draws: str) -> int:
        """What to add to a state so that `parts` go from `before` to `after` and the budget `draws` goes down."""
        change = -self._ones[draws] if draws else 0
        for part, old, new in zip(parts, before, after, strict=True):
            if old is not new:
                change += (self.number(part, new) - self.number(part, old)) << self.shifts[part]
        return change
