"""Explores every interleaving of a protocol, breadth first, so that the first fault found has a shortest trace.

Theory of operation. States are integers (`packing`), moves are additions from tables (`engine`), twins are exchanged
(`symmetry`). What is left is a set, a list and a loop. The loop is handed a `pulse`, which is told how far it is and may
end it: time, memory and progress are somebody else's business. An exploration that was ended proves nothing, and says
UNDETERMINED.
"""

from array import array
from collections.abc import Callable
from typing import NamedTuple

from outlast.simulator.engine import Engine
from outlast.simulator.packing import Overflow
from outlast.simulator.protocol import Protocol, Verdict

PULSE_EVERY = 4096
"""States between two calls of `pulse`."""
WIDER_BY = 4
"""Bits that a field gets more when it has overflowed."""


class Progress(NamedTuple):
    """How far an exploration is: states found, states whose moves are known, moves, and the length of the longest trace."""

    states: int
    explored: int
    transitions: int
    depth: int


Pulse = Callable[[Progress], bool]
"""Told now and then how far it is; false ends the exploration."""


class Exploration:
    """What was found. `order[i]` is the i-th state, `parents[i]` whom it was found from; `good` is for recovery."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.order: list[int] = []
        self.parents = array("L")
        self.seen: dict[int, int] = {}
        self.transitions = 0
        self.depth = 0
        self.verdict = Verdict.UNDETERMINED
        self.fault = ""
        self.faulty_at = -1
        """Index of the state that breaks a rule, or from which a move breaks one (then `by_move`)."""
        self.by_move = False

    def __repr__(self) -> str:
        return f"<exploration {self.verdict}: {len(self.order)} states, depth {self.depth}{' ' if self.fault else ''}{self.fault}>"

    @property
    def progress(self) -> Progress:
        return Progress(len(self.seen), len(self.order), self.transitions, self.depth)


def go_on(_: Progress) -> bool:
    """Never end an exploration early."""
    return True


def explore(protocol: Protocol, pulse: Pulse = go_on) -> Exploration:
    """Explore until nothing is new, a rule is broken, or `pulse` says so."""
    wider: dict[int, int] = {}
    while True:
        exploration = Exploration(Engine(protocol, wider))
        try:
            _search(exploration, pulse)
        except Overflow as overflow:
            wider[overflow.part] = wider.get(overflow.part, 0) + WIDER_BY
        else:
            return exploration


def _search(found: Exploration, pulse: Pulse) -> None:
    engine, order, parents, seen = found.engine, found.order, found.parents, found.seen
    successors, representative = engine.successors, engine.symmetry.representative
    start = representative(engine.initial)
    order.append(start)
    parents.append(0)
    seen[start] = 0
    if _is_faulty(found, 0):
        return
    index, level_end = 0, 1
    while index < len(order):
        if index == level_end:
            found.depth, level_end = found.depth + 1, len(order)
        if index % PULSE_EVERY == 0 and not pulse(Progress(len(order), index, found.transitions, found.depth)):
            return
        state = order[index]
        nexts = successors(state)
        found.transitions += len(nexts)
        if engine.has_rules and (rule := engine.broken(state)):
            found.verdict, found.fault, found.faulty_at, found.by_move = Verdict.FAIL, rule, index, True
            return
        for raw in nexts:
            if raw in seen:
                continue
            new = representative(raw)
            if new in seen:
                continue
            seen[new] = 0
            order.append(new)
            parents.append(index)
            if _is_faulty(found, len(order) - 1):
                return
        index += 1
    found.verdict = Verdict.PASS


def _is_faulty(found: Exploration, index: int) -> bool:
    fault = found.engine.fault(found.order[index])
    if fault:
        found.verdict, found.fault, found.faulty_at = Verdict.FAIL, fault, index
    return bool(fault)
