"""The exporter: looks at the control plane every interval, and serves what it sees. It reads, and changes nothing."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from outlast.config import wire
from outlast.config.notices import Tell
from outlast.config.overview import oversee, probed_targets
from outlast.config.reading import Line, read_places
from outlast.config.settings import Settings
from outlast.config.source import followed
from outlast.errors import OutlastError
from outlast.health.signal import Signal
from outlast.telemetry.watch import PlaceReading, Snapshot, Watch
from outlast.traffic.assessment import Agreement
from outlast.traffic.content import digest, targets_in
from outlast.traffic.evidence import place_of
from outlast.traffic.messages import InputsRead
from outlast.traffic.ports import Registry
from outlast.traffic.sentinel import Sentinel, parse


class Serve(Protocol):
    """What shows the watch to others: `telemetry.prometheus.served`."""

    def __call__(self, watch: Watch, *, address: str, port: int) -> AbstractContextManager[int]: ...


class Listening(NamedTuple):
    """Where it serves and by what, and how often it looks, in seconds."""

    serve: Serve
    address: str
    port: int
    interval: float


async def run_exporter(
    settings: Settings,
    listening: Listening,
    *,
    stop: asyncio.Event,
    started: Callable[[int], None],
    tell: Tell,
) -> None:
    """Look and serve until `stop` is set; `started` is told the port. Edits of the file's endpoints are followed.

    `tell` is told why an edit is not followed, and when a later one is.

    Raises:
        InvalidConfig: It shall listen for other machines.
        OSError: It cannot listen.

    """
    watch, source = Watch(), followed(settings, "exporter", tell)
    with listening.serve(watch, address=listening.address, port=listening.port) as port:
        started(port)
        while not stop.is_set():
            watch.look(await _look(source.settings))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), listening.interval)


async def _look(settings: Settings) -> Snapshot:
    registry = wire.registry(settings, is_reader=True)
    lines = await read_places(settings, wire.places(settings), registry, wire.readers(settings))
    snapshot = Snapshot(time.time_ns(), tuple(map(_reading, lines)))
    with contextlib.suppress(OutlastError):
        return await _with_registry(settings, snapshot, registry)
    return snapshot


async def _with_registry(settings: Settings, snapshot: Snapshot, registry: Registry) -> Snapshot:
    plan, orders, signals = await registry.latest_plan(), await registry.orders(), await registry.signals()
    records, reports, floor = await registry.records(), await registry.reports(), await registry.floor()
    inputs = InputsRead(settings.topology, plan, floor, records, reports, signals, time.time_ns(), orders)
    overview = oversee(settings, inputs)
    return snapshot._replace(
        generation=floor,
        plan_at=plan.at if plan is not None else None,
        reports=len(reports),
        orders=len(orders),
        signals_at=_oldest(signals, probed_targets(settings.topology)),
        not_following=len({late.endpoint for late in overview.orders}),
        are_probers_silent=overview.silent is not None,
        unlisted=len(overview.unlisted),
        elsewhere=len(overview.elsewhere),
    )


def _oldest(signals: tuple[Signal, ...], probed: frozenset[str]) -> int | None:
    # Of a place's signals the newest counts: a prober gets another name with another machine, and nobody takes back what
    # it said under the old one.
    newest: dict[tuple[str, str], int] = {}
    for signal in signals:
        if signal.target in probed:
            seen = signal.target, place_of(signal.observer)
            newest[seen] = max(signal.at, newest.get(seen, 0))
    return min(newest.values(), default=None)


def _reading(line: Line) -> PlaceReading:
    live = line.live
    if isinstance(live, str):
        return PlaceReading(line.place, line.assessment.agreement, None, "", 0, *_told(line))
    seen = parse(live.sentinel)
    sentinel = seen if isinstance(seen, Sentinel) else None
    count = 0 if line.assessment.agreement is Agreement.DANGLING else len(targets_in(live.sets))
    return PlaceReading(line.place, line.assessment.agreement, sentinel, digest(live.sets), count, *_told(line))


def _told(line: Line) -> tuple[bool, bool]:
    entry = None if isinstance(line.known, str) else line.known.entry
    return (False, False) if entry is None else (bool(entry.shortage), bool(entry.waits_for))
