"""Reads endpoints from their primaries and the registry, and judges each: what status prints and the exporter counts."""

import asyncio
import time
from collections.abc import Mapping
from typing import NamedTuple

from outlast.config.settings import Settings
from outlast.errors import OutlastError
from outlast.health.signal import Signal
from outlast.traffic.assessment import Assessment, assess, heard
from outlast.traffic.evidence import Evidence, freshest
from outlast.traffic.ports import Known, Live, Place, Provider, Registry, Tier

CONCURRENT = 16
"""Places read at once."""


class Line(NamedTuple):
    """One endpoint at one provider; a text in place of a reading is why there is none."""

    place: Place
    known: Known | str
    live: Live | str
    assessment: Assessment
    tier: Tier = Tier.T1


async def read_places(
    settings: Settings,
    places: tuple[Place, ...],
    registry: Registry,
    providers: Mapping[str, Provider],
    *,
    signals: tuple[Signal, ...] | None = None,
    down: str = "",
) -> tuple[Line, ...]:
    """Read all of them, a few at a time. What cannot be read is told, never raised.

    `signals`: if they were read already. `down`: why the registry did not answer, if it was asked already.
    """
    room = asyncio.Semaphore(CONCURRENT)
    evidence = _fresh(settings, await _signals(registry) if signals is None else signals)

    async def one(place: Place) -> Line:
        async with room:
            # The primary first: a registry read later can only be newer, so an apply in between looks like "behind".
            provider = providers[place.provider]
            live = await _live(provider, place.endpoint)
            known = down or await _known(registry, place)
            assessment = heard(assess(settings.realm, known, live), live, evidence)
            return Line(place, known, live, assessment, provider.tier)

    return tuple(await asyncio.gather(*(one(place) for place in places)))


async def _signals(registry: Registry) -> tuple[Signal, ...]:
    try:
        return await registry.signals()
    except OutlastError:
        return ()


def _fresh(settings: Settings, signals: tuple[Signal, ...]) -> Mapping[str, Evidence]:
    return freshest(signals, wall=time.time_ns(), max_age=int(settings.health.max_signal_age * 1e9))


async def _live(provider: Provider, endpoint: str) -> Live | str:
    try:
        return await provider.read(endpoint)
    except OutlastError as error:
        return str(error)


async def _known(registry: Registry, place: Place) -> Known | str:
    try:
        return await registry.known(place.provider, place.endpoint)
    except OutlastError as error:
        return str(error)
