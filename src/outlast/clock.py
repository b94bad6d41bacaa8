"""The port through which drivers learn the time. Code that decides is told `now` and never asks."""

from typing import Protocol


class Clock(Protocol):
    """Two clocks: one orders timers, the other is data that travels between machines."""

    def now(self) -> int:
        """Nanoseconds of a clock that never goes back. Only differences mean something."""
        ...

    def wall(self) -> int:
        """Nanoseconds since 1970 in UTC. It may jump; never use it to order timers."""
        ...
