"""https://github.com/failsafe-go/failsafe-go/issues/139: the minimum of a budget was ignored, so a quiet client never retried."""

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


def test_a_single_call_may_retry() -> None:
    """The first call a process makes has a retry, although it has brought only a tenth of a token."""
    admission = gate(Budget(ratio=0.1, floor=0.0, burst=1))
    step = admission.fail(admission.enter(0, NEVER), FAILED, at(1), chance=0.5)

    assert 25_000_000 == step
