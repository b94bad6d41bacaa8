"""Builders of signals and endpoints for the tables of this folder."""

from collections.abc import Callable

import pytest

from outlast.health.signal import Signal, Verdict

SECOND = 1_000_000_000
WALL = 1_000_000 * SECOND

SignalOf = Callable[..., Signal]


@pytest.fixture
def wall() -> int:
    """The wall clock of these tests, in nanoseconds."""
    return WALL


@pytest.fixture
def signal() -> SignalOf:
    """One observer's word on a target; `age` and `for_` are seconds."""

    def build(target: str, verdict: Verdict, *, age: float = 0, for_: float = 60, worked: bool = True) -> Signal:
        at = WALL - int(age * SECOND)
        return Signal(target, "o1", verdict, WALL - int(for_ * SECOND), at, worked, "timeout")

    return build
