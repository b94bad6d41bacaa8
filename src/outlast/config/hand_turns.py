"""A person's turn at providers that cannot compare and swap: enactors give way before the hand writes there.

The hand takes the lease at once, whoever has it: a person must not wait for a control plane. Then it waits until the one
who had it says that none of its writes is under way (`turns`), but no longer than until that one must have stopped by its
own clock and its last write must have ended. So a dead enactor costs seconds, and nothing is waited for without end.
Another person's command is not pushed aside: it is waited for, `PATIENCE` at most.

Without the registry there is no turn. The hand then writes all the same (rule 10), and says what nobody guards.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from outlast.config.turns import HAND, TTL_MIN, WEAK, lease_of, ttl_of, way_given
from outlast.errors import OutlastError, Refused
from outlast.traffic.lease import NOBODY, RENEW_SHARE, Keeper, look, stored, token
from outlast.traffic.ports import Lease, Leases, Provider

PATIENCE = 30.0
"""Seconds for another person's command at the same provider; it has an end, since each of its requests has one."""
LOOK_EVERY = 0.1
"""Seconds between two looks at the rows while waiting."""

Say = Callable[[str], None]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long enactors may take to stop.

    Args:
        ttl: Seconds that their leases last.
        timeout: Seconds for one write.

    """

    ttl: float = TTL_MIN
    timeout: float = 2.0

    @classmethod
    def of(cls, *, interval: float, timeouts: tuple[float, ...]) -> "Pace":
        """By the enactors' interval and the providers' timeouts, in seconds."""
        return cls(ttl=ttl_of(interval), timeout=max(timeouts, default=2.0))


@dataclass
class HandTurn:
    """One command's turn at one provider.

    Args:
        me: Who runs the command; made unique.
        provider: Its name.
        registry: Where the lease lies; `None` without one.
        pace: How long enactors may take.
        say: Is told what is waited for.
        now: A monotonic clock in nanoseconds.
        sleep: Waits so many seconds.

    Attributes:
        unguarded: Why nobody keeps enactors away; empty if they are kept away.

    """

    me: str
    provider: str
    registry: Leases | None
    pace: Pace
    say: Say
    now: Callable[[], int] = time.monotonic_ns
    sleep: Sleep = asyncio.sleep
    unguarded: str = ""
    _keeper: Keeper = field(init=False, repr=False)

    def __post_init__(self) -> None:
        unique = f"{HAND}{self.me}/{secrets.token_hex(4)}"
        self._keeper = Keeper(unique, lease_of(self.provider), int(self.pace.ttl * 1e9))

    async def take(self) -> None:
        """Wait until it is our turn, or say in `unguarded` why it is not known to be.

        Raises:
            Refused: Another person's command is at work there, and goes on.

        """
        if self.registry is None:
            self._not_guarded("there is no registry here")
            return
        try:
            before = await self._taken(self.registry)
        except OutlastError as error:
            if isinstance(error, Refused):
                raise
            self._not_guarded(error.message)
            return
        if before is None or before.holder != NOBODY:
            await self._wait_for_way(self.registry, self.now())

    def _not_guarded(self, why: str) -> None:
        again = f"look again in {self.pace.ttl + self.pace.timeout:g} s: outlast status"
        self.unguarded = f"not guarded against an enactor that is just writing ({why}); {again}"

    async def _taken(self, registry: Leases) -> Lease | None:
        # Take the row from whoever has it; a person's only if it stands still. Returns what was there before.
        end, told = self.now() + int(PATIENCE * 1e9), False
        while True:
            asked = self.now()
            found = await registry.lease(self._keeper.name)
            self._keeper, wish = look(self._keeper, found, now=asked)
            is_persons = found is not None and found.holder.startswith(HAND)
            if wish is None and not is_persons:
                wish = Lease(self._keeper.name, self._keeper.me, self._keeper.highest + 1, 0)
            if wish is not None:
                sent = self.now()
                if await registry.swap_lease(wish, seen=found):
                    self._keeper = stored(self._keeper, wish, sent=sent)
                    return found
            elif found is not None:
                who = found.holder.removeprefix(HAND).rpartition("/")[0]
                if asked >= end:
                    raise Refused(f"{who} is at work at {self.provider}", hint="try again when that command has ended")
                told = told or self._told(f"waiting for {who} at {self.provider}, at most {PATIENCE:g} s")
            await self.sleep(LOOK_EVERY)

    def _told(self, words: str) -> bool:
        self.say(words)
        return True

    async def _wait_for_way(self, registry: Leases, since: int) -> None:
        longest, told = self.pace.ttl + self.pace.timeout, False
        while self.now() < since + int(longest * 1e9):
            with contextlib.suppress(OutlastError):  # nobody can tell us then; the time alone counts
                given = await registry.lease(way_given(self.provider))
                if given is not None and given.holder == self._keeper.me:
                    return
                await self._renew(registry)
            told = told or self._told(f"waiting for the enactors of {self.provider} to give way, at most {longest:g} s")
            await self.sleep(LOOK_EVERY)
        self.say(f"no enactor of {self.provider} said that it gave way; by now its lease has run out")

    async def keep(self) -> None:
        """Renew for ever, well before the lease runs out."""
        while self.registry is not None and not self.unguarded:
            await self.sleep(self.pace.ttl * RENEW_SHARE / 4)
            with contextlib.suppress(OutlastError):
                await self._renew(self.registry)

    async def _renew(self, registry: Leases) -> None:
        asked = self.now()
        found = await registry.lease(self._keeper.name)
        keeper, wish = look(self._keeper, found, now=asked)
        self._keeper = keeper
        if wish is not None and keeper.until:
            sent = self.now()
            if await registry.swap_lease(wish, seen=found):
                self._keeper = stored(keeper, wish, sent=sent)

    async def give_back(self) -> None:
        """Let the enactors go on; say in `unguarded` if the turn was lost before."""
        if self.registry is None or self.unguarded:
            return
        if not token(self._keeper, now=self.now()):
            self._not_guarded("the turn was lost meanwhile")
        elif self._keeper.row is not None:
            with contextlib.suppress(OutlastError):  # it runs out by itself
                await self.registry.swap_lease(self._keeper.row._replace(holder=NOBODY), seen=self._keeper.row)


@asynccontextmanager
async def hand_turns(
    me: str, providers: Mapping[str, Provider], registry: Leases | None, pace: Pace, say: Say
) -> AsyncIterator[tuple[dict[str, HandTurn], dict[str, str]]]:
    """Have the turn at every weak provider until the block ends: gives the turns, and why one is refused, by provider."""
    turns = {name: HandTurn(me, name, registry, pace, say) for name, it in providers.items() if it.tier in WEAK}
    refused: dict[str, str] = {}

    async def take(turn: HandTurn) -> None:
        try:
            await turn.take()
        except Refused as error:
            refused[turn.provider] = str(error)

    await asyncio.gather(*(take(turn) for turn in turns.values()))
    had = [turn for name, turn in turns.items() if name not in refused]
    keeping = [asyncio.create_task(turn.keep()) for turn in had]
    try:
        yield turns, refused
    finally:
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        await asyncio.gather(*(turn.give_back() for turn in had))
