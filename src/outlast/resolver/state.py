"""Where one resolution stands: a value that can be printed, compared and hashed."""

from enum import StrEnum
from typing import NamedTuple

from outlast.resolver.messages import Heard, Probed
from outlast.resolver.question import Question


class Phase(StrEnum):
    """What the resolution waits for."""

    READY = "ready"
    ASKING = "asking upstreams"
    SENTINEL = "asking for the sentinel"
    VERIFYING = "checking last-known-good addresses"
    DONE = "done"


class Asked(NamedTuple):
    """An upstream, and when it was asked."""

    upstream: int
    at: int


class State(NamedTuple):
    """One resolution. `next_ask`, `settle` and `until` are instants in nanoseconds since it began, 0 for none."""

    question: Question
    phase: Phase = Phase.READY
    asked: tuple[Asked, ...] = ()
    heard: tuple[Heard, ...] = ()
    probed: tuple[Probed, ...] = ()
    next_ask: int = 0
    settle: int = 0
    """When to stop waiting for the other family, or for slower addresses, and be content with what there is."""
    until: int = 0
    """When the sentinel or the check of a group is given up."""
    tier: int = 0
    """Which group of last-known-good addresses is being checked."""

    def __repr__(self) -> str:
        return f"<resolution of {self.question.name}: {self.phase}, {len(self.asked)} asked, {len(self.heard)} heard>"
