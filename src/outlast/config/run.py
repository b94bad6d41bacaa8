"""Runs the roles of the control plane: a machine, its driver, and a pass every interval until stopped.

`registry` is given where roles share a process; alone, each wires its own.

A role that is cut off in the middle of a pass has done nothing wrong: the next pass of anybody takes up from what is
there. Stopping therefore waits a moment for the pass under way and then cuts it off.

`wrap` stands between a machine and its driver. Roles need none; the drill uses it to stop a role at a named effect.
"""

import asyncio
import contextlib
import random
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from outlast.config import wire
from outlast.config.agenda import Agenda
from outlast.config.notices import Notices, Tell
from outlast.config.settings import Settings
from outlast.config.source import followed
from outlast.config.turns import Turns
from outlast.errors import Unavailable, UnsafePlan
from outlast.health.driver import Probed, Prober, ProberOptions
from outlast.health.probe import Dial
from outlast.loop import drive
from outlast.system_clock import SystemClock
from outlast.traffic import enactor, janitor, planner, preference
from outlast.traffic.driver import CarryOut, Driver
from outlast.traffic.messages import Effect, Event, InputsRead, Note, Tick
from outlast.traffic.ports import Place, Provider, Registry
from outlast.traffic.restored import Restored
from outlast.traffic.topology import Topology

Wrap = Callable[[CarryOut], CarryOut]
S = TypeVar("S")

GRACE_SECONDS = 1.0
"""How long a stopped role may go on with the pass under way: a transaction's answer usually comes much sooner."""


async def run_planner(
    settings: Settings,
    *,
    name: str = "planner",
    wrap: Wrap | None = None,
    registry: Registry | None = None,
    stop: asyncio.Event,
    tell: Tell,
) -> None:
    """Plan every interval until `stop` is set. Edits of the file's endpoints are followed.

    Raises:
        InvalidConfig: A provider's key cannot be read.

    """
    source = followed(settings, name, tell)
    topology = partial(source.dated, name)
    role = _Role(
        name, settings, tell, wrap=wrap, registry=registry, providers=wire.readers(settings), topology=topology
    )
    state = planner.PlannerState(_planner_options(source.settings, name))

    async def work() -> None:
        nonlocal state
        state = state._replace(options=_planner_options(source.settings, name))
        state = await role.drive(planner.step, state, place="")

    await _repeat(work, settings.planner.interval, stop)


def _planner_options(settings: Settings, name: str) -> planner.Options:
    age = int(settings.health.max_signal_age * 1e9)
    return planner.Options(me=name, realm=settings.realm, places=wire.places(settings), max_signal_age=age)


async def run_enactor(
    settings: Settings,
    *,
    name: str,
    wrap: Wrap | None = None,
    registry: Registry | None = None,
    stop: asyncio.Event,
    tell: Tell,
) -> None:
    """Bring every endpoint at every provider to the plan, every interval, until `stop` is set.

    Raises:
        InvalidConfig: A provider's key cannot be read.

    """
    source = followed(settings, name, tell)
    shelf = wire.registry(settings) if registry is None else registry
    shelf = wire.remembered(settings, shelf, name, partial(_copy_told, Notices(tell), name))
    providers = wire.providers(settings)
    turns = Turns(name, providers, interval=settings.enactor.interval)
    role = _Role(name, settings, tell, wrap=wrap, registry=shelf, providers=turns.guarded(providers))

    async def enact(place: Place) -> None:
        state = enactor.EnactorState(name, settings.realm, place.provider, place.endpoint)
        tick = Tick(wait=_wait(settings, name, place.endpoint))
        await role.drive(enactor.step, state, place=f"{place.endpoint}@{place.provider}", event=tick)

    agenda = Agenda(enact, {name: provider.at_once for name, provider in providers.items()})

    async def work() -> None:
        others = await turns.others(shelf)
        places, changed = await _places(source.settings, role.registry)
        agenda.enter((place for place in places if place.provider not in others), changed)
        await agenda.settle(settings.enactor.interval)

    try:
        await _repeat(work, settings.enactor.interval, stop)
    finally:
        await agenda.stop()


def _copy_told(notices: Notices, name: str, fault: str) -> None:
    alarm = Note("copy of the registry not kept", fault, alarm=True)
    notices.told(name, "", (alarm if fault else Note("copy of the registry kept again"),))


async def _places(settings: Settings, registry: Registry) -> tuple[tuple[Place, ...], set[Place]]:
    """All places to look after, and those of them where the plan has changed since they were last written."""
    # What the registry knows counts as much as this machine's file: an edit there must not orphan an endpoint here,
    # and a hold is kept even if nobody plans the name any more.
    places, planned, written = dict.fromkeys(wire.places(settings)), dict[Place, int](), dict[Place, int]()
    with contextlib.suppress(Unavailable, UnsafePlan):
        plan = await registry.latest_plan()
        for entry in plan.entries if plan is not None else ():
            there = (Place(it, entry.endpoint) for it in wire.providers_of(settings, entry.endpoint))
            planned |= dict.fromkeys(there, entry.generation)
        known = {provider.name for provider in settings.providers}
        records = await registry.records()
        written = {Place(it.provider, it.endpoint): it.sentinel.gen for it in records if it.provider in known}
    changed = {place for place, generation in planned.items() if written.get(place, 0) < generation}
    return tuple(places | dict.fromkeys(planned) | dict.fromkeys(written)), changed


