"""The loops that make the attempts: one for `def`, one for `async def`. They do without deciding; `Admission` decides.

Only here is a clock read and a pause slept. A coroutine is interrupted when its time is over. A function cannot be: it is
told its time, as the `timeout` argument that it takes for itself, and everything nested in it sees the deadline.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from random import SystemRandom
from types import TracebackType
from typing import Any, TypeVar, cast

from outlast.errors import DeadlineExceeded
from outlast.outcome import Outcome
from outlast.policy.admission import Admission, Failure, Moment, Stop
from outlast.policy.breaker import REFUSED
from outlast.policy.checks import SECOND
from outlast.policy.deadline import DEADLINE, NEVER
from outlast.policy.errand import Errand
from outlast.policy.retry import Verdict

T = TypeVar("T")
NOTHING: Mapping[str, Any] = {}

chance = SystemRandom().random
"""Drawn only when something failed; a fork never repeats its parent's draws."""
now = time.monotonic_ns


def remaining() -> float | None:
    """Return the seconds left to the call this code runs in, never below 0; `None` if no policy has set a deadline."""
    end = DEADLINE.get()
    return None if end == NEVER else max(0.0, (end - now()) / SECOND)


class Unwanted(Exception):
    """A result that is a failure in disguise, on its way through the loop; it never leaves it."""

    def __init__(self, value: Any, verdict: Verdict) -> None:
        super().__init__(value)
        self.value = value
        self.verdict = verdict


def run(
    gate: Admission,
    fn: Callable[..., T],
    *,
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] = NOTHING,
    timeout_at: int | None = None,
    errand: Errand[T] | None = None,
) -> T:
    """Call `fn` as often as the policy allows; return its result or raise its own last exception.

    Args:
        gate: The policy.
        fn: What to call.
        args: Its arguments.
        kwargs: Its keyword arguments.
        timeout_at: Where it takes `timeout`: it is handed the seconds of each attempt there, if there is a limit.
        errand: What is known beyond the function.

    Raises:
        Rejected: The call was not admitted, or its time was over.

    """
    begun = now()
    end = gate.end(begun, DEADLINE.get())
    permit = gate.enter(begun, end)
    attempt = 1
    while True:
        limit = gate.limit(begun, end)
        try:
            if limit == NEVER:
                value = fn(*args, **kwargs)
            else:
                given = with_timeout(args, kwargs, at=timeout_at, limit=limit)
                value = _run_limited(fn, *given, limit=limit)
            if errand is not None:
                _refuse_unwanted(errand, value)
        except BaseException as error:
            pause = settle_failure(gate, permit, Moment(attempt, begun, limit, end, now()), error=error, errand=errand)
            if not isinstance(pause, Stop):
                sit_out(gate, pause)
                begun = now()
                permit = gate.enter_again(begun) if pause else permit
            if isinstance(pause, Stop) or permit == REFUSED:
                if isinstance(error, Unwanted):
                    return cast(T, error.value)
                raise
            attempt += 1
        else:
            gate.succeed(permit, now())
            return value


async def arun(
    gate: Admission,
    fn: Callable[..., Awaitable[T]],
    *,
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] = NOTHING,
    timeout_at: int | None = None,
    errand: Errand[T] | None = None,
) -> T:
    """Do as `run`, for coroutines: an attempt whose time is over is cancelled, and a pause lets others run."""
    begun = started = now()
    end = gate.end(begun, DEADLINE.get())
    permit = gate.enter(begun, end)
    attempt = 1
    while True:
        limit = gate.limit(begun, end)
        try:
            if limit == NEVER:
                value = await fn(*args, **kwargs)
            else:
                told, named = with_timeout(args, kwargs, at=timeout_at, limit=limit)
                async with Interrupt(gate.name, started, limit=limit, attempt=attempt):
                    value = await fn(*told, **named)
            if errand is not None:
                _refuse_unwanted(errand, value)
        except BaseException as error:
            pause = settle_failure(gate, permit, Moment(attempt, begun, limit, end, now()), error=error, errand=errand)
            if not isinstance(pause, Stop):
                await await_pause(gate, pause)
                begun = now()
                permit = gate.enter_again(begun) if pause else permit
            if isinstance(pause, Stop) or permit == REFUSED:
                if isinstance(error, Unwanted):
                    return cast(T, error.value)
                raise
            attempt += 1
        else:
            gate.succeed(permit, now())
            return value


