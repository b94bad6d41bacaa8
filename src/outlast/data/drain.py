"""The two loops that drain a spool in the background: threads, and tasks. What they do is decided at the desk."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from outlast.data.desk import Desk, Shift
from outlast.data.ramp import Permit
from outlast.data.records import Message
from outlast.data.spool import Spool
from outlast.data.store import SpoolStore

IDLE_SECONDS = 0.25
"""Between looks at an empty spool; a put rings the bell and is seen at once."""
TROUBLE_SECONDS = 1.0
"""Until a spool that could not be read is tried again."""
STOP_SECONDS = 5.0
"""How long deliveries under way may take when the queue is closed; what takes longer is delivered again later."""

Handle = Callable[[Message], object]
HandleAsync = Callable[[Message], Awaitable[object]]


class Drain(Protocol):
    """What both have in common."""

    def ring(self) -> None:
        """Say that something was put; from any thread."""
        ...

    def workers(self) -> int:
        """Return how many are alive."""
        ...


class ThreadDrain:
    """Drains with as many threads as the desk allows deliveries at once; starts at once."""

    def __init__(self, store: SpoolStore, desk: Desk, handle: Handle) -> None:
        self._store = store
        self.desk = desk
        self._handle = handle
        self._is_stopped = threading.Event()
        self._bell = threading.Condition()
        self._threads = [
            threading.Thread(target=self._work, name=f"outlast drain {n}", daemon=True)
            for n in range(desk.options.concurrency)
        ]
        for thread in self._threads:
            thread.start()

    def __repr__(self) -> str:
        return f"<ThreadDrain {self.workers()} threads {self.desk!r}>"

    def workers(self) -> int:
        """Return how many threads are alive."""
        return sum(thread.is_alive() for thread in self._threads)

    def ring(self) -> None:
        """Say that something was put."""
        with self._bell:
            self._bell.notify_all()

    def stop(self) -> None:
        """Begin nothing more and wait for what is under way, at most `STOP_SECONDS`."""
        self._is_stopped.set()
        self.ring()
        end = time.monotonic() + STOP_SECONDS
        for thread in self._threads:
            if thread is not threading.current_thread():  # a handler may close its own queue
                thread.join(max(0.0, end - time.monotonic()))

    def _work(self) -> None:
        while not self._is_stopped.is_set():
            turn = self.desk.turn()
            if not isinstance(turn, Permit):
                self._is_stopped.wait(turn)
                continue
            with Shift(self.desk) as shift:
                self._deliver(turn)
            if shift.has_failed:
                self._is_stopped.wait(TROUBLE_SECONDS)

    def _deliver(self, permit: Permit) -> None:
        message = self._store.run(self.desk.take)
        if message is None:
            self.desk.withdraw(permit)
            with self._bell:
                self._bell.wait(0 if self._is_stopped.is_set() else IDLE_SECONDS)
            return
        failure: BaseException | None = None
        try:
            self._handle(message)
        except BaseException as error:  # noqa: BLE001  the user's own, of any kind; `sys.exit` would end but this thread
            failure = error
        self._store.run(self.desk.settle(permit, message, failure))


class TaskDrain:
    """Drains with as many tasks of the running loop; starts at once."""

    def __init__(self, store: SpoolStore, desk: Desk, handle: HandleAsync) -> None:
        self._store = store
        self.desk = desk
        self._handle = handle
        self._loop = asyncio.get_running_loop()
        self._is_stopped = asyncio.Event()
        self._bell = asyncio.Event()
        self._tasks = [self._loop.create_task(self._work()) for _ in range(desk.options.concurrency)]

    def __repr__(self) -> str:
        return f"<TaskDrain {self.workers()} tasks {self.desk!r}>"

    def workers(self) -> int:
        """Return how many tasks are not done."""
        return sum(not task.done() for task in self._tasks)

    def ring(self) -> None:
        """Say that something was put."""
        with contextlib.suppress(RuntimeError):  # the loop may be closed, and what was put is kept all the same
            self._loop.call_soon_threadsafe(self._bell.set)

    async def stop(self) -> None:
        """Begin nothing more and wait for what is under way, at most `STOP_SECONDS`; then break it off."""
        self._is_stopped.set()
        self._bell.set()
        others = [task for task in self._tasks if task is not asyncio.current_task()]
        if others:
            _, late = await asyncio.wait(others, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    async def _work(self) -> None:
        while not self._is_stopped.is_set():
            turn = self.desk.turn()
            if not isinstance(turn, Permit):
                await _wait(self._is_stopped, turn)
                continue
            with Shift(self.desk) as shift:
                await self._deliver(turn)
            if shift.has_failed:
                await _wait(self._is_stopped, TROUBLE_SECONDS)

    async def _deliver(self, permit: Permit) -> None:
        message = await self._store.arun(self.desk.take)
        if message is None:
            self.desk.withdraw(permit)
            if not self._is_stopped.is_set():
                self._bell.clear()
                await _wait(self._bell, IDLE_SECONDS)
            return
        failure: BaseException | None = None
        try:
            await self._handle(message)
        except Exception as error:  # noqa: BLE001  the user's own, of any kind, decides what becomes of the message
            failure = error
        except BaseException as error:
            if not isinstance(error, asyncio.CancelledError) or _is_cancelled():
                await self._write(self.desk.release(message))
                raise
            failure = error  # something that the handler awaited was cancelled, not this task
        await self._write(self.desk.settle(permit, message, failure))

    async def _write(self, work: Callable[[Spool], None]) -> None:
        # A delivery that is done is written down, even if the task is cancelled at this very moment.
        await asyncio.shield(asyncio.ensure_future(self._store.arun(work)))


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
