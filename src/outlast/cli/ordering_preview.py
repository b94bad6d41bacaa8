"""What an order would come to: what the planner would make of it, and what stands in its way at which endpoint."""

import shlex
import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from outlast.cli.options import DEFAULT_CONFIG
from outlast.config import wire
from outlast.config.settings import Settings
from outlast.errors import InvalidConfig, OutlastError, Unavailable, did_you_mean
from outlast.traffic.drafting import next_entries
from outlast.traffic.edition import differing
from outlast.traffic.kept import kept
from outlast.traffic.messages import InputsRead
from outlast.traffic.orders import EVACUATIONS, Kind, Order, pin_of
from outlast.traffic.plan import Entry
from outlast.traffic.ports import Place, Record, Registry
from outlast.traffic.sentinel import Sentinel, Standing, parse
from outlast.traffic.sightings import sight
from outlast.traffic.topology import Endpoint
from outlast.traffic.unfollowed import unfollowed


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


class Obstacle(NamedTuple):
    """What keeps an endpoint from following, and the command that lifts it: a `pin`, or at a provider a `hold`."""

    what: str
    endpoint: str
    provider: str
    words: str
    lifted_by: str

    def __str__(self) -> str:
        return f"{self.words}, until: {self.lifted_by}"


class Preview(NamedTuple):
    """What an order comes to; `standing` are orders about the same thing that stand already.

    `elsewhere` says which newer file the plan follows where it differs from this one, or knows more; empty if it does not.
    """

    changes: tuple[Change, ...]
    pins: tuple[Obstacle, ...]
    holds: tuple[Obstacle, ...]
    standing: tuple[Order, ...]
    elsewhere: str = ""


async def preview(settings: Settings, registry: Registry, wish: Wish) -> Preview:
    """Ask what the planner would do with the order, and what would not follow it.

    Raises:
        InvalidConfig: It is to be lifted, does not stand, and names what nobody knows.
        Unavailable: It is to be lifted and does not stand; or the registry was not reached.

    """
    orders = {order.key: order for order in await registry.orders()}
    standing = tuple(order for key in wish.order.keys if (order := orders.get(key)) is not None)
    inputs = await _inputs(settings, registry, wish, orders)
    pins = tuple(_pins(settings, inputs, wish))
    changes = _changes(settings, inputs, wish, {pin.endpoint for pin in pins})
    holds = await _holds(settings, inputs.records, changes, is_asked=not wish.apply)
    return Preview(changes, pins, holds, standing, _elsewhere(inputs))


def _elsewhere(inputs: InputsRead) -> str:
    plan = inputs.plan
    if plan is None:
        return ""
    known = all(inputs.topology.endpoint(entry.endpoint) is not None for entry in plan.entries)
    return str(plan.edition) if plan.edition.digest and (not known or differing(inputs.topology, plan)) else ""


def concerned(settings: Settings, changes: tuple[Change, ...]) -> tuple[Place, ...]:
    """Where these endpoints are."""
    names = {change.endpoint for change in changes}
    return tuple(place for place in wire.places(settings) if place.endpoint in names)


def lifting(settings: Settings, order: Order) -> str:
    """The command that lifts an order."""
    words = ["pin", order.endpoint] if order.kind is Kind.PIN else ["evacuate", order.subject]
    if order.kind is not Kind.PIN and order.endpoint:
        words += ["--endpoint", order.endpoint]
    return _command(settings, *words, flags=("--undo", "--apply"))


def hold_at(settings: Settings, place: Place, hold: Sentinel) -> Obstacle:
    """What a hold at a place keeps from following."""
    thaw = _command(settings, "thaw", place.endpoint, flags=("--apply",))
    return Obstacle("hold", place.endpoint, place.provider, f"on hold at {place.provider} by {hold.by}", thaw)


def _command(settings: Settings, *words: str, flags: tuple[str, ...]) -> str:
    other = () if settings.path == DEFAULT_CONFIG else ("--config", str(settings.path))
    return shlex.join(["outlast", *words, *other, *flags])


async def _inputs(
    settings: Settings, registry: Registry, wish: Wish, orders: dict[tuple[str, str, str], Order]
) -> InputsRead:
    standing = dict(orders)
    if wish.undo and not standing.keys() & set(wish.order.keys):
        raise _nothing_to_lift(settings, wish.order, tuple(standing.values()))
    for key in wish.order.keys:
        standing.pop(key, None)
    if not wish.undo:
        standing[wish.order.key] = wish.order
    return await _read(settings, registry, tuple(standing.values()))


