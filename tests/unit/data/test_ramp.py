"""How fast a backlog may drain."""

import pytest

from outlast.data.ramp import SECOND, Permit, Ramp, RampOptions
from outlast.errors import InvalidConfig


def permit(ramp: Ramp, now: int) -> Permit:
    given = ramp.admit(now)
    assert isinstance(given, Permit)
    return given


def run(ramp: Ramp, seconds: int) -> list[int]:
    """Deliver at once whatever is permitted; return how many in each second."""
    counts = [0] * seconds
    now = 0
    while now < seconds * SECOND:
        given = ramp.admit(now)
        if isinstance(given, Permit):
            counts[now // SECOND] += 1
            ramp.settle(given, is_delivered=True, now=now)
        else:
            now += given
    return counts


def test_it_grows_to_its_ceiling_and_no_further() -> None:
    """Each second without failure multiplies the rate, from the next permit on, until the ceiling."""
    counts = run(Ramp(RampOptions(start=1, factor=2, ceiling=8), now=0), 8)

    assert [1, 1, 3, 7, 8, 8, 8] == counts[:7]


def test_nothing_is_saved_up_while_idle() -> None:
    """After a pause there is one permit, not as many as the pause would have had."""
    ramp = Ramp(RampOptions(start=10, ceiling=10), now=0)
    permit(ramp, 0)
    permit(ramp, 100 * SECOND)

    assert SECOND // 10 == ramp.admit(100 * SECOND)


def test_a_failure_halves_the_rate() -> None:
    """One failure halves; the rate never falls below its start."""
    ramp = Ramp(RampOptions(start=4, factor=1, ceiling=100), now=0)
    ramp.rate = 64
    rates = []
    for n in range(6):
        ramp.settle(permit(ramp, n * SECOND), is_delivered=False, now=n * SECOND)
        rates.append(ramp.rate)

    assert [32, 16, 8, 4, 4, 4] == rates


def test_failures_of_one_fault_halve_once() -> None:
    """Deliveries that were under way when the rate was halved do not halve it again."""
    ramp = Ramp(RampOptions(start=10, factor=1, ceiling=100), now=0)
    ramp.rate = 80
    first, second = permit(ramp, 0), permit(ramp, SECOND)
    ramp.settle(first, is_delivered=False, now=2 * SECOND)
    ramp.settle(second, is_delivered=False, now=2 * SECOND)

    assert 40 == ramp.rate


def test_a_permit_without_message_is_given_back() -> None:
    """An idle look at the queue does not put off the next message; an older permit changes nothing."""
    ramp = Ramp(RampOptions(start=1), now=0)
    first = permit(ramp, 0)
    ramp.withdraw(first)
    second = permit(ramp, 0)
    third = permit(ramp, SECOND)
    ramp.withdraw(second)

    assert SECOND == ramp.admit(SECOND)
    assert SECOND == third.at


@pytest.mark.parametrize(
    "options",
    [
        {"start": 0.0},
        {"start": 200.0},
        {"ceiling": 1e9},
        {"factor": 0.5},
        {"factor": 11.0},
        {"start": float("nan")},
        {"factor": float("nan")},
    ],
    ids=str,
)
def test_what_is_no_ramp_is_refused(options: dict[str, float]) -> None:
    """Rates out of order or out of range are refused when made."""
    with pytest.raises(InvalidConfig, match="ramp"):
        RampOptions(**options)


def test_all_faults_are_told_at_once() -> None:
    """Two faults make one error that names both."""
    with pytest.raises(InvalidConfig) as caught:
        RampOptions(start=-1, factor=0)

    assert 2 == len(caught.value.faults)
