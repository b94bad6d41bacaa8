"""Retry, budget and policy refuse options that contradict themselves, and reckon pauses and tokens right."""

from typing import Any

import pytest

from outlast.errors import InvalidConfig
from outlast.policy.breaker import Breaker
from outlast.policy.budget import Budget
from outlast.policy.policy import Policy
from outlast.policy.retry import Retry
from outlast.policy.transient import transient

SECOND = 1_000_000_000
NAN = float("nan")


@pytest.mark.parametrize(
    ("wrong", "faults"),
    [
        ({"attempts": 0}, 1),
        ({"attempts": 21}, 1),
        ({"attempts": 2.5}, 1),
        ({"base": NAN, "cap": -1.0}, 2),
        ({"base": 6.0}, 1),
        ({"max_pushback": -1.0, "attempts": True, "base": "x"}, 3),
        ({"on": 5}, 1),
        ({"on": ()}, 1),
        ({"on": int}, 1),
    ],
)
def test_retry_refuses(wrong: dict[str, Any], faults: int) -> None:
    """Each contradiction of a retry is refused at construction, all in one error."""
    with pytest.raises(InvalidConfig) as caught:
        Retry(**{"on": OSError, **wrong})

    assert faults == len(caught.value.faults)


@pytest.mark.parametrize(
    "wrong", [{"ratio": 1.01}, {"ratio": -0.1}, {"ratio": NAN}, {"floor": -1}, {"floor": 0.0009}, {"burst": 0.5}]
)
def test_budget_refuses(wrong: dict[str, float]) -> None:
    """A ratio over one, a negative floor and a bucket that holds no token are refused."""
    with pytest.raises(InvalidConfig):
        Budget(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"deadline": 1.0, "attempt_timeout": 1.5},
        {"deadline": NAN},
        {"attempt_timeout": -1.0},
        {"retry": transient},
        {"fallback": 7},
        {"attempt_timeout": 20.0, "breaker": Breaker(window=10.0)},
        {"name": ""},
    ],
)
def test_policy_refuses(wrong: dict[str, Any]) -> None:
    """A deadline shorter than an attempt, a window shorter than an attempt and wrong kinds are refused."""
    with pytest.raises(InvalidConfig):
        Policy(**{"name": "p", **wrong})


def test_policy_accepts_the_boundary() -> None:
    """A deadline as long as one attempt is no contradiction."""
    policy = Policy("p", deadline=1.0, attempt_timeout=1.0)

    assert 1.0 == policy.deadline


@pytest.mark.parametrize(("attempt", "longest"), [(1, 0.05), (2, 0.1), (3, 0.2), (20, 5.0)])
def test_pauses_double_up_to_the_cap(attempt: int, longest: float) -> None:
    """The longest pause doubles with each attempt and never exceeds the cap."""
    assert round(longest * SECOND) == Retry(on=OSError).pause(attempt, chance=1.0)


def test_pushback_is_the_least_pause() -> None:
    """What the server asks for comes on top of the jitter; more than allowed means no further attempt."""
    retry = Retry(on=OSError, max_pushback=2.0)

    assert (2 * SECOND, None) == (
        retry.pause(1, chance=0.0, pushback=2.0),
        retry.pause(1, chance=0.0, pushback=2.001),
    )


def test_budget_starts_full_and_refills_by_calls_and_time() -> None:
    """Ten calls at a tenth bring one token, a second at a floor of two brings two."""
    budget = Budget(ratio=0.1, floor=2.0, burst=3)
    first = [budget.withdraw(0) for _ in range(4)]
    for _ in range(10):
        budget.deposit()
    by_calls = [budget.withdraw(0) for _ in range(2)]
    by_time = [budget.withdraw(SECOND) for _ in range(3)]

    assert [[True] * 3 + [False], [True, False], [True, True, False]] == [first, by_calls, by_time]
