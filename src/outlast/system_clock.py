"""The machine's own clocks, apart from the port so that code that decides cannot import them by accident."""

import time


class SystemClock:
    """The operating system's monotonic clock and wall clock."""

    def now(self) -> int:
        return time.monotonic_ns()

    def wall(self) -> int:
        return time.time_ns()
