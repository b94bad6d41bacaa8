"""What the explorer is told of a protocol: its parts, its agents, what may go wrong, and what must hold. Values only.

A state is one value for each part. An agent is whoever may do something next: a machine with an effect pending, a
person, the network, chance. It tells which parts its next move reads or writes, and lists its moves from those parts
alone; so the explorer asks once for each combination of those values, and remembers.

A move is one external effect. What draws on a budget (a fault, a person's act) happens at most that often; what draws on
none is the system's own doing, and must bring it back to health without the rest.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

Values = tuple[Any, ...]


class Verdict(StrEnum):
    """What an exploration came to."""

    UNDETERMINED = "UNDETERMINED"
    FAIL = "FAIL"
    PASS = "PASS"  # noqa: S105 - a verdict, no password


class Move(NamedTuple):
    """One thing that may happen.

    `values` are the new values of the agent's own part and of its footprint, in that order, or what works them out: whoever
    walks makes one move of many. `what` is whatever the protocol needs to tell it in words later. `draws` names the budget it uses up. `broken` says which rule it breaks.

    `is_silent`: nobody can see it, and whatever anybody does meanwhile it stays possible and comes to the same. If an agent
    has silent moves, they are made at once and nothing else need be tried first (partial-order reduction); its other moves
    are left out, so what those lead to must be able to do nothing that could not be done after the silent ones. The protocol
    answers for that.
    """

    values: Values | Callable[[], Values]
    what: Hashable
    draws: str = ""
    broken: str = ""
    is_silent: bool = False

    @property
    def after(self) -> Values:
        """The new values."""
        return self.values if isinstance(self.values, tuple) else self.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Whoever may move. `footprint` and `moves` are pure; the order of the moves must not depend on names of twins."""

    name: str
    part: int
    footprint: Callable[[Any], tuple[int, ...]]
    """Other parts that the next move reads or writes, from the value of the agent's own part."""
    moves: Callable[[Values], Iterable[Move]]
    """From the value of the own part and those of the footprint."""
    weight: int = 1
    """How often it is chosen in a random walk, beside the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A rule that every state must keep: `fault` tells from those parts what is wrong, or nothing."""

    name: str
    parts: tuple[int, ...]
    fault: Callable[[Values], str]


class Health(NamedTuple):
    """Whether a state is as it should be, or `waits` for a person: then that person's command."""

    is_fine: bool
    waits: str = ""


def never(_: Values) -> Health:
    """No state is healthy: for protocols that are checked for safety alone."""
    return Health(is_fine=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """A protocol and the world around it, closed: nothing happens but what its agents do.

    Args:
        name: For people.
        parts: Names of the parts.
        initial: The first value of each part.
        agents: Whoever may move.
        budgets: How often each kind of trouble may happen.
        checks: What every state must keep.
        health_parts: What `health` reads.
        health: Whether these values are healthy.
        twins: Parts of identical agents, which the explorer may exchange for one another.
        rename: Gives a part's value with the twins exchanged: the value, and for each twin the position it moves to.
            `None` if no value names a twin.
        rank: Gives what two twins can be sorted by; must not depend on their names. Of a part's value and its position.
        answer: What the world outside sees in a state (all parts), in words.
        tell: A move in words, from its agent's name and `Move.what`.

    """

    name: str
    parts: tuple[str, ...]
    initial: Values
    agents: tuple[Agent, ...]
    budgets: Mapping[str, int] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    health_parts: tuple[int, ...] = ()
    health: Callable[[Values], Health] = never
    twins: tuple[int, ...] = ()
    rename: Callable[[Any, tuple[int, ...]], Any] | None = None
    rank: Callable[[Any, int], Hashable] = lambda value, _: value
    answer: Callable[[Values], str] = lambda _: ""
    tell: Callable[[str, Any], str] = lambda name, what: f"{name}: {what}"
