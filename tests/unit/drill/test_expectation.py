"""How claims are judged."""

import pytest

from outlast.drill.expectation import at_least, at_most, cut, true
from outlast.drill.score import Expectation


@pytest.mark.parametrize(
    ("value", "least", "most"), [(0.99, False, True), (1.0, True, True), (1.01, True, False), (0.0, False, True)]
)
def test_bounds_belong_to_the_claim(value: float, *, least: bool, most: bool) -> None:
    """Exactly at the bound both hold."""
    assert (least, most) == (at_least("x", value, 1).held, at_most("x", value, 1).held)


def test_what_was_not_measured_is_not_held() -> None:
    """Nothing measured satisfies no bound, not even an upper one, and says so."""
    found = [at_least("x", None, 0), at_most("x", None, 1)]

    assert [(False, "nothing measured")] * 2 == [(item.held, item.measured) for item in found]


def test_claim_and_measure_read_as_a_sentence() -> None:
    """The bound stands in the claim, the unit behind the figure."""
    expected = Expectation(claim="plain: availability: ≥ 0.995", measured="0.25 of 8 calls", held=False)

    assert expected == at_least("plain: availability", 0.25, 0.995, unit="of 8 calls")


def test_a_finding_of_the_caller_is_taken_as_it_is() -> None:
    """The words are the caller's."""
    assert Expectation(claim="it is", measured="so", held=True) == true("it is", "so", held=True)


@pytest.mark.parametrize(("value", "shown"), [(None, None), (1.23456, 1.23), (2.0, 2.0)])
def test_figures_have_two_decimals(value: float | None, shown: float | None) -> None:
    """Nothing stays nothing."""
    assert shown == cut(value)