class Interrupt:
    """Cancels what runs inside when the limit is reached, and raises `DeadlineExceeded` instead.

    Args:
        name: The policy's name.
        started: When the call began.
        limit: When it must be over.
        attempt: Its number.

    """

    def __init__(self, name: str, started: int, *, limit: int, attempt: int) -> None:
        self._facts = name, (limit - started) / SECOND, attempt
        self._limit = limit

    async def __aenter__(self) -> None:
        self._token = DEADLINE.set(self._limit)
        self._scope = asyncio.timeout(max(0, self._limit - now()) / SECOND)
        await self._scope.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        DEADLINE.reset(self._token)
        try:
            await self._scope.__aexit__(kind, error, trace)
        except TimeoutError as over:
            name, seconds, attempts = self._facts
            raise DeadlineExceeded(name, seconds=seconds, attempts=attempts) from over


def _run_limited(fn: Callable[..., T], args: tuple[Any, ...], kwargs: Mapping[str, Any], *, limit: int) -> T:
    token = DEADLINE.set(limit)
    try:
        return fn(*args, **kwargs)
    finally:
        DEADLINE.reset(token)


def with_timeout(
    args: tuple[Any, ...], kwargs: Mapping[str, Any], *, at: int | None, limit: int
) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    """Return the arguments with the seconds that are left as `timeout`, unless the caller asks for fewer.

    Args:
        args: What the caller passed by position.
        kwargs: What the caller passed by name.
        at: The position of `timeout`; `None` leaves the arguments as they are.
        limit: When the attempt must be over.

    """
    if at is None:
        return args, kwargs
    left = max(0.0, (limit - now()) / SECOND)
    given = args[at] if at < len(args) else kwargs.get("timeout")
    seconds = min(given, left) if isinstance(given, int | float) else left
    if at < len(args):
        return (*args[:at], seconds, *args[at + 1 :]), kwargs
    return args, {**kwargs, "timeout": seconds}


def _refuse_unwanted(errand: Errand[T], value: T) -> None:
    verdict = errand.judge(value)
    if verdict is not False:
        raise Unwanted(value, verdict)
    errand.settle(Outcome.OK, now())


def settle_failure(
    gate: Admission, permit: int, moment: Moment, *, error: BaseException, errand: Errand[Any] | None = None
) -> int | Stop:
    """Settle a failed attempt; return the pause before the next, or why there is none."""
    try:
        failure = _judge(gate, moment, error=error, errand=errand)
    except BaseException:
        # A predicate of the user's raised. That is no evidence of anything, and the permit must not be lost.
        gate.fail(permit, Failure(Outcome.IGNORED, verdict=False), moment, chance=0.0)
        if errand is not None:
            errand.settle(Outcome.IGNORED, moment.now)
        raise
    pause = gate.fail(permit, failure, moment, chance=chance())
    if isinstance(pause, Stop) and pause in _WORTH_A_NOTE and not isinstance(error, Unwanted):
        error.add_note(f"outlast: {gate.name}: not tried again after attempt {moment.attempt}: {pause.value}")
    return pause


_WORTH_A_NOTE = {Stop.BUDGET, Stop.CIRCUIT, Stop.PUSHBACK, Stop.TIME, Stop.UNSAFE}


def _judge(gate: Admission, moment: Moment, *, error: BaseException, errand: Errand[Any] | None) -> Failure:
    failure = Failure(Outcome.FAILURE, error.verdict) if isinstance(error, Unwanted) else gate.judge(error, moment)
    if errand is None:
        return failure
    errand.settle(failure.outcome, moment.now)
    what = error.value if isinstance(error, Unwanted) else error
    return failure._replace(can_repeat=errand.can_repeat(what), is_elsewhere=errand.is_elsewhere())


def sit_out(gate: Admission, pause: int) -> None:
    """Sleep the nanoseconds between two attempts; whoever interrupts that has cancelled the call."""
    try:
        time.sleep(pause / SECOND)
    except BaseException:
        gate.abandon()
        raise


async def await_pause(gate: Admission, pause: int) -> None:
    """Do as `sit_out`, letting others run."""
    try:
        await asyncio.sleep(pause / SECOND)
    except BaseException:
        gate.abandon()
        raise
