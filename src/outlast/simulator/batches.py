"""The engine's tables for many states at a time: every move of a batch of states, as arrays."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from outlast.simulator.budgets import NONE_LEFT, Budgets
from outlast.simulator.engine import Engine, Table
from outlast.simulator.faces import Faces
from outlast.simulator.numbering import Growing, Numbering, Numbers, Words
from outlast.simulator.words import Field, change_of, row_of, state_of

Truths = NDArray[np.bool_]


class Moves(NamedTuple):
    """Where each move of a batch begins (which of its states), what it leads to, what is then left, and whose it is.

    `is_own`: the system's own, which draws on no budget. `may_break`: the states from which a move breaks a rule, if the
    budgets allow it.
    """

    source: Numbers
    rows: Words
    left: Numbers
    is_own: Truths
    may_break: Numbers


class Batches:
    """Finds the moves of batches of states."""

    def __init__(self, engine: Engine, budgets: Budgets) -> None:
        self._budgets = budgets
        self._faces = Faces(engine)
        self._tables = [_Steps(engine, table, budgets) for table in engine.tables]

    def moves(self, states: Words, left: Numbers) -> Moves:
        """Every move from these states, each with what is left of its budgets."""
        entries = [table.entries(states) for table in self._tables]
        first = self._first_silent(states, entries)
        found = []
        may_break = np.zeros(len(states), bool)
        for number, (table, entry) in enumerate(zip(self._tables, entries, strict=True)):
            may_break |= table.is_broken.rows[entry]
            at = np.flatnonzero(((first < 0) | (first == number)) & ~table.repeats(states))
            for part in table.moves(states[at], left[at], entry[at]):
                rows = self._faces.representatives(part.rows) if table.is_exchanged else part.rows
                found.append((at[part.source], rows, part.left, part.is_own))
        source, rows, lefts, is_own = (np.concatenate(column) for column in zip(*found, strict=True))
        return Moves(source, rows, lefts, is_own, np.flatnonzero(may_break))

    def _first_silent(self, states: Words, entries: list[Numbers]) -> Numbers:
        first = np.full(len(states), -1, np.int64)
        for number, (table, entry) in enumerate(zip(self._tables, entries, strict=True)):
            is_silent = table.is_silent.rows[entry] & (first < 0)
            if is_silent.any():
                first[is_silent & ~table.repeats(states)] = number
        return first


class _Part(NamedTuple):
    source: Numbers
    rows: Words
    left: Numbers
    is_own: Truths


class _Steps:
    """One agent's table. Its entries are numbered by the bits that its moves depend on."""

    def __init__(self, engine: Engine, table: Table, budgets: Budgets) -> None:
        packing = engine.packing
        self._table, self._budgets, self._words = table, budgets, packing.words
        self._needs, self._ones = packing.needs, packing.ones
        self._own = Field.of(packing, table.agent.part)
        self._twin = Field.of(packing, table.twin) if table.twin >= 0 else None
        self.is_exchanged = table.is_exchanged
        self._masks = Growing(np.uint64, packing.words)
        self._keys = Numbering(packing.words)
        self._free, self._drawing = _Changes(packing.words), _Changes(packing.words)
        self._drawn = Growing(np.int64)
        self.is_silent, self.is_broken = Growing(bool), Growing(bool)

    def repeats(self, states: Words) -> Truths:
        """Whether the twin before is in the same state: then this one's moves lead to the same states."""
        if self._twin is None:
            return np.zeros(len(states), bool)
        return np.asarray(self._own.numbers(states) == self._twin.numbers(states))

    def entries(self, states: Words) -> Numbers:
        """The entry that each state finds in the table."""
        self._table.learn()
        for mask in self._table.masks[len(self._masks) :]:
            self._masks.add(row_of(mask, self._words))
        keys = states & self._masks.rows[self._own.numbers(states)]
        known = len(self._keys)
        found = self._keys.find_or_add(keys)
        self._write_down([state_of(row) for row in self._keys.rows[known:]])
        return found

    def _write_down(self, keys: list[int]) -> None:
        entries = [self._table.laid_out(key) for key in keys]
        pairs = list(zip(keys, entries, strict=True))
        ones = list(zip(self._needs.values(), self._ones.values(), strict=True))
        budget = {need: at for at, (need, _) in enumerate(ones)}
        paid = dict(ones)
        self._free.add([[change_of(key, key + change, self._words) for change in entry.free] for key, entry in pairs])
        self._drawing.add(
            [
                [change_of(key, key + change + paid[need], self._words) for need, change in entry.drawing]
                for key, entry in pairs
            ]
        )
        self._drawn.add([budget[need] for entry in entries for need, _ in entry.drawing])
        self.is_silent.add([entry.is_silent for entry in entries])
        self.is_broken.add([bool(entry.broken) for entry in entries])

    def moves(self, states: Words, left: Numbers, entries: Numbers) -> tuple[_Part, _Part]:
        source, rows, _ = self._free.made(states, entries)
        own = _Part(source, rows, left[source], np.ones(len(source), bool))
        source, rows, which = self._drawing.made(states, entries)
        after = self._budgets.after[left[source], self._drawn.rows[which]]
        can_pay = after != NONE_LEFT
        return own, _Part(source[can_pay], rows[can_pay], after[can_pay], np.zeros(can_pay.sum(), bool))


class _Changes:
    """What to add to a state, for each entry of a table: those of entry `e` stand from `first[e]` on, `count[e]` of them."""

    def __init__(self, words: int) -> None:
        self._first, self._count = Growing(np.int64), Growing(np.int64)
        self._changes = Growing(np.uint64, words)

    def add(self, entries: list[list[tuple[int, ...]]]) -> None:
        """The changes of the next entries."""
        counts = np.array([len(changes) for changes in entries], np.int64)
        self._first.add(len(self._changes) + np.cumsum(counts) - counts)
        self._count.add(counts)
        self._changes.add(np.array([change for changes in entries for change in changes], np.uint64))

    def made(self, states: Words, entries: Numbers) -> tuple[Numbers, Words, Numbers]:
        """Every change of these states: from which of them, what it leads to, and where the change stands."""
        counts = self._count.rows[entries]
        source = np.repeat(np.arange(len(states)), counts)
        ends = np.cumsum(counts)
        which = np.arange(len(source)) + np.repeat(self._first.rows[entries] - (ends - counts), counts)
        return source, states[source] + self._changes.rows[which], which
