"""What evacuate and pin share: giving an order, watching until DNS follows, and what is printed of both."""

import asyncio
import contextlib
import sys
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import typer

from outlast.cli.audit import unchanged, write_down
from outlast.cli.ordering_preview import Change, Obstacle, Preview, Wish, concerned, followed, hold_at, lifting, preview
from outlast.cli.output import printable, put, put_json
from outlast.cli.stdout import after_applying
from outlast.config import wire
from outlast.config.echoes import server_text
from outlast.config.settings import ServerSettings, Settings
from outlast.errors import OutlastError, Unavailable
from outlast.interrupts import uninterrupted
from outlast.traffic.content import digest
from outlast.traffic.ports import Live, Place, Provider, Registry
from outlast.traffic.sentinel import Sentinel, Standing, parse

LOOK_EVERY = 0.2
"""Seconds between two looks at a provider."""
PLAN_EVERY = 1.0
"""Seconds between two looks at the plan: health may have changed since the order, and then DNS answers something else."""


class Arrival(NamedTuple):
    """When a provider answered the plan that followed, in seconds since the order; `None` if it did not in time.

    `hold` is what keeps it from following, as seen last; `was_read` says whether anything was seen.
    """

    place: Place
    seconds: float | None
    hold: Obstacle | None = None
    was_read: bool = False


class Echoed(NamedTuple):
    """When a secondary of a provider that follows answered the same, in seconds since the order; `None` if not in time."""

    place: Place
    server: str
    seconds: float | None


class Watched(NamedTuple):
    """What became of an order at the primaries, and at the secondaries that the settings name."""

    arrivals: tuple[Arrival, ...] = ()
    echoes: tuple[Echoed, ...] = ()


def carry_out_order(settings: Settings, wish: Wish) -> None:
    """Tell what would change, and with `apply` give or lift the order and watch; leave with 0, or with 1 if DNS does not follow."""
    registry = wire.registry(settings, is_reader=not wish.apply)
    seen = asyncio.run(preview(settings, registry, wish))
    watched = Watched()
    if wish.apply:
        watched = _carried_out(settings, registry, wish, seen)
    elif not wish.as_json:
        _tell_preview(wish, seen)
    arrivals = watched.arrivals
    obstacles = _in_the_way(seen, arrivals)
    with after_applying(is_applied=wish.apply):
        if wish.as_json:
            put_json(_to_json(wish, seen, watched, obstacles))
    is_late = any(arrival.seconds is None for arrival in arrivals)
    raise typer.Exit(1 if is_late or obstacles else 0)


def _in_the_way(seen: Preview, arrivals: tuple[Arrival, ...]) -> tuple[Obstacle, ...]:
    # Of a hold that was watched, what was seen last counts: it may have been thawed meanwhile, or be a new one.
    read = {arrival.place: arrival.hold for arrival in arrivals if arrival.was_read}
    unread = (hold for hold in seen.holds if Place(hold.provider, hold.endpoint) not in read)
    return (*seen.pins, *unread, *(hold for hold in read.values() if hold is not None))


def _carried_out(settings: Settings, registry: Registry, wish: Wish, seen: Preview) -> Watched:
    begun, is_given = time.monotonic(), False
    try:
        with asyncio.Runner() as runner:
            with uninterrupted():
                runner.run(_give(registry, wish, seen))
                is_given = True
            return runner.run(_tell_and_watch(settings, registry, wish, seen, begun))
    except KeyboardInterrupt:
        # Whoever stops watching must not believe that the order is gone with it.
        if is_given:
            _tell_standing(settings, wish)
        raise


def _tell_standing(settings: Settings, wish: Wish) -> None:
    if wish.undo:
        sys.stderr.write("outlast: interrupted: the order is lifted all the same\n")
    else:
        undo = lifting(settings, wish.order)
        sys.stderr.write(f"outlast: interrupted: the order stands all the same\n  to lift it: {undo}\n")


async def _give(registry: Registry, wish: Wish, seen: Preview) -> None:
    order = wish.order
    if not wish.undo:
        await registry.give_order(order)
    for key in order.keys[0 if wish.undo else 1 :]:
        await registry.lift_order(key)
    what = f"{order.kind}{' --undo' if wish.undo else ''}"
    subject = " ".join(word for word in (order.subject, order.endpoint, *order.addresses) if word)
    outcome = _deed(wish, seen)
    await write_down(registry, by=order.by, what=what, subject=subject, why=order.reason, outcome=outcome)


