"""Resolutions under way, and those who wait for them: one question for a name, however many ask.

Whoever asks first leads: carries the resolution out on their own thread or loop. The others wait for the same result. A
leader may hang, on a loop that somebody blocks, or be cancelled; so another takes over, but one at a time: who only took
turns when their own patience ends would all go at once, and ask a slow upstream a hundred times when it is slowest.

The first leader who finishes tells everybody. Not safe for threads by itself; the resolver's lock guards it.
"""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

Promise = TypeVar("Promise")
"""What those who wait hold on to."""


class Flight(Generic[Promise]):
    """One name being resolved, by one leader or, if the first does not come home, by more."""

    __slots__ = ("leaders", "led_since", "led_until", "result")

    def __init__(self, result: Promise) -> None:
        self.result = result
        self.leaders = 0
        self.led_since = self.led_until = 0


class Waiter(NamedTuple):
    """Who asks, in nanoseconds: since when, until when, and how long a leader is trusted."""

    since: int
    end: int
    patience: int

    def turn(self, flight: Flight[Promise]) -> int:
        """When this one may take over from a leader who has not come home."""
        turn = flight.led_until
        if flight.led_since <= self.since:
            # The same leader all the time: half of it is waited for, and half is left to do better.
            turn = min(turn, (self.since + self.end) // 2)
        return min(turn, self.end)


class Flights(Generic[Promise]):
    """The resolutions under way, by name.

    Args:
        promise: Makes what those who wait hold on to.

    """

    def __init__(self, promise: Callable[[], Promise]) -> None:
        self._promise = promise
        self._flights: dict[str, Flight[Promise]] = {}

    def __repr__(self) -> str:
        return f"<flights: {len(self._flights)}>"

    def find(self, name: str, waiter: Waiter, now: int) -> Flight[Promise] | None:
        """The flight to wait for; `None` if the one who asks is to lead."""
        flight = self._flights.get(name)
        return flight if flight is not None and now < waiter.turn(flight) else None

    def lead(self, name: str, waiter: Waiter, now: int) -> Flight[Promise]:
        """Begin a flight, or take over the one that is under way."""
        flight = self._flights.get(name)
        if flight is None:
            flight = self._flights[name] = Flight(self._promise())
        flight.leaders += 1
        flight.led_since = now
        # Not less than a quarter of the patience: halves of halves would make a storm of a crowd whose time runs out.
        trusted = max((waiter.end - now) // 2, waiter.patience // 4)
        flight.led_until = now + min(trusted, waiter.patience)
        return flight

    def land(self, name: str, flight: Flight[Promise], *, has_news: bool) -> bool:
        """Take note that a leader is done; return whether the flight is over and those who wait are to be told.

        Args:
            name: The name.
            flight: What `lead` returned.
            has_news: Whether there is something to tell; a leader without ends the flight only if no other leads.

        """
        flight.leaders -= 1
        # One that is no longer listed has been over before.
        if self._flights.get(name) is not flight or (not has_news and flight.leaders > 0):
            return False
        del self._flights[name]
        return True
