"""Blocking code of other libraries in threads of its own, given up after a time.

A thread cannot be stopped. One that is given up goes on until its library comes back, so three things are seen to: it is
a daemon and keeps no process from ending; there is a limit to how many may be out; and before it changes anything it has
to pass a `Gate`, which whoever waits closes when they stop waiting.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from outlast.errors import Unavailable

T = TypeVar("T")

THREADS_MAX = 32
"""Calls of one provider that are out at once, those given up included. An enactor works on eight endpoints at a time."""
PREFIX = "outlast-blocking-"
"""How the threads' names begin."""


class Gate:
    """What must be passed before something is changed. Closed once, it stays closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_closed = False
        self._has_passed = False

    def __repr__(self) -> str:
        return f"<gate, {'closed' if self._is_closed else 'open'}, {'passed' if self._has_passed else 'not passed'}>"

    def enter(self) -> bool:
        """Go through if it is open; say whether."""
        with self._lock:
            self._has_passed |= not self._is_closed
            return not self._is_closed

    def close(self) -> bool:
        """Let nobody through from now on. Say whether somebody went: then something may be changed, or may be yet."""
        with self._lock:
            self._is_closed = True
            return self._has_passed


class Threads:
    """The threads of one provider."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._room = threading.BoundedSemaphore(THREADS_MAX)

    async def run(self, work: Callable[[], T], *, seconds: float) -> T:
        """Return what `work` returns, or raise what it raises.

        Raises:
            TimeoutError: It did not come back in time. It goes on.
            Unavailable: Too many that were given up have not come back yet.

        """
        if not self._room.acquire(blocking=False):
            raise Unavailable(
                f"{self._name}: {THREADS_MAX} calls have not come back", hint="is its API silent? restart the enactor"
            )
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(outcome: Callable[[], None]) -> None:
            if not future.done():
                outcome()

        def body() -> None:
            outcome: Callable[[], None]
            try:
                outcome = partial(future.set_result, work())
            except BaseException as error:  # noqa: BLE001  it belongs to whoever waits, even what would end the process
                ours = error if isinstance(error, Exception) else RuntimeError(f"{type(error).__name__}: {error}")
                outcome = partial(future.set_exception, ours)
            finally:
                self._room.release()
            with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop is closed
                loop.call_soon_threadsafe(settle, outcome)

        try:
            threading.Thread(target=body, name=f"{PREFIX}{self._name}", daemon=True).start()
        except RuntimeError as error:
            self._room.release()
            raise Unavailable(f"{self._name}: {error}", hint="raise this process's limit of threads") from error
        async with asyncio.timeout(seconds):
            return await future
