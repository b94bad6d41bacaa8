"""Whether the key that a provider is given is one that may write, as far as that is told to who writes nothing.

The first write shows a wrong key, and so may the worst moment for it. Readers need none, so nothing else would.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from outlast.audit.findings import Finding, Level
from outlast.errors import Unavailable
from outlast.traffic.ports import Provider
from outlast.traffic.sentinel import sentinel_name
from outlast.traffic.topology import Endpoint

CHECK = "key"
TOGETHER = 32
"""Endpoints asked about in one message. Of those of a message that is refused each is asked about alone."""


@runtime_checkable
class Refusing(Protocol):
    """A provider that says beforehand whom it would refuse."""

    async def refusal(self, zone: str, endpoints: Sequence[Endpoint]) -> str:
        """Why a change of these endpoints would be refused, as far as that is told without one; empty if nothing is.

        Raises:
            Unavailable: Nobody answered.

        """
        ...


async def check_key(provider: Provider, zone: str, endpoints: Sequence[Endpoint]) -> list[Finding]:
    """Ask whether the key is one for the zone, and if it is, which of the zone's endpoints it may not change."""
    if not isinstance(provider, Refusing):
        return []
    subject = f"{zone} at {provider.name}"
    try:
        why = await provider.refusal(zone, ())
        closed = [] if why else await _closed(provider, zone, endpoints)
    except Unavailable as error:
        return [Finding(Level.UNKNOWN, CHECK, subject, error.message, error.hint or "the primary must answer")]
    if why:
        fix = (
            f"make the key of [provider.{provider.name}] the server's, and let the server take changes of {zone} by it"
        )
        return [Finding(Level.FAIL, CHECK, subject, why, fix)]
    if closed:
        return [_refused(provider.name, endpoint, words) for endpoint, words in closed]
    return [Finding(Level.OK, CHECK, subject, "it is the server's, and nothing is said against changes by it")]


async def _closed(provider: Refusing, zone: str, endpoints: Sequence[Endpoint]) -> list[tuple[Endpoint, str]]:
    found: list[tuple[Endpoint, str]] = []
    for start in range(0, len(endpoints), TOGETHER):
        some = endpoints[start : start + TOGETHER]
        if await provider.refusal(zone, some):
            words = await asyncio.gather(*(provider.refusal(zone, (endpoint,)) for endpoint in some))
            found += [(endpoint, why) for endpoint, why in zip(some, words, strict=True) if why]
    return found


def _refused(provider: str, endpoint: Endpoint, why: str) -> Finding:
    types = " ".join(endpoint.families)
    fix = f"let the key change {types} of {endpoint.name} and TXT of {sentinel_name(endpoint.name)}: docs/DEPLOY.md"
    return Finding(Level.FAIL, CHECK, f"{endpoint.name} at {provider}", why, fix)
