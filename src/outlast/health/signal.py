"""A signal: what one observer says of one target."""

from enum import StrEnum
from typing import NamedTuple

NOWHERE = "resolves to nothing"
"""How the evidence against a target begins that is a name without an address behind it."""


class Verdict(StrEnum):
    """What an observer makes of its probes."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class Signal(NamedTuple):
    """One observer's view of one target. `since` and `at` are wall clock in nanoseconds.

    `since` is when the verdict last changed, `at` when the target was last probed. `ever_healthy` stays true once the
    target has been healthy for this observer: failing open never publishes what has never worked.
    """

    target: str
    observer: str
    verdict: Verdict
    since: int
    at: int
    ever_healthy: bool = False
    evidence: str = ""
