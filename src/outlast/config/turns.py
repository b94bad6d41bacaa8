"""Whose turn it is at providers that cannot compare and swap (tiers T3 and T4): one enactor at a time, by a lease.

Where the provider itself refuses whoever is late, all enactors are active and no lease is wanted. Where it does not, a
lease keeps them out of one another's way; it cannot stop one that stood still in the middle of a write, and read-back
mends what such a one set back. Without a registry nobody has a turn there: its own copy knows no lease.
"""

import contextlib
import secrets
import time
from collections.abc import Callable, Mapping

from outlast.errors import Unavailable
from outlast.traffic.lease import Keeper, look, stored, token
from outlast.traffic.ports import Leases, Provider, Tier

WEAK = frozenset({Tier.T3, Tier.T4})
TTL_INTERVALS = 5
"""A lease lasts so many passes of an enactor, so that one slow pass does not lose it."""
TTL_MIN = 5.0
"""Seconds."""


class Turns:
    """One enactor's leases.

    Args:
        me: The enactor; made unique to this start of it.
        providers: By name; those of the strong tiers are always our turn.
        interval: Seconds between two passes.
        now: A monotonic clock in nanoseconds.

    """

    def __init__(
        self,
        me: str,
        providers: Mapping[str, Provider],
        *,
        interval: float,
        now: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        ttl, unique = int(max(TTL_MIN, TTL_INTERVALS * interval) * 1e9), f"{me}/{secrets.token_hex(4)}"
        self._now = now
        self._keepers = {
            name: Keeper(unique, f"enactors of {name}", ttl)
            for name, provider in providers.items()
            if provider.tier in WEAK
        }

    def __repr__(self) -> str:
        return f"<turns at {', '.join(self._keepers) or 'no weak provider'}>"

    async def others(self, registry: Leases) -> frozenset[str]:
        """The providers at which it is not our turn now; leases are taken and renewed on the way."""
        return frozenset([name for name in self._keepers if not await self._is_mine(name, registry)])

    async def _is_mine(self, name: str, registry: Leases) -> bool:
        with contextlib.suppress(Unavailable):  # what we hold already we hold until it runs out
            await self._keep(name, registry)
        return bool(token(self._keepers[name], now=self._now()))

    async def _keep(self, name: str, registry: Leases) -> None:
        asked = self._now()
        found = await registry.lease(self._keepers[name].name)
        keeper, wish = look(self._keepers[name], found, now=asked)
        self._keepers[name] = keeper
        if wish is not None:
            sent = self._now()
            if await registry.swap_lease(wish, seen=found):
                self._keepers[name] = stored(keeper, wish, sent=sent)
