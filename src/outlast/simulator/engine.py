"""Turns a protocol into tables: which additions lead on from a state. Each agent is asked once per combination it sees."""

from collections.abc import Callable
from typing import Any, NamedTuple

from outlast.simulator.packing import Packing
from outlast.simulator.protocol import Agent, Health, Move, Protocol
from outlast.simulator.symmetry import Symmetry

Entry = tuple[tuple[int, ...], tuple[tuple[int, int], ...], tuple[tuple[int, str], ...], bool]
"""Additions that draw on no budget; those that do, with the bits that must not all be zero; broken rules, likewise.

The last says that there is but one addition, and a silent one: it is made before anything else."""

EVERYTHING = -1
"""All bits: a broken rule that needs no budget."""


class Table(NamedTuple):
    """What one agent does. `masks[own]` are the bits that its moves depend on; `entries` is keyed by them.

    `twin` is where the twin before it stands, or -1: if both are in the same state, their moves lead to the same states.
    """

    twin: int
    shift: int
    bits: int
    masks: list[int]
    entries: dict[int, Entry]
    miss: Callable[[int], Entry]


class Engine:
    """The tables of a protocol, filled as states ask for them."""

    def __init__(self, protocol: Protocol, wider: dict[int, int] | None = None) -> None:
        self.protocol = protocol
        self.packing = Packing(protocol, wider)
        self.symmetry = Symmetry(self.packing)
        self.tables = [self._table(agent) for agent in protocol.agents]
        self._health: dict[int, Health] = {}
        self._health_mask = self.packing.mask(protocol.health_parts)
        self._faults: dict[int, str] = {}
        self._checked = self.packing.mask(tuple(part for check in protocol.checks for part in check.parts))
        self.initial = self.packing.pack(protocol.initial)
        self.has_rules = False
        """Whether a move that breaks a rule was met anywhere; until then nobody needs to look for one."""

    def successors(self, state: int) -> list[int]:
        """Every state that one move leads to, as it comes: not yet exchanged for its representative."""
        found: list[int] = []
        budgets = state & self.packing.budget_bits
        for twin, shift, bits, masks, entries, miss in self.tables:
            own = state >> shift & bits
            if twin >= 0 and state >> twin & bits == own:
                continue
            entry = (entries.get(state & masks[own]) if own < len(masks) else None) or miss(state)
            if entry[3]:
                return [state + entry[0][0]]
            for change in entry[0]:
                found.append(state + change)
            if budgets and entry[1]:
                found += [state + change for need, change in entry[1] if state & need]
        return found

    def own_successors(self, state: int) -> list[int]:
        """Only the system's own doing: nothing that draws on a budget."""
        found: list[int] = []
        for twin, shift, bits, masks, entries, miss in self.tables:
            own = state >> shift & bits
            if twin >= 0 and state >> twin & bits == own:
                continue
            entry = (entries.get(state & masks[own]) if own < len(masks) else None) or miss(state)
            if entry[3]:
                return [state + entry[0][0]]
            for change in entry[0]:
                found.append(state + change)
        return found

    def broken(self, state: int) -> str:
        """Which rule a move from here breaks; empty if none does."""
        for table in self.tables:
            for need, rule in table.miss(state)[2]:
                if need == EVERYTHING or state & need:
                    return rule
        return ""

    def fault(self, state: int) -> str:
        """Which rule this state breaks; empty if none."""
        key = state & self._checked
        found = self._faults.get(key)
        if found is None:
            found = self._faults[key] = self._check(state)
        return found

    def _check(self, state: int) -> str:
        for check in self.protocol.checks:
            fault = check.fault(tuple(self.packing.value(state, part) for part in check.parts))
            if fault:
                return f"{check.name}: {fault}"
        return ""

    def health(self, state: int) -> Health:
        key = state & self._health_mask
        found = self._health.get(key)
        if found is None:
            parts = self.protocol.health_parts
            found = self._health[key] = self.protocol.health(tuple(self.packing.value(state, part) for part in parts))
        return found

    # --------------------------------------------------------------------------------------------------- asking

    def moves(self, agent: Agent, state: int) -> tuple[tuple[int, ...], tuple[Any, ...], tuple[Move, ...]]:
        """Ask an agent: the parts concerned, their values, and its moves, budgets aside."""
        own = self.packing.value(state, agent.part)
        parts = (agent.part, *agent.footprint(own))
        values = tuple(self.packing.value(state, part) for part in parts)
        return parts, values, tuple(agent.moves(values))

    def _table(self, agent: Agent) -> Table:
        packing = self.packing
        masks: list[int] = []
        entries: dict[int, Entry] = {}
        shift, bits = packing.shifts[agent.part], packing.bits[agent.part]
        known = packing.values[agent.part]

        def miss(state: int) -> Entry:
            while len(masks) < len(known):
                masks.append(packing.mask((agent.part, *agent.footprint(known[len(masks)]))))
            key = state & masks[state >> shift & bits]
            entry = entries.get(key)
            if entry is None:
                entry = entries[key] = self._entry(agent, state)
            return entry

        twins = self.protocol.twins
        place = twins.index(agent.part) if agent.part in twins and self.protocol.rename is None else 0
        return Table(packing.shifts[twins[place - 1]] if place else -1, shift, bits, masks, entries, miss)

    def _entry(self, agent: Agent, state: int) -> Entry:
        parts, before, moves = self.moves(agent, state)
        needs = self.packing.needs
        free, drawing, broken = [], [], []
        for move in moves:
            if move.draws and move.draws not in needs:
                continue
            if move.broken:
                broken.append((needs[move.draws] if move.draws else EVERYTHING, move.broken))
                self.has_rules = True
                continue
            change = self.packing.delta(parts, before, move.values, move.draws)
            if move.is_silent and change:
                return (change,), (), (), True
            if move.draws:
                drawing.append((needs[move.draws], change))
            elif change:
                free.append(change)
        return tuple(dict.fromkeys(free)), tuple(dict.fromkeys(drawing)), tuple(broken), False
