"""What `route53 leave` and `route53 return` share: the order, or what is said at this machine, and asking the watches."""

import asyncio
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import typer

from outlast.cli.audit import unchanged, write_down
from outlast.cli.hold import user
from outlast.cli.names import listed
from outlast.cli.output import printable, put, put_json
from outlast.cli.stdout import after_applying
from outlast.config import leaving, wire
from outlast.config.leaving import Region
from outlast.config.settings import Route53Settings, Settings
from outlast.errors import InvalidConfig, OutlastError, Refused, Unavailable, did_you_mean
from outlast.provider.route53_failover import Watch, quorum, regions_of, uppers, watch_of
from outlast.provider.route53_watch import asks
from outlast.traffic.orders import Kind, Order
from outlast.traffic.ports import Registry

ASK_SECONDS = 4.0
"""For one answer of a watch; as long as Route 53's health checkers wait for a connection."""
ASK_EVERY = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What the command line says: that a region is left, or not any more."""

    left: bool
    region: str
    here: bool
    wait: float
    apply: bool
    reason: str
    as_json: bool


class Says(NamedTuple):
    """What a watch says of a name's region; a text is why it could not be asked."""

    endpoint: str
    watch: Watch
    left: bool | str


class Told(NamedTuple):
    """One prepared name: the regions that answer afterwards, and what its watches say."""

    endpoint: str
    answering: tuple[str, ...]
    says: tuple[Says, ...] = ()

    def is_heard(self, *, left: bool) -> bool:
        """Whether Route 53's health checkers hear it from as many watches as they believe, if these were asked.

        Of a region that is come back to: whether so many say so that the others could not outvote them.
        """
        said, enough = sum(it.left is left for it in self.says), quorum(len(self.says))
        return not self.says or (said >= enough if left else len(self.says) - said < enough)


def signal(settings: Settings, names: list[str], wish: Signal) -> None:
    """Say what shall be said, ask the watches for it, and leave with 0, or with 1 if too few of them say so."""
    told = asyncio.run(_carry_out(settings, names, wish))
    with after_applying(is_applied=wish.apply):
        if wish.as_json:
            put_json(_to_json(told, wish))
        else:
            _print(told, wish)
    raise typer.Exit(0 if all(it.is_heard(left=wish.left) for it in told) else 1)


async def _carry_out(settings: Settings, names: list[str], wish: Signal) -> list[Told]:
    places = leaving.places(settings, leaving.WATCH_NAME)
    registry = None if wish.here else wire.registry(settings, is_reader=not wish.apply)
    left = _left_here(places) if registry is None else leaving.left_by(await _orders(registry, wish))
    told = [_told(upper, regions, left, wish) for upper, regions in _chosen(settings, names, wish.region, left)]
    if not wish.apply:
        return told
    for it in told:
        region = Region(it.endpoint, wish.region)
        await _say(registry, places, region, wish)
        await _write_down(settings, registry, region, wish, was_left=region in left)
    return told if wish.here else await _wait(settings, told, wish)


async def _orders(registry: Registry, wish: Signal) -> tuple[Order, ...]:
    try:
        return await registry.orders()
    except OutlastError as error:
        verb = "leave" if wish.left else "return"
        fix = f"at each watch's machine: outlast route53 {verb} {wish.region} --here --apply"
        raise Unavailable(error.message, hint=fix) from error


def _left_here(places: leaving.Places) -> frozenset[Region]:
    ordered, here = leaving.load_ordered(places), leaving.load_here(places)
    return frozenset(it for it in {*ordered, *here} if leaving.is_left(it, ordered, here))


def _chosen(
    settings: Settings, names: list[str], region: str, left: Collection[Region]
) -> Iterable[tuple[str, tuple[str, ...]]]:
    # What is left stays returnable although it is not configured any more.
    zones = [it for it in settings.providers if isinstance(it, Route53Settings)]
    there = {
        it.name: regions_of(it) for it in uppers(settings.topology.endpoints) if any(z.zone_of(it.name) for z in zones)
    }
    for item in left:
        there.setdefault(item.endpoint, (item.region,))
    fitting = {name: regions for name, regions in there.items() if region in regions}
    wanted = [name.lower().rstrip(".") for name in names] or sorted(fitting)
    unknown = [name for name in wanted if name not in fitting]
    if unknown or not wanted:
        names_there = listed(f"{name} ({' '.join(regions)})" for name, regions in sorted(there.items())) or "none"
        every = {word for regions in there.values() for word in regions}
        near = did_you_mean(region, every) if region not in every else ""
        what = f"over {region} and another region in {settings.path}"
        faults = tuple(f"{name} is not {what}{near or did_you_mean(name, fitting)}" for name in unknown)
        raise InvalidConfig(faults or (f"no name is {what}{near}",), hint=f"names: {names_there}")
    return [(name, fitting[name]) for name in wanted]