def _deed(wish: Wish, seen: Preview) -> str:
    before = seen.standing[0] if len(seen.standing) == 1 else None
    if before is not None and not wish.undo and before[:4] == wish.order[:4]:
        return unchanged(f"it stood already: {before}")
    outcome = "lifted" if wish.undo else "ordered"
    has_effect = any(change.before != change.after for change in seen.changes)
    return outcome if has_effect else f"{outcome}; no endpoint changes for it"


async def _tell_and_watch(settings: Settings, registry: Registry, wish: Wish, seen: Preview, begun: float) -> Watched:
    # Told in here: whoever reads it may interrupt at once, and that should not meet a loop that is just being begun.
    with after_applying(is_applied=True):
        if not wish.as_json:
            _tell_preview(wish, seen)
    if not wish.wait:
        return Watched()
    pins = {pin.endpoint: pin for pin in seen.pins}
    readers = wire.readers(settings)  # one for all who look at a provider, who then share its connection
    watch = _Watch(settings, wish.wait, begun, {change.endpoint: {change.after} for change in seen.changes})
    places = concerned(settings, seen.changes)
    pinned = [_pinned(place, pin) for place in places if (pin := pins.get(place.endpoint)) is not None]
    free = (place for place in places if place.endpoint not in pins)
    keeping_up = asyncio.create_task(watch.keep_up(registry))
    try:
        found = await asyncio.gather(*(watch.throughout(readers[place.provider], place) for place in free))
    finally:
        keeping_up.cancel()
        await asyncio.gather(keeping_up, return_exceptions=True)
    return Watched((*pinned, *(it for it, _ in found)), tuple(echo for _, echoes in found for echo in echoes))


def _pinned(place: Place, pin: Obstacle) -> Arrival:
    _say(place, f"DOES NOT FOLLOW: {pin}")
    return Arrival(place, None)


@dataclass(frozen=True, slots=True)
class _Watch:
    """Looks until a place answers as wanted, `wait` seconds from when the order was given.

    `wanted` are, by endpoint, the answers that follow the order: what it was to come to, and what plans have made of it.
    """

    settings: Settings
    wait: float
    begun: float
    wanted: dict[str, set[tuple[str, ...]]]

    async def keep_up(self, registry: Registry) -> None:
        """Learn what the latest plan wants, until cancelled."""
        while True:
            await asyncio.sleep(PLAN_EVERY)
            with contextlib.suppress(OutlastError):  # then what the order was to come to is all that is known
                planned = await followed(self.settings, registry)
                for name in self.wanted.keys() & planned.keys():
                    self.wanted[name].add(planned[name])

    async def throughout(self, provider: Provider, place: Place) -> tuple[Arrival, tuple[Echoed, ...]]:
        """Look at the primary, and when it follows at its secondaries: before that they have nothing to follow."""
        arrival = await self.at(provider, place)
        at = next(it for it in self.settings.providers if it.name == place.provider)
        if arrival.seconds is None or not isinstance(at, ServerSettings):
            return arrival, ()
        looks = (self.echo(wire.secondary(at, server), place, server_text(server)) for server in at.secondaries)
        return arrival, tuple(await asyncio.gather(*looks))

    async def echo(self, secondary: Provider, place: Place, server: str) -> Echoed:
        while time.monotonic() - self.begun < self.wait:
            with contextlib.suppress(Unavailable):
                live = await secondary.read(place.endpoint)
                if any(_answers(live, wanted) for wanted in self.wanted[place.endpoint]):
                    seconds = time.monotonic() - self.begun
                    _say(place, f"secondary {server} follows after {seconds:.1f} s")
                    return Echoed(place, server, seconds)
            await asyncio.sleep(LOOK_EVERY)
        _say(place, f"secondary {server} DOES NOT FOLLOW within {self.wait:g} s: see why its zone transfers are late")
        return Echoed(place, server, None)

    async def at(self, provider: Provider, place: Place) -> Arrival:
        last = Arrival(place, None)
        while time.monotonic() - self.begun < self.wait:
            try:
                live = await provider.read(place.endpoint)
            except Unavailable:
                pass  # it may come back while there is time
            else:
                last = Arrival(place, None, self._hold(place, live), was_read=True)
                if any(_answers(live, wanted) for wanted in self.wanted[place.endpoint]):
                    return self._arrived(last)
            await asyncio.sleep(LOOK_EVERY)
        _say(place, f"DOES NOT FOLLOW within {self.wait:g} s{f': {last.hold}' if last.hold else ''}")
        return last

    def _hold(self, place: Place, live: Live) -> Obstacle | None:
        match parse(live.sentinel):
            case Sentinel(standing=Standing.HELD) as held:
                return hold_at(self.settings, place, held)
        return None

    def _arrived(self, last: Arrival) -> Arrival:
        # What is on hold follows nothing, though it may happen to answer so already.
        if last.hold is not None:
            _say(last.place, f"answers so already, and DOES NOT FOLLOW: {last.hold}")
            return last
        seconds = time.monotonic() - self.begun
        _say(last.place, f"follows after {seconds:.1f} s")
        return last._replace(seconds=seconds)


