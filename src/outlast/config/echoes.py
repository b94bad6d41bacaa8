"""What secondaries answer for an endpoint while its primary answers something newer. It only reads, and gates nothing.

A provider may name its `secondaries`, which answer most of a zone's questions and learn of changes by zone transfer. Of
each two things are asked: the zone's serial, and what stands at the endpoint. A serial alone says that something in the
zone is missing, the records that it is this endpoint. What differs is asked of the primary once more before it is told: it
may have changed in between.
"""

import asyncio
import time
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from outlast.config import wire
from outlast.config.reading import Line
from outlast.config.settings import ServerSettings, Settings
from outlast.errors import OutlastError
from outlast.traffic.assessment import Agreement
from outlast.traffic.content import describe
from outlast.traffic.plan import Entry
from outlast.traffic.ports import Live, Place, PlanInfo, Provider, Registry

if TYPE_CHECKING:
    from outlast.provider.secondaries import ReadBack

CONCURRENT = 16
"""Endpoints asked about at once."""
PATIENCE = 60.0
"""Seconds that a secondary may always lag: a transfer that fails once is tried again."""


class Reach(StrEnum):
    """How far a secondary has come."""

    IN_STEP = "in step"
    BEHIND = "behind"
    """Its serial is smaller than the primary's."""
    OTHER = "other records"
    """Its serial is not, and yet it answers something else."""
    SILENT = "silent"


class Echo(NamedTuple):
    """What a secondary says of an endpoint. `live` is what it answers, `None` if it does not.

    `is_overdue`: it answers other records than the primary, which has had the plan for longer than the zone's refresh.
    """

    server: str
    reach: Reach
    words: str = ""
    serial: int | None = None
    live: Live | None = None
    is_overdue: bool = False


class _Zone(NamedTuple):
    """What was said of a zone at one provider: by its secondaries in the order of the settings, or why nothing was."""

    told: "tuple[ReadBack, ...] | str"
    patience: float = PATIENCE


async def listen(settings: Settings, lines: tuple[Line, ...], registry: Registry) -> dict[Place, tuple[Echo, ...]]:
    """Ask the secondaries of every place that has some; what cannot be read is told, never raised."""
    having = {it.name: it for it in settings.providers if isinstance(it, ServerSettings) and it.secondaries}
    asked = [line for line in lines if line.place.provider in having]
    if not asked:
        return {}
    zones = {(it.place.provider, having[it.place.provider].zone_of(it.place.endpoint)) for it in asked}
    found = await asyncio.gather(*(_zone(having[name], zone) for name, zone in zones))
    seen, plans = dict(zip(zones, found, strict=True)), await _plans(registry)
    readers, room = wire.readers(settings), asyncio.Semaphore(CONCURRENT)

    async def one(line: Line) -> tuple[Echo, ...]:
        at, place = having[line.place.provider], line.place
        zone = seen[place.provider, at.zone_of(place.endpoint)]
        if isinstance(zone.told, str):
            return tuple(Echo(server_text(it), Reach.SILENT, f"not compared: {zone.told}") for it in at.secondaries)
        since = _in_step_for(line, plans)
        async with room:
            echoes = [
                await _echo(place.endpoint, readers[place.provider], wire.secondary(at, server), back)
                for server, back in zip(at.secondaries, zone.told, strict=True)
            ]
        return tuple(it._replace(is_overdue=it.is_overdue and since > zone.patience) for it in echoes)

    return dict(zip((line.place for line in asked), await asyncio.gather(*map(one, asked)), strict=True))


async def _zone(at: ServerSettings, zone: str) -> _Zone:
    from outlast.provider import secondaries

    primary = secondaries.Server(at.address, at.port)
    servers = tuple(secondaries.Server(*it) for it in at.secondaries)
    try:
        start = await secondaries.read_start(zone, primary, at.timeout)
        told = await secondaries.read_back(zone, primary=primary, secondaries=servers, seconds=at.timeout)
    except OutlastError as error:
        return _Zone(error.message)
    return _Zone(told, max(PATIENCE, start.refresh))


async def _echo(endpoint: str, primary: Provider, secondary: Provider, back: "ReadBack") -> Echo:
    server = server_text(back.server)
    if back.serial is None:
        return Echo(server, Reach.SILENT, back.detail)
    try:
        wanted = await primary.read(endpoint)
        live = await secondary.read(endpoint)
        if live != wanted:
            wanted = await primary.read(endpoint)
    except OutlastError as error:
        return Echo(server, Reach.SILENT, str(error), back.serial)
    differs = live != wanted
    if back.is_current and not differs:
        return Echo(server, Reach.IN_STEP, "", back.serial, live)
    why = back.detail or f"serial {back.serial}, and the primary has no more"
    answers = f"still answers {describe(live.sets) or 'nothing'}" if live.sets != wanted.sets else "the same addresses"
    reach = Reach.OTHER if back.is_current else Reach.BEHIND
    return Echo(server, reach, f"{why}; {answers}", back.serial, live, is_overdue=differs)


def server_text(server: tuple[str, int]) -> str:
    """A server as the configuration writes it."""
    address, port = server
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


# ------------------------------------------------------------------------------------------------------ for how long


async def _plans(registry: Registry) -> tuple[PlanInfo, ...]:
    try:
        return await registry.plans()
    except OutlastError:
        return ()


def _in_step_for(line: Line, plans: tuple[PlanInfo, ...]) -> float:
    """For how many seconds the primary may have had the plan; 0 if it has not, or if that cannot be told."""
    entry = None if isinstance(line.known, str) else line.known.entry
    if entry is None or line.assessment.agreement is not Agreement.IN_STEP:
        return 0.0
    return published_for(entry, plans, time.time_ns())


def published_for(entry: Entry, plans: tuple[PlanInfo, ...], wall: int) -> float:
    """For how many seconds at least a plan has said what this entry says; 0 if no such plan is kept.

    The plan in which it last changed may be gone; then it is older than each that is kept and newer.
    """
    at = min((it.at for it in plans if it.generation >= entry.generation), default=wall)
    return max(0.0, (wall - at) / 1e9)


def differing(echoes: Mapping[Place, tuple[Echo, ...]]) -> tuple[str, ...]:
    """What a person should read of them: whatever is not in step."""
    return tuple(
        f"{'ALARM ' if it.is_overdue else ''}{place.endpoint} at {place.provider}: secondary {it.server} {it.reach}: {it.words}"
        for place, found in echoes.items()
        for it in found
        if it.reach is not Reach.IN_STEP
    )
