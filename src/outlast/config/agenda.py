"""Which place an enactor works on next, so many at a time at each provider; a slow provider holds up only its own.

With thousands of endpoints a pass takes longer than the interval between two. What the plan has changed must not wait
behind all that is as it should be, so it is urgent and goes first. But urgent may also be what can never be done, an
endpoint on hold or a provider that refuses: where others wait, every second turn is theirs, in the order they came.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import partial

from outlast.traffic.ports import Place

Work = Callable[[Place], Awaitable[None]]


class Lane:
    """The places of one provider: those that wait, in the order they came, and those that are worked on."""

    def __init__(self, at_once: int) -> None:
        self.under_way: dict[Place, asyncio.Task[None]] = {}
        self._at_once = at_once
        self._urgent: dict[Place, None] = {}
        self._others: dict[Place, None] = {}
        self._is_others_turn = False

    def __repr__(self) -> str:
        waiting = f"{len(self._urgent)} urgent and {len(self._others)} others wait"
        return f"<lane: {len(self.under_way)} under way, {waiting}>"

    def enter(self, place: Place, *, is_urgent: bool) -> None:
        """Let a place wait, unless it is worked on or waits already; one that has become urgent changes over."""
        if place in self.under_way:
            return
        if is_urgent:
            self._others.pop(place, None)
            self._urgent[place] = None
        elif place not in self._urgent:
            self._others[place] = None

    def next(self) -> Place | None:
        """Take the place that goes next out of those that wait, if there is one and room for it."""
        if len(self.under_way) >= self._at_once or not (self._urgent or self._others):
            return None
        first, second = (self._others, self._urgent) if self._is_others_turn else (self._urgent, self._others)
        taken = first or second
        self._is_others_turn = taken is self._urgent
        place = next(iter(taken))
        del taken[place]
        return place

    @property
    def is_empty(self) -> bool:
        return not (self.under_way or self._urgent or self._others)


class Agenda:
    """Works on places as they are entered.

    Args:
        work: A pass at one place. It raises nothing.
        at_once: How many places to work on at a time, by provider.

    """

    def __init__(self, work: Work, at_once: Mapping[str, int]) -> None:
        self._work = work
        self._lanes = {name: Lane(limit) for name, limit in at_once.items()}
        self._idle = asyncio.Event()

    def __repr__(self) -> str:
        return f"<agenda: {self._lanes}>"

    def enter(self, places: Iterable[Place], urgent: AbstractSet[Place]) -> None:
        """Let places wait for their turn, and begin with as many as there is room for."""
        for place in places:
            self._lanes[place.provider].enter(place, is_urgent=place in urgent)
        for lane in self._lanes.values():
            self._begin(lane)

    async def settle(self, seconds: float) -> None:
        """Wait until nothing is left to do, or so long."""
        if not self._is_empty:
            self._idle.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), seconds)

    async def stop(self) -> None:
        """Begin nothing more and cut off what is under way."""
        tasks = [task for lane in self._lanes.values() for task in lane.under_way.values()]
        self._lanes.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def _is_empty(self) -> bool:
        return all(lane.is_empty for lane in self._lanes.values())

    def _begin(self, lane: Lane) -> None:
        while (place := lane.next()) is not None:
            task = asyncio.ensure_future(self._work(place))
            lane.under_way[place] = task
            task.add_done_callback(partial(self._ended, lane, place))

    def _ended(self, lane: Lane, place: Place, _: asyncio.Future[None]) -> None:
        del lane.under_way[place]
        if self._lanes:  # otherwise it was stopped
            self._begin(lane)
        if self._is_empty:
            self._idle.set()
