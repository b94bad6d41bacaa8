"""In which order states are explored.

Breadth first, in order of discovery, a poorer state is often found before a richer one that is alike otherwise, and both are
explored. Thrifty, by how much was spent, richer ones come first: fewer states for a proof, but traces that are not the
shortest.
"""

from collections import deque

import numpy as np

from outlast.simulator.budgets import Budgets
from outlast.simulator.numbering import Numbers


class Agenda:
    """States to explore, by index."""

    def __init__(self, budgets: Budgets, *, is_thrifty: bool) -> None:
        self._spent = budgets.spent if is_thrifty else np.zeros_like(budgets.spent)
        self._queues: list[deque[Numbers]] = [deque() for _ in range(int(self._spent.max()) + 1)]
        self._is_thrifty = is_thrifty

    def add(self, states: Numbers, left: Numbers) -> None:
        """Add states, with what is left of their budgets; one call adds what was found from one batch."""
        spent = self._spent[left]
        for much in np.unique(spent):
            self._queues[much].append(states[spent == much])

    def take(self, most: int, depths: Numbers) -> Numbers:
        """The next states; none if there are none. Breadth first they are all of one depth."""
        queue = next((queue for queue in self._queues if queue), None)
        if queue is None:
            return np.zeros(0, np.int64)
        depth, taken, count = depths[queue[0][0]], [], 0
        while queue and count < most and (self._is_thrifty or depths[queue[0][0]] == depth):
            states = queue.popleft()
            taken.append(states[: most - count])
            if count + len(states) > most:
                queue.appendleft(states[most - count :])
            count += len(taken[-1])
        return np.concatenate(taken)
