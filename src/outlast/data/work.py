"""What the writer is asked to do, and how whoever asked hears of it.

A group's waiters are told together: a thread waits at a lock of its own, which costs a third of what a `Future` does,
and an event loop is woken once for all of its tasks.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from outlast.errors import OutlastError

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Joint(Generic[Item, Result]):
    """Work that is cheaper done together with its like: `together` answers for each item, in their order."""

    item: Item
    together: Callable[[Sequence[Item]], Sequence[Result | OutlastError]]

    def __call__(self) -> Result:
        """Do it alone."""
        (answer,) = self.together((self.item,))
        if isinstance(answer, OutlastError):
            raise answer
        return answer


class Work(Generic[Result]):
    """Something to do in a transaction, and what came of it.

    Args:
        run: Does it.
        growth: Bytes by which it makes the file grow; 0 for what must go on when the disk is full.

    """

    __slots__ = ("error", "growth", "result", "run")

    def __init__(self, run: Callable[[], Result], *, growth: int) -> None:
        self.run = run
        self.growth = growth
        self.result: Result | None = None
        self.error: Exception | None = None

    def is_wanted(self) -> bool:
        """Return whether somebody still wants it done."""
        return True

    def outcome(self) -> Result:
        """Return the result or raise the error."""
        if self.error is not None:
            raise self.error
        return cast("Result", self.result)  # without error there is one, and it may be None


class ThreadWork(Work[Result]):
    """Work that a thread waits for."""

    __slots__ = ("_bell",)

    def __init__(self, run: Callable[[], Result], *, growth: int) -> None:
        super().__init__(run, growth=growth)
        self._bell = threading.Lock()
        self._bell.acquire()

    def ring(self) -> None:
        """Wake the thread; the outcome is there."""
        self._bell.release()

    def wait(self) -> Result:
        """Wait and return the result or raise the error."""
        with self._bell:
            return self.outcome()


class TaskWork(Work[Result]):
    """Work that a task of the running loop waits for."""

    __slots__ = ("future", "loop")

    def __init__(self, run: Callable[[], Result], *, growth: int) -> None:
        super().__init__(run, growth=growth)
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Result] = self.loop.create_future()

    def is_wanted(self) -> bool:
        """Return whether the task was not cancelled."""
        return not self.future.cancelled()

    def settle(self) -> None:
        """Hand the outcome over; in the loop."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.outcome())


def tell(group: Iterable[Work[Any]]) -> None:
    """Wake everybody who waits for one of the group."""
    loops: dict[asyncio.AbstractEventLoop, list[TaskWork[Any]]] = {}
    for work in group:
        if isinstance(work, ThreadWork):
            work.ring()
        elif isinstance(work, TaskWork):
            loops.setdefault(work.loop, []).append(work)
    for loop, works in loops.items():
        with contextlib.suppress(RuntimeError):  # a loop that is closed has nobody who waits
            loop.call_soon_threadsafe(_settle, works)


def _settle(works: list[TaskWork[Any]]) -> None:
    for work in works:
        work.settle()