def _wait(settings: Settings, name: str, endpoint: str) -> int:
    place = preference.rank(name, settings.enactor.peers, endpoint)
    step = int(settings.enactor.stand_back * 1e9)
    return preference.stand_back(place, step=step, chance=random.random())  # noqa: S311  a spread needs no secrecy


async def run_janitor(
    settings: Settings,
    *,
    name: str = "janitor",
    wrap: Wrap | None = None,
    registry: Registry | None = None,
    stop: asyncio.Event,
    tell: Tell,
) -> None:
    """Retire plans that nothing needs, every interval, until `stop` is set. It holds no credential that can change DNS."""
    role = _Role(name, settings, tell, wrap=wrap, registry=registry, providers=wire.readers(settings))
    options = settings.janitor
    grace, wait = int(options.grace * 1e9), int(options.wait * 1e9)
    state = janitor.JanitorState(janitor.Options(options.keep, grace, wait))

    async def work() -> None:
        await role.drive(janitor.step, state, place="")

    await _repeat(work, options.interval, stop)


async def run_prober(
    settings: Settings,
    *,
    name: str,
    dial: Dial | None = None,
    registry: Registry | None = None,
    stop: asyncio.Event,
    tell: Tell,
) -> None:
    """Probe every target of every probed endpoint until `stop` is set. Edits of the file's endpoints are followed."""
    source = followed(settings, name, tell)
    notices = Notices(tell)
    shelf = registry if registry is not None else wire.registry(settings)
    health = settings.health
    prober = Prober(
        ProberOptions(
            observer=health.observer(name),
            interval=health.interval,
            probe=health.probe,
            thresholds=health.thresholds,
        ),
        lambda: probed(source.topology()),
        recall=shelf.signals,
        publish=shelf.put_signals,
        clock=SystemClock(),
        lookup=wire.lookup(health),
        tell=lambda it: notices.told(name, it.place, (Note(it.name, it.detail, it.alarm),)),
        dial=dial,
    )
    await _until(stop, prober.run(), grace=0.0)


def probed(topology: Topology) -> tuple[Probed, ...]:
    """The targets to probe; a target of several endpoints is asked for the first one's name."""
    found: dict[str, Probed] = {}
    for endpoint in topology.endpoints:
        for address in endpoint.addresses if endpoint.probed else ():
            found.setdefault(address, Probed(address, endpoint.name))
    return tuple(found.values())


async def run_all(settings: Settings, *, name: str, stop: asyncio.Event, tell: Tell) -> None:
    """Run planner, prober, one enactor and janitor in this process until `stop` is set.

    Raises:
        InvalidConfig: A provider's key cannot be read.

    """
    wire.providers(settings)
    # One connection for all: SQLite's locks belong to the process, and closing a file drops those of all connections.
    shelf = wire.registry(settings)
    async with asyncio.TaskGroup() as group:
        group.create_task(run_prober(settings, name=f"prober-{name}", registry=shelf, stop=stop, tell=tell))
        group.create_task(run_planner(settings, name=f"planner-{name}", registry=shelf, stop=stop, tell=tell))
        group.create_task(run_enactor(settings, name=f"enactor-{name}", registry=shelf, stop=stop, tell=tell))
        group.create_task(run_janitor(settings, name=f"janitor-{name}", registry=shelf, stop=stop, tell=tell))


# ---------------------------------------------------------------------------------------------------- what they share


class _Role:
    """A role's driver, wrapped once, and its notes, sorted by place."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        tell: Tell,
        *,
        wrap: Wrap | None,
        registry: Registry | None,
        providers: Mapping[str, Provider],
        topology: Callable[[], Topology] | None = None,
    ) -> None:
        self.name = name
        self._notices = Notices(tell)
        self._restored = Restored()
        self.registry = wire.registry(settings) if registry is None else registry
        # Notes are collected by place in `drive`; the driver's own listener would not know the place.
        driver = Driver(
            registry=self.registry, providers=providers, clock=SystemClock(), listen=lambda _: None, topology=topology
        )
        self._carry_out = driver.carry_out if wrap is None else wrap(driver.carry_out)

    async def drive(
        self,
        step: Callable[[S, Event], tuple[S, tuple[Effect, ...]]],
        state: S,
        *,
        place: str,
        event: Event = Tick(),  # noqa: B008  a constant value
    ) -> S:
        """One pass at one place. A fault of ours ends this pass and is told; the next one starts from `state`."""
        notes: list[Note] = []

        async def carry_out(effect: Effect) -> Event | None:
            if isinstance(effect, Note):
                notes.append(effect)
            answer = await self._carry_out(effect)
            if isinstance(answer, InputsRead):
                notes.extend(self._restored.look(answer))
            return answer

        try:
            return await drive(step, state, event, carry_out)
        except Exception as error:  # noqa: BLE001  one endpoint's fault must not stop the others'
            notes.append(Note("pass failed", _where(error), alarm=True))
            return state
        finally:
            self._notices.told(self.name, place, tuple(notes))


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {error}{last}"


async def _repeat(work: Callable[[], Awaitable[None]], interval: float, stop: asyncio.Event) -> None:
    async def for_ever() -> None:
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            begun = loop.time()
            await work()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), max(0.0, begun + interval - loop.time()))

    await _until(stop, for_ever())


async def _until(stop: asyncio.Event, work: Awaitable[None], *, grace: float = GRACE_SECONDS) -> None:
    task = asyncio.ensure_future(work)
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            await asyncio.wait({task}, timeout=grace)
    finally:
        stopped.cancel()
        await _finish((task,))
    if not task.cancelled():
        task.result()


async def _finish(tasks: Sequence[asyncio.Future[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
