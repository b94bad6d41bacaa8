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

import numpy as np

from outlast.simulator.batches import Truths
from outlast.simulator.exploration import Exploration, Judged
from outlast.simulator.numbering import Numbers


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
    engine = found.engine
    judged = Judged(engine.packing.words, engine.health_mask, engine.health)
    health = judged.numbers(found.cores.rows)
    is_good = np.array([answer.is_fine for answer in judged.answers])[health]
    source, target = found.own_moves()
    if not (_settle(is_good, source, target, may_go_on)):
        return Recovery(is_whole=False)
    settled = health[is_good]
    if not _spread(is_good, source, target, may_go_on):
        return Recovery(is_whole=False)
    stuck = tuple(np.flatnonzero(~is_good[found.core.rows]).tolist())
    waits: Counter[str] = Counter()
    for answer, count in zip(judged.answers, np.bincount(settled, minlength=len(judged.answers)), strict=True):
        if answer.waits and count:
            waits[answer.waits] += int(count)
    return Recovery(is_whole=True, settled=len(settled), stuck=stuck, waits=dict(waits))


def _settle(is_settled: Truths, source: Numbers, target: Numbers, may_go_on: Callable[[], bool]) -> bool:
    # The largest set of healthy states that no own move leaves: what leads out falls out, until nothing does.
    while may_go_on():
        inside = is_settled[source]
        source, target = source[inside], target[inside]
        leads_out = source[~is_settled[target]]
        if not leads_out.size:
            return True
        is_settled[leads_out] = False
    return False


def _spread(is_good: Truths, source: Numbers, target: Numbers, may_go_on: Callable[[], bool]) -> bool:
    # Backwards from the settled states along own moves.
    while may_go_on():
        outside = ~is_good[source]
        source, target = source[outside], target[outside]
        leads_in = source[is_good[target]]
        if not leads_in.size:
            return True
        is_good[leads_in] = True
    return False
