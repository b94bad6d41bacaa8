"""States as integers: each part's value gets a small number (collapse compression), and the numbers stand side by side.

So a state costs a few bytes, a move is an addition, and what a move depends on is a mask. No field crosses a boundary of 64
bits: a state is as well a row of words, and addition and mask work word by word. If a part has more values than its field
holds, `Overflow` says so, and `widened` makes room; the numbers stay what they were.
"""

from collections.abc import Hashable, Sequence
from typing import Any

from outlast.simulator.protocol import Protocol, Values

WORD = 64
ROOMY = 21
"""Bits of a field where memory does not matter: three to a word."""
NARROW = 1
"""Where it does, fields begin with so many bits,"""
WIDER_BY = 3
"""and get so many more when they are full. Most parts of most worlds have few values, and some have one."""

Changes = tuple[tuple[int, int, int], ...]
"""Parts that change: each with its number before and after."""


class Overflow(Exception):
    """A part has more values than its field can number."""

    def __init__(self, part: int) -> None:
        super().__init__(f"part {part} has more values than its field can number")
        self.part = part


class Packing:
    """Numbers for the values of each part, and where they stand in a state.

    Args:
        protocol: Whose states.
        width: Bits of each part's field.

    """

    def __init__(self, protocol: Protocol, width: int = ROOMY) -> None:
        self.protocol = protocol
        self.values: list[list[Any]] = [[] for _ in protocol.parts]
        self._numbers: list[dict[Hashable, int]] = [{} for _ in protocol.parts]
        if protocol.rename is None:
            # Twins that nobody names have the same values, so that they can be sorted by number.
            for part in protocol.twins[1:]:
                self.values[part] = self.values[protocol.twins[0]]
                self._numbers[part] = self._numbers[protocol.twins[0]]
        self._lay_out([width] * len(protocol.parts))

    def _lay_out(self, widths: Sequence[int]) -> None:
        self._widths = tuple(widths)
        self.shifts: list[int] = []
        self.bits: list[int] = []
        self.needs: dict[str, int] = {}
        self.ones: dict[str, int] = {}
        shift = 0
        for name, budget in self.protocol.budgets.items():
            width = budget.bit_length()
            shift = _begins(shift, width)
            self.needs[name] = ((1 << width) - 1) << shift
            self.ones[name] = 1 << shift
            shift += width
        self.budget_bits = sum(self.needs.values())
        for width in widths:
            shift = _begins(shift, width)
            self.shifts.append(shift)
            self.bits.append((1 << width) - 1)
            shift += width
        self.words = (shift + WORD - 1) // WORD or 1

    def widened(self, part: int) -> "Packing":
        """The same numbers with more room for that part; for its twins too, since they may change places."""
        new = Packing(self.protocol)
        new.values, new._numbers = self.values, self._numbers
        alike = {part, *(self.protocol.twins if part in self.protocol.twins else ())}
        new._lay_out([width + WIDER_BY * (at in alike) for at, width in enumerate(self._widths)])
        return new

    def number(self, part: int, value: Hashable) -> int:
        """Return the value's number, a new one for a new value; it may be too large for its field."""
        numbers = self._numbers[part]
        found = numbers.get(value)
        if found is None:
            found = numbers[value] = len(self.values[part])
            self.values[part].append(value)
        return found

    def placed(self, part: int, number: int) -> int:
        """Return the number where it stands in a state.

        Raises:
            Overflow: It does not fit into its field.

        """
        if number > self.bits[part]:
            raise Overflow(part)
        return number << self.shifts[part]

    def pack(self, values: Values, budgets: dict[str, int] | None = None) -> int:
        """Put a state together."""
        left = self.protocol.budgets if budgets is None else budgets
        state = sum(self.ones[name] * left[name] for name in self.ones)
        for part, value in enumerate(values):
            state += self.placed(part, self.number(part, value))
        return state

    def budget_field(self, left: tuple[int, ...]) -> int:
        """The budgets' bits for what is left of each, in order."""
        return sum(one * count for one, count in zip(self.ones.values(), left, strict=True))

    def number_in(self, state: int, part: int) -> int:
        return state >> self.shifts[part] & self.bits[part]

    def value(self, state: int, part: int) -> Any:
        return self.values[part][self.number_in(state, part)]

    def unpack(self, state: int) -> Values:
        """Return the value of each part."""
        return tuple(self.value(state, part) for part in range(len(self.values)))

    def without_budgets(self, state: int) -> int:
        """The state with every budget used up."""
        return state & ~self.budget_bits

    def budgets_left(self, state: int) -> dict[str, int]:
        return {name: (state & need) // self.ones[name] for name, need in self.needs.items()}

    def mask(self, parts: tuple[int, ...]) -> int:
        """Return the bits where these parts stand."""
        return sum(self.bits[part] << self.shifts[part] for part in set(parts))

    def changes(self, parts: tuple[int, ...], before: Values, after: Values) -> Changes:
        """What becomes of `parts`, as numbers."""
        return tuple(
            (part, self.number(part, old), self.number(part, new))
            for part, old, new in zip(parts, before, after, strict=True)
            if old is not new
        )

    def delta(self, changes: Changes, draws: str) -> int:
        """What to add to a state so that these parts change, and the budget `draws` goes down.

        Raises:
            Overflow: A number does not fit into its field.

        """
        change = -self.ones[draws] if draws else 0
        return change + sum(self.placed(part, new) - self.placed(part, old) for part, old, new in changes)


def _begins(shift: int, width: int) -> int:
    # Where a field of that width begins: in the next word if it does not fit into this one.
    return shift if shift // WORD == (shift + width - 1) // WORD or not width else (shift // WORD + 1) * WORD
