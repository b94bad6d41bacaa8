"""Random walks through a protocol that is too large to exhaust: trouble for a while, then none, and health must come back.

A walk is a list of choices (who, and which of their moves), drawn by whoever calls; the same choices are the same walk, in
any process. A walk that fails is made shorter by leaving choices out as long as it still fails.

Chance is biased towards trouble: bursts, in which one agent runs through while others sleep with what they have read.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from outlast.simulator.engine import Engine
from outlast.simulator.protocol import Move
from outlast.simulator.tracing import Line

Draw = Callable[[int], int]
"""A number from 0 up to that many."""

BURST = 8
"""One in so many choices goes to another agent."""
TROUBLE = 6
"""One in so many moves draws on a budget, if the agent has such a move."""
ROUNDS = 40
"""Rounds within which health must be back once trouble has ended; in each, every agent makes `PACE` moves."""
PACE = 6


class Choice(NamedTuple):
    """Whose move, and which of those it has: both taken modulo how many there are."""

    agent: int
    move: int
    is_trouble: bool


class Walk(NamedTuple):
    """What became of a walk: the rule that was broken (or empty), its choices up to there, and a hash of its trace."""

    fault: str
    choices: tuple[Choice, ...]
    trace_hash: str
    lines: tuple[Line, ...] = ()


def walk(engine: Engine, draw: Draw, *, steps: int, converges: bool = True) -> Walk:
    """Walk that many steps with trouble, then, if asked, until health is back."""
    choices: list[Choice] = []
    crowd = [number for number, agent in enumerate(engine.protocol.agents) for _ in range(agent.weight)]
    agent = crowd[draw(len(crowd))]
    for _ in range(steps):
        if draw(BURST) == 0:
            agent = crowd[draw(len(crowd))]
        choices.append(Choice(agent, draw(1 << 16), draw(TROUBLE) == 0))
    return replayed(engine, choices, converges=converges)


def replayed(engine: Engine, choices: Sequence[Choice], *, converges: bool = True, is_told: bool = False) -> Walk:
    """Walk by those choices; `is_told`: with a line for each step."""
    walker = _Walker(engine, is_told=is_told)
    for at, choice in enumerate(choices):
        walker.step(choice)
        if walker.fault:
            return walker.ended(tuple(choices[: at + 1]))
    if converges:
        walker.converge()
    return walker.ended(tuple(choices))


def shrunk(engine: Engine, failed: Walk) -> Walk:
    """The same fault by fewer choices: chunks are left out, large ones first, as long as that rule is still broken."""
    best, size = failed, max(1, len(failed.choices) // 2)
    while size:
        at = 0
        while at < len(best.choices):
            tried = replayed(engine, best.choices[:at] + best.choices[at + size :])
            if tried.fault == failed.fault:
                best = tried
            else:
                at += size
        size //= 2
    return best


class _Walker:
    def __init__(self, engine: Engine, *, is_told: bool) -> None:
        self._engine = engine
        self._is_told = is_told
        self._state = engine.initial
        self._made: list[int] = []
        self._lines: list[Line] = []
        self.fault = engine.fault(self._state)

    def ended(self, choices: tuple[Choice, ...]) -> Walk:
        # Which of whose moves were made, and what came of it; never numbers of values, which depend on earlier walks.
        end = repr((self._made, self._engine.packing.unpack(self._state)))
        return Walk(self.fault, choices, hashlib.sha256(end.encode()).hexdigest(), tuple(self._lines))

    def step(self, choice: Choice) -> None:
        engine, state = self._engine, self._state
        number = choice.agent % len(engine.tables)
        free, drawing, broken, _ = engine.tables[number].entry(state)
        affordable = [change for need, change in drawing if state & need]
        moves = affordable if affordable and (choice.is_trouble or not free) else free
        if broken and any(need < 0 or state & need for need, _ in broken):
            self.fault = engine.broken(state)
            return
        if not moves:
            return
        which = choice.move % len(moves)
        self._made += (number, which, moves is affordable)
        self._make(number, moves[which])

    def _make(self, number: int, change: int) -> None:
        if self._is_told:
            self._tell(number, change)
        self._state += change
        self.fault = self._engine.fault(self._state)

    def _tell(self, number: int, change: int) -> None:
        engine, agent = self._engine, self._engine.protocol.agents[number]
        parts, before, moves = engine.moves(agent, self._state)

        def leads_there(move: Move) -> bool:
            return not move.broken and engine.delta(parts, before, move) == change

        made = next(
            move for move in moves if (not move.draws or move.draws in engine.packing.needs) and leads_there(move)
        )
        after = engine.packing.unpack(self._state + change)
        self._lines.append(Line(agent.name, engine.protocol.tell(agent.name, made.what), engine.protocol.answer(after)))

    def converge(self) -> None:
        """Trouble has ended: everybody moves in turn, and health must be back within `ROUNDS`."""
        for round_number in range(ROUNDS):
            for number in range(len(self._engine.tables)):
                for pace in range(PACE):
                    self.step_freely(number, round_number + pace)
                    if self.fault:
                        return
            if self._engine.health(self._state).is_fine:
                return
        self.fault = f"health is not back {ROUNDS} rounds after trouble has ended"

    def step_freely(self, number: int, which: int) -> None:
        """One of the agent's own moves."""
        free, _, broken, _ = self._engine.tables[number].entry(self._state)
        if any(need < 0 for need, _ in broken):
            self.fault = self._engine.broken(self._state)
        elif free:
            self._make(number, free[which % len(free)])
