"""From every reachable state back to health without help: AG EF, and more, over an explored graph.

Only the system's own moves count here: no fault, no person. A healthy state is *settled* if none of them leads out of
the settled ones: health rests. A state recovers if some run of own moves reaches a settled one. If every state recovers,
every run in which each agent goes on moving (any fair schedule, once faults have stopped) ends settled, for no trap is
left to be caught in. What does not recover is listed, with the shortest way into it.

States that wait for a person by design count as healthy here; they are told apart by that person's command.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from outlast.simulator.explorer import PULSE_EVERY, Exploration

FINE = 1
GOOD = 2


class Recovery(NamedTuple):
    """`stuck` are the indices of states that no run of own moves leads to health from, in the order they were found.

    `waits` counts, by command, the settled states that wait for a person. `is_whole` is false if there was no time.
    """

    is_whole: bool
    settled: int
    stuck: tuple[int, ...]
    waits: dict[str, int]


def recover(found: Exploration, may_go_on: Callable[[], bool] = lambda: True) -> Recovery:
    """Find the states that do not recover. Uses the marks in `found.seen`."""
    if not (_settle(found, may_go_on) and _spread(found, may_go_on)):
        return Recovery(is_whole=False, settled=0, stuck=(), waits={})
    seen, health = found.seen, found.engine.health
    stuck = tuple(index for index, state in enumerate(found.order) if not seen[state] & GOOD)
    settled = [state for state in found.order if seen[state] & FINE]
    waits = Counter(waits for state in settled if (waits := health(state).waits))
    return Recovery(is_whole=True, settled=len(settled), stuck=stuck, waits=dict(waits))


def _settle(found: Exploration, may_go_on: Callable[[], bool]) -> bool:
    seen, engine = found.seen, found.engine
    representative, own = engine.symmetry.representative, engine.own_successors
    candidates = [state for state in reversed(found.order) if engine.health(state).is_fine]
    for state in candidates:
        seen[state] = FINE
    while True:
        # Backwards: what falls out of the set takes what leads to it along in the same sweep, mostly.
        kept = []
        for index, state in enumerate(candidates):
            if index % PULSE_EVERY == 0 and not may_go_on():
                return False
            if all(seen[representative(new)] & FINE for new in own(state)):
                kept.append(state)
            else:
                seen[state] = 0
        if len(kept) == len(candidates):
            break
        candidates = kept
    for state in candidates:
        seen[state] = FINE | GOOD
    return True


def _spread(found: Exploration, may_go_on: Callable[[], bool]) -> bool:
    seen, engine = found.seen, found.engine
    representative, own = engine.symmetry.representative, engine.own_successors
    doubtful = [state for state in reversed(found.order) if not seen[state]]
    while True:
        left = []
        for index, state in enumerate(doubtful):
            if index % PULSE_EVERY == 0 and not may_go_on():
                return False
            if any(seen[representative(new)] & GOOD for new in own(state)):
                seen[state] = GOOD
            else:
                left.append(state)
        if len(left) == len(doubtful):
            return True
        doubtful = left
