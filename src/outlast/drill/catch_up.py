"""When a region that was away may serve again: once its copy of the other regions' writes is nearly whole.

A process that was stopped notices it by its own clock: nothing beat for longer than any pause of a busy machine. From
then on the region says that it is not ready, until another region's shipper says that little is missing. Answering
before would show clients a past that they have already left behind.
"""

GAP_SECONDS = 1.5
"""Without a beat for this long a region has been away. Far above a busy loop's lag, far below an outage."""
PATIENCE_SECONDS = 10.0
"""After this the region serves all the same: its only source may be gone, and no refusal may last for ever."""


class CatchUp:
    """Whether a region is ready. Told the time in seconds, never asks.

    Args:
        bound: Writes that may still be missing.
        now: When the region began to serve; then it is ready.

    """

    def __init__(self, bound: int, *, now: float) -> None:
        self._bound = bound
        self._last = now
        self._since: float | None = None

    def __repr__(self) -> str:
        return f"<CatchUp {'ready' if self._since is None else f'away until {self._since:.1f}'}>"

    def beat(self, now: float) -> None:
        """Note that the region is alive; call it more often than once in `GAP_SECONDS`."""
        if now - self._last > GAP_SECONDS:
            self._since = now
        elif self._since is not None and now - self._since > PATIENCE_SECONDS:
            self._since = None
        self._last = now

    def is_ready(self, now: float) -> bool:
        """Return whether the region may serve."""
        self.beat(now)
        return self._since is None

    def note_missing(self, writes: int, *, now: float) -> None:
        """Note how many writes another region has that this one has not."""
        self.beat(now)
        if writes <= self._bound:
            self._since = None
