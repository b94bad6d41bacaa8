"""Explores every interleaving of a protocol, breadth first, so that the first fault found has a shortest trace.

Theory of operation. States are rows of words (`packing`, `words`) and are numbered as they are found (`numbering`); moves are
additions from tables (`engine`), looked up for a whole batch of states at once (`batches`); twins are exchanged (`faces`);
and a state is left out that was found before with at least as much left in every budget: it could do nothing that the other
cannot (`budgets`). The loop is handed a `pulse`, which is told how far it is and may end it: time, memory and progress are
somebody else's business. An exploration that was ended proves nothing, and says UNDETERMINED.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from outlast.simulator.agenda import Agenda
from outlast.simulator.batches import Batches, Moves
from outlast.simulator.budgets import Budgets
from outlast.simulator.engine import Engine
from outlast.simulator.exploration import Exploration, Judged
from outlast.simulator.numbering import Numbers
from outlast.simulator.packing import NARROW, Overflow, Packing
from outlast.simulator.protocol import Protocol, Verdict

BATCH = 1 << 16
"""States whose moves are found at a time: enough for arrays to pay, few enough to fit into a processor's cache."""


class Progress(NamedTuple):
    """How far an exploration is: states found, states whose moves are known, and moves."""

    states: int
    explored: int
    transitions: int


Pulse = Callable[[Progress], bool]
"""Told now and then how far it is; false ends the exploration."""


def go_on(_: Progress) -> bool:
    """Never end an exploration early."""
    return True


def explore(protocol: Protocol, pulse: Pulse = go_on, *, is_thrifty: bool = False) -> Exploration:
    """Explore until nothing is new, a rule is broken, or `pulse` says so.

    Breadth first, so that the first fault has a shortest trace. Thrifty, a proof needs fewer states: by how much was spent,
    so that richer states come first. If a fault is found on the way, it is sought again breadth first. A protocol whose
    states have no end should not be explored thriftily.
    """
    found = _Search(protocol, is_thrifty=is_thrifty).run(pulse)
    if not is_thrifty or found.verdict is not Verdict.FAIL:
        return found
    # What is refuted stays refuted, also where there is no time left for the shortest trace.
    shortest = _Search(protocol, is_thrifty=False).run(pulse)
    return shortest if shortest.verdict is Verdict.FAIL else found


class _Search:
    def __init__(self, protocol: Protocol, *, is_thrifty: bool) -> None:
        packing = Packing(protocol, NARROW)
        self._budgets = Budgets(packing)
        self.found = Exploration(_started(packing), self._budgets)
        self._agenda = Agenda(self._budgets, is_thrifty=is_thrifty)
        self._tabulate()

    def _tabulate(self) -> None:
        engine = self.found.engine
        self._batches = Batches(engine, self._budgets)
        self._faults = Judged(engine.packing.words, engine.checked_mask, engine.fault)

    def run(self, pulse: Pulse) -> Exploration:
        found, explored, before = self.found, 0, 0
        found.begin()
        may_break = np.zeros(0, np.int64)
        while not self._judge(before, may_break):
            self._agenda.add(np.arange(before, len(found.order)), found.left.rows[before:])
            batch = self._agenda.take(BATCH, found.depths.rows)
            if not batch.size:
                found.verdict = Verdict.PASS
                break
            if not pulse(Progress(len(found.order), explored, found.transitions)):
                break
            before, moves = len(found.order), self._moves(batch)
            found.take_in(batch, moves)
            explored, may_break = explored + len(batch), batch[moves.may_break]
        return found

    def _moves(self, batch: Numbers) -> Moves:
        while True:
            try:
                return self._batches.moves(self.found.rows(batch), self.found.left.rows[batch])
            except Overflow as overflow:
                self.found.widen(overflow.part)
                self._tabulate()

    def _judge(self, before: int, may_break: Numbers) -> bool:
        # The states found last, and the moves of those before; a rule that a move breaks comes before what it leads to.
        found = self.found
        faults = self._faults.numbers(found.rows(np.arange(before, len(found.order))))
        is_faulty = np.array([bool(fault) for fault in self._faults.answers])[faults]
        at = before + int(is_faulty.argmax()) if is_faulty.any() else -1
        for index in may_break[may_break <= found.parents.rows[at]] if at >= 0 else may_break:
            if rule := found.engine.broken(found.order[int(index)]):
                found.verdict, found.fault, found.faulty_at, found.by_move = Verdict.FAIL, rule, int(index), True
                return True
        if at >= 0:
            found.verdict, found.fault, found.faulty_at = Verdict.FAIL, found.engine.fault(found.order[at]), at
        return at >= 0


def _started(packing: Packing) -> Engine:
    while True:
        try:
            engine = Engine(packing.protocol, packing)
            engine.symmetry.representative(engine.initial)
        except Overflow as overflow:
            packing = packing.widened(overflow.part)
        else:
            return engine
