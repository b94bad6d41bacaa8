"""Whose turn it is at providers that cannot compare and swap (tiers T3 and T4): one enactor at a time, by a lease.

Where the provider itself refuses whoever is late, all enactors are active and no lease is wanted. Where it does not, a
lease keeps them out of one another's way; it cannot stop one that stood still in the middle of a write, and read-back
mends what such a one set back. Without a registry nobody has a turn there: its own copy knows no lease.

A person's hand (`hand_turns`) takes the lease away from whoever has it. An enactor sees that on its next pass, begins no
write any more, and when none of its writes is under way says so in a second row: it has given way.
"""

import contextlib
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from outlast.errors import Unavailable
from outlast.traffic.lease import Keeper, look, stored, token
from outlast.traffic.ports import Lease, Leases, Live, Outcome, Provider, Reply, Tier, Transaction

WEAK = frozenset({Tier.T3, Tier.T4})
TTL_INTERVALS = 5
"""A lease lasts so many passes of an enactor, so that one slow pass does not lose it."""
TTL_MIN = 5.0
"""Seconds."""
HAND = "hand/"
"""How the holder's name begins when it is a person's command."""


def ttl_of(interval: float) -> float:
    """How many seconds a lease lasts where enactors look every `interval` seconds."""
    return max(TTL_MIN, TTL_INTERVALS * interval)


def lease_of(provider: str) -> str:
    """The name of the lease for writing at a provider."""
    return f"enactors of {provider}"


def way_given(provider: str) -> str:
    """The name of the row in which an enactor tells a person's hand, as its holder, that it has given way."""
    return f"way given at {provider}"


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
        self._ttl, unique = int(ttl_of(interval) * 1e9), f"{me}/{secrets.token_hex(4)}"
        self._now = now
        self._keepers = {
            name: Keeper(unique, lease_of(name), self._ttl)
            for name, provider in providers.items()
            if provider.tier in WEAK
        }
        self._under_way: Counter[str] = Counter()
        self._quiet_from: dict[str, int] = {}
        self._owed: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<turns at {', '.join(self._keepers) or 'no weak provider'}>"

    def guarded(self, providers: Mapping[str, Provider]) -> dict[str, Provider]:
        """The providers, the weak ones each behind a door that is open in our turn only."""
        return {name: Turned(it, self) if name in self._keepers else it for name, it in providers.items()}

    async def others(self, registry: Leases) -> frozenset[str]:
        """The providers at which it is not our turn now; leases are taken, renewed and given up on the way."""
        return frozenset([name for name in self._keepers if not await self._looked(name, registry)])

    def is_mine(self, name: str) -> bool:
        """Whether it is our turn at this provider now, as far as is known without asking."""
        return bool(token(self._keepers[name], now=self._now()))

    async def commit(self, provider: Provider, transaction: Transaction) -> Reply:
        """Carry out a transaction at a weak provider, if it is our turn."""
        name = transaction.provider
        if not self.is_mine(name):
            return Reply(Outcome.FAILED, "it is not our turn to write there any more")
        self._under_way[name] += 1
        try:
            reply = await provider.commit(transaction)
        finally:
            self._under_way[name] -= 1
        if reply.outcome is Outcome.LOST:  # it may still land
            self._quiet_from[name] = self._now() + self._ttl
        return reply

    async def _looked(self, name: str, registry: Leases) -> bool:
        with contextlib.suppress(Unavailable):  # what we hold already we hold until it runs out
            await self._keep(name, registry)
            await self._give_way(name, registry)
        return self.is_mine(name)

    async def _keep(self, name: str, registry: Leases) -> None:
        asked, before = self._now(), self._keepers[name]
        found = await registry.lease(before.name)
        keeper, wish = look(before, found, now=asked)
        self._keepers[name] = keeper
        if before.until and not keeper.until and found is not None and found.holder.startswith(HAND):
            self._owed[name] = found.holder
        if wish is not None:
            sent = self._now()
            if await registry.swap_lease(wish, seen=found):
                self._keepers[name] = stored(keeper, wish, sent=sent)

    async def _give_way(self, name: str, registry: Leases) -> None:
        is_quiet = not self._under_way[name] and self._now() >= self._quiet_from.get(name, 0)
        if name not in self._owed or not is_quiet:
            return
        row = way_given(name)
        seen = await registry.lease(row)
        if await registry.swap_lease(Lease(row, self._owed[name], seen.token + 1 if seen else 1, 0), seen=seen):
            del self._owed[name]


@dataclass(frozen=True, slots=True)
class Turned:
    """A weak provider that is written to in our turn only."""

    provider: Provider
    turns: Turns

    @property
    def name(self) -> str:
        return self.provider.name

    @property
    def tier(self) -> Tier:
        return self.provider.tier

    @property
    def at_once(self) -> int:
        return self.provider.at_once

    async def read(self, endpoint: str) -> Live:
        return await self.provider.read(endpoint)

    async def read_sentinel(self, endpoint: str) -> tuple[str, ...]:
        return await self.provider.read_sentinel(endpoint)

    async def commit(self, transaction: Transaction) -> Reply:
        return await self.turns.commit(self.provider, transaction)
