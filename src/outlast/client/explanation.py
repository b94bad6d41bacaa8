"""What a protected client does, and what it does not: structured, and printable for a person."""

import weakref
from typing import NamedTuple

from outlast.errors import InvalidConfig


class Applied(NamedTuple):
    """Something that is in effect."""

    what: str
    how: str


class Missing(NamedTuple):
    """Something that was asked for, or that one might expect, and is not in effect."""

    what: str
    why: str


class Explanation(NamedTuple):
    """What `protect` could do for one client and what it could not."""

    client: str
    policy: str
    applied: tuple[Applied, ...]
    missing: tuple[Missing, ...]

    def __str__(self) -> str:
        lines = [f"{self.client}, protected by policy {self.policy}"]
        lines += [f"  + {item.what}: {item.how}" for item in self.applied]
        lines += [f"  - {item.what}: {item.why}" for item in self.missing]
        return "\n".join(lines)


_KNOWN: "weakref.WeakKeyDictionary[object, Explanation]" = weakref.WeakKeyDictionary()


def remember(client: object, explanation: Explanation) -> None:
    """Keep the explanation as long as the client lives."""
    _KNOWN[client] = explanation


def is_protected(client: object) -> bool:
    return client in _KNOWN


def explain(client: object) -> Explanation:
    """Return what is applied to a client, what could not be and why; `print` it to read it.

    Raises:
        InvalidConfig: The client is not protected.

    """
    try:
        found = _KNOWN.get(client)
    except TypeError:  # what cannot be referred to weakly was never remembered
        found = None
    if found is None:
        raise InvalidConfig((f"{type(client).__name__} is not protected; outlast.protect(client, policy) does it",))
    return found