def _told(upper: str, regions: tuple[str, ...], left: Collection[Region], wish: Signal) -> Told:
    after = {it.region for it in left if it.endpoint == upper} - {wish.region}
    after |= {wish.region} if wish.left else set()
    answering = tuple(region for region in regions if region not in after)
    if not answering and wish.left:
        # With every set unhealthy Route 53 takes all for healthy: what was left first would be answered again.
        others = " ".join(sorted(after - {wish.region})) or "another region"
        raise Refused(
            f"{upper}: no other region would be in, and Route 53 would then answer with all of them, left or not",
            hint=f"return to {others} first",
        )
    return Told(upper, answering or regions)


async def _say(registry: Registry | None, places: leaving.Places, region: Region, wish: Signal) -> None:
    if registry is None:
        try:
            leaving.say_here(places, region, left=wish.left)
        except OSError as error:
            raise OutlastError(f"{places.here}: {error.strerror}", hint="run it as the watch's user") from error
    else:
        order = Order(Kind.LEAVE, region.region, region.endpoint, (), user(), time.time_ns(), wish.reason)
        await (registry.give_order(order) if wish.left else registry.lift_order(order.key))


async def _write_down(
    settings: Settings, registry: Registry | None, region: Region, wish: Signal, *, was_left: bool
) -> None:
    log = registry or wire.registry(settings)
    verb = "leave" if wish.left else "return"
    what, subject = f"route53 {verb}{' --here' if wish.here else ''}", f"{region.region} of {region.endpoint}"
    outcome = unchanged("it was left already" if was_left else "it was not left") if was_left == wish.left else "said"
    await write_down(log, by=user(), what=what, subject=subject, why=wish.reason, outcome=outcome)


async def _wait(settings: Settings, told: list[Told], wish: Signal) -> list[Told]:
    end = time.monotonic() + wish.wait
    while wish.wait:
        told = [it._replace(says=await _ask(settings, it.endpoint, wish.region)) for it in told]
        if all(says.left == wish.left for it in told for says in it.says) or time.monotonic() >= end:
            break
        await asyncio.sleep(ASK_EVERY)
    return told


async def _ask(settings: Settings, endpoint: str, region: str) -> tuple[Says, ...]:
    at = [it for it in settings.providers if isinstance(it, Route53Settings) and it.zone_of(endpoint)]
    watches = [watch for url in at[0].watches if (watch := watch_of(url)) is not None] if at else []
    answers = await asyncio.gather(*(asks(watch, endpoint, region, seconds=ASK_SECONDS) for watch in watches))
    return tuple(Says(endpoint, watch, left) for watch, left in zip(watches, answers, strict=True))


# ------------------------------------------------------------------------------------------------------ what is said


def _print(told: list[Told], wish: Signal) -> None:
    for it in told:
        put(f"{it.endpoint}  {wish.region} {'left' if wish.left else 'back'}, answers: {' '.join(it.answering)}")
        for says in it.says:
            word = says.left if isinstance(says.left, str) else "left" if says.left else "not left"
            put(printable(f"  {says.watch}: {word}"))
        if not it.is_heard(left=wish.left):
            put(f"NOT HEARD: {it.endpoint}: {quorum(len(it.says))} of its watches must say so")
    if not wish.apply:
        put("This was a dry run: nothing was said. Add --apply to say it.")
    elif wish.here:
        put("said at this machine alone; do the same at another watch's: one alone is not believed")
    if wish.reason:
        put(f"reason: {wish.reason}")


def _to_json(told: list[Told], wish: Signal) -> dict[str, Any]:
    return {
        "region": wish.region,
        "left": wish.left,
        "here": wish.here,
        "applied": wish.apply,
        "reason": wish.reason,
        "ok": all(it.is_heard(left=wish.left) for it in told),
        "names": [{"endpoint": it.endpoint, "answering": list(it.answering)} for it in told],
        "watches": [_says_to_json(says) for it in told for says in it.says],
    }


def _says_to_json(says: Says) -> dict[str, Any]:
    is_known = isinstance(says.left, bool)
    why = "" if is_known else says.left
    return {"endpoint": says.endpoint, "watch": str(says.watch), "left": says.left if is_known else None, "why": why}
