"""One call's way through a policy, fused: budget, breaker, retry and limits decide together in one object under one lock.

The lock is handed in and held for the few additions of a decision, never while a predicate, a fallback or the call itself
runs: fifty slow calls through a closed breaker take as long as one. Policies that share a budget share its lock.

The order on failure is fixed by what each refusal costs: attempts left, then time left, then the breaker, then the budget,
so that a token is taken only for an attempt that will be made.
"""

from contextlib import AbstractContextManager
from enum import Enum
from typing import NamedTuple

from outlast.errors import CircuitOpen, DeadlineExceeded
from outlast.outcome import Outcome
from outlast.policy.breaker import REFUSED, Breaker, Circuit, CircuitStats
from outlast.policy.budget import Budget, BudgetStats
from outlast.policy.checks import SECOND
from outlast.policy.deadline import NEVER
from outlast.policy.retry import On, Retry, Verdict, match

TICK = 1_000_000
"""Nanoseconds by which a timer may be early."""


class Stop(Enum):
    """Why no further attempt is made."""

    FINAL = "this failure is not tried again"
    ATTEMPTS = "attempts used up"
    UNSAFE = "the call may have been carried out, and repeating it is not known to be safe"
    PUSHBACK = "the server asked for a longer pause than is allowed"
    TIME = "no time left for another attempt"
    CIRCUIT = "circuit open"
    BUDGET = "budget for further attempts used up"


class Limits(NamedTuple):
    """The two times of a call in nanoseconds; `NEVER` for none."""

    deadline: int
    attempt: int


class Moment(NamedTuple):
    """Where a call is when an attempt has failed."""

    attempt: int
    begun: int
    limit: int
    """When this attempt had to be over."""
    end: int
    """When the whole call has to be over."""
    now: int


class Failure(NamedTuple):
    """What a failed attempt is evidence of, and whether asking again makes sense."""

    outcome: Outcome
    verdict: Verdict
    can_repeat: bool = True
    is_elsewhere: bool = False
    """The next attempt goes to another place: at once, and what this place asked for does not bind it."""


class PolicyStats(NamedTuple):
    """What a policy has seen since it was made. `calls` are those admitted; `attempts` include their first ones."""

    calls: int
    ok: int
    failed: int
    cancelled: int
    rejected: int
    attempts: int
    suppressed: dict[Stop, int]
    circuit: CircuitStats | None
    budget: BudgetStats | None


