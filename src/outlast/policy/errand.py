"""What the drivers ask of a call that knows more than a function does: where it goes, and whether it may be repeated."""

from typing import Protocol, TypeVar

from outlast.outcome import Outcome
from outlast.policy.retry import Verdict

T_contra = TypeVar("T_contra", contravariant=True)


class Errand(Protocol[T_contra]):
    """One logical call of a client library, told by a driver what becomes of its attempts."""

    def judge(self, value: T_contra, /) -> Verdict:
        """Say whether a result is a failure in disguise (a 503), and how long to wait if it names a time."""
        ...

    def can_repeat(self, what: T_contra | BaseException, /) -> bool:
        """Say whether making the call again is safe after this failure."""
        ...

    def is_elsewhere(self) -> bool:
        """Say whether the next attempt would go to a place that this call has not tried."""
        ...

    def settle(self, outcome: Outcome, now: int) -> None:
        """Take note of what the place that was tried did; called once for each attempt."""
        ...
