"""What is left of the budgets, as one number for each combination.

Nothing ever reads a budget but the question whether it is used up; so of two states that are alike otherwise, the one with
at least as much left everywhere can do all that the other can, in as many steps. The poorer one need not be explored, and
of the ways to a fault through the richer one none is longer.
"""

import math
from itertools import product

import numpy as np
from numpy.typing import NDArray

from outlast.errors import Refused
from outlast.simulator.numbering import Numbers, Words
from outlast.simulator.packing import WORD, Packing

NONE_LEFT = -1
MOST = 4096
"""Combinations of what is left: more would take more memory than the states."""


class Budgets:
    """Combinations of what is left, by number; the first is the full one.

    `bit[a]` marks one combination in a set, `richer[a]` all that have more left, somewhere, and less nowhere. `after[a, b]`
    is what is left once budget `b` was drawn on, or `NONE_LEFT`. `spent[a]` is how much was drawn in all. `fields[a]` are
    its bits in a packed state.
    """

    def __init__(self, packing: Packing) -> None:
        budgets = packing.protocol.budgets
        count = math.prod(budget + 1 for budget in budgets.values())
        if count > MOST:
            raise Refused(
                f"the budgets can be left in {count:,} combinations, more than {MOST:,}",
                hint="let fewer kinds of trouble happen, or each less often",
            )
        combinations = list(product(*(range(count, -1, -1) for count in budgets.values())))
        number = {left: at for at, left in enumerate(combinations)}
        left = np.array(combinations, np.int64).reshape(len(combinations), len(budgets))
        self.names = tuple(budgets)
        self.spent = left[0].sum() - left.sum(axis=1)
        self.after = np.full(left.shape, NONE_LEFT, np.int64)
        for at, counts in enumerate(combinations):
            for budget, count in enumerate(counts):
                if count:
                    self.after[at, budget] = number[(*counts[:budget], count - 1, *counts[budget + 1 :])]
        self.words = (len(combinations) + WORD - 1) // WORD
        self.bit = _sets(np.eye(len(combinations), dtype=bool), self.words)
        is_richer = np.asarray((left[None, :, :] >= left[:, None, :]).all(axis=2))
        np.fill_diagonal(is_richer, val=False)
        self.richer = _sets(is_richer, self.words)
        self.fields = [packing.budget_field(counts) for counts in combinations]

    def is_poorer(self, left: Numbers, sets: Words) -> NDArray[np.bool_]:
        """Whether the set beside each combination has one that is richer."""
        return np.asarray((self.richer[left] & sets).any(axis=1))

    def is_covered(self, left: Numbers, sets: Words) -> NDArray[np.bool_]:
        """Whether the set beside each combination has it, or a richer one."""
        return np.asarray(((self.richer[left] | self.bit[left]) & sets).any(axis=1))


def _sets(is_in: NDArray[np.bool_], words: int) -> Words:
    # Each row of truths as a set: bit `b` of word `w` stands for combination 64 w + b.
    padded = np.zeros((len(is_in), words * WORD), bool)
    padded[:, : is_in.shape[1]] = is_in
    weights = np.uint64(1) << np.arange(WORD, dtype=np.uint64)
    grouped = padded.reshape(len(is_in), words, WORD)
    return np.asarray((grouped * weights).sum(axis=2, dtype=np.uint64))
