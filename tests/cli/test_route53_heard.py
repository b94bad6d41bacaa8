"""When enough watches say that a region is left, or come back to, for Route 53's health checkers to believe it."""

import pytest

from outlast.cli.route53_leaving import Says, Told
from outlast.provider.route53_failover import Watch

AWAY = "timed out"
LEFT, IN = True, False


@pytest.mark.parametrize(
    ("says", "is_heard_left", "is_heard_back"),
    [
        pytest.param((), True, True, id="nobody is asked"),
        pytest.param((AWAY, AWAY), False, False, id="nobody answers"),
        pytest.param((AWAY,), False, False, id="the only one does not answer"),
        pytest.param((LEFT, LEFT), True, False, id="both say left"),
        pytest.param((IN, IN), False, True, id="both say that it is in"),
        pytest.param((LEFT, AWAY), False, False, id="one says left"),
        pytest.param((IN, AWAY), False, True, id="one says that it is in and the other is not believed alone"),
        pytest.param((LEFT, LEFT, AWAY), True, False, id="two of three say left"),
        pytest.param((IN, AWAY, AWAY), False, False, id="two that are away could outvote the one"),
        pytest.param((IN, IN, AWAY), False, True, id="two of three say that it is in"),
    ],
)
def test_what_is_heard(says: tuple[bool | str, ...], *, is_heard_left: bool, is_heard_back: bool) -> None:
    """Who could not be asked counts for nothing: neither for a region that is left, nor for one that is come back to."""
    watches = tuple(Says("api.example.com", Watch(f"w{n}.example.net"), word) for n, word in enumerate(says))
    told = Told("api.example.com", ("east", "west"), watches)

    assert (is_heard_left, is_heard_back) == (told.is_heard(left=True), told.is_heard(left=False))
