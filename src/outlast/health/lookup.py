"""What a look-up of a target's name comes to. Who looks it up is handed in: `resolver.lookup`, in the roles."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

MAX_UPSTREAMS = 4
"""Asked one after another; each has its share of the time. `resolv.conf` knows three."""


class Found(NamedTuple):
    """The name leads to these addresses, at least one, and may be kept for `ttl` seconds."""

    addresses: tuple[str, ...]
    ttl: float


class Nothing(NamedTuple):
    """Somebody who knows says that the name leads to no address, in these `words`: NXDOMAIN, NODATA, 0.0.0.0."""

    words: str


class Silence(NamedTuple):
    """Nobody could say: no answer in time, SERVFAIL, a referral. No evidence for anything."""

    words: str


Lookup = Callable[[str], Awaitable[Found | Nothing | Silence]]
"""Looks an absolute name up. It never raises for what the network or a server does, and ends within a bound of its own."""
