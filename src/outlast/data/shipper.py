"""Carries a region's outbox to another region, and says how far behind it is.

The target's word is the only position: it is asked at the start and after every failure, and each batch begins where it
says it stands. A target that is further than the source itself means that the source was restored from a backup: its
next writes would be taken for repetitions. Then nothing is sent and a person is told.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from outlast.data.changes import BATCH_LIMIT, Batch, Lag
from outlast.data.region import RegionStore
from outlast.errors import InvalidConfig, OutlastError, Refused, Unavailable


class Target(Protocol):
    """Another region, as the shipper sees it."""

    async def apply(self, batch: Batch) -> int:
        """Take over the batch's writes and return the position of its origin, durable there.

        Idempotent by origin and sequence; an empty batch only asks. Any exception means that nothing is known.
        """
        ...


class StoreTarget:
    """A target in this process: another region's store, whose file work gets a thread."""

    def __init__(self, store: RegionStore) -> None:
        self._store = store

    async def apply(self, batch: Batch) -> int:
        """Take over the batch."""
        return await asyncio.to_thread(self._store.apply, batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipperOptions:
    """How the shipper goes about it; times in seconds.

    Args:
        batch: Changes sent at once.
        interval: Between looks at an empty outbox.
        timeout: Of one batch.
        backoff_min: Before the first try after a failure; doubled with each.
        backoff_max: At most; catching up begins this long after the target is back.

    Raises:
        InvalidConfig: Out of range; all faults at once.

    """

    batch: int = 200
    interval: float = 0.05
    timeout: float = 5.0
    backoff_min: float = 0.05
    backoff_max: float = 1.0

    def __post_init__(self) -> None:
        faults = []
        if not 1 <= self.batch <= BATCH_LIMIT:
            faults.append(f"batch = {self.batch} is not within 1 and {BATCH_LIMIT}")
        if not 0 < self.backoff_min <= self.backoff_max <= 60:
            faults.append(f"backoff from {self.backoff_min:g} to {self.backoff_max:g} s: want 0 < min <= max <= 60")
        faults += [
            f"{name} = {value:g} s is not within 0.001 and 60"
            for name, value in (("interval", self.interval), ("timeout", self.timeout))
            if not 0.001 <= value <= 60
        ]
        if faults:
            raise InvalidConfig(tuple(faults))


class Progress(NamedTuple):
    """How the shipping goes.

    Args:
        shipped: Changes confirmed since this shipper was made.
        failures: Tries in a row that failed; 0 if the last went through.
        last_failure: The newest error, or an empty string.
        is_stuck: A person must look: trying again cannot help.

    """

    shipped: int
    failures: int
    last_failure: str
    is_stuck: bool


class Shipper:
    """Ships until cancelled.

    Args:
        store: Whose outbox.
        target: Where to.
        name: The target's name; under it the store remembers how far it got.
        options: How.

    """

    def __init__(self, store: RegionStore, target: Target, *, name: str, options: ShipperOptions | None = None) -> None:
        self._store = store
        self._target = target
        self._name = name
        self._options = options or ShipperOptions()
        self._position: int | None = None
        self._progress = Progress(0, 0, "", is_stuck=False)

    def __repr__(self) -> str:
        return f"<Shipper {self._store.origin.region} to {self._name} at {self._position} {self._progress}>"

    def progress(self) -> Progress:
        """Return how it goes."""
        return self._progress

    async def lag(self) -> Lag:
        """Return how far the target is behind, as far as it has told."""
        return await asyncio.to_thread(self._store.lag, self._name)

    async def run(self, *, jitter: Callable[[], float] = random.random) -> None:
        """Ship for ever; `jitter` (0 up to 1) spreads the tries of many shippers after a failure."""
        while True:
            try:
                shipped = await self.ship()
            except OutlastError:
                await asyncio.sleep(self.backoff(jitter()))
            else:
                # A full batch means that more is waiting.
                await asyncio.sleep(0 if shipped == self._options.batch else self._options.interval)

    async def ship(self) -> int:
        """Send one batch and return how many changes the target confirmed.

        Raises:
            Unavailable: The target did not answer; try again later.
            Refused: The target is ahead of the source, or will not take its writes.

        """
        try:
            if self._position is None:
                await self._learn(await self._send(Batch(origin=self._store.origin, changes=())))
            assert self._position is not None
            before = self._position
            batch = await asyncio.to_thread(self._store.changes, before, limit=self._options.batch)
            if batch.changes:
                await self._learn(await self._send(batch))
        except Exception as error:
            # Whatever the target's transport raises: the position is unknown until it is asked again.
            self._position = None
            raise self._failed(error) from error
        shipped = max(0, self._position - before)
        self._progress = Progress(self._progress.shipped + shipped, 0, "", is_stuck=False)
        return shipped

    async def _send(self, batch: Batch) -> int:
        async with asyncio.timeout(self._options.timeout):
            return await self._target.apply(batch)

    async def _learn(self, position: int) -> None:
        last = await asyncio.to_thread(self._store.last)
        if position > last:
            raise Refused(
                f"{self._name} has {position} writes of {self._store.origin.region}, which itself has {last}",
                hint="the source was restored from a backup: copy the newer writes back before anything is written here",
            )
        await asyncio.to_thread(self._store.confirm, self._name, position)
        self._position = position

    def _failed(self, error: Exception) -> OutlastError:
        is_stuck = isinstance(error, Refused)
        told = error if isinstance(error, OutlastError) else Unavailable(f"{self._name}: {error!r}")
        self._progress = Progress(self._progress.shipped, self._progress.failures + 1, str(told), is_stuck=is_stuck)
        return told

    def backoff(self, chance: float) -> float:
        """Return the seconds to wait after the present run of failures; `chance` from 0 up to 1 spreads them."""
        options = self._options
        bound = min(options.backoff_max, options.backoff_min * 2.0 ** min(self._progress.failures, 20))
        return bound * (0.5 + chance / 2)
