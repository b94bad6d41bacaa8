"""`Policy`: what one call may cost and how it is carried through, as frozen options with one fused admission behind them."""

import functools
import threading
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any, ParamSpec, TypeVar, cast

from outlast.errors import BudgetExhausted, Rejected
from outlast.policy import driver, timing
from outlast.policy.admission import Admission, Limits, PolicyStats
from outlast.policy.attempts import Attempts
from outlast.policy.breaker import Breaker
from outlast.policy.budget import Budget
from outlast.policy.checks import check_seconds, nanoseconds, refuse
from outlast.policy.deadline import NEVER
from outlast.policy.errand import Errand
from outlast.policy.keyed import Keyed
from outlast.policy.locks import lock_of
from outlast.policy.retry import Retry, match

P = ParamSpec("P")
R = TypeVar("R")

MAX_NAME = 100
"""Characters; the name is a label in every metric."""


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """How calls to one dependency are made: a decorator for `def` and `async def`, and `.call` and `.acall` for one-offs.

    A function's own exception comes out unchanged when attempts run out. What the policy refuses itself is `Rejected`.

    Args:
        name: What it protects; a label in errors and statistics.
        deadline: Seconds for the whole call, pauses included. Nested calls never exceed it. `None`: no limit of its own.
        attempt_timeout: Seconds for one attempt. `None`: whatever the deadline leaves.
        retry: What is tried again. `None`: nothing.
        budget: The allowance for further attempts, one of its own if not given. Share one between policies of a process.
            `None` is no limit but `attempts`: for scripts; in a service it multiplies an outage.
        breaker: When to stop calling. `None`: never.
        fallback: Given the exception, returns what stands in for a result when the call was rejected or its attempts ran
            out. Not asked about errors that are not tried again, nor about cancellation.

    Raises:
        InvalidConfig: Lists every fault at once.

    """

    name: str
    deadline: float | None = field(default=None, kw_only=True)
    attempt_timeout: float | None = field(default=None, kw_only=True)
    retry: Retry | None = field(default=None, kw_only=True)
    budget: Budget | None = field(default_factory=Budget, kw_only=True)
    breaker: Breaker | None = field(default=None, kw_only=True)
    fallback: Callable[[Exception], Any] | None = field(default=None, kw_only=True)
    gate: Admission = field(init=False, repr=False)

    def __post_init__(self) -> None:
        refuse(self._find_faults())
        lock = lock_of(self.budget) if self.budget is not None else threading.Lock()
        limits = Limits(*(NEVER if s is None else nanoseconds(s) for s in (self.deadline, self.attempt_timeout)))
        gate = Admission(self.name, lock, limits, retry=self.retry, breaker=self.breaker, budget=self.budget)
        object.__setattr__(self, "gate", gate)

    def _find_faults(self) -> list[str]:
        name: object = self.name  # annotations promise, callers need not keep it
        fallback: object = self.fallback
        is_named = isinstance(name, str) and 0 < len(name) <= MAX_NAME
        faults = [] if is_named else [f"name = {name!r} is no text of 1 to {MAX_NAME} characters"]
        times = {"deadline": self.deadline, "attempt_timeout": self.attempt_timeout}
        for key, value in times.items():
            faults += check_seconds(key, value) if value is not None else []
        kinds = {"retry": Retry, "budget": Budget, "breaker": Breaker}
        for key, kind in kinds.items():
            given = getattr(self, key)
            if given is not None and not isinstance(given, kind):
                faults.append(f"{key} = {given!r} is no {kind.__name__}")
        if fallback is not None and not callable(fallback):
            faults.append(f"fallback = {fallback!r} cannot be called")
        return faults or self._find_contradictions()

    def _find_contradictions(self) -> list[str]:
        attempt = self.attempt_timeout
        faults = []
        if attempt is not None and self.deadline is not None and self.deadline < attempt:
            faults.append(f"deadline = {self.deadline} is shorter than attempt_timeout = {attempt}")
        if attempt is not None and self.breaker is not None and self.breaker.window < attempt:
            faults.append(f"breaker: window = {self.breaker.window} is shorter than attempt_timeout = {attempt}")
        return faults

    def __call__(self, fn: Callable[P, R]) -> Callable[P, R]:
        """Decorate a function or coroutine function; its signature and types stay what they are.

        Raises:
            InvalidConfig: A generator, or a `def` that the policy's time limits cannot reach.

        """
        return self.wrap(fn)

    def wrap(self, fn: Callable[P, R], *, cooperative: bool = False) -> Callable[P, R]:
        """Decorate, with a promise.

        Args:
            fn: The function.
            cooperative: It stops by itself: all that waits in it is protected by a policy too, or asks `remaining()`.

        """
        timeout_at = self._find_timeout(fn, cooperative=cooperative)
        if timing.is_async(fn):
            coroutine = cast(Callable[P, Awaitable[Any]], fn)

            @functools.wraps(fn)
            async def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
                if self.fallback is None:
                    return await driver.arun(self.gate, coroutine, args=args, kwargs=kwargs)
                return await self.acall(coroutine, *args, **kwargs)

            return cast(Callable[P, R], guarded)

        @functools.wraps(fn)
        def guarded_function(*args: P.args, **kwargs: P.kwargs) -> R:
            if self.fallback is None:  # one frame fewer for nearly all calls
                return driver.run(self.gate, fn, args=args, kwargs=kwargs, timeout_at=timeout_at)
            return self._run(fn, args=args, kwargs=kwargs, timeout_at=timeout_at)

        return guarded_function

    def call(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function once through the policy.

        Raises:
            Rejected: The policy did not make the call.
            InvalidConfig: The function cannot be told when its time is over.

        """
        return self._run(fn, args=args, kwargs=kwargs, timeout_at=self._timeout_at(fn))

    async def acall(self, fn: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Do as `call`, for a coroutine function; an attempt whose time is over is cancelled."""
        return await self._arun(fn, args=args, kwargs=kwargs)

    def attempts(self) -> Attempts:
        """Return the attempts of one call, for a block: `for attempt in policy.attempts(): with attempt: ...`."""
        return Attempts(self.gate)

    def keyed(self, key: Callable[..., Hashable], *, max_keys: int = 512) -> Keyed["Policy"]:
        """Return this policy once for each key: a breaker each, one budget for all.

        Args:
            key: Given the arguments of a call, returns its key.
            max_keys: Keys remembered; the one not used for longest is forgotten, and with it what its breaker knew.

        """
        return Keyed(
            key,
            lambda found: replace(self, name=f"{self.name[: MAX_NAME // 2]}[{found!s:.40}]"),
            check=self._find_timeout,
            max_keys=max_keys,
        )

    def take(self) -> None:
        """Take a token of the budget for an attempt of your own making, such as a hedge.

        Raises:
            BudgetExhausted: There is none; do without the attempt.

        """
        if not self.gate.take(driver.now()):
            raise BudgetExhausted(self.name)

    def stats(self) -> PolicyStats:
        """What the policy has seen."""
        return self.gate.stats()

    def _find_timeout(self, fn: Callable[..., Any], *, cooperative: bool = False) -> int | None:
        timing.refuse_generator(fn)
        return None if timing.is_async(fn) else self._timeout_at(fn, cooperative=cooperative)

    def _timeout_at(self, fn: Callable[..., Any], *, cooperative: bool = False) -> int | None:
        if self.deadline is None and self.attempt_timeout is None:
            return None
        found = timing.find_timeout(fn)
        if found is None and not cooperative:
            raise timing.refuse_unstoppable(fn)
        return found

    def carry(self, attempt: Callable[..., R], errand: Errand[R]) -> R:
        """Carry out the call of a client library: `attempt(timeout=seconds)`, or without `timeout` if there is no limit."""
        return self._run(attempt, timeout_at=timing.BY_NAME, errand=errand)

    async def acarry(self, attempt: Callable[..., Awaitable[R]], errand: Errand[R]) -> R:
        """Do as `carry`, for a coroutine function."""
        return await self._arun(attempt, timeout_at=timing.BY_NAME, errand=errand)

    def _run(self, fn: Callable[..., R], **how: Any) -> R:
        if self.fallback is None:
            return cast(R, driver.run(self.gate, fn, **how))
        try:
            return cast(R, driver.run(self.gate, fn, **how))
        except Exception as error:
            if not self._is_stood_in_for(error):
                raise
            return cast(R, self.fallback(error))

    async def _arun(self, fn: Callable[..., Awaitable[R]], **how: Any) -> R:
        if self.fallback is None:
            return cast(R, await driver.arun(self.gate, fn, **how))
        try:
            return cast(R, await driver.arun(self.gate, fn, **how))
        except Exception as error:
            if not self._is_stood_in_for(error):
                raise
            substitute = self.fallback(error)
        return cast(R, await substitute if isinstance(substitute, Awaitable) else substitute)

    def _is_stood_in_for(self, error: Exception) -> bool:
        if isinstance(error, Rejected):
            return True
        return match(self.retry.on if self.retry is not None else Exception, error) is not False
