"""What evacuate and pin share: what the planner would do with an order, giving it, and watching until DNS follows."""

import asyncio
import shlex
import sys
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import typer

from outlast.cli.audit import write_down
from outlast.cli.options import DEFAULT_CONFIG
from outlast.cli.output import printable, put, put_json
from outlast.cli.stdout import after_applying
from outlast.config import wire
from outlast.config.settings import Settings
from outlast.errors import InvalidConfig, OutlastError, Unavailable, did_you_mean
from outlast.interrupts import uninterrupted
from outlast.traffic.content import digest
from outlast.traffic.drafting import next_entries
from outlast.traffic.messages import InputsRead
from outlast.traffic.orders import Kind, Order, ordered_out, pin_of
from outlast.traffic.plan import Entry
from outlast.traffic.ports import Live, Place, Provider, Record, Registry
from outlast.traffic.sentinel import Sentinel, Standing, parse
from outlast.traffic.sightings import sight

LOOK_EVERY = 0.2
"""Seconds between two looks at a provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An order as the command line gives it: given or lifted, really or not, and how long to watch, in seconds."""

    order: Order
    undo: bool
    apply: bool
    wait: float
    as_json: bool


class Change(NamedTuple):
    """What the planner would make of an endpoint; `kept` are targets that the floors keep although ordered out.

    `shortage` says why what remains is too little for the load.
    """

    endpoint: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    kept: tuple[str, ...]
    shortage: str = ""


class Preview(NamedTuple):
    """What an order comes to. At the `held` places nobody follows it: `outlast thaw` lifts that."""

    changes: tuple[Change, ...]
    held: tuple[Place, ...]


class Arrival(NamedTuple):
    """When a provider answered the plan that followed, in seconds since the order; `None` if it did not in time."""

    place: Place
    seconds: float | None


def carry_out_order(settings: Settings, wish: Wish) -> None:
    """Tell what would change, and with `apply` give or lift the order and watch; leave with 0, or with 1 if DNS did not follow."""
    registry = wire.registry(settings, is_reader=not wish.apply)
    preview = asyncio.run(_preview(settings, registry, wish))
    arrivals: tuple[Arrival, ...] = ()
    if wish.apply:
        arrivals = _carried_out(settings, registry, wish, preview)
    elif not wish.as_json:
        _tell_preview(wish, preview)
    with after_applying(is_applied=wish.apply):
        if wish.as_json:
            put_json(_to_json(wish, preview, arrivals))
    late = [arrival for arrival in arrivals if arrival.seconds is None]
    raise typer.Exit(1 if late else 0)


def _carried_out(settings: Settings, registry: Registry, wish: Wish, preview: Preview) -> tuple[Arrival, ...]:
    begun, is_given = time.monotonic(), False
    try:
        with asyncio.Runner() as runner:
            with uninterrupted():
                runner.run(_give(registry, wish))
                is_given = True
            return runner.run(_tell_and_watch(settings, wish, preview, begun))
    except KeyboardInterrupt:
        # Whoever stops watching must not believe that the order is gone with it.
        if is_given:
            _tell_standing(settings, wish)
        raise


def _tell_standing(settings: Settings, wish: Wish) -> None:
    if wish.undo:
        sys.stderr.write("outlast: interrupted: the order is lifted all the same\n")
    else:
        lifting = _lifting(settings, wish.order)
        sys.stderr.write(f"outlast: interrupted: the order stands all the same\n  to lift it: {lifting}\n")


def _lifting(settings: Settings, order: Order) -> str:
    words = ["pin", order.endpoint] if order.kind is Kind.PIN else ["evacuate", order.subject]
    if order.kind is not Kind.PIN and order.endpoint:
        words += ["--endpoint", order.endpoint]
    if settings.path != DEFAULT_CONFIG:
        words += ["--config", str(settings.path)]
    return shlex.join(["outlast", *words, "--undo", "--apply"])


async def _preview(settings: Settings, registry: Registry, wish: Wish) -> Preview:
    inputs = await _inputs(settings, registry, wish)
    changes = _changes(settings, inputs, wish)
    return Preview(changes, await _held(settings, inputs.records, changes, is_asked=not wish.apply))


