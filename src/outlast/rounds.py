"""Many who ask at once share a round: whoever comes alone is served at once, whoever comes meanwhile goes into the next.

As a database does it with commits (group commit: DeWitt et al., 1984). A round is a task of its own, so that who stops
waiting harms nobody: the round goes on for the others. Whoever asks is served by a round that began after they asked, so
that they are told nothing older. Each event loop has its own rounds.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, eq=False)
class Asked(Generic[Item, Answer]):
    """One who waits: what they ask, and where the answer goes."""

    item: Item
    _answer: "asyncio.Future[Answer]"

    @property
    def is_answered(self) -> bool:
        """Whether there is an answer, or nobody waits for it any more."""
        return self._answer.done()

    def answer(self, answer: Answer) -> None:
        """Tell the answer; the first one counts."""
        if not self.is_answered:
            self._answer.set_result(answer)

    def fail(self, error: Exception) -> None:
        """Tell what went wrong; whoever waits gets it raised."""
        if not self.is_answered:
            self._answer.set_exception(error)

    async def wait(self) -> Answer:
        """The answer."""
        return await self._answer

    def give_up(self) -> None:
        """Nobody will answer."""
        self._answer.cancel()


class _Line(Generic[Item, Answer]):
    """Who waits in one event loop, and the task that serves them."""

    def __init__(self) -> None:
        self.waiting: list[Asked[Item, Answer]] = []
        self.serving: asyncio.Task[None] | None = None


class Rounds(Generic[Item, Answer]):
    """Serves all who wait, round by round.

    Args:
        serve: Answers, or fails, everybody of a round. What it raises is raised to all whom it has not answered.
        most: Items in one round at most; `None`: all that wait.

    """

    def __init__(
        self, serve: Callable[[Sequence[Asked[Item, Answer]]], Awaitable[None]], *, most: int | None = None
    ) -> None:
        self._serve = serve
        self._most = most
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line[Item, Answer]] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"<rounds: {sum(len(line.waiting) for line in self._lines.values())} waiting>"

    async def ask(self, item: Item) -> Answer:
        """Go into the next round."""
        loop = asyncio.get_running_loop()
        line = self._lines.setdefault(loop, _Line())
        asked: Asked[Item, Answer] = Asked(item, loop.create_future())
        line.waiting.append(asked)
        if line.serving is None or line.serving.done():
            line.serving = loop.create_task(self._work(line))
        try:
            return await asked.wait()
        finally:
            if asked in line.waiting:
                line.waiting.remove(asked)

    async def _work(self, line: _Line[Item, Answer]) -> None:
        try:
            await self._rounds(line)
        finally:
            line.serving = None  # a task holds its loop, and the loop would hold this line
            for asked in line.waiting:  # only if it was cut off: nobody else serves them
                asked.give_up()
            line.waiting.clear()

    async def _rounds(self, line: _Line[Item, Answer]) -> None:
        while line.waiting:
            taken, line.waiting[:] = line.waiting[: self._most], line.waiting[self._most :] if self._most else []
            try:
                await self._serve(taken)
            except Exception as error:  # noqa: BLE001  it is told to everybody who waits
                for asked in taken:
                    asked.fail(error)
            finally:
                # Only a round that was cut off leaves somebody waiting.
                for asked in taken:
                    asked.give_up()
