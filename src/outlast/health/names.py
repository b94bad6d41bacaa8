"""Looks at a target that is a name: what it resolves to, and whether that answers.

An answer is kept for its TTL, as clients keep it, but no longer than `KEPT_MAX`: an address that has been moved away should
be noticed sooner. A negative answer and silence are not kept, since each round counts as a look of its own.

The name is healthy if any of its addresses is: whoever operates it takes its own dead addresses out, and leaving it moves
every client.
"""

import asyncio

from outlast.clock import Clock
from outlast.health.lookup import Found, Lookup, Nothing, Silence
from outlast.health.probe import Dial, HttpProbe, probe
from outlast.health.signal import NOWHERE

KEPT_MAX = 60.0
"""Seconds. A load balancer's records commonly have a TTL of 60."""
PROBED_MAX = 8
"""Addresses of one name that are probed; a load balancer answers with at most eight."""
TOLD_MAX = 3
"""Failing addresses that are told; the others look alike."""


class Names:
    """Remembers what names resolve to, for as long as they may be remembered.

    Args:
        lookup: Looks a name up.
        clock: Says when an answer's time is over.
        room: How many probes and look-ups may be under way at once.
        dial: Where to connect instead of an address itself.

    """

    def __init__(self, lookup: Lookup, *, clock: Clock, room: asyncio.Semaphore, dial: Dial | None = None) -> None:
        self._lookup = lookup
        self._clock = clock
        self._room = room
        self._dial = dial
        self._kept: dict[str, tuple[int, Found]] = {}

    def __repr__(self) -> str:
        return f"<names: {len(self._kept)} kept>"

    def keep(self, names: set[str]) -> None:
        """Forget all others."""
        self._kept = {name: kept for name, kept in self._kept.items() if name in names}

    async def look(self, options: HttpProbe, name: str, *, host: str) -> str | Silence:
        """Probe what the name leads to; return why it failed, empty if it is healthy, or that nothing can be said."""
        found = await self._resolve(name)
        if isinstance(found, Silence):
            return found
        if isinstance(found, Nothing):
            return f"{NOWHERE}: {found.words}"
        addresses = found.addresses[:PROBED_MAX]
        failures = await asyncio.gather(*(self._probe(options, address, host) for address in addresses))
        if not all(failures):
            return ""
        told = [f"{address}: {failure}" for address, failure in zip(addresses, failures, strict=True)]
        return ", ".join(told[:TOLD_MAX]) + (f" and {len(told) - TOLD_MAX} more" if len(told) > TOLD_MAX else "")

    async def _resolve(self, name: str) -> Found | Nothing | Silence:
        until, kept = self._kept.get(name, (0, None))
        if kept is not None and self._clock.now() < until:
            return kept
        async with self._room:
            found = await self._lookup(name)
        self._kept.pop(name, None)
        if isinstance(found, Found):
            self._kept[name] = self._clock.now() + int(min(found.ttl, KEPT_MAX) * 1e9), found
        return found

    async def _probe(self, options: HttpProbe, address: str, host: str) -> str:
        async with self._room:
            return await probe(options, address, host=host, dial=self._dial)
