"""The sentinel: the fence that stands beside every endpoint, in the provider's own zone.

`_outlast.<endpoint> TXT "v=1 realm=<id> n=<writes> gen=<generation> plan=<digest> st=live|held|retired by=<writer>"`.
Every write replaces it in the same transaction as the records and demands, as a prerequisite, the exact text that the
writer has read. Who read an older one is refused by the provider, however long they slept in between.
"""

import re
from enum import StrEnum
from typing import NamedTuple

from outlast.errors import InvalidSentinel

VERSION = 1
TTL = 5
"""Seconds. Nobody reads a sentinel through a cache; it only bounds how long a curious resolver repeats an old one."""
MAX_COUNT = 2**63 - 1
LABEL = "_outlast"

_TEXT = re.compile(
    r"v=1 realm=(?P<realm>[A-Za-z0-9._-]{1,32}) n=(?P<n>0|[1-9][0-9]{0,18}) gen=(?P<gen>0|[1-9][0-9]{0,18}) "
    r"plan=(?P<digest>[0-9a-f]{32}) st=(?P<state>live|held|retired) by=(?P<by>[A-Za-z0-9._/-]{1,48})"
)
_VERSION = re.compile(r"v=([0-9]{1,9})(?: |$)")


class Standing(StrEnum):
    """What an endpoint's sentinel allows."""

    LIVE = "live"
    """Enactors may write."""
    HELD = "held"
    """A person's hand is on it: enactors only put back what it names; `thaw` lifts it."""
    RETIRED = "retired"
    """Given up on purpose: hands off."""


class Sentinel(NamedTuple):
    """A readable sentinel. `n` counts writes and always rises; `gen` never falls; `digest` names the content."""

    realm: str
    n: int
    gen: int
    digest: str
    standing: Standing
    by: str

    @property
    def text(self) -> str:
        """The TXT string.

        Raises:
            InvalidSentinel: A field would not survive the way through DNS.

        """
        text = (
            f"v={VERSION} realm={self.realm} n={self.n} gen={self.gen} plan={self.digest} "
            f"st={self.standing} by={self.by}"
        )
        if _TEXT.fullmatch(text) is None or max(self.n, self.gen) > MAX_COUNT:
            raise InvalidSentinel(f"not a sentinel: {text!r}", hint="realm and writer: letters, digits, . _ -")
        return text

    def follows(self, gen: int, content_digest: str) -> bool:
        """Whether this sentinel is ahead of (`gen`, digest): of a larger generation, or of the same with other content."""
        return self.gen > gen or (self.gen == gen and self.digest != content_digest)


class Corrupt(NamedTuple):
    """Something stands where the sentinel should be, and it is not one. Treated like absence, but never overwritten blindly."""

    texts: tuple[str, ...]


class UnknownVersion(NamedTuple):
    """A sentinel of a version that we do not know: hands off."""

    texts: tuple[str, ...]


Reading = Sentinel | Corrupt | UnknownVersion | None


def parse(texts: tuple[str, ...]) -> Reading:
    """What the TXT strings at the sentinel's name mean; `None` if there are none."""
    if not texts:
        return None
    if len(texts) > 1:
        return Corrupt(texts)
    version = _VERSION.match(texts[0])
    if version is not None and int(version.group(1)) != VERSION:
        return UnknownVersion(texts)
    found = _TEXT.fullmatch(texts[0])
    if found is None:
        return Corrupt(texts)
    part = found.groupdict()
    if max(int(part["n"]), int(part["gen"])) > MAX_COUNT:
        return Corrupt(texts)
    standing = Standing(part["state"])
    return Sentinel(part["realm"], int(part["n"]), int(part["gen"]), part["digest"], standing, part["by"])


def sentinel_name(endpoint: str) -> str:
    """The owner name of an endpoint's sentinel."""
    return f"{LABEL}.{endpoint}"
