"""What a region says of its lag."""

import math
from typing import Any

import pytest

from outlast.drill.load.lag import seconds_of


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({"ready": True, "lag": {}}, 0.0),
        ({"ready": True, "lag": {"a": {"writes": 0, "seconds": 0.0}, "b": {"writes": 2, "seconds": 0.4}}}, 0.4),
        ({"ready": False, "lag": {}}, math.inf),
    ],
)
def test_longest_lag_counts(told: Any, seconds: float) -> None:
    """The region that is furthest behind decides; one that catches up is no place for a backlog."""
    assert seconds == seconds_of(told)


@pytest.mark.parametrize(
    "told", [None, [], {}, {"ready": True}, {"ready": True, "lag": [1]}, {"ready": True, "lag": {"a": 1}}]
)
def test_other_words_are_refused(told: Any) -> None:
    """Whoever cannot say how far behind it is has not caught up."""
    with pytest.raises(ValueError, match="no lag"):
        seconds_of(told)
