"""A trace in words: who did what, and what the world outside saw after it.

The explorer's path goes through representatives, whose twins may have been exchanged at each step. Here the path is
walked again with everybody keeping their name.
"""

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from outlast.simulator.exploration import Exploration
from outlast.simulator.protocol import Agent, Move, Protocol, Values


class Line(NamedTuple):
    """One step."""

    actor: str
    step: str
    answer: str


class Step(NamedTuple):
    """One step as values: who, what (`Move.what`), and the state after it."""

    actor: str
    what: Hashable
    after: Values


def trace_to(found: Exploration, index: int) -> tuple[Line, ...]:
    """The shortest way to the state of that index, in words."""
    return told(found.engine.protocol, steps_to(found, index))


def told(protocol: Protocol, steps: Iterable[Step]) -> tuple[Line, ...]:
    """Steps in words."""
    return tuple(Line(step.actor, protocol.tell(step.actor, step.what), protocol.answer(step.after)) for step in steps)


def steps_to(found: Exploration, index: int) -> tuple[Step, ...]:
    """The shortest way to the state of that index; with the move that breaks a rule there, if it is that one."""
    path = [index]
    while path[-1]:
        path.append(int(found.parents.rows[path[-1]]))
    walker = _Walker(found)
    steps = [walker.step_to(found.order[after]) for after in reversed(path[:-1])]
    if found.by_move and index == found.faulty_at:
        steps.append(walker.last_step())
    return tuple(steps)


class _Walker:
    def __init__(self, found: Exploration) -> None:
        self._engine = found.engine
        self._protocol = found.engine.protocol
        self._here = found.engine.initial
        twins = self._protocol.twins
        # Where each position of the representative is in the state as everybody knows it.
        self._actual = found.engine.symmetry.order(self._here) if twins else ()

    def step_to(self, representative: int) -> Step:
        engine, symmetry = self._engine, self._engine.symmetry
        face = symmetry.rearranged(self._here, self._actual) if self._actual else self._here
        for agent in self._protocol.agents:
            parts, before, moves = engine.moves(agent, face)
            for place, move in enumerate(moves):
                if move.broken or not self._can_pay(move):
                    continue
                raw = face + engine.delta(parts, before, move)
                if symmetry.representative(raw) == representative:
                    return self._take(agent, place, raw)
        raise AssertionError("the path is not one of this protocol")

    def _take(self, agent: Agent, place: int, raw: int) -> Step:
        agent = self._namesake(agent)
        parts, before, moves = self._engine.moves(agent, self._here)
        move = moves[place]
        self._here += self._engine.delta(parts, before, move)
        if self._actual:
            order = self._engine.symmetry.order(raw)
            self._actual = tuple(self._actual[old] for old in order)
        return Step(agent.name, move.what, self._engine.packing.unpack(self._here))

    def last_step(self) -> Step:
        for agent in self._protocol.agents:
            parts, _, moves = self._engine.moves(agent, self._here)
            for move in moves:
                if move.broken and self._can_pay(move):
                    after = list(self._engine.packing.unpack(self._here))
                    for part, value in zip(parts, move.after, strict=True):
                        after[part] = value
                    return Step(agent.name, move.what, tuple(after))
        raise AssertionError("no move from here breaks a rule")

    def _namesake(self, agent: Agent) -> Agent:
        # The agent that stands at this position of the representative is another one by name.
        twins = self._protocol.twins
        if agent.part not in twins:
            return agent
        part = twins[self._actual[twins.index(agent.part)]]
        alike = [other for other in self._protocol.agents if other.part == agent.part]
        return [other for other in self._protocol.agents if other.part == part][alike.index(agent)]

    def _can_pay(self, move: Move) -> bool:
        if not move.draws:
            return True
        return bool(self._here & self._engine.packing.needs.get(move.draws, 0))
