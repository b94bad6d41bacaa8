"""https://github.com/twitter/finagle/issues/956: each attempt made a deposit, so retries paid for further retries."""

from contextlib import nullcontext

from outlast.outcome import Outcome
from outlast.policy.admission import Admission, Failure, Limits, Moment
from outlast.policy.budget import Budget
from outlast.policy.deadline import NEVER
from outlast.policy.retry import Retry

FAILED = Failure(Outcome.FAILURE, verdict=True)


def gate(budget: Budget, *, attempts: int = 3) -> Admission:
    retry = Retry(on=ConnectionError, attempts=attempts)
    return Admission("p", nullcontext(), Limits(NEVER, NEVER), retry=retry, budget=budget)


def at(attempt: int, now: int = 0) -> Moment:
    return Moment(attempt, 0, NEVER, NEVER, now)


def test_a_call_deposits_once_however_many_attempts_it_makes() -> None:
    """Three attempts of one call are one deposit."""
    budget = Budget(ratio=1.0, floor=0.0, burst=10)
    admission = gate(budget)
    permit = admission.enter(0, NEVER)
    for attempt in (1, 2):
        admission.fail(permit, FAILED, at(attempt), chance=0.5)
        permit = admission.enter_again(0)
    admission.succeed(permit, 0)

    assert (1, 2) == (budget.stats().deposits, budget.stats().granted)
