"""Checks of options: each returns what is wrong in words, so that a constructor can list every fault at once."""

import math
from collections.abc import Iterable

from outlast.errors import InvalidConfig

SECOND = 1_000_000_000
"""Nanoseconds. Options are seconds, deciding code counts nanoseconds."""
MAX_SECONDS = 86_400.0
"""The longest time any option may name: a call that waits for more than a day is a job, not a call."""


def check_number(key: str, value: object, *, low: float, high: float) -> list[str]:
    """Return the fault of a number that is no number, NaN, or not within `low` and `high`, both allowed."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return [f"{key} = {value!r} is not a number"]
    if math.isnan(value) or not low <= value <= high:
        return [f"{key} = {value} is not within {low:g} and {high:g}"]
    return []


def check_count(key: str, value: object, *, low: int, high: int) -> list[str]:
    """Return the fault of a count that is not whole or not within `low` and `high`, both allowed."""
    if isinstance(value, bool) or not isinstance(value, int):
        return [f"{key} = {value!r} is not a whole number"]
    return check_number(key, value, low=low, high=high)


def check_seconds(key: str, value: object) -> list[str]:
    """Return the fault of a duration that is not within a millisecond and a day."""
    return check_number(key, value, low=0.001, high=MAX_SECONDS)


def refuse(faults: Iterable[str]) -> None:
    """Raise `InvalidConfig` with all faults, if there are any."""
    listed = tuple(faults)
    if listed:
        raise InvalidConfig(listed)


def nanoseconds(seconds: float) -> int:
    return round(seconds * SECOND)
