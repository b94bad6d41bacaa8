"""https://github.com/envoyproxy/envoy-mobile/issues/811: the base of the budget shrank when all that ran were retries."""

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


def test_the_allowance_does_not_shrink_when_everything_is_a_retry() -> None:
    """With no new calls at all the floor goes on granting, one each second, and no more."""
    admission = gate(Budget(ratio=0.1, floor=1.0, burst=1), attempts=20)
    permit = admission.enter(0, NEVER)
    second = 1_000_000_000
    steps = [admission.fail(permit, FAILED, at(n // 2 + 1, n * second // 2), chance=0.5) for n in range(1, 20)]

    assert 10 == sum(step is not Stop.BUDGET for step in steps)
