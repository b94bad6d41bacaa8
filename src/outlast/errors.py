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
    """The configuration is wrong; whoever wrote it must act. All faults are listed at once."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class UnsafePlan(OutlastError):
    """A plan that could leave an endpoint without an address. It was not built, stored, sent or applied."""


class InvalidSentinel(OutlastError):
    """A sentinel that this version cannot write."""


class Unavailable(OutlastError):
    """A registry, a provider or an address could not be reached, or refused for a reason that is not ours."""


class Refused(OutlastError):
    """An operator's command cannot be carried out as things stand; the hint says what lifts it."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the known word nearest to one that is not known, or nothing if none is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
