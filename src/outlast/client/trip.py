"""One logical call on its way through the regions, whatever library carries it.

A trip remembers where the call has been, says whether it may be made again, and tells the regions what it saw. Writes are
made again only when nothing was sent, or when whoever makes them has said that twice is as good as once: a call that timed
out may have been carried out, and no amount of waiting tells.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

from outlast.client.regions import Choice, Regions
from outlast.outcome import Outcome
from outlast.policy.retry import Verdict

T = TypeVar("T")


class Trip(Generic[T]):
    """The errand of a client library's call.

    Args:
        regions: Where it may go; `None` for the one place it names itself.
        lock: Guards the regions.
        is_repeatable: Whether making the call twice is as good as making it once.
        is_unsent: Given an exception, says whether it is certain that nothing was sent.
        judge: Given a result, says whether it is a failure in disguise.
        chance: Draws a number within 0 and 1.

    """

    def __init__(
        self,
        regions: Regions | None,
        lock: AbstractContextManager[object],
        *,
        is_repeatable: bool,
        is_unsent: Callable[[BaseException], bool],
        judge: Callable[[T], Verdict],
        chance: Callable[[], float],
    ) -> None:
        self._regions = regions
        self._lock = lock
        self._is_repeatable = is_repeatable
        self._is_unsent = is_unsent
        self._judge = judge
        self._chance = chance
        self._tried: list[str] = []
        self._choice: Choice | None = None

    def __repr__(self) -> str:
        return f"<trip: {' then '.join(self._tried) or 'not begun'}>"

    def choose(self, now: int) -> Choice | None:
        """Return where the next attempt goes; `None` if there are no regions."""
        if self._regions is None:
            return None
        with self._lock:
            choice = self._regions.choose(now, tried=self._tried, can_probe=self._is_repeatable)
        self._choice = choice
        self._tried.append(choice.name)
        return choice

    def judge(self, value: T, /) -> Verdict:
        return self._judge(value)

    def can_repeat(self, what: T | BaseException, /) -> bool:
        return self._is_repeatable or (isinstance(what, BaseException) and self._is_unsent(what))

    def is_elsewhere(self) -> bool:
        return self._regions is not None and len(set(self._tried)) < len(self._regions)

    def settle(self, outcome: Outcome, now: int) -> None:
        choice, self._choice = self._choice, None
        if self._regions is not None and choice is not None:
            chance = self._chance()
            with self._lock:
                self._regions.settle(choice, outcome, now=now, chance=chance)
