"""A policy around a block instead of a function: each turn of a loop is one attempt.

    for attempt in policy.attempts():
        with attempt:
            fetch(timeout=attempt.timeout)

A failure that is tried again is swallowed by the `with` and the loop turns once more; the last one passes through.
"""

from collections.abc import AsyncIterator, Iterator
from contextvars import Token
from types import TracebackType
from typing import Self

from outlast.policy.admission import Admission, Moment, Stop
from outlast.policy.breaker import REFUSED
from outlast.policy.checks import SECOND
from outlast.policy.deadline import DEADLINE, NEVER
from outlast.policy.driver import Interrupt, await_pause, now, settle_failure, sit_out


class Attempt:
    """One attempt: a context manager for `with` and `async with`. In an `async with` it is cancelled at its limit.

    Attributes:
        number: 1 for the first.

    """

    def __init__(self, call: "Attempts", *, number: int, begun: int, limit: int) -> None:
        self.number = number
        self._call = call
        self._begun = begun
        self._limit = limit
        self._token: Token[int] | None = None
        self._interrupt: Interrupt | None = None

    def __repr__(self) -> str:
        return f"<attempt {self.number} of {self._call.gate.name}>"

    @property
    def timeout(self) -> float | None:
        """Seconds left for this attempt, for a client's own timeout; `None` for no limit."""
        return None if self._limit == NEVER else max(0.0, (self._limit - now()) / SECOND)

    def __enter__(self) -> Self:
        self._token = DEADLINE.set(self._limit)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if self._token is not None:
            DEADLINE.reset(self._token)
        return self._call.settle(error, begun=self._begun, limit=self._limit)

    async def __aenter__(self) -> Self:
        if self._limit != NEVER:
            self._interrupt = Interrupt(
                self._call.gate.name, self._call.started, limit=self._limit, attempt=self.number
            )
            await self._interrupt.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        try:
            if self._interrupt is not None:
                await self._interrupt.__aexit__(kind, error, trace)
        except TimeoutError as over:
            if self._call.settle(over, begun=self._begun, limit=self._limit):
                return True
            raise
        return self._call.settle(error, begun=self._begun, limit=self._limit)


class Attempts(Iterator[Attempt], AsyncIterator[Attempt]):
    """The attempts of one call, for `for` and `async for`. The call is admitted when the first is asked for.

    Args:
        gate: The policy.

    """

    def __init__(self, gate: Admission) -> None:
        self.gate = gate
        self.started = 0
        self._number = 0
        self._permit = REFUSED
        self._end = NEVER
        self._pause: int | None = 0
        self._last: BaseException | None = None

    def __next__(self) -> Attempt:
        """Begin the next attempt.

        Raises:
            Rejected: The first was not admitted.
            RuntimeError: The one before was not put in a `with`.

        """
        self._check(StopIteration)
        if self._pause:
            sit_out(self.gate, self._pause)
        return self._begin()

    async def __anext__(self) -> Attempt:
        """Do as `__next__`, letting others run in the pause."""
        self._check(StopAsyncIteration)
        if self._pause:
            await await_pause(self.gate, self._pause)
        return self._begin()

    def settle(self, error: BaseException | None, *, begun: int, limit: int) -> bool:
        """Take note of how an attempt ended and say whether its error is to be swallowed."""
        if error is None:
            self.gate.succeed(self._permit, now())
            self._permit = REFUSED
            return False
        moment = Moment(self._number, begun, limit, self._end, now())
        pause = settle_failure(self.gate, self._permit, moment, error=error)
        self._permit = REFUSED
        self._pause = None if isinstance(pause, Stop) else pause
        self._last = None if isinstance(pause, Stop) else error
        return self._last is not None

    def _check(self, stop: type[Exception]) -> None:
        if self._permit != REFUSED:
            raise RuntimeError("each attempt needs a `with` of its own before the next is asked for")
        if self._pause is None:
            raise stop

    def _begin(self) -> Attempt:
        begun = now()
        self._pause = None  # whatever happens now, nothing more comes unless a failure is to be tried again
        self._number += 1
        if self._number == 1:
            self.started = begun
            self._end = self.gate.end(begun, DEADLINE.get())
            self._permit = self.gate.enter(begun, self._end)
        else:
            self._permit = self.gate.enter_again(begun)
        if self._permit == REFUSED and self._last is not None:
            raise self._last
        return Attempt(self, number=self._number, begun=begun, limit=self.gate.limit(begun, self._end))