def _say(place: Place, words: str) -> None:
    sys.stderr.write(printable(f"{place.endpoint} at {place.provider}: {words}") + "\n")


def _answers(live: Live, wanted: tuple[str, ...]) -> bool:
    seen = parse(live.sentinel)
    there = {value for item in live.sets for value in item.values}
    return isinstance(seen, Sentinel) and seen.digest == digest(live.sets) and there == set(wanted)


# ------------------------------------------------------------------------------------------------------ what is said


def _tell_preview(wish: Wish, seen: Preview) -> None:
    put(printable(f"{'lift' if wish.undo else 'order'}: {wish.order}"))
    obstacles = _by_endpoint((*seen.pins, *seen.holds))
    for change in seen.changes:
        before, after = " ".join(change.before) or "nothing", " ".join(change.after)
        put(f"{change.endpoint}  {f'{before} -> {after}' if before != after else f'{after}, as planned already'}")
        if change.shortage:
            put(printable(f"  too little capacity: {change.shortage}"))
        elif change.kept:
            put(f"  kept, for a floor would be broken without: {' '.join(change.kept)}")
        for obstacle in obstacles.get(change.endpoint, ()):
            put(printable(f"  does not follow: {obstacle}"))
    if not seen.changes:
        put("no endpoint changes")
    if seen.elsewhere:
        put(
            printable(f"The plan follows another file, that of {seen.elsewhere}: what differs there is not shown here.")
        )
    if not wish.apply:
        put("This was a dry run: nothing was written. Add --apply to do it.")


def _to_json(wish: Wish, seen: Preview, watched: Watched, obstacles: tuple[Obstacle, ...]) -> dict[str, Any]:
    by_endpoint = _by_endpoint(obstacles)
    slowest, slowest_echo = (
        max((it.seconds for it in found if it.seconds is not None), default=None) for found in watched
    )
    return {
        "order": {**wish.order._asdict(), "at": wish.order.at / 1e9},
        "undo": wish.undo,
        "planned_elsewhere": seen.elsewhere,
        "applied": wish.apply,
        "endpoints": [_change_to_json(change, by_endpoint.get(change.endpoint, [])) for change in seen.changes],
        "held": [{"provider": it.provider, "endpoint": it.endpoint} for it in obstacles if it.what == "hold"],
        "arrivals": [{**arrival.place._asdict(), "seconds": arrival.seconds} for arrival in watched.arrivals],
        "slowest_seconds": slowest,
        "secondaries": [{**it.place._asdict(), "server": it.server, "seconds": it.seconds} for it in watched.echoes],
        "slowest_secondary_seconds": slowest_echo,
    }


def _change_to_json(change: Change, obstacles: list[Obstacle]) -> dict[str, Any]:
    # `provider` is empty for what counts at all of them.
    return {**change._asdict(), "in_the_way": [it._asdict() for it in obstacles]}


def _by_endpoint(obstacles: tuple[Obstacle, ...]) -> dict[str, list[Obstacle]]:
    found: dict[str, list[Obstacle]] = {}
    for obstacle in obstacles:
        found.setdefault(obstacle.endpoint, []).append(obstacle)
    return found
