"""The breaker's machine: when it trips, whom it lets probe, and what does not move it."""

from typing import Any

import pytest

from outlast.errors import InvalidConfig
from outlast.outcome import Outcome
from outlast.policy.breaker import REFUSED, Breaker, Circuit, CircuitState

SECOND = 1_000_000_000


def tripped(**options: Any) -> Circuit:
    """Return a circuit that opened at instant 0 for one second."""
    circuit = Circuit(Breaker(min_calls=2, open_for=1.0, **options))
    for _ in range(2):
        circuit.settle(circuit.admit(0), Outcome.FAILURE, now=0, chance=0.0)
    return circuit


def test_opens_at_share_and_not_below_minimum() -> None:
    """It opens when the share is reached with enough calls, and not one call earlier."""
    circuit = Circuit(Breaker(failure_share=0.5, min_calls=4))
    seen = []
    for outcome in (Outcome.FAILURE, Outcome.OK, Outcome.FAILURE, Outcome.FAILURE):
        circuit.settle(circuit.admit(0), outcome, now=0)
        seen.append(circuit.stats().state)

    assert [CircuitState.CLOSED] * 3 + [CircuitState.OPEN] == seen


def test_stays_closed_just_below_share() -> None:
    """One failure fewer than the share leaves it closed."""
    circuit = Circuit(Breaker(failure_share=0.5, min_calls=4))
    for outcome in (Outcome.OK, Outcome.OK, Outcome.OK, Outcome.FAILURE, Outcome.FAILURE):
        circuit.settle(circuit.admit(0), outcome, now=0)

    assert CircuitState.CLOSED is circuit.stats().state


def test_old_failures_leave_the_window() -> None:
    """What failed longer ago than the window counts no more."""
    circuit = Circuit(Breaker(min_calls=2, window=10.0))
    circuit.settle(circuit.admit(0), Outcome.FAILURE, now=0)
    circuit.settle(circuit.admit(0), Outcome.OK, now=10 * SECOND)

    assert (1, 0) == circuit.stats()[2:4]


def test_refuses_while_open_and_admits_exactly_n_after() -> None:
    """Open, nobody passes; from the first instant after, exactly as many as probes."""
    circuit = tripped(probes=3)
    during = circuit.admit(SECOND - 1)
    after = [circuit.admit(SECOND) for _ in range(100)]

    assert REFUSED == during
    assert 3 == sum(permit != REFUSED for permit in after)


def test_closes_when_all_probes_succeed() -> None:
    """All probes must succeed, and the failures of before are forgotten."""
    circuit = tripped(probes=2)
    first, second = circuit.admit(SECOND), circuit.admit(SECOND)
    circuit.settle(first, Outcome.OK, now=SECOND)
    between = circuit.stats().state
    circuit.settle(second, Outcome.OK, now=SECOND)

    assert CircuitState.HALF_OPEN is between
    assert (CircuitState.CLOSED, 0, 0) == (circuit.stats().state, circuit.stats().calls, circuit.stats().failures)


def test_one_failed_probe_opens_again() -> None:
    """A failed probe opens for a new time, and the other probe's success comes too late."""
    circuit = tripped(probes=2)
    first, second = circuit.admit(SECOND), circuit.admit(SECOND)
    circuit.settle(first, Outcome.FAILURE, now=SECOND, chance=0.0)
    circuit.settle(second, Outcome.OK, now=SECOND)

    assert CircuitState.OPEN is circuit.stats().state
    assert SECOND == circuit.wait(SECOND)


@pytest.mark.parametrize("neutral", [Outcome.CANCELLED, Outcome.IGNORED])
def test_a_probe_without_verdict_gives_its_place_back(neutral: Outcome) -> None:
    """Cancellation and foreign errors neither close nor open it; another probe is admitted instead."""
    circuit = tripped(probes=1)
    circuit.settle(circuit.admit(SECOND), neutral, now=SECOND)
    again = [circuit.admit(SECOND) != REFUSED for _ in range(2)]

    assert [True, False] == again


@pytest.mark.parametrize("neutral", [Outcome.CANCELLED, Outcome.IGNORED])
def test_neutral_results_are_not_counted(neutral: Outcome) -> None:
    """However many calls are cancelled, a closed circuit stays closed and empty."""
    circuit = Circuit(Breaker(min_calls=1))
    for _ in range(50):
        circuit.settle(circuit.admit(0), neutral, now=0)

    assert (CircuitState.CLOSED, 0) == (circuit.stats().state, circuit.stats().calls)


@pytest.mark.parametrize("late", [Outcome.OK, Outcome.FAILURE])
def test_late_results_are_inert(late: Outcome) -> None:
    """A result of a call from before the trip changes nothing, open or half open."""
    circuit = Circuit(Breaker(min_calls=2, open_for=1.0))
    old = circuit.admit(0)
    for _ in range(2):
        circuit.settle(circuit.admit(0), Outcome.FAILURE, now=0, chance=0.0)
    while_open = circuit.stats()
    circuit.settle(old, late, now=1)
    probe = circuit.admit(SECOND)
    half_open = circuit.stats()
    circuit.settle(old, late, now=SECOND)

    assert while_open._replace(state=CircuitState.HALF_OPEN, generation=probe) == half_open == circuit.stats()


def test_probes_that_never_come_home_are_written_off() -> None:
    """After `probe_wait` new probes are admitted, and the old ones' results are late."""
    circuit = tripped(probes=1, probe_wait=2.0)
    lost = circuit.admit(SECOND)
    before, after = circuit.admit(3 * SECOND - 1), circuit.admit(3 * SECOND)
    circuit.settle(lost, Outcome.FAILURE, now=3 * SECOND)

    assert (REFUSED, CircuitState.HALF_OPEN) == (before, circuit.stats().state)
    assert REFUSED != after


def test_looking_ahead_changes_nothing() -> None:
    """Asking whether a later call would be refused leaves the state as it is."""
    circuit = tripped()
    before = circuit.stats()
    answers = circuit.refuses_at(SECOND - 1), circuit.refuses_at(SECOND)

    assert (True, False) == answers
    assert before == circuit.stats()


def test_all_faults_are_listed_at_once() -> None:
    """Every contradictory option is named in one error."""
    wrong: dict[str, Any] = {"failure_share": float("nan"), "min_calls": 0, "window": -1.0, "open_for": 0.0}
    wrong |= {"probes": 0, "probe_wait": 1e9, "on": 3}
    with pytest.raises(InvalidConfig) as caught:
        Breaker(**wrong)

    assert 7 == len(caught.value.faults)