async def _inputs(settings: Settings, registry: Registry, wish: Wish) -> InputsRead:
    standing = {order.key: order for order in await registry.orders()}
    if wish.undo and not standing.keys() & set(wish.order.keys):
        raise _nothing_to_lift(settings, wish.order, tuple(standing.values()))
    for key in wish.order.keys:
        standing.pop(key, None)
    if not wish.undo:
        standing[wish.order.key] = wish.order
    return InputsRead(
        topology=settings.topology,
        plan=await registry.latest_plan(),
        floor=0,
        records=await registry.records(),
        reports=(),
        signals=await registry.signals(),
        wall=time.time_ns(),
        orders=tuple(standing.values()),
    )


def _nothing_to_lift(settings: Settings, order: Order, standing: tuple[Order, ...]) -> OutlastError:
    hint, endpoints = "outlast plan show lists those that do", settings.topology.endpoints
    names = {item.name for item in endpoints}
    words = {word for item in endpoints for target in item.targets for word in (target.region, target.address)}
    asked = (
        (order.endpoint, names, {it.endpoint for it in standing}),
        (order.subject, words, {it.subject for it in standing}),
    )
    for word, known, ordered in asked:
        if word and word not in known:
            near = did_you_mean(word, known | ordered)
            return InvalidConfig((f"no such order stands, and {word!r} is not in {settings.path}{near}",), hint=hint)
    return Unavailable("no such order stands", hint=hint)


def _changes(settings: Settings, inputs: InputsRead, wish: Wish) -> tuple[Change, ...]:
    entries = next_entries(inputs, int(settings.health.max_signal_age * 1e9))
    changes = [_change(inputs, entry) for entry in entries]
    # Where the floors keep all of it, or the plan has it already, the plan does not change; DNS is watched all the same.
    drafted = {change.endpoint for change in changes}
    others = [entry for entry in inputs.plan.entries if entry.endpoint not in drafted] if inputs.plan else []
    return (*changes, *(_change(inputs, entry) for entry in others if _is_meant(inputs, entry, wish)))


def _is_meant(inputs: InputsRead, entry: Entry, wish: Wish) -> bool:
    order, endpoint = wish.order, inputs.topology.endpoint(entry.endpoint)
    if endpoint is None or order.endpoint not in {"", entry.endpoint}:
        return False
    return order.kind is Kind.PIN or bool(_ordered(inputs, entry, wish))


def _ordered(inputs: InputsRead, entry: Entry, wish: Wish) -> set[str]:
    endpoint = inputs.topology.endpoint(entry.endpoint)
    if endpoint is None or wish.order.endpoint not in {"", entry.endpoint} or pin_of(endpoint, inputs.orders):
        return set()
    return {target.address for target in endpoint.targets if wish.order.subject in {target.region, target.address}}


def _change(inputs: InputsRead, entry: Entry) -> Change:
    previous = inputs.plan.entry(entry.endpoint) if inputs.plan is not None else None
    endpoint = inputs.topology.endpoint(entry.endpoint)
    ordered = ordered_out(endpoint, inputs.orders) if endpoint is not None else {}
    kept = tuple(it for it in entry.content.targets if it in ordered)
    before = previous.content.targets if previous is not None else ()
    return Change(entry.endpoint, before, entry.content.targets, kept, entry.shortage)


async def _held(
    settings: Settings, records: tuple[Record, ...], changes: tuple[Change, ...], *, is_asked: bool
) -> tuple[Place, ...]:
    # As an enactor sees it: the sentinel says it, and where none can be read, the record. An order that is given waits for
    # no provider that may be down, so that then the record alone is looked at.
    places = _concerned(settings, changes)
    standing = {Place(it.provider, it.endpoint): it.sentinel.standing for it in records}
    if is_asked and places:
        sightings = await sight(wire.readers(settings), places)
        seen = {it.place: parse(it.texts) for it in sightings if it.texts is not None}
        standing |= {place: it.standing for place, it in seen.items() if isinstance(it, Sentinel)}
    return tuple(place for place in places if standing.get(place) is Standing.HELD)


