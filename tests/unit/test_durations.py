"""Durations in words: each unit, and what is none."""

import pytest

from outlast.durations import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("0s", 0.0), ("1.5s", 1.5), ("2m", 120.0), ("24h", 86_400.0), ("7d", 604_800.0)],
)
def test_a_duration(text: str, seconds: float) -> None:
    """A number and a unit are so many seconds."""
    assert seconds == seconds_of(text)


@pytest.mark.parametrize(
    "text", ["", "5", "s", "5 s", "-5s", "+5s", "5S", ".5s", "5.s", "1e3s", "nan", "5s\n", "\u0661s"]
)
def test_what_is_no_duration(text: str) -> None:
    """Anything else is no duration, and nothing is guessed."""
    assert seconds_of(text) is None
