"""Reads the sentinels of many endpoints for whoever decides on all of them: side by side, as many as each provider takes."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from outlast.errors import Unavailable
from outlast.traffic.messages import Sighting
from outlast.traffic.ports import Place, Provider

PATIENCE = 1.0
"""Seconds in which a provider answers nobody, after which the rest of its places is not asked for."""


async def sight(
    providers: Mapping[str, Provider],
    places: Sequence[Place],
    *,
    within: float | None = None,
    patience: float = PATIENCE,
) -> tuple[Sighting, ...]:
    """What stands in the sentinel's place, for each of these places once, in no order.

    A provider that is silent costs as long as it keeps one asker waiting, and not that for every endpoint; `within` so
    many seconds at most. What is refused at once costs nothing, and is asked for to the end.
    """
    by_provider: dict[str, list[Place]] = {}
    for place in places:
        by_provider.setdefault(place.provider, []).append(place)
    found: list[Sighting] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within):
            await asyncio.gather(
                *(_sight(providers.get(name), there, patience, found) for name, there in by_provider.items())
            )
    seen = {sighting.place for sighting in found}
    missed = (Sighting(place, None, f"no answer within {within:g} s") for place in places if place not in seen)
    return (*found, *missed)


async def _sight(provider: Provider | None, places: Sequence[Place], patience: float, found: list[Sighting]) -> None:
    if provider is None:
        found += (Sighting(place, None, f"no provider {place.provider!r} is configured here") for place in places)
        return
    now = asyncio.get_running_loop().time
    queue, heard, is_silent = iter(places), now(), False

    async def work() -> None:
        nonlocal heard, is_silent
        for place in queue:
            if is_silent:
                found.append(Sighting(place, None, f"{provider.name} answers nobody, so it was not asked"))
                continue
            try:
                found.append(Sighting(place, await provider.read_sentinel(place.endpoint)))
                heard, is_silent = now(), False
            except Unavailable as error:
                found.append(Sighting(place, None, str(error)))
                is_silent = now() - heard > patience

    await asyncio.gather(*(work() for _ in range(min(provider.at_once, len(places)))))
