"""Explores every interleaving of a protocol, breadth first, so that the first fault found has a shortest trace.

Theory of operation. States are integers (`packing`), moves are additions from tables (`engine`), twins are exchanged
(`symmetry`), and a state is left out that was found before with at least as much left in every budget: it could do
nothing that the other cannot (`agenda`). What is left is a dictionary, a list and a loop. The loop is handed a `pulse`, which is told how far it is and may
end it: time, memory and progress are somebody else's business. An exploration that was ended proves nothing, and says
UNDETERMINED.
"""

from array import array
from collections.abc import Callable
from typing import NamedTuple

from outlast.simulator.agenda import Agenda, Purse
from outlast.simulator.engine import Engine
from outlast.simulator.packing import Overflow
from outlast.simulator.protocol import Protocol, Verdict

PULSE_EVERY = 4096
"""States between two calls of `pulse`."""
WIDER_BY = 4
"""Bits that a field gets more when it has overflowed."""


class Progress(NamedTuple):
    """How far an exploration is: states found, states whose moves are known, and moves."""

    states: int
    explored: int
    transitions: int


Pulse = Callable[[Progress], bool]
"""Told now and then how far it is; false ends the exploration."""


class Exploration:
    """What was found. `order[i]` is the i-th state, `parents[i]` the index of the one it was found from."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.order: list[int] = []
        self.parents = array("L")
        self.seen: dict[int, int] = {}
        """By what a state is apart from its budgets: with which budgets it was found, as bits (`agenda.Purse`)."""
        self.transitions = 0
        self.verdict = Verdict.UNDETERMINED
        self.fault = ""
        self.faulty_at = -1
        """Index of the state that breaks a rule, or from which a move breaks one (then `by_move`)."""
        self.by_move = False

    def __repr__(self) -> str:
        return f"<exploration {self.verdict}: {len(self.order)} states{' ' if self.fault else ''}{self.fault}>"

    @property
    def depth(self) -> int:
        """The length of the longest of the traces by which states were found."""
        depths = array("L", [0])
        for parent in self.parents[1:]:
            depths.append(depths[parent] + 1)
        return max(depths)


def go_on(_: Progress) -> bool:
    """Never end an exploration early."""
    return True


def explore(protocol: Protocol, pulse: Pulse = go_on, *, is_thrifty: bool = False) -> Exploration:
    """Explore until nothing is new, a rule is broken, or `pulse` says so.

    Breadth first, so that the first fault has a shortest trace. Thrifty, a proof needs fewer states; if a fault is found on
    the way, it is sought again breadth first. A protocol whose states have no end should not be explored thriftily.
    """
    found = _explored(protocol, pulse, is_thrifty=is_thrifty)
    is_long = is_thrifty and found.verdict is Verdict.FAIL
    return _explored(protocol, pulse, is_thrifty=False) if is_long else found


def _explored(protocol: Protocol, pulse: Pulse, *, is_thrifty: bool) -> Exploration:
    wider: dict[int, int] = {}
    while True:
        exploration = Exploration(Engine(protocol, wider))
        try:
            _search(exploration, pulse, is_thrifty=is_thrifty)
        except Overflow as overflow:
            wider[overflow.part] = wider.get(overflow.part, 0) + WIDER_BY
        else:
            return exploration


def _search(found: Exploration, pulse: Pulse, *, is_thrifty: bool) -> None:
    engine, order, parents, seen = found.engine, found.order, found.parents, found.seen
    successors = engine.successors
    purse = Purse(engine.packing)
    bits, bit, richer = purse.bits, purse.bit, purse.richer
    start = engine.symmetry.representative(engine.initial)
    order.append(start)
    parents.append(0)
    seen[start & ~bits] = bit[start & bits]
    if _is_faulty(found, 0):
        return
    agenda = Agenda(purse, is_thrifty=is_thrifty)
    agenda.add(start, 0)
    for explored, index in enumerate(agenda):
        if explored % PULSE_EVERY == 0 and not pulse(Progress(len(order), explored, found.transitions)):
            return
        state = order[index]
        nexts = successors(state)
        found.transitions += len(nexts)
        if engine.has_rules and (rule := engine.broken(state)):
            found.verdict, found.fault, found.faulty_at, found.by_move = Verdict.FAIL, rule, index, True
            return
        for new in nexts:
            left = new & bits
            core = new - left
            known = seen.get(core)
            if known is None:
                seen[core] = bit[left]
            elif known & richer[left]:
                continue
            else:
                seen[core] = known | bit[left]
            parents.append(index)
            agenda.add(new, len(order))
            order.append(new)
            if _is_faulty(found, len(order) - 1):
                return
    found.verdict = Verdict.PASS


def _is_faulty(found: Exploration, index: int) -> bool:
    fault = found.engine.fault(found.order[index])
    if fault:
        found.verdict, found.fault, found.faulty_at = Verdict.FAIL, fault, index
    return bool(fault)
