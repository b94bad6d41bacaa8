"""How the drill shrinks the outage, each factor with its reason. All of them are printed and stand in the JSON."""

from typing import Any

TTL_DIVISOR = 100
TTL_FLOOR = 1
"""Seconds. DNS has no smaller TTL than one second but none at all."""

REAL_RECORD_TTL = 5
REAL_NEGATIVE_TTL = 900
"""Route 53's default SOA: 15 minutes, which equals the observed tail after the repair."""
REAL_EMPTY = 157 * 60

CONNECTION_AGE = 2.0
"""Seconds after which the services close a connection, the same for all: otherwise warm connections hide DNS."""
RATE = 60.0
"""Calls a second in each group, so that two cores carry the drill."""
CACHES = 4
DEADLINE = 2.0
"""Seconds after its scheduled time within which a call must be answered to count."""
EMPTY = 12.0
"""Seconds that the record stays empty in *history*: what the measurement needs, not the 157 minutes it took."""


def scaled(seconds: int) -> int:
    """A TTL of the outage, in the drill's seconds."""
    return max(TTL_FLOOR, seconds // TTL_DIVISOR)


RECORD_TTL = scaled(REAL_RECORD_TTL)
NEGATIVE_TTL = scaled(REAL_NEGATIVE_TTL)


def factors(*, own_addresses: bool) -> dict[str, Any]:
    """Everything that is smaller, shorter or other than on 20 October 2025."""
    return {
        "record_ttl_s": f"{RECORD_TTL} (was {REAL_RECORD_TTL}: divided by {TTL_DIVISOR}, floor {TTL_FLOOR})",
        "negative_ttl_s": f"{NEGATIVE_TTL} (was {REAL_NEGATIVE_TTL}: divided by {TTL_DIVISOR})",
        "empty_window_s": f"about {EMPTY:g} (was {REAL_EMPTY}: what the measurement needs)",
        "interleaving": "forced: the processes stop themselves at named effects and the drill continues them",
        "connection_age_s": f"{CONNECTION_AGE:g}, the same for all clients, keep-alive on",
        "load": f"{RATE:g} calls a second in each group, open loop, {CACHES} independent caches, 20 % writes",
        "deadline_s": f"{DEADLINE:g}: a call counts as answered only if it is correct by then",
        "addresses": "one of its own for each load balancer, on one port"
        if own_addresses
        else "only 127.0.0.1 here: one dialer, shared by all groups, maps each address to a port",
        "dns": "one embedded name server stands for the provider's global data plane",
    }
