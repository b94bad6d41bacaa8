"""The families of errors, by who must act.

Every error of ours is an `OutlastError`. Its message is derived from its fields, and `hint` says what to do next.
A user's own exception passes through untouched.
"""

import difflib
from collections.abc import Iterable


class OutlastError(Exception):
    """The root of every error raised by outlast.

    Args:
        message: What happened, with the values at fault.
        hint: What the reader can do about it, or an empty string.

    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class InvalidConfig(OutlastError):
    """The configuration or the command line is wrong; whoever wrote it must act. All faults are listed at once.

    Args:
        faults: What is wrong, each with what to write instead.
        hint: What helps with all of them, or an empty string.

    """

    def __init__(self, faults: tuple[str, ...], *, hint: str = "") -> None:
        super().__init__("\n".join(faults), hint=hint)
        self.faults = faults


class UnsafePlan(OutlastError):
    """A plan that could leave an endpoint without an address. It was not built, stored, sent or applied."""


class InvalidSentinel(OutlastError):
    """A sentinel that this version cannot write."""


class Unavailable(OutlastError):
    """A registry, a provider or an address could not be reached, or refused for a reason that is not ours."""


class NotMade(Unavailable):
    """It is not there, and nobody has made it yet; the hint says who does."""


class Refused(OutlastError):
    """An operator's command cannot be carried out as things stand; the hint says what lifts it."""


class ResolutionFailed(Unavailable):
    """A name has no address that may be answered, as far as can be told.

    Args:
        name: What was asked for.
        reason: Why there is no answer: what upstreams said, and why nothing older was given instead.
        trail: What was asked of whom, and what became of it, one line each.
        is_negative: Whether an upstream said that there is nothing (NODATA, NXDOMAIN), rather than nobody saying anything.
        hint: What the reader can do about it, or an empty string.

    """

    def __init__(
        self, name: str, reason: str, *, trail: tuple[str, ...] = (), is_negative: bool = False, hint: str = ""
    ) -> None:
        super().__init__(f"{name}: {reason}", hint=hint)
        self.name = name
        self.reason = reason
        self.trail = trail
        self.is_negative = is_negative


class Rejected(OutlastError):
    """A call that a policy of ours did not make, or did not wait for. It says nothing about the service called.

    Args:
        policy: The name of the policy.
        reason: Why, in words.
        retry_after: Seconds after which another call may be admitted, if that is known.
        hint: What the reader can do about it.

    """

    def __init__(self, policy: str, reason: str, *, retry_after: float | None = None, hint: str = "") -> None:
        super().__init__(f"{policy}: {reason}", hint=hint)
        self.policy = policy
        self.reason = reason
        self.retry_after = retry_after


class CircuitOpen(Rejected):
    """The breaker is open, or half open with all its probes on their way. The call was not made."""

    def __init__(self, policy: str, *, retry_after: float) -> None:
        super().__init__(policy, f"circuit open, next probe in {retry_after:.3g} s", retry_after=retry_after)


class DeadlineExceeded(Rejected, TimeoutError):
    """The time for a call, or for one attempt of it, is over. Whether the service did its work is not known.

    Args:
        policy: The name of the policy.
        seconds: How long it was waited for.
        attempts: How many attempts were begun; with 0, nothing was sent.

    """

    def __init__(self, policy: str, *, seconds: float, attempts: int) -> None:
        reason = f"time is over after {seconds:.3g} s and {attempts} attempt{'s' * (attempts != 1)}"
        super().__init__(policy, reason)
        self.seconds = seconds
        self.attempts = attempts


class BudgetExhausted(Rejected):
    """The budget for further attempts is used up; first attempts go on as before."""

    def __init__(self, policy: str) -> None:
        super().__init__(policy, "budget for further attempts used up", hint="it refills with calls and time")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the known word nearest to one that is not known, or nothing if none is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
