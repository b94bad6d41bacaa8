"""What an agent may do in a state, for whoever makes one of its moves: only that one is worked out.

The explorer's tables (`engine`) hold where every move leads. A walk through a large world meets most combinations once and
makes one move of seven; working out the others would take it twice as long.
"""

from collections.abc import Sequence

from outlast.simulator.engine import EVERYTHING, Engine
from outlast.simulator.protocol import Agent, Move, Protocol, Values


class Menu:
    """An agent's moves in one combination of what they depend on.

    `free` draw on no budget. `drawing` do, each with the bits that must not all be zero; `broken` are broken rules, with
    such bits. A move may change nothing.
    """

    def __init__(self, engine: Engine, parts: Sequence[int], before: Values, moves: Sequence[Move]) -> None:
        self._packing, self._parts, self._before = engine.packing, tuple(parts), before
        self._changes: dict[int, int] = {}
        needs = self._packing.needs
        is_silent = any(move.is_silent for move in moves)
        possible = [
            move for move in moves if not (move.draws and move.draws not in needs) and (move.is_silent or not is_silent)
        ]
        self.free = [move for move in possible if not move.broken and not move.draws]
        self.drawing = [(needs[move.draws], move) for move in possible if not move.broken and move.draws]
        self.broken = [
            (needs[move.draws] if move.draws else EVERYTHING, move.broken) for move in possible if move.broken
        ]

    def affordable(self, state: int) -> list[Move]:
        """Those of `drawing` whose budget is not used up."""
        return [move for need, move in self.drawing if state & need]

    def fault(self, state: int) -> str:
        """The rule that a move from here breaks; empty if none does."""
        return next((rule for need, rule in self.broken if need == EVERYTHING or state & need), "")

    def change(self, move: Move) -> int:
        """What this move adds to a state."""
        known = self._changes.get(id(move))
        if known is None:
            changes = self._packing.changes(self._parts, self._before, move.after)
            known = self._changes[id(move)] = self._packing.delta(changes, move.draws)
        return known


class Menus:
    """The menus of one agent, by what they depend on."""

    def __init__(self, engine: Engine, agent: Agent) -> None:
        self._engine = engine
        self.agent = agent
        self._masks: dict[int, int] = {}
        self._menus: dict[int, Menu] = {}

    def at(self, state: int) -> Menu:
        """What the agent may do in this state."""
        packing, agent = self._engine.packing, self.agent
        own = packing.number_in(state, agent.part)
        mask = self._masks.get(own)
        if mask is None:
            mask = packing.mask((agent.part, *agent.footprint(packing.values[agent.part][own])))
            self._masks[own] = mask
        key = state & mask
        menu = self._menus.get(key)
        if menu is None:
            menu = self._menus[key] = Menu(self._engine, *self._engine.moves(agent, state))
        return menu


class Ground:
    """A protocol to walk through; it remembers the menus that it has worked out."""

    def __init__(self, protocol: Protocol) -> None:
        self.engine = Engine(protocol)
        self.agents = [Menus(self.engine, agent) for agent in protocol.agents]