def _concerned(settings: Settings, changes: tuple[Change, ...]) -> tuple[Place, ...]:
    names = {change.endpoint for change in changes}
    return tuple(place for place in wire.places(settings) if place.endpoint in names)


async def _give(registry: Registry, wish: Wish) -> None:
    order = wish.order
    if not wish.undo:
        await registry.give_order(order)
    for key in order.keys[0 if wish.undo else 1 :]:
        await registry.lift_order(key)
    what = f"{order.kind}{' --undo' if wish.undo else ''}"
    subject = " ".join(word for word in (order.subject, order.endpoint, *order.addresses) if word)
    outcome = "lifted" if wish.undo else "ordered"
    await write_down(registry, by=order.by, what=what, subject=subject, why=order.reason, outcome=outcome)


async def _tell_and_watch(settings: Settings, wish: Wish, preview: Preview, begun: float) -> tuple[Arrival, ...]:
    # Told in here: whoever reads it may interrupt at once, and that should not meet a loop that is just being begun.
    with after_applying(is_applied=True):
        if not wish.as_json:
            _tell_preview(wish, preview)
    if not wish.wait:
        return ()
    concerned = {change.endpoint: change.after for change in preview.changes}
    places = _concerned(settings, preview.changes)
    readers = wire.readers(settings)  # one for all who look at a provider, who then share its connection
    watched = (_watch(readers[place.provider], place, concerned[place.endpoint], begun, wish) for place in places)
    return tuple(await asyncio.gather(*watched))


async def _watch(provider: Provider, place: Place, wanted: tuple[str, ...], begun: float, wish: Wish) -> Arrival:
    while time.monotonic() - begun < wish.wait:
        try:
            if _answers(await provider.read(place.endpoint), wanted):
                seconds = time.monotonic() - begun
                sys.stderr.write(f"{place.endpoint} at {place.provider}: follows after {seconds:.1f} s\n")
                return Arrival(place, seconds)
        except Unavailable:
            pass  # it may come back while there is time
        await asyncio.sleep(LOOK_EVERY)
    sys.stderr.write(f"{place.endpoint} at {place.provider}: DOES NOT FOLLOW within {wish.wait:g} s\n")
    return Arrival(place, None)


def _answers(live: Live, wanted: tuple[str, ...]) -> bool:
    seen = parse(live.sentinel)
    there = {value for item in live.sets for value in item.values}
    return isinstance(seen, Sentinel) and seen.digest == digest(live.sets) and there == set(wanted)


# ------------------------------------------------------------------------------------------------------ what is said


def _tell_preview(wish: Wish, preview: Preview) -> None:
    put(printable(f"{'lift' if wish.undo else 'order'}: {wish.order}"))
    for change in preview.changes:
        before, after = " ".join(change.before) or "nothing", " ".join(change.after)
        put(f"{change.endpoint}  {f'{before} -> {after}' if before != after else f'{after}, as planned already'}")
        if change.shortage:
            put(printable(f"  too little capacity: {change.shortage}"))
        elif change.kept:
            put(f"  kept, for a floor would be broken without: {' '.join(change.kept)}")
        at = [place.provider for place in preview.held if place.endpoint == change.endpoint]
        if at:
            put(f"  on hold at {', '.join(at)}: does not follow until outlast thaw {change.endpoint}")
    if not preview.changes:
        put("no endpoint changes")
    if not wish.apply:
        put("This was a dry run: nothing was written. Add --apply to do it.")


def _to_json(wish: Wish, preview: Preview, arrivals: tuple[Arrival, ...]) -> dict[str, Any]:
    slowest = max((arrival.seconds for arrival in arrivals if arrival.seconds is not None), default=None)
    return {
        "order": {**wish.order._asdict(), "at": wish.order.at / 1e9},
        "undo": wish.undo,
        "applied": wish.apply,
        "endpoints": [change._asdict() for change in preview.changes],
        "held": [place._asdict() for place in preview.held],
        "arrivals": [{**arrival.place._asdict(), "seconds": arrival.seconds} for arrival in arrivals],
        "slowest_seconds": slowest,
    }