class Admission:
    """Admits the calls of one policy and settles what became of them.

    Args:
        name: The policy's name, for errors.
        lock: Guards this object and the budget.
        limits: The policy's own times.
        retry: When to try again; `None` for never.
        breaker: When to stop calling; `None` for never.
        budget: The allowance for further attempts; `None` for no limit but the attempts.

    """

    def __init__(
        self,
        name: str,
        lock: AbstractContextManager[object],
        limits: Limits,
        *,
        retry: Retry | None = None,
        breaker: Breaker | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.name = name
        self.limits = limits
        self._lock = lock
        self._retry = retry
        self._circuit = Circuit(breaker) if breaker is not None else None
        self._budget = budget
        own = breaker.on if breaker is not None else None
        self._counts: On = own if own is not None else retry.on if retry is not None else Exception
        self._calls = self._ok = self._failed = self._cancelled = self._rejected = self._further = 0
        self._suppressed = dict.fromkeys(Stop, 0)

    def __repr__(self) -> str:
        return f"<policy {self.name}: {self._calls} calls, {self._ok} ok, {self._circuit!r}, {self._budget!r}>"

    def stats(self) -> PolicyStats:
        with self._lock:
            return PolicyStats(
                self._calls,
                self._ok,
                self._failed,
                self._cancelled,
                self._rejected,
                self._calls + self._further,
                dict(self._suppressed),
                self._circuit.stats() if self._circuit is not None else None,
                self._budget.stats() if self._budget is not None else None,
            )

    def end(self, now: int, ambient: int) -> int:
        """Return when a call that begins now must be over."""
        own = self.limits.deadline
        return ambient if own == NEVER else min(ambient, now + own)

    def limit(self, now: int, end: int) -> int:
        """Return when an attempt that begins now must be over."""
        own = self.limits.attempt
        return end if own == NEVER else min(end, now + own)

    def enter(self, now: int, end: int) -> int:
        """Admit a call's first attempt and return its permit.

        Raises:
            DeadlineExceeded: The time was over before the call began.
            CircuitOpen: The breaker does not let it through.

        """
        if end <= now:
            with self._lock:
                self._rejected += 1
            raise DeadlineExceeded(self.name, seconds=0.0, attempts=0)
        with self._lock:
            permit = self._circuit.admit(now) if self._circuit is not None else 0
            if permit != REFUSED:
                self._calls += 1
                # Once for each call, and not for a call that we refuse ourselves.
                if self._budget is not None:
                    self._budget.deposit()
                return permit
            self._rejected += 1
            wait = self._circuit.wait(now) if self._circuit is not None else 0
        raise CircuitOpen(self.name, retry_after=wait / SECOND)

    def enter_again(self, now: int) -> int:
        """Admit a further attempt and return its permit, or `REFUSED` if the breaker has opened meanwhile."""
        with self._lock:
            permit = self._circuit.admit(now) if self._circuit is not None else 0
            if permit == REFUSED:
                self._failed += 1
                self._further -= 1
                self._suppressed[Stop.CIRCUIT] += 1
            return permit

    def succeed(self, permit: int, now: int) -> None:
        """Settle an attempt that did its work, and with it the call."""
        with self._lock:
            self._ok += 1
            if self._circuit is not None:
                self._circuit.settle(permit, Outcome.OK, now=now)

    def judge(self, error: BaseException, moment: Moment) -> Failure:
        """Say what an exception is evidence of. The user's predicates run here, outside the lock."""
        if not isinstance(error, Exception):
            return Failure(Outcome.CANCELLED, verdict=False)
        # A nested call that was stopped by the time of this attempt is this attempt stopped, not a refusal of another policy.
        if isinstance(error, DeadlineExceeded) and moment.now >= moment.limit - TICK:
            # For the breaker it is evidence if it had its time. Whether it is made again is for the user to say: it may have
            # been carried out, as after any other timeout.
            over = match(self._retry.on, TimeoutError(error.reason)) if self._retry is not None else False
            return Failure(Outcome.FAILURE if self._had_its_time(moment) else Outcome.IGNORED, over)
        counted = match(self._counts, error) is not False
        verdict = match(self._retry.on, error) if self._retry is not None else False
        return Failure(Outcome.FAILURE if counted else Outcome.IGNORED, verdict)

    def fail(self, permit: int, failure: Failure, moment: Moment, *, chance: float) -> int | Stop:
        """Settle an attempt that failed and say what comes next.

        Returns:
            The nanoseconds to wait before the next attempt, for which a token has been taken; 0 means at once, elsewhere,
            with the same permit, because the call is not lost yet. Or why there is none.

        """
        pause = self._pause(failure, moment, chance)
        with self._lock:
            stop = self._stop(failure, pause, moment)
            if stop is None and failure.is_elsewhere:
                stop = self._withdraw(moment.now)
                if stop is None:
                    self._further += 1
                    return 0
            if self._circuit is not None:
                self._circuit.settle(permit, failure.outcome, now=moment.now, chance=chance)
            if stop is None and pause is not None:
                refused = self._circuit is not None and self._circuit.refuses_at(moment.now + pause)
                stop = Stop.CIRCUIT if refused else self._withdraw(moment.now)
                if stop is None:
                    self._further += 1
                    return pause
            return self._note_end(failure, stop or Stop.FINAL)

    def abandon(self) -> None:
        """Note a call that was cancelled in the pause between two attempts."""
        with self._lock:
            self._cancelled += 1
            self._further -= 1

    def take(self, now: int) -> bool:
        """Take a token for an attempt of the caller's own making, or say that there is none."""
        with self._lock:
            return self._withdraw(now) is None

    def _pause(self, failure: Failure, moment: Moment, chance: float) -> int | None:
        if failure.is_elsewhere or self._retry is None:
            return 0
        # `True` is a number too, but asks for no pause.
        asked = 0.0 if isinstance(failure.verdict, bool) else failure.verdict
        return self._retry.pause(moment.attempt, chance=chance, pushback=asked)

    def _stop(self, failure: Failure, pause: int | None, moment: Moment) -> Stop | None:
        if self._retry is None or failure.outcome is Outcome.CANCELLED or failure.verdict is False:
            return Stop.FINAL
        if moment.attempt >= self._retry.attempts:
            return Stop.ATTEMPTS
        if not failure.can_repeat:
            return Stop.UNSAFE
        if pause is None:
            return Stop.PUSHBACK
        return Stop.TIME if moment.now + pause >= moment.end else None

    def _withdraw(self, now: int) -> Stop | None:
        return None if self._budget is None or self._budget.withdraw(now) else Stop.BUDGET

    def _note_end(self, failure: Failure, stop: Stop) -> Stop:
        self._suppressed[stop] += 1
        if failure.outcome is Outcome.CANCELLED:
            self._cancelled += 1
        else:
            self._failed += 1
        return stop

    def _had_its_time(self, moment: Moment) -> bool:
        # A caller in a hurry must not open the breaker for the others: only an attempt that got at least half of the time
        # this policy grants is evidence. Half, so that a caller who is always a little shorter still counts.
        own = min(self.limits.attempt, self.limits.deadline)
        return own == NEVER or (moment.limit - moment.begun) * 2 >= own
