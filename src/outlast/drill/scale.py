"""How the drill shrinks the outage, each factor with its reason. All of them are printed and stand in the JSON."""

from dataclasses import dataclass
from typing import Any

from outlast.drill.names import GROUPS

TTL_DIVISOR = 100
TTL_FLOOR = 1
"""Seconds. DNS has no smaller TTL than one second but none at all."""

REAL_RECORD_TTL = 5
REAL_NEGATIVE_TTL = 900
"""Route 53's default SOA: 15 minutes, which equals the observed tail after the repair."""
REAL_EMPTY = 157 * 60

CONNECTION_AGE = 2.0
"""Seconds after which the services close a connection, the same for all: otherwise warm connections hide DNS."""
CACHES = 4
DEADLINE = 2.0
"""Seconds after its scheduled time within which a call must be answered to count."""


def scaled(seconds: int) -> int:
    """A TTL of the outage, in the drill's seconds."""
    return max(TTL_FLOOR, seconds // TTL_DIVISOR)


RECORD_TTL = scaled(REAL_RECORD_TTL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long things last, in seconds, and how many calls are made.

    Args:
        steady: Before anything happens.
        empty: How long the record stays empty in *history*: what the measurement needs, not the 157 minutes it took.
        afterwards: After the sleeper has woken in *fenced*.
        negative_ttl: Of the zones.
        dark: How long a region stays away in *region-dark* after DNS has moved.
        stopped: How long the east's listeners are gone in *history* while the record is empty.
        rate: Calls a second in each group that speaks plain HTTP; `rate_of` has the others'.
        samples: How many the observer must take in *fenced*.
        judged: How many calls the judged groups of *history* must make together: a share of fewer says little.

    """

    steady: float = 3.0
    empty: float = 10.0
    afterwards: float = 3.0
    negative_ttl: int = scaled(REAL_NEGATIVE_TTL)
    stopped: float = 3.5
    rate: float = 24.0
    dark: float = 4.0
    samples: int = 1000
    judged: int = 2000


FULL = Pace()
SHORT = Pace(
    steady=1.0, empty=8.0, afterwards=1.0, negative_ttl=4, stopped=2.5, rate=20.0, dark=1.0, samples=500, judged=800
)
"""For tests: the same acts, less to count."""

RATES = {"outlast": 2.0, "boto3": 1 / 3, "boto3+outlast": 1 / 3}
"""Groups that call more or less often: the one that is judged makes more calls; boto3 costs several times as much."""


def rate_of(pace: Pace, group: str) -> float:
    """Calls a second of a group."""
    return round(pace.rate * RATES.get(group, 1.0), 2)


def factors(pace: Pace, *, own_addresses: bool) -> dict[str, Any]:
    """Everything that is smaller, shorter or other than on 20 October 2025."""
    return {
        "record_ttl_s": f"{RECORD_TTL} (was {REAL_RECORD_TTL}: divided by {TTL_DIVISOR}, floor {TTL_FLOOR})",
        "negative_ttl_s": f"{pace.negative_ttl} (was {REAL_NEGATIVE_TTL}: divided by {TTL_DIVISOR})",
        "empty_window_s": f"about {pace.empty:g} (was {REAL_EMPTY}: what the measurement needs)",
        "interleaving": "forced: the processes stop themselves at named effects and the drill continues them",
        "connection_age_s": f"{CONNECTION_AGE:g}, the same for all clients, keep-alive on",
        "load": f"open loop, {CACHES} independent caches in each group, 20 % writes; calls a second: {_rates(pace)}",
        "deadline_s": f"{DEADLINE:g}: a call counts as answered only if it is correct by then",
        "addresses": "one of its own for each load balancer, on one port"
        if own_addresses
        else "only 127.0.0.1 here: one dialer, shared by all groups, maps each address to a port",
        "dns": "one embedded name server stands for the provider's global data plane",
    }


def _rates(pace: Pace) -> str:
    return ", ".join(f"{group} {rate_of(pace, group):g}" for group in GROUPS)
