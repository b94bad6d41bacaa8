"""What a resolution knows when it begins: the name, whom it may ask, what is remembered, and how long things may take."""

from enum import StrEnum
from typing import NamedTuple

from outlast.resolver.reading import Family


class Mode(StrEnum):
    """What a name's negative answers and failures are worth."""

    STRICT = "strict"
    STALE = "stale"
    PROTECT = "protect"


class Timing(NamedTuple):
    """How long things may take, in nanoseconds.

    `patience` is how long a caller waits for news who could be given something older; `settle` how long the slower
    family, or slower addresses, may hold up what is there already. `tries` is how often a silent upstream is asked.
    """

    hedge: int
    timeout: int
    patience: int
    deadline: int
    settle: int
    sentinel: int
    verify: int
    tries: int
    recheck: int


class Question(NamedTuple):
    """One name to resolve.

    Args:
        name: The name, lower case, without the final dot.
        families: The record types to ask for.
        mode: What negative answers are worth.
        upstreams: The upstreams of the name's zone as people write them, in order.
        stale: What may be answered if all upstreams fail (RFC 8767).
        tiers: Groups of last-known-good addresses, best first.
        check: How these are checked, as the user wrote it; empty if they are not.
        timing: How long things may take.

    """

    name: str
    families: tuple[Family, ...]
    mode: Mode
    upstreams: tuple[str, ...]
    stale: tuple[str, ...]
    tiers: tuple[tuple[str, ...], ...]
    check: str
    timing: Timing

    @property
    def upstream_count(self) -> int:
        """How many upstreams there are to ask."""
        return len(self.upstreams)

    @property
    def has_older(self) -> bool:
        """Whether something older can be answered."""
        return bool(self.stale) or (self.mode is Mode.PROTECT and bool(self.tiers))
