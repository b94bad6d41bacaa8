"""Damping: turns single probes of one target into a verdict that does not flap.

`rise` successes in a row make a target healthy, `fall` failures in a row make it unhealthy; before either it is unknown,
which is no evidence for anything. One lost probe therefore changes nothing, and a target that answers every other probe
keeps the verdict it has. The thresholds are those of gdnsd and HAProxy.
"""

from dataclasses import dataclass

from outlast.errors import InvalidConfig
from outlast.health.signal import Signal, Verdict

MAX_STREAK = 100
"""Probes in a row that a threshold may ask for; at one a second more would be minutes of not looking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """How many probes in a row it takes to believe them.

    Args:
        rise: Successes until a target is healthy.
        fall: Failures until it is unhealthy.

    Raises:
        InvalidConfig: Lists every fault at once.

    """

    rise: int = 2
    fall: int = 3

    def __post_init__(self) -> None:
        faults = [
            f"{key} = {value} is not within 1 and {MAX_STREAK}"
            for key, value in (("rise", self.rise), ("fall", self.fall))
            if not 1 <= value <= MAX_STREAK
        ]
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
        verdict = self._verdict(before.verdict)
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

    def _verdict(self, before: Verdict) -> Verdict:
        if self._streak >= self._thresholds.rise:
            return Verdict.HEALTHY
        if self._streak <= -self._thresholds.fall:
            return Verdict.UNHEALTHY
        return before
