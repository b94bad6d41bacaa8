"""Random walks through a protocol that is too large to exhaust: trouble for a while, then none, and health must come back.

A walk is a list of choices (who, and which of their moves), drawn by whoever calls; the same choices are the same walk, in
any process. A walk that fails is made shorter by leaving choices out as long as it still fails.

Chance is biased towards trouble: bursts, in which one agent runs through while others sleep with what they have read.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from outlast.simulator.menus import Ground, Menu
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


def walk(ground: Ground, draw: Draw, *, steps: int, converges: bool = True) -> Walk:
    """Walk that many steps with trouble, then, if asked, until health is back."""
    choices: list[Choice] = []
    crowd = [number for number, agent in enumerate(ground.engine.protocol.agents) for _ in range(agent.weight)]
    agent = crowd[draw(len(crowd))]
    for _ in range(steps):
        if draw(BURST) == 0:
            agent = crowd[draw(len(crowd))]
        choices.append(Choice(agent, draw(1 << 16), draw(TROUBLE) == 0))
    return replayed(ground, choices, converges=converges)


def replayed(ground: Ground, choices: Sequence[Choice], *, converges: bool = True, is_told: bool = False) -> Walk:
    """Walk by those choices; `is_told`: with a line for each step."""
    walker = _Walker(ground, is_told=is_told)
    for at, choice in enumerate(choices):
        walker.step(choice)
        if walker.fault:
            return walker.ended(tuple(choices[: at + 1]))
    if converges:
        walker.converge()
    return walker.ended(tuple(choices))


def shrunk(ground: Ground, failed: Walk, *, converges: bool = True) -> Walk:
    """The same fault by fewer choices: chunks are left out, large ones first, as long as that rule is still broken."""
    best, size = failed, max(1, len(failed.choices) // 2)
    while size:
        at = 0
        while at < len(best.choices):
            tried = replayed(ground, best.choices[:at] + best.choices[at + size :], converges=converges)
            if tried.fault == failed.fault:
                best = tried
            else:
                at += size
        size //= 2
    return best


class _Walker:
    def __init__(self, ground: Ground, *, is_told: bool) -> None:
        self._agents, self._engine = ground.agents, ground.engine
        self._is_told = is_told
        self._state = self._engine.initial
        self._made: list[int] = []
        self._lines: list[Line] = []
        self.fault = self._engine.fault(self._state)

    def ended(self, choices: tuple[Choice, ...]) -> Walk:
        # Which of whose moves were made, and what came of it; never numbers of values, which depend on earlier walks.
        end = repr((self._made, self._engine.packing.unpack(self._state)))
        return Walk(self.fault, choices, hashlib.sha256(end.encode()).hexdigest(), tuple(self._lines))

    def step(self, choice: Choice) -> None:
        number, state = choice.agent % len(self._agents), self._state
        menu = self._agents[number].at(state)
        self.fault = menu.fault(state)
        affordable = menu.affordable(state)
        moves = affordable if affordable and (choice.is_trouble or not menu.free) else menu.free
        if self.fault or not moves:
            return
        which = choice.move % len(moves)
        self._made += (number, which, moves is affordable)
        self._make(number, menu, moves[which])

    def _make(self, number: int, menu: Menu, move: Move) -> None:
        self._state += menu.change(move)
        self.fault = self._engine.fault(self._state)
        if self._is_told:
            name, protocol = self._agents[number].agent.name, self._engine.protocol
            answer = protocol.answer(self._engine.packing.unpack(self._state))
            self._lines.append(Line(name, protocol.tell(name, move.what), answer))

    def converge(self) -> None:
        """Trouble has ended: everybody moves in turn, and health must be back within `ROUNDS`."""
        for round_number in range(ROUNDS):
            for number in range(len(self._agents)):
                for pace in range(PACE):
                    self.step_freely(number, round_number + pace)
                    if self.fault:
                        return
            if self._engine.health(self._state).is_fine:
                return
        self.fault = f"health is not back {ROUNDS} rounds after trouble has ended"

    def step_freely(self, number: int, which: int) -> None:
        """One of the agent's own moves."""
        menu = self._agents[number].at(self._state)
        self.fault = menu.fault(self._engine.packing.without_budgets(self._state))
        if menu.free and not self.fault:
            self._make(number, menu, menu.free[which % len(menu.free)])
