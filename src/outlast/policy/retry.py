"""When to try again, and after which pause: capped exponential back-off with full jitter.

Full jitter (a pause drawn evenly from nothing to the cap of the attempt) spreads a crowd of clients best and costs the
least work of the usual ways; AWS's "Exponential Backoff And Jitter" has the comparison. A server that names a time to wait
is obeyed, with the jitter added on top, so that a crowd told the same time does not come back in one instant.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from outlast.errors import Rejected
from outlast.policy.checks import check_count, check_number, check_seconds, nanoseconds, refuse

MAX_ATTEMPTS = 20
"""With full jitter from 50 ms the twentieth would come after hours, were there no cap; nobody waits for that."""

Verdict: TypeAlias = bool | float
"""`False`: no. `True`: yes. A number: yes, and not before that many seconds."""
On: TypeAlias = type[BaseException] | tuple[type[BaseException], ...] | Callable[[BaseException], Verdict]
"""Which errors count: classes, or a predicate that is given the error."""


def match(on: On, error: BaseException) -> Verdict:
    """Say whether `error` is among those named. Cancellation and our own refusals never are."""
    if not isinstance(error, Exception) or isinstance(error, Rejected):
        return False
    if isinstance(on, type | tuple):
        return isinstance(error, on)
    said: object = on(error)
    # A predicate that returns nothing has said no; what is neither a truth value nor a number says what its truth is.
    return said if isinstance(said, bool | int | float) else bool(said)


def check_on(key: str, on: object) -> list[str]:
    """Return the fault of an `on=` that is neither exception classes nor a predicate."""
    kinds = on if isinstance(on, tuple) else (on,)
    if kinds and all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds):
        return []
    if callable(on) and not isinstance(on, type):
        return []
    return [f"{key} = {on!r} is neither exception classes nor a predicate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Which failures are tried again, how often and how patiently. There is no default for what: you must think about it.

    Args:
        on: Exception classes, or a predicate that is given the exception and returns whether to try again, or the seconds
            to wait before. `outlast.transient` is a good one. An attempt whose time was over is a `TimeoutError` here: it
            may have been carried out, so it is tried again only if that is named.
        attempts: Attempts in all, the first included.
        base: Seconds; the longest pause before the second attempt. It doubles with each attempt.
        cap: Seconds; no pause drawn by chance is longer.
        max_pushback: Seconds; a server that asks for a longer pause is not asked again.

    Raises:
        InvalidConfig: Lists every fault at once.

    """

    on: On
    attempts: int = 3
    base: float = 0.05
    cap: float = 5.0
    max_pushback: float = 30.0

    def __post_init__(self) -> None:
        faults = [
            *check_on("on", self.on),
            *check_count("attempts", self.attempts, low=1, high=MAX_ATTEMPTS),
            *check_seconds("base", self.base),
            *check_seconds("cap", self.cap),
            *check_number("max_pushback", self.max_pushback, low=0, high=3600),
        ]
        if not faults and self.base > self.cap:
            faults.append(f"base = {self.base} is longer than cap = {self.cap}")
        refuse(faults)

    def pause(self, attempt: int, *, chance: float, pushback: float = 0.0) -> int | None:
        """Return the nanoseconds to wait after attempt number `attempt` failed, or `None` if the server asks for too many.

        Args:
            attempt: 1 for the first.
            chance: Within 0 and 1.
            pushback: Seconds the server asked for.

        """
        if not pushback <= self.max_pushback:
            return None
        drawn = chance * min(self.cap, self.base * 2.0 ** (attempt - 1))
        return max(1, nanoseconds(max(0.0, pushback) + drawn))
