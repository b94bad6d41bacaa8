"""Damping: turns single probes of one target into a verdict that does not flap.

`rise` successes in a row make a target healthy, `fall` failures in a row make it unhealthy; before either it is unknown,
which is no evidence for anything. One lost probe therefore changes nothing, and a target that answers every other probe
keeps the verdict it has. The thresholds are those of gdnsd and HAProxy.

A target that falls again and again is believed later each time (flap damping, after RFC 2439): every further fall within
the window doubles the successes that it takes to rise. Nothing holds it back for ever: they end at `MAX_STREAK`, falls
are forgotten after the window, and failing open does not ask a detector.
"""

from dataclasses import dataclass

from outlast.errors import InvalidConfig
from outlast.health.signal import Signal, Verdict

MAX_STREAK = 100
"""Probes in a row that a threshold may ask for; at one a second more would be minutes of not looking."""
FLAP_WINDOW_MAX = 86_400.0
"""Seconds."""
FALLS_MAX = 8
"""Falls remembered; more would ask for no more than `MAX_STREAK` successes anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """How many probes in a row it takes to believe them.

    Args:
        rise: Successes until a target is healthy.
        fall: Failures until it is unhealthy.
        flap_window: Seconds for which a fall is remembered; 0 for no flap damping.

    Raises:
        InvalidConfig: Lists every fault at once.

    """

    rise: int = 2
    fall: int = 3
    flap_window: float = 600.0

    def __post_init__(self) -> None:
        faults = [
            f"{key} = {value} is not within 1 and {MAX_STREAK}"
            for key, value in (("rise", self.rise), ("fall", self.fall))
            if not 1 <= value <= MAX_STREAK
        ]
        if not 0 <= self.flap_window <= FLAP_WINDOW_MAX:
            faults.append(f"flap_window = {self.flap_window:g} s is not within 0 s and {FLAP_WINDOW_MAX:g} s")
        if faults:
            raise InvalidConfig(tuple(faults))


class Detector:
    """One observer's opinion of one target.

    Args:
        target: The target's address.
        observer: Who looks.
        thresholds: How many probes in a row change the verdict.
        ever_healthy: Whether the target is already known to have worked. That is all that a restarted observer takes
            over from its former life: what it saw before it slept is no evidence of what is now.

    """

    def __init__(
        self, target: str, observer: str, *, thresholds: Thresholds | None = None, ever_healthy: bool = False
    ) -> None:
        self._thresholds = thresholds if thresholds is not None else Thresholds()
        self._signal = Signal(target, observer, Verdict.UNKNOWN, since=0, at=0, ever_healthy=ever_healthy)
        self._streak = 0
        """Successes in a row, or failures as a negative number."""
        self._falls: tuple[int, ...] = ()
        """When it became unhealthy, wall clock in nanoseconds, as far as that is within the window."""

    def __repr__(self) -> str:
        signal = self._signal
        return f"<detector {signal.target} by {signal.observer}: {signal.verdict}, {self._streak:+d} in a row>"

    @property
    def signal(self) -> Signal:
        """The last signal; `at` is 0 before the first probe."""
        return self._signal

    def recall(self, signal: Signal) -> None:
        """Take over from an earlier life of this observer that the target has once worked."""
        self._signal = self._signal._replace(ever_healthy=self._signal.ever_healthy or signal.ever_healthy)

    def observe(self, failure: str, *, wall: int) -> Signal:
        """Count one probe and return the signal after it.

        Args:
            failure: Why the probe failed, in words; empty if it succeeded.
            wall: When it ended, wall clock in nanoseconds.

        """
        self._streak = min(self._streak, 0) - 1 if failure else max(self._streak, 0) + 1
        before = self._signal
        self._falls = tuple(at for at in self._falls if wall - at < self._thresholds.flap_window * 1e9)
        verdict = self._verdict(before.verdict)
        if verdict is Verdict.UNHEALTHY and before.verdict is Verdict.HEALTHY:
            self._falls = (*self._falls, wall)[-FALLS_MAX:]
        is_healthy = verdict is Verdict.HEALTHY
        self._signal = before._replace(
            verdict=verdict,
            since=wall if verdict is not before.verdict or not before.at else before.since,
            at=wall,
            ever_healthy=before.ever_healthy or is_healthy,
            # The last failure stays readable until the target is healthy and answers.
            evidence=failure or ("" if is_healthy else before.evidence),
        )
        return self._signal

    @property
    def rise(self) -> int:
        """How many successes in a row it takes now."""
        return min(MAX_STREAK, self._thresholds.rise << max(0, len(self._falls) - 1))

    def _verdict(self, before: Verdict) -> Verdict:
        needed = self.rise if before is Verdict.UNHEALTHY else self._thresholds.rise
        if self._streak >= needed:
            return Verdict.HEALTHY
        if self._streak <= -self._thresholds.fall:
            return Verdict.UNHEALTHY
        return before
