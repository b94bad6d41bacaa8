"""What a resolution that missed the cache is told, and what it asks for. Every `at` is nanoseconds since it began."""

from typing import NamedTuple

from outlast.resolver.answer import Source
from outlast.resolver.reading import Family, Kind, Reading

# ------------------------------------------------------------------------------------------------------------- events


class Started(NamedTuple):
    """The resolution begins."""

    at: int = 0


class Heard(NamedTuple):
    """An upstream answered for one family, or failed in a way that is known at once."""

    at: int
    upstream: int
    family: Family
    reading: Reading


class SentinelHeard(NamedTuple):
    """The sentinel's name was asked for; `is_retired`: it says that the endpoint was given up on purpose."""

    at: int
    is_retired: bool


class Probed(NamedTuple):
    """One address was checked; an empty `failure` means that it passed."""

    at: int
    address: str
    failure: str


class Woken(NamedTuple):
    """The time that the last `Wake` asked for has come."""

    at: int


Event = Started | Heard | SentinelHeard | Probed | Woken

# ------------------------------------------------------------------------------------------------------------ effects


class Ask(NamedTuple):
    """Ask an upstream for every family; each family is answered by one `Heard`, or never."""

    upstream: int


class AskSentinel(NamedTuple):
    """Ask an upstream for the sentinel beside the name; answered by one `SentinelHeard`, or never."""

    upstream: int


class Verify(NamedTuple):
    """Check addresses as the user chose; each is answered by one `Probed`, or never."""

    addresses: tuple[str, ...]


class Wake(NamedTuple):
    """Say `Woken` after so many nanoseconds; replaces every earlier wish to be woken."""

    after: int


class Verdict(NamedTuple):
    """How a resolution ends.

    Without a `source` there is no answer: `kind` says whether that is a negative answer or a failure. `ttl` is in
    seconds, 0 for a negative answer that must not be kept. `is_silent`: an upstream that was asked has not answered.
    """

    kind: Kind
    source: Source | None
    addresses: tuple[str, ...]
    ttl: int
    reason: str
    ede: int | None
    is_retired: bool
    is_silent: bool
    trail: tuple[str, ...]


class Finish(NamedTuple):
    """The resolution is over."""

    verdict: Verdict


Effect = Ask | AskSentinel | Verify | Wake | Finish
Effects = tuple[Effect, ...]
