"""Reads the sentinels of many endpoints for whoever decides on all of them: side by side, as many as each provider takes."""

import asyncio
from collections.abc import Mapping, Sequence

from outlast.errors import Unavailable
from outlast.traffic.messages import Sighting
from outlast.traffic.ports import Place, Provider


async def sight(providers: Mapping[str, Provider], places: Sequence[Place]) -> tuple[Sighting, ...]:
    """What stands in the sentinel's place, for each of these places once, in no order.

    A provider that answers nobody costs as long as it keeps one asker waiting, and not that for every endpoint: when as
    many readings in a row were in vain as are made at a time, the rest of its places is not asked for.
    """
    by_provider: dict[str, list[Place]] = {}
    for place in places:
        by_provider.setdefault(place.provider, []).append(place)
    found = await asyncio.gather(*(_sight(providers.get(name), there) for name, there in by_provider.items()))
    return tuple(sighting for there in found for sighting in there)


async def _sight(provider: Provider | None, places: Sequence[Place]) -> list[Sighting]:
    if provider is None:
        return [Sighting(place, None, f"no provider {place.provider!r} is configured here") for place in places]
    found, queue, in_vain = list[Sighting](), iter(places), 0

    async def work() -> None:
        nonlocal in_vain
        for place in queue:
            if in_vain >= provider.at_once:
                found.append(Sighting(place, None, f"{provider.name} answers nobody, so it was not asked"))
                continue
            try:
                found.append(Sighting(place, await provider.read_sentinel(place.endpoint)))
                in_vain = 0
            except Unavailable as error:
                found.append(Sighting(place, None, str(error)))
                in_vain += 1

    await asyncio.gather(*(work() for _ in range(min(provider.at_once, len(places)))))
    return found
