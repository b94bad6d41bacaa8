"""What the registry says of the whole: who is silent, which orders nobody follows, what is ours and not in the file."""

import asyncio
import contextlib
import math
import time
from collections.abc import Sequence
from typing import NamedTuple

from outlast.config import wire
from outlast.config.settings import Settings
from outlast.errors import OutlastError, UnsafePlan
from outlast.health.signal import Signal
from outlast.traffic.edition import differing
from outlast.traffic.kept import Kept, all_kept
from outlast.traffic.messages import InputsRead
from outlast.traffic.plan import Plan
from outlast.traffic.ports import Place, Record, Registry
from outlast.traffic.sentinel import Standing
from outlast.traffic.topology import NO_EDITION, Edition, Topology
from outlast.traffic.unfollowed import Unfollowed, unfollowed

RUNNING = "is outlast up running?"
ONE_FILE = "is an edit not followed, or is this file an old one?"
SHOWN_MAX = 5
"""Endpoints that are named; an edit may concern a hundred thousand."""


class Overview(NamedTuple):
    """What was found. `silent` is for how many seconds no prober has said anything, `None` if one has lately.

    `unlisted` are the places that enactors still look after although the file does not name them. `unread` is why the
    registry could not be read, and then nothing else is known; `is_down` if it need not be asked for anything more.
    `elsewhere` are endpoints that the plan has from another file than this one, that of `edition`. `kept` are targets that
    floors keep although they are ordered out.
    """

    signals: tuple[Signal, ...] = ()
    silent: float | None = None
    orders: tuple[Unfollowed, ...] = ()
    unlisted: tuple[Place, ...] = ()
    unread: str = ""
    is_down: bool = False
    elsewhere: tuple[str, ...] = ()
    edition: Edition = NO_EDITION
    kept: tuple[Kept, ...] = ()

    def notes(self, places: tuple[Place, ...]) -> tuple[str, ...]:
        """What somebody should know who gave an order, though it is no fault: what a floor keeps at these places all the same."""
        names = {place.endpoint for place in places}
        return tuple(f"{it.endpoint}: {it}" for it in self.kept if it.endpoint in names)

    def alarms(self, places: tuple[Place, ...]) -> tuple[str, ...]:
        """What is wrong with the control plane as these places have it, in words."""
        names = {place.endpoint for place in places}
        if self.unread and not self.is_down:
            return (f"the registry answers in part: {self.unread}",)  # one that is down each place tells of
        silence = () if self.silent is None else (silence_words(self.silent),)
        told = (*silence, *(order_words(it) for it in self.orders if it.endpoint in names))
        strayed = [name for name in self.elsewhere if name in names]
        differs = (f"{elsewhere_words(strayed, self.edition)}; {ONE_FILE}",) if strayed else ()
        return (*(f"{words}; {RUNNING}" for words in told), *differs)


async def overlook(settings: Settings, registry: Registry) -> Overview:
    """Read once what concerns the whole. Of a registry that does not answer nothing is said: each place says that."""
    try:
        plan = await registry.latest_plan()  # alone: whoever is down keeps one asker waiting, and for one timeout
    except OutlastError as error:
        return Overview(unread=str(error), is_down=True)
    try:
        return await survey(settings, registry, plan)
    except OutlastError as error:
        return Overview(unread=str(error))


async def survey(settings: Settings, registry: Registry, plan: Plan | None) -> Overview:
    """Read beside the latest plan what concerns the whole.

    Raises:
        OutlastError: The registry does not answer, or what it says is damaged.

    """
    signals, records, orders = await asyncio.gather(registry.signals(), registry.records(), registry.orders())
    return oversee(settings, InputsRead(settings.topology, plan, 0, records, (), signals, time.time_ns(), orders))


def oversee(settings: Settings, inputs: InputsRead) -> Overview:
    """What follows of what was read."""
    late: tuple[Unfollowed, ...] = ()
    with contextlib.suppress(UnsafePlan):  # the planner has its own alarm for a plan that cannot be
        late = unfollowed(inputs, int(settings.health.max_signal_age * 1e9))
    silent = _silent(settings, inputs) if inputs.plan is not None else None  # before the first plan each place says so
    return Overview(
        inputs.signals,
        silent,
        late,
        _unlisted(settings, inputs.plan, inputs.records),
        elsewhere=differing(settings.topology, inputs.plan),
        edition=inputs.plan.edition if inputs.plan is not None else NO_EDITION,
        kept=tuple(it for it in all_kept(settings.topology, inputs.plan, inputs.orders) if it.floors),
    )


async def unlisted(settings: Settings, registry: Registry) -> tuple[Place, ...]:
    """The places that are ours by the registry, not retired, and not in the file.

    Raises:
        OutlastError: The registry does not answer, or what it says is damaged.

    """
    plan, records = await asyncio.gather(registry.latest_plan(), registry.records())
    return _unlisted(settings, plan, records)


def _silent(settings: Settings, inputs: InputsRead) -> float | None:
    targets = probed_targets(settings.topology)
    heard = max((signal.at for signal in inputs.signals if signal.target in targets), default=-math.inf)
    age = (inputs.wall - heard) / 1e9
    return age if targets and age > settings.health.max_signal_age else None


def probed_targets(topology: Topology) -> frozenset[str]:
    """What probers look at: signals of others are kept as well, and nobody renews them."""
    return frozenset(address for it in topology.endpoints if it.probed for address in it.addresses)


def _unlisted(settings: Settings, plan: Plan | None, records: tuple[Record, ...]) -> tuple[Place, ...]:
    # As an enactor finds them: what the plan names, and what was ever written.
    standing = {Place(it.provider, it.endpoint): it.sentinel.standing for it in records}
    planned = {entry.endpoint for entry in plan.entries} if plan is not None else set()
    names = planned | {place.endpoint for place in standing}
    strange = sorted(name for name in names if settings.topology.endpoint(name) is None)
    places = (Place(provider, name) for name in strange for provider in wire.providers_of(settings, name))
    return tuple(
        it for it in places if standing.get(it) is not Standing.RETIRED and (it in standing or it.endpoint in planned)
    )


# ------------------------------------------------------------------------------------------------------ what is said


def silence_words(seconds: float) -> str:
    """For how long no prober has said anything; what to do is left to who tells it."""
    ago = "yet" if math.isinf(seconds) else f"for {seconds:.0f} s"
    return f"no prober has said anything {ago}"


def order_words(late: Unfollowed) -> str:
    """Which order the plan does not follow, or which lifted one it still does."""
    targets = " ".join(late.targets)
    if not late.order:
        return f"an order at {late.endpoint} is lifted, and the plan still leaves out {targets}"
    return f"the plan of {late.endpoint} does not follow the order {late.order!r} ({targets})"


def elsewhere_words(names: Sequence[str], edition: Edition) -> str:
    """Of which endpoints the plan follows another file, and which."""
    more = f" and {len(names) - SHOWN_MAX} more" if len(names) > SHOWN_MAX else ""
    return f"the plan of {', '.join(names[:SHOWN_MAX])}{more} is made from another file: that of {edition}"
