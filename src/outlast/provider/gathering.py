"""Gathers what is asked while an earlier question is under way, and asks for it all together.

As a database does it with commits (group commit: DeWitt et al., 1984): whoever comes alone is served at once and waits for
nobody; whoever comes while somebody else is being served goes into the next round with all others who wait.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class _Queue(Generic[Item, Answer]):
    """Who waits in one event loop. The lock is held by whoever asks for all."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting: list[tuple[Item, asyncio.Future[Answer]]] = []


class Gathering(Generic[Item, Answer]):
    """One question for many.

    Args:
        ask: Answers all items of a round, in their order.
        most: Items in one round at most.
        given_up: What the others of a round are told if whoever asks for them is cancelled meanwhile.

    """

    def __init__(
        self, ask: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]], *, most: int, given_up: Answer
    ) -> None:
        self._ask = ask
        self._most = most
        self._given_up = given_up
        self._queues: WeakKeyDictionary[asyncio.AbstractEventLoop, _Queue[Item, Answer]] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"<gathering: {sum(len(queue.waiting) for queue in self._queues.values())} waiting>"

    async def answer(self, item: Item) -> Answer:
        """Ask for one item, alone or with others."""
        loop = asyncio.get_running_loop()
        queue = self._queues.setdefault(loop, _Queue())
        place: tuple[Item, asyncio.Future[Answer]] = (item, loop.create_future())
        queue.waiting.append(place)
        try:
            async with queue.lock:
                while not place[1].done():
                    await self._round(queue)
        finally:
            if place in queue.waiting:
                queue.waiting.remove(place)
        return await place[1]

    async def _round(self, queue: _Queue[Item, Answer]) -> None:
        # Who holds the lock is the first of those who wait: the lock is given in the order of asking.
        taken, queue.waiting[:] = queue.waiting[: self._most], queue.waiting[self._most :]
        try:
            answers = await self._ask([item for item, _ in taken])
            for (_, future), answer in zip(taken, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
        finally:
            # Whoever asked for all was cancelled, or it went wrong: the others learn that nothing is known.
            for _, future in taken:
                if not future.done():
                    future.set_result(self._given_up)
