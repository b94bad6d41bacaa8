"""What an exploration has found so far: the states, how each was reached, and where the system's own moves lead."""

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar, overload

import numpy as np

from outlast.simulator.batches import Moves, Truths
from outlast.simulator.budgets import Budgets
from outlast.simulator.engine import Engine
from outlast.simulator.numbering import Growing, Numbering, Numbers, Words
from outlast.simulator.protocol import Verdict
from outlast.simulator.words import relaid, row_of, state_of

Answer = TypeVar("Answer")


class Judged(Generic[Answer]):
    """What a function says of states, by the bits that it looks at: asked once for each combination of them."""

    def __init__(self, words: int, mask: int, ask: Callable[[int], Answer]) -> None:
        self._mask, self._ask = row_of(mask, words), ask
        self._keys = Numbering(words)
        self.answers: list[Answer] = []

    def numbers(self, rows: Words) -> Numbers:
        """For each state, which of the answers."""
        found = self._keys.find_or_add(rows & self._mask)
        self.answers += [self._ask(state_of(row)) for row in self._keys.rows[len(self.answers) :]]
        return found


class Exploration:
    """What was found. `order[i]` is the i-th state, packed; `parents[i]` the index of the one it was found from.

    A state without its budgets is a core. Several states may have one core, none of them poorer than another that was found
    before it.
    """

    def __init__(self, engine: Engine, budgets: Budgets) -> None:
        self.engine, self.budgets = engine, budgets
        self.cores = Numbering(engine.packing.words)
        self.left = Growing(np.int16)
        self.parents = Growing(np.int32)
        self.depths = Growing(np.int32)
        self.core = Growing(np.int32)
        self._is_first = Growing(bool)
        self._sets = Growing(np.uint64, budgets.words)
        self._own: list[tuple[Numbers, Numbers]] = []
        self.transitions = 0
        self.verdict = Verdict.UNDETERMINED
        self.fault = ""
        self.faulty_at = -1
        """Index of the state that breaks a rule, or from which a move breaks one (then `by_move`)."""
        self.by_move = False

    def __repr__(self) -> str:
        return f"<exploration {self.verdict}: {len(self.order)} states{' ' if self.fault else ''}{self.fault}>"

    @property
    def order(self) -> "Order":
        return Order(self)

    @property
    def depth(self) -> int:
        """The length of the longest of the traces by which states were found."""
        return int(self.depths.rows.max())

    def rows(self, states: Numbers) -> Words:
        """These states without their budgets, as rows."""
        return np.asarray(self.cores.rows[self.core.rows[states]])

    def own_moves(self) -> tuple[Numbers, Numbers]:
        """Where the system's own moves lead from and to, as numbers of cores."""
        none = np.zeros(0, np.int32)
        return (
            np.concatenate([none, *(source for source, _ in self._own)]),
            np.concatenate([none, *(target for _, target in self._own)]),
        )

    def widen(self, part: int) -> None:
        """Make room for more values of a part."""
        old = self.engine.packing
        new = old.widened(part)
        self.cores = Numbering(new.words, relaid(self.cores.rows, old, new))
        self.engine = Engine(self.engine.protocol, new, self.engine.memory)

    def begin(self) -> None:
        """Find the first state."""
        engine = self.engine
        start = engine.symmetry.representative(engine.initial) & ~engine.packing.budget_bits
        self.cores.find_or_add(row_of(start, engine.packing.words))
        self._sets.add(self.budgets.bit[0])
        for column, value in (
            (self.core, 0),
            (self.left, 0),
            (self.parents, 0),
            (self.depths, 0),
            (self._is_first, True),
        ):
            column.add(value)

    def take_in(self, batch: Numbers, moves: Moves) -> None:
        """Take in what these moves of those states lead to, and keep what is new."""
        self.transitions += len(moves.source)
        parents, cores = batch[moves.source], self.cores.find_or_add(moves.rows)
        self._sets.add(np.zeros((len(self.cores) - len(self._sets), self.budgets.words), np.uint64))
        is_kept = moves.is_own & self._is_first.rows[parents]
        self._own.append((self.core.rows[parents[is_kept]], cores[is_kept].astype(np.int32)))
        new, is_first = self._new(cores, moves)
        self.core.add(cores[new])
        self.left.add(moves.left[new])
        self.parents.add(parents[new])
        self.depths.add(self.depths.rows[parents[new]] + 1)
        self._is_first.add(is_first)

    def _new(self, cores: Numbers, moves: Moves) -> tuple[Numbers, Truths]:
        """The moves that lead to states which are new and no poorer than another, and whether their cores are new too."""
        sets, bit = self._sets.rows, self.budgets.bit
        fresh = np.flatnonzero(~self.budgets.is_covered(moves.left, sets[cores]))
        # In the order in which one state after another would have found them: a trace is the same whatever the batches.
        fresh = fresh[np.argsort(moves.source[fresh], kind="stable")]
        _, first = np.unique(cores[fresh] * len(bit) + moves.left[fresh], return_index=True)
        new = fresh[first]  # sorted by core
        is_first = np.logical_not(sets[cores[new]].any(axis=1))
        if new.size:
            begins = np.flatnonzero(np.diff(cores[new], prepend=-1))
            sets[cores[new[begins]]] |= np.bitwise_or.reduceat(bit[moves.left[new]], begins, axis=0)
        kept = np.flatnonzero(~self.budgets.is_poorer(moves.left[new], sets[cores[new]]))
        kept = kept[np.argsort(first[kept])]
        return new[kept], is_first[kept]


class Order(Sequence[int]):
    """The states in the order in which they were found, each as an integer."""

    def __init__(self, found: Exploration) -> None:
        self._found = found

    def __len__(self) -> int:
        return len(self._found.core)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        found = self._found
        row = found.cores.rows[found.core.rows[index]]
        return state_of(row) | found.budgets.fields[int(found.left.rows[index])]

    def __iter__(self) -> Iterator[int]:
        return (self[at] for at in range(len(self)))
