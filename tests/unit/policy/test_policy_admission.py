"""The fused admission: what each failure leads to, with instants and chances handed in."""

from contextlib import nullcontext
from typing import Any

import pytest

from outlast.errors import CircuitOpen, DeadlineExceeded
from outlast.outcome import Outcome
from outlast.policy.admission import Admission, Failure, Limits, Moment, Stop
from outlast.policy.breaker import Breaker, CircuitState
from outlast.policy.budget import Budget
from outlast.policy.deadline import NEVER
from outlast.policy.retry import On, Retry
from outlast.policy.transient import transient

SECOND = 1_000_000_000
FAILED = Failure(Outcome.FAILURE, verdict=True)


def gate(*, attempt: int = NEVER, budget: Budget | None = None, breaker: Breaker | None = None) -> Admission:
    """Return an admission that retries connection errors three times in all."""
    retry = Retry(on=ConnectionError, attempts=3)
    return Admission("p", nullcontext(), Limits(NEVER, attempt), retry=retry, budget=budget, breaker=breaker)


def at(attempt: int, *, now: int = 0, end: int = NEVER) -> Moment:
    return Moment(attempt, 0, end, end, now)


def test_attempts_run_out() -> None:
    """Two failures lead to another attempt, the third to the end."""
    admission = gate()
    permit = admission.enter(0, NEVER)
    steps = [admission.fail(permit, FAILED, at(n), chance=1.0) for n in (1, 2, 3)]

    assert [50_000_000, 100_000_000, Stop.ATTEMPTS] == steps
    assert (1, 3, 1) == (admission.stats().calls, admission.stats().attempts, admission.stats().failed)


def test_an_empty_budget_suppresses_only_the_new_attempt() -> None:
    """Without tokens there is no further attempt, and first attempts go on."""
    admission = gate(budget=Budget(ratio=0.0, floor=0.0, burst=1))
    steps = [admission.fail(admission.enter(0, NEVER), FAILED, at(1), chance=0.5) for _ in range(3)]

    assert [25_000_000, Stop.BUDGET, Stop.BUDGET] == steps
    assert 3 == admission.stats().calls


def test_no_token_is_taken_for_an_attempt_that_is_not_made() -> None:
    """When attempts, time or safety forbid another, the budget stays whole."""
    budget = Budget(ratio=0.0, floor=0.0, burst=1)
    admission = gate(budget=budget)
    steps = [
        admission.fail(admission.enter(0, NEVER), FAILED, at(3), chance=0.5),
        admission.fail(admission.enter(0, NEVER), FAILED, at(1, now=SECOND, end=SECOND + 1), chance=0.5),
        admission.fail(admission.enter(0, NEVER), FAILED._replace(can_repeat=False), at(1), chance=0.5),
        admission.fail(admission.enter(0, NEVER), FAILED._replace(verdict=60.0), at(1), chance=0.5),
    ]

    assert [Stop.ATTEMPTS, Stop.TIME, Stop.UNSAFE, Stop.PUSHBACK] == steps
    assert (1.0, 0) == (budget.stats().tokens, budget.stats().granted)


def test_own_refusals_feed_nothing() -> None:
    """A call refused by the open breaker deposits nothing and is not counted as a call or a failure."""
    budget = Budget()
    admission = gate(budget=budget, breaker=Breaker(min_calls=1))
    admission.fail(admission.enter(0, NEVER), FAILED._replace(verdict=False), at(1), chance=0.0)
    before = admission.stats()
    refused = 0
    for _ in range(10):
        try:
            admission.enter(1, NEVER)
        except CircuitOpen:
            refused += 1

    assert 10 == refused
    assert before._replace(rejected=10) == admission.stats()


def test_a_call_that_comes_too_late_is_not_begun() -> None:
    """A deadline that is over refuses before anything is counted."""
    admission = gate()
    with pytest.raises(DeadlineExceeded) as caught:
        admission.enter(SECOND, SECOND)

    assert 0 == caught.value.attempts
    assert (0, 1) == (admission.stats().calls, admission.stats().rejected)


def test_failing_over_settles_the_breaker_once() -> None:
    """A failure that is made good elsewhere is no failure of the call, and the permit stays."""
    admission = gate(breaker=Breaker(min_calls=1))
    permit = admission.enter(0, NEVER)
    step = admission.fail(permit, FAILED._replace(is_elsewhere=True, verdict=20.0), at(1), chance=0.5)
    admission.succeed(permit, 1)
    circuit = admission.stats().circuit

    assert 0 == step
    assert circuit is not None
    assert (CircuitState.CLOSED, 1, 0) == (circuit.state, circuit.calls, circuit.failures)


def test_only_an_attempt_that_had_its_time_is_evidence() -> None:
    """An attempt cut short by somebody else's deadline is not held against the service, half of its time is."""
    admission = gate(attempt=SECOND)
    error = DeadlineExceeded("p", seconds=1.0, attempts=1)
    outcomes = [admission.judge(error, Moment(1, 0, end, end, end)).outcome for end in (SECOND // 2, SECOND // 2 - 1)]

    assert [Outcome.FAILURE, Outcome.IGNORED] == outcomes


@pytest.mark.parametrize(("on", "verdict"), [(ConnectionError, False), (OSError, True), (transient, True)])
def test_an_attempt_that_took_too_long_is_tried_again_only_if_named(on: On, *, verdict: bool) -> None:
    """It may have been carried out: it is a `TimeoutError` to whoever says what is tried again, and no more than that."""
    admission = Admission("p", nullcontext(), Limits(NEVER, SECOND), retry=Retry(on=on))
    over = DeadlineExceeded("p", seconds=1.0, attempts=1)

    assert Failure(Outcome.FAILURE, verdict) == admission.judge(over, Moment(1, 0, SECOND, NEVER, SECOND))


@pytest.mark.parametrize(
    ("said", "step"), [(None, Stop.FINAL), ("", Stop.FINAL), ("yes", 25_000_000), (-9.0, 25_000_000)]
)
def test_whatever_a_predicate_says_the_place_is_given_back(said: Any, step: object) -> None:
    """A predicate that returns nothing says no, one that asks for a pause below nothing asks for none, and no probe is lost."""
    breaker = Breaker(min_calls=1, on=ValueError)
    admission = Admission("p", nullcontext(), Limits(NEVER, NEVER), retry=Retry(on=lambda _: said), breaker=breaker)
    admission.fail(admission.enter(0, NEVER), FAILED._replace(verdict=False), at(1), chance=0.0)
    error = ConnectionError()
    steps = []
    for _ in range(2):
        permit = admission.enter(60 * SECOND, NEVER)
        steps.append(admission.fail(permit, admission.judge(error, at(1)), at(1), chance=0.5))

    assert [step, step] == steps


def test_refusals_of_other_policies_are_neutral() -> None:
    """A nested policy's refusal is neither counted nor tried again."""
    failure = gate().judge(CircuitOpen("other", retry_after=1.0), at(1))

    assert Failure(Outcome.IGNORED, verdict=False) == failure


def test_cancellation_is_neutral() -> None:
    """What is no `Exception` ends the call without evidence."""
    admission = gate(breaker=Breaker(min_calls=1))
    permit = admission.enter(0, NEVER)
    step = admission.fail(permit, admission.judge(KeyboardInterrupt(), at(1)), at(1), chance=0.5)

    assert Stop.FINAL is step
    assert (1, 0) == (admission.stats().cancelled, admission.stats().failed)
