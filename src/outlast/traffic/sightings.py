"""Reads the sentinels of many endpoints for whoever decides on all of them: side by side, as many as each provider takes."""

import asyncio
from collections.abc import Mapping, Sequence

from outlast.errors import Unavailable
from outlast.traffic.messages import Sighting
from outlast.traffic.ports import Place, Provider

PATIENCE = 1.0
"""Seconds in which a provider answers nobody, after which the rest of its places is not asked for."""


async def sight(
    providers: Mapping[str, Provider], places: Sequence[Place], *, patience: float = PATIENCE
) -> tuple[Sighting, ...]:
    """What stands in the sentinel's place, for each of these places once, in no order.

    A provider that is silent costs as long as it keeps one asker waiting, and not that for every endpoint. What is refused
    at once costs nothing, and is asked for to the end.
    """
    by_provider: dict[str, list[Place]] = {}
    for place in places:
        by_provider.setdefault(place.provider, []).append(place)
    found = await asyncio.gather(*(_sight(providers.get(name), there, patience) for name, there in by_provider.items()))
    return tuple(sighting for there in found for sighting in there)


async def _sight(provider: Provider | None, places: Sequence[Place], patience: float) -> list[Sighting]:
    if provider is None:
        return [Sighting(place, None, f"no provider {place.provider!r} is configured here") for place in places]
    now = asyncio.get_running_loop().time
    found, queue, heard, is_silent = list[Sighting](), iter(places), now(), False

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
    return found
