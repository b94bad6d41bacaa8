"""From every reachable state back to health without help: AG EF, and more, over an explored graph.

Only the system's own moves count here: no fault, no person; so budgets do not matter, and states that differ in nothing
else are one. A healthy state is *settled* if no own move leads out of the settled ones: health rests. A state recovers if
some run of own moves reaches a settled one. If every state recovers, every run in which each agent goes on moving (any
fair schedule, once faults have stopped) ends settled, for no trap is left to be caught in. What does not recover is
listed, with the shortest way into it.

States that wait for a person by design count as healthy here; they are told apart by that person's command.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from outlast.simulator.explorer import PULSE_EVERY, Exploration

FINE = 1
GOOD = 2
WALKED = 4
"""A walk of first moves from here did not come to a good state; others may."""


class Recovery(NamedTuple):
    """`stuck` are the indices of states that no run of own moves leads to health from, in the order they were found.

    `waits` counts, by command, the settled states that wait for a person. `is_whole` is false if there was no time.
    """

    is_whole: bool
    settled: int = 0
    stuck: tuple[int, ...] = ()
    waits: Mapping[str, int] = MappingProxyType({})

    @property
    def is_complete(self) -> bool:
        """Whether every state is known to recover."""
        return self.is_whole and not self.stuck


def recover(found: Exploration, may_go_on: Callable[[], bool] = lambda: True) -> Recovery:
    """Find the states that do not recover."""
    bits, health = found.engine.packing.budget_bits, found.engine.health
    marks = dict.fromkeys(reversed(found.seen), 0)
    if not (_settle(found, marks, may_go_on) and _spread(found, marks, may_go_on)):
        return Recovery(is_whole=False)
    stuck = tuple(index for index, state in enumerate(found.order) if not marks[state & ~bits] & GOOD)
    settled = [core for core, mark in marks.items() if mark & FINE]
    waits = Counter(waits for core in settled if (waits := health(core).waits))
    return Recovery(is_whole=True, settled=len(settled), stuck=stuck, waits=dict(waits))


def _settle(found: Exploration, marks: dict[int, int], may_go_on: Callable[[], bool]) -> bool:
    # The largest set of healthy states that no own move leaves.
    engine = found.engine
    candidates = [core for core in marks if engine.health(core).is_fine]
    for core in candidates:
        marks[core] = FINE
    while True:
        # Those found last come first: what falls out takes what leads to it along in the same sweep, mostly.
        kept = []
        for index, core in enumerate(candidates):
            if index % PULSE_EVERY == 0 and not may_go_on():
                return False
            if engine.leads_only_to(core, marks, FINE):
                kept.append(core)
            else:
                marks[core] = 0
        if len(kept) == len(candidates):
            break
        candidates = kept
    for core in candidates:
        marks[core] = FINE | GOOD
    return True


def _spread(found: Exploration, marks: dict[int, int], may_go_on: Callable[[], bool]) -> bool:
    # Backwards from the settled states along own moves. Most states need no search: whoever moves goes on until
    # all is well. Only where that ends in a circle, or in what was not explored, are all moves looked at.
    leads_to = found.engine.leads_to
    for index, core in enumerate(marks):
        if index % PULSE_EVERY == 0 and not may_go_on():
            return False
        if not marks[core]:
            _walk(found, marks, core)
    doubtful = [core for core, mark in marks.items() if not mark & GOOD]
    while True:
        left = []
        for index, core in enumerate(doubtful):
            if index % PULSE_EVERY == 0 and not may_go_on():
                return False
            if leads_to(core, marks, GOOD):
                marks[core] = GOOD
            else:
                left.append(core)
        if len(left) == len(doubtful):
            return True
        doubtful = left


def _walk(found: Exploration, marks: dict[int, int], core: int) -> None:
    some_own, path = found.engine.some_own, []
    while marks.get(core, WALKED) == 0:
        marks[core] = WALKED
        path.append(core)
        core = some_own(core)
    if marks.get(core, WALKED) & GOOD:
        for passed in path:
            marks[passed] = GOOD