async def followed(settings: Settings, registry: Registry) -> dict[str, tuple[str, ...]]:
    """By endpoint, what the latest plan has, if it follows the orders that stand now.

    Raises:
        OutlastError: The registry was not reached, or what it says is damaged.

    """
    inputs = await _read(settings, registry, await registry.orders())
    late = {it.endpoint for it in unfollowed(inputs, int(settings.health.max_signal_age * 1e9))}
    entries = inputs.plan.entries if inputs.plan is not None else ()
    return {it.endpoint: it.content.targets for it in entries if it.endpoint not in late}


async def _read(settings: Settings, registry: Registry, orders: tuple[Order, ...]) -> InputsRead:
    return InputsRead(
        topology=settings.topology,
        plan=await registry.latest_plan(),
        floor=0,
        records=await registry.records(),
        reports=(),
        signals=await registry.signals(),
        wall=time.time_ns(),
        orders=orders,
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


def _pins(settings: Settings, inputs: InputsRead, wish: Wish) -> Iterator[Obstacle]:
    # A pin goes before evacuations. It is in the way of one if it keeps what shall leave in, or out what shall come back.
    for endpoint in inputs.topology.endpoints if wish.order.kind in EVACUATIONS else ():
        pin = pin_of(endpoint, inputs.orders)
        if pin is None:
            continue
        pinned = set(pin.addresses)
        meant = _meant(endpoint, wish.order)
        if meant - pinned if wish.undo else meant & pinned:
            yield Obstacle("pin", endpoint.name, "", f"standing order {str(pin)!r}", lifting(settings, pin))


def _changes(settings: Settings, inputs: InputsRead, wish: Wish, pinned: AbstractSet[str]) -> tuple[Change, ...]:
    entries = next_entries(inputs, int(settings.health.max_signal_age * 1e9))
    changes = [_change(inputs, entry) for entry in entries]
    # Where the floors or a pin keep all of it, or the plan has it already, the plan does not change; it is told all the same.
    drafted = {change.endpoint for change in changes}
    others = [entry for entry in inputs.plan.entries if entry.endpoint not in drafted] if inputs.plan else []
    return (*changes, *(_change(inputs, it) for it in others if it.endpoint in pinned or _is_meant(inputs, it, wish)))


def _is_meant(inputs: InputsRead, entry: Entry, wish: Wish) -> bool:
    order, endpoint = wish.order, inputs.topology.endpoint(entry.endpoint)
    if endpoint is None:
        return False
    if order.kind is Kind.PIN:
        return order.endpoint == entry.endpoint
    return pin_of(endpoint, inputs.orders) is None and bool(_meant(endpoint, order))


def _meant(endpoint: Endpoint, order: Order) -> set[str]:
    # The targets that an evacuation is about.
    if order.endpoint not in {"", endpoint.name}:
        return set()
    return {target.address for target in endpoint.targets if order.subject in {target.region, target.address}}


def _change(inputs: InputsRead, entry: Entry) -> Change:
    previous = inputs.plan.entry(entry.endpoint) if inputs.plan is not None else None
    endpoint = inputs.topology.endpoint(entry.endpoint)
    against = kept(endpoint, entry, inputs.orders) if endpoint is not None else ()
    before = previous.content.targets if previous is not None else ()
    return Change(entry.endpoint, before, entry.content.targets, tuple(it.address for it in against), entry.shortage)


async def _holds(
    settings: Settings, records: tuple[Record, ...], changes: tuple[Change, ...], *, is_asked: bool
) -> tuple[Obstacle, ...]:
    # As an enactor sees it: the sentinel says it, and where none can be read, the record. An order that is given waits for
    # no provider that may be down, so that then the record alone is looked at.
    places = concerned(settings, changes)
    standing = {Place(it.provider, it.endpoint): it.sentinel for it in records}
    if is_asked and places:
        sightings = await sight(wire.readers(settings), places)
        seen = {it.place: parse(it.texts) for it in sightings if it.texts is not None}
        standing |= {place: it for place, it in seen.items() if isinstance(it, Sentinel)}
    found = ((place, standing.get(place)) for place in places)
    return tuple(hold_at(settings, place, it) for place, it in found if it and it.standing is Standing.HELD)
