"""https://github.com/envoyproxy/envoy/issues/30205: retries that waited out a pause were not counted against the budget."""

from contextlib import nullcontext

from outlast.outcome import Outcome
from outlast.policy.admission import Admission, Failure, Limits, Moment, Stop
from outlast.policy.budget import Budget
from outlast.policy.deadline import NEVER
from outlast.policy.retry import Retry

FAILED = Failure(Outcome.FAILURE, verdict=True)


def gate(budget: Budget, *, attempts: int = 3) -> Admission:
    retry = Retry(on=ConnectionError, attempts=attempts)
    return Admission("p", nullcontext(), Limits(NEVER, NEVER), retry=retry, budget=budget)


def at(attempt: int, now: int = 0) -> Moment:
    return Moment(attempt, 0, NEVER, NEVER, now)


def test_a_retry_is_counted_when_it_is_scheduled() -> None:
    """Calls that all fail in one instant cannot all park a retry: tokens are gone before the first one is made."""
    admission = gate(Budget(ratio=0.0, floor=0.0, burst=2))
    steps = [admission.fail(admission.enter(0, NEVER), FAILED, at(1), chance=0.5) for _ in range(50)]

    assert 48 == steps.count(Stop.BUDGET)
