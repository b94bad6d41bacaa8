"""How fast a backlog may drain: slowly first, faster while it goes well, half as fast after a failure.

A service that has just come back is easily knocked over by what waited for it. Permits are spaced evenly, never saved up
while nothing waits, so the rate holds over any interval.
"""

from dataclasses import dataclass
from typing import NamedTuple

from outlast.errors import InvalidConfig

SECOND = 1_000_000_000
RATE_RANGE = (0.01, 100_000.0)
"""Messages per second."""
FACTOR_LIMIT = 10.0
"""Of growth in one second."""


@dataclass(frozen=True, slots=True)
class RampOptions:
    """Rates in messages per second.

    Args:
        start: Where it begins, and never goes below.
        factor: By which the rate grows after each second in which something was delivered and nothing failed.
        ceiling: Where it ends.

    Raises:
        InvalidConfig: The rates make no ramp; all faults at once.

    """

    start: float = 1.0
    factor: float = 2.0
    ceiling: float = 100.0

    def __post_init__(self) -> None:
        low, high = RATE_RANGE
        faults = []
        if not low <= self.start <= self.ceiling <= high:
            faults.append(
                f"ramp from {self.start:g} to {self.ceiling:g} per second: want {low:g} <= start <= ceiling <= {high:g}"
            )
        if not 1.0 <= self.factor <= FACTOR_LIMIT:
            faults.append(f"ramp factor {self.factor:g} is not within 1 and {FACTOR_LIMIT:g}")
        if faults:
            raise InvalidConfig(tuple(faults))


class Permit(NamedTuple):
    """Leave to deliver one message: when it was given, and when the next one is due."""

    at: int
    next: int


class Ramp:
    """Gives permits; all instants are nanoseconds of one clock that never goes back."""

    def __init__(self, options: RampOptions, *, now: int) -> None:
        self._options = options
        self.rate = options.start
        """Messages per second at present."""
        self._next = now
        self._window = now
        self._halved_at = now - 1

    def __repr__(self) -> str:
        return f"<Ramp {self.rate:g}/s of {self._options.ceiling:g}/s>"

    def admit(self, now: int) -> Permit | int:
        """Return a permit, or the nanoseconds to wait before asking again."""
        if now < self._next:
            return self._next - now
        self._next = now + int(SECOND / self.rate)
        return Permit(now, self._next)

    def withdraw(self, permit: Permit) -> None:
        """Take back a permit for which there was no message, unless a later one was given meanwhile."""
        if self._next == permit.next:
            self._next = permit.at

    def settle(self, permit: Permit, *, is_delivered: bool, now: int) -> None:
        """Learn what became of a permit.

        A failure of a delivery begun before the last halving says nothing new: several under way at once would
        otherwise bring the rate down many times for one fault.
        """
        if not is_delivered:
            self._window = now
            if permit.at > self._halved_at:
                self._halved_at = now
                self.rate = max(self._options.start, self.rate / 2)
            return
        if now - self._window < SECOND:
            return
        # A second without failure is over, and this delivery was in it or ended it.
        self._window = now
        self.rate = min(self._options.ceiling, self.rate * self._options.factor)
