"""Turns a protocol into tables: which additions lead on from a state. Each agent is asked once per combination it sees."""

from collections.abc import Callable
from typing import Any, NamedTuple

from outlast.simulator.packing import Packing
from outlast.simulator.protocol import Agent, Health, Move, Protocol
from outlast.simulator.symmetry import Symmetry

Entry = tuple[tuple[int, ...], tuple[tuple[int, int], ...], tuple[tuple[int, str], ...], bool]
"""Additions that draw on no budget; those that do, with the bits that must not all be zero; broken rules, likewise.

The last says that these are silent: they are made before anything else."""

EVERYTHING = -1
"""All bits: a broken rule that needs no budget."""


class Table(NamedTuple):
    """What one agent does. `masks[own]` are the bits that its moves depend on; `entries` is keyed by them.

    `twin` is where the twin before it stands, or -1: if both are in the same state, their moves lead to the same states.
    `is_exchanged`: its moves may change which of its twins is which, so that what they lead to must be sorted again.
    """

    twin: int
    is_exchanged: bool
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
        last_twin = max(len(protocol.twins) - 1, 0)
        self._busiest_first = (self.tables[last_twin], *self.tables[:last_twin], *self.tables[last_twin + 1 :])
        self._health: dict[int, Health] = {}
        self._health_mask = self.packing.mask(protocol.health_parts)
        self._faults: dict[int, str] = {}
        self.checked_mask = self.packing.mask(tuple(part for check in protocol.checks for part in check.parts))
        self.initial = self.packing.pack(protocol.initial)
        self.has_rules = False
        """Whether a move that breaks a rule was met anywhere; until then nobody needs to look for one."""

    def successors(self, state: int) -> list[int]:
        """The representative of every state that one move leads to; one may be named several times."""
        found: list[int] = []
        budgets = state & self.packing.budget_bits
        representative = self.symmetry.representative
        for twin, is_exchanged, shift, bits, masks, entries, miss in self.tables:
            own = state >> shift & bits
            if twin >= 0 and state >> twin & bits == own:
                continue
            entry = (entries.get(state & masks[own]) if own < len(masks) else None) or miss(state)
            free, drawing, _, is_silent = entry
            if is_silent:
                found = []
            if is_exchanged:
                for change in free:
                    found.append(representative(state + change))
                if drawing and budgets:
                    found += [representative(state + change) for need, change in drawing if state & need]
            else:
                for change in free:
                    found.append(state + change)
                if drawing and budgets:
                    found += [state + change for need, change in drawing if state & need]
            if is_silent:
                break
        return found

    def some_own(self, core: int) -> int:
        """A state that some own move leads to; the state itself if there is none.

        Of twins the last one moves: in a representative it has the largest number, and is mostly the busiest.
        """
        representative = self.symmetry.representative
        for _, _, shift, bits, masks, entries, miss in self._busiest_first:
            own = core >> shift & bits
            entry = (entries.get(core & masks[own]) if own < len(masks) else None) or miss(core)
            if entry[0]:
                return representative(core + entry[0][0])
        return core

    def leads_to(self, core: int, marks: dict[int, int], mark: int) -> bool:
        """Whether an own move leads to a state that bears the mark. Budgets do not matter to own moves."""
        representative = self.symmetry.representative
        for twin, _, shift, bits, masks, entries, miss in self.tables:
            own = core >> shift & bits
            if twin >= 0 and core >> twin & bits == own:
                continue
            entry = (entries.get(core & masks[own]) if own < len(masks) else None) or miss(core)
            for change in entry[0]:
                # What a silent move comes before may not have been explored; then it bears no mark.
                if marks.get(representative(core + change), 0) & mark:
                    return True
        return False

    def leads_only_to(self, core: int, marks: dict[int, int], mark: int) -> bool:
        """Whether every own move leads to a state that bears the mark; if there are silent ones, every silent one."""
        representative = self.symmetry.representative
        are_marked = True
        for twin, _, shift, bits, masks, entries, miss in self.tables:
            own = core >> shift & bits
            if twin >= 0 and core >> twin & bits == own:
                continue
            entry = (entries.get(core & masks[own]) if own < len(masks) else None) or miss(core)
            if entry[3]:
                return all(marks[representative(core + change)] & mark for change in entry[0])
            if are_marked:
                for change in entry[0]:
                    if not marks.get(representative(core + change), 0) & mark:
                        are_marked = False
                        break
        return are_marked

    def broken(self, state: int) -> str:
        """Which rule a move from here breaks; empty if none does."""
        for table in self.tables:
            for need, rule in table.miss(state)[2]:
                if need == EVERYTHING or state & need:
                    return rule
        return ""

    def checked(self, state: int) -> int:
        """The bits of a state that its checks look at."""
        return state & self.checked_mask

    def fault(self, state: int) -> str:
        """Which rule this state breaks; empty if none."""
        key = state & self.checked_mask
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
        twin = packing.shifts[twins[place - 1]] if place else -1
        # Whatever names twins may have to be sorted anew whoever moves.
        is_exchanged = agent.part in twins or (self.protocol.rename is not None and len(twins) > 1)
        return Table(twin, is_exchanged, shift, bits, masks, entries, miss)

    def _entry(self, agent: Agent, state: int) -> Entry:
        parts, before, moves = self.moves(agent, state)
        needs = self.packing.needs
        is_silent = any(move.is_silent for move in moves)
        moves = tuple(move for move in moves if move.is_silent) or moves
        free, drawing, broken = [], [], []
        for move in moves:
            if move.draws and move.draws not in needs:
                continue
            if move.broken:
                broken.append((needs[move.draws] if move.draws else EVERYTHING, move.broken))
                self.has_rules = True
                continue
            change = self.packing.delta(parts, before, move.values, move.draws)
            if move.draws:
                drawing.append((needs[move.draws], change))
            elif change:
                free.append(change)
        return tuple(dict.fromkeys(free)), tuple(dict.fromkeys(drawing)), tuple(broken), is_silent and bool(free)
