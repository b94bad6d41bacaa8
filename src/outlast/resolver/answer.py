"""What a resolution comes to: addresses with their origin, age and reason."""

from typing import Literal, NamedTuple

Source = Literal["pin", "fresh", "upstream", "stale", "last-known-good"]

EDE_STALE = 3
"""Extended DNS error "Stale Answer" (RFC 8914, section 4.4)."""
EDE_STALE_NXDOMAIN = 19
"""Extended DNS error "Stale NXDOMAIN Answer" (RFC 8914, section 4.20)."""


class Answer(NamedTuple):
    """The addresses of a name, and how they are known.

    `source` is the rung of the ladder: `pin` (configured), `fresh` (cached within its TTL), `upstream` (just answered),
    `stale` (upstreams fail; RFC 8767), `last-known-good` (upstreams deny a protected name). `age` is in seconds since an
    upstream last gave these addresses, 0.0 for a pin. `ede` is the extended DNS error a server would add, if any.
    """

    name: str
    addresses: tuple[str, ...]
    source: Source
    age: float
    reason: str
    ede: int | None = None
