"""Turns a protocol into tables: which additions lead on from a state. Each agent is asked once per combination it sees."""

from typing import Any, NamedTuple

from outlast.simulator.packing import Changes, Packing
from outlast.simulator.protocol import Agent, Health, Move, Protocol
from outlast.simulator.symmetry import Ranks, Symmetry

EVERYTHING = -1
"""All bits: a broken rule that needs no budget."""


class Entry(NamedTuple):
    """What an agent may do: additions that draw on no budget; those that do, with the bits that must not all be zero.

    `broken` are the broken rules, with such bits. `is_silent`: the free ones are made before anything else.
    """

    free: tuple[int, ...]
    drawing: tuple[tuple[int, int], ...]
    broken: tuple[tuple[int, str], ...]
    is_silent: bool


class Step(NamedTuple):
    """A move in numbers, whatever the layout: see `protocol.Move`."""

    changes: Changes
    draws: str
    broken: str
    is_silent: bool


Known = dict[tuple[int, ...], tuple[Step, ...]]
"""An agent's moves by the numbers of its own part and its footprint."""


class Memory(NamedTuple):
    """What does not depend on where the numbers stand in a state: ranks of twins, and what each agent was asked."""

    ranks: Ranks
    known: tuple[Known, ...]


class Table:
    """What one agent does, by the bits that its moves depend on: `masks[own]` of its own number, `entries` by those bits.

    `twin` is the part of the twin before it, or -1: if both are in the same state, their moves lead to the same states.
    `is_exchanged`: its moves may change which of its twins is which, so that what they lead to must be sorted again.
    """

    def __init__(self, engine: "Engine", agent: Agent, known: Known) -> None:
        self._engine = engine
        self.agent = agent
        self.known = known
        self.masks: list[int] = []
        self.entries: dict[int, Entry] = {}
        twins, is_named = engine.protocol.twins, engine.protocol.rename is not None
        place = twins.index(agent.part) if agent.part in twins and not is_named else 0
        self.twin = twins[place - 1] if place else -1
        # Whatever names twins may have to be sorted anew whoever moves.
        self.is_exchanged = agent.part in twins or (is_named and len(twins) > 1)

    def learn(self) -> None:
        """Find the masks of own numbers that are new."""
        packing, agent = self._engine.packing, self.agent
        known = packing.values[agent.part]
        self.masks += [packing.mask((agent.part, *agent.footprint(value))) for value in known[len(self.masks) :]]

    def entry(self, state: int) -> Entry:
        packing, part = self._engine.packing, self.agent.part
        own = packing.number_in(state, part)
        if own >= len(self.masks):
            self.learn()
        key = state & self.masks[own]
        entry = self.entries.get(key)
        if entry is None:
            entry = self.entries[key] = self.laid_out(state)
        return entry

    def laid_out(self, state: int) -> Entry:
        """Write down what the agent may do as additions. Of the state only what its moves depend on matters.

        Raises:
            Overflow: A part comes to have more values than its field can number.

        """
        packing = self._engine.packing
        needs, free, drawing, broken = packing.needs, [], [], []
        steps = self._steps(state)
        is_silent = any(step.is_silent for step in steps)
        for step in steps:
            if (step.draws and step.draws not in needs) or (is_silent and not step.is_silent):
                continue
            if step.broken:
                broken.append((needs[step.draws] if step.draws else EVERYTHING, step.broken))
            elif step.draws:
                drawing.append((needs[step.draws], packing.delta(step.changes, step.draws)))
            elif change := packing.delta(step.changes, ""):
                free.append(change)
        is_silent = is_silent and bool(free)
        return Entry(tuple(dict.fromkeys(free)), tuple(dict.fromkeys(drawing)), tuple(broken), is_silent)

    def _steps(self, state: int) -> tuple[Step, ...]:
        packing, part = self._engine.packing, self.agent.part
        parts = (part, *self.agent.footprint(packing.value(state, part)))
        numbers = tuple(packing.number_in(state, at) for at in parts)
        steps = self.known.get(numbers)
        if steps is None:
            parts, before, moves = self._engine.moves(self.agent, state)
            steps = self.known[numbers] = tuple(
                Step(packing.changes(parts, before, move.after), move.draws, move.broken, move.is_silent)
                for move in moves
            )
        return steps


class Engine:
    """The tables of a protocol, filled as states ask for them; `memory` is that of an engine with the same numbers."""

    def __init__(self, protocol: Protocol, packing: Packing | None = None, memory: Memory | None = None) -> None:
        self.protocol = protocol
        self.packing = packing or Packing(protocol)
        self.memory = memory or Memory(Ranks(protocol), tuple({} for _ in protocol.agents))
        self.symmetry = Symmetry(self.packing, self.memory.ranks)
        self.tables = [Table(self, *pair) for pair in zip(protocol.agents, self.memory.known, strict=True)]
        self.health_mask = self.packing.mask(protocol.health_parts)
        self.checked_mask = self.packing.mask(tuple(part for check in protocol.checks for part in check.parts))
        self.initial = self.packing.pack(protocol.initial)
        self._faults: dict[int, str] = {}

    def successors(self, state: int) -> list[int]:
        """Every state that one move leads to, as it is; one may be named several times."""
        found: list[int] = []
        for table in self.tables:
            entry = table.entry(state)
            changes = [*entry.free, *(change for need, change in entry.drawing if state & need)]
            found = [*([] if entry.is_silent else found), *(state + change for change in changes)]
            if entry.is_silent:
                break
        return found

    def broken(self, state: int) -> str:
        """Which rule a move from here breaks; empty if none does."""
        for table in self.tables:
            for need, rule in table.entry(state).broken:
                if need == EVERYTHING or state & need:
                    return rule
        return ""

    def checked(self, state: int) -> int:
        """The bits of a state that its checks look at."""
        return state & self.checked_mask

    def fault(self, state: int) -> str:
        """Which rule this state breaks; empty if none."""
        key = self.checked(state)
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
        return self.protocol.health(tuple(self.packing.value(state, part) for part in self.protocol.health_parts))

    # --------------------------------------------------------------------------------------------------- asking

    def moves(self, agent: Agent, state: int) -> tuple[tuple[int, ...], tuple[Any, ...], tuple[Move, ...]]:
        """Ask an agent: the parts concerned, their values, and its moves, budgets aside."""
        own = self.packing.value(state, agent.part)
        parts = (agent.part, *agent.footprint(own))
        values = tuple(self.packing.value(state, part) for part in parts)
        return parts, values, tuple(agent.moves(values))

    def delta(self, parts: tuple[int, ...], before: tuple[Any, ...], move: Move) -> int:
        """What this move of an agent adds to a state."""
        return self.packing.delta(self.packing.changes(parts, before, move.after), move.draws)
