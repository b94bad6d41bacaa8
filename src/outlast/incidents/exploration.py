"""The hazard automation as a value for the explorer: the machines of the outage in the world that they had.

The provider refuses an alias to a tree that is not there, checks nothing when a tree is deleted, and lets a lock that is
held be taken for expired at any time (timers are untimed). What made the outage is taken away one by one with `MENDED`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from outlast.incidents import protocol as m
from outlast.incidents.enactor import Enactor, Phase, State
from outlast.incidents.plan import Endpoint, Plan
from outlast.incidents.wording import answer, tell
from outlast.simulator.protocol import Agent, Check, Health, Move, Protocol, Values

MENDED = {
    "one-time-check": "the transaction that flips the alias asks once more whether the plan is newer than what is live",
    "blind-clean-up": "the deletion of a tree is refused while top or rollback alias names it",
    "missing-rollback": "an alias is flipped although what was live before is gone; the rollback alias then stays as it was",
}
"""What can be mended, by the name of the hazard."""
KEEP = 2
"""Plan numbers that the cleaner spares, as in `reference`: the fewer, the shorter the trace, never another."""


class Zone(NamedTuple):
    """One endpoint's records: which trees stand, what top and rollback alias name, who holds the lock."""

    trees: frozenset[int] = frozenset()
    top: int | None = None
    rollback: int | None = None
    lock: str = ""


class Walker(NamedTuple):
    """One enactor, and the effect it asks for."""

    state: State
    effect: m.Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardOptions:
    """How large a world is, how many plan numbers the cleaner spares, and which hazards are mended."""

    enactors: int = 2
    plans: int = 3
    endpoints: int = 1
    crashes: int = 0
    lost_replies: int = 0
    keep: int = KEEP
    mended: frozenset[str] = frozenset()


def hazard_protocol(options: HazardOptions) -> Protocol:
    """The protocol `aws-2025`: parts are the published plan's number, each endpoint's zone, and the enactors."""
    world = _World(options)
    zones = tuple(range(1, options.endpoints + 1))
    enactors = tuple(range(options.endpoints + 1, options.endpoints + 1 + options.enactors))
    return Protocol(
        name="aws-2025",
        parts=(
            "plans",
            *(f"zone {name}" for name in world.names),
            *(_name(number) for number in range(options.enactors)),
        ),
        initial=(1, *([Zone()] * options.endpoints), *([world.newborn] * options.enactors)),
        agents=(*(world.enactor(number, part) for number, part in enumerate(enactors)), _planner(options)),
        budgets={"plans": options.plans - 1, "crashes": options.crashes, "lost-replies": options.lost_replies},
        checks=(Check(name="never empty", parts=zones, fault=_emptiness),),
        health_parts=(0, *zones),
        health=_health,
        twins=enactors,
        rename=_renamed,
        rank=_rank,
        answer=lambda values: answer(world.names, tuple(_addresses(values[zone], values[0]) for zone in zones)),
        tell=tell,
    )


def _name(number: int) -> str:
    return f"e{number + 1}"


def answering(options: HazardOptions, values: Values) -> dict[str, int | None]:
    """For each endpoint the plan whose addresses DNS answers in a state (all parts), or `None` if it answers none."""
    zones = zip(endpoint_names(options), values[1:], strict=False)
    return {name: zone.top if zone.top in zone.trees else None for name, zone in zones}


def endpoint_names(options: HazardOptions) -> tuple[str, ...]:
    """What the endpoints of that world are called."""
    return tuple(f"{chr(ord('a') + number)}.example" for number in range(options.endpoints))


def _addresses(zone: Zone, _: int) -> str:
    if zone.top is None:
        return ""
    return f"plan {zone.top}" if zone.top in zone.trees else "nothing"


def _emptiness(zones: Values) -> str:
    empty = [zone.top for zone in zones if zone.top is not None and zone.top not in zone.trees]
    return f"DNS answers no address: the live tree of plan {empty[0]} is deleted" if empty else ""


def _health(values: Values) -> Health:
    latest, zones = values[0], values[1:]
    return Health(is_fine=all(zone.top == latest and latest in zone.trees for zone in zones))


def _planner(options: HazardOptions) -> Agent:
    def moves(values: Values) -> Iterator[Move]:
        if values[0] < options.plans:
            yield Move((values[0] + 1,), ("publishes", values[0] + 1), "plans")

    return Agent(name="planner", part=0, footprint=lambda _: (), moves=moves)


class _World:
    def __init__(self, options: HazardOptions) -> None:
        self._mended = options.mended
        self._machine = Enactor(keep=options.keep)
        self.names = endpoint_names(options)
        self._endpoints = tuple(Endpoint(name, ("192.0.2.1",)) for name in self.names)
        self.newborn = self._begun(State())

    def _begun(self, state: State) -> Walker:
        return Walker(*self._asked(self._machine.step(state, m.Tick())))

    def _asked(self, step: tuple[State, tuple[m.Effect, ...]]) -> tuple[State, Any]:
        state, effects = step
        asked = [effect for effect in effects if not isinstance(effect, m.Note)]
        assert len(asked) <= 1, f"more than one external effect in a step: {asked}"
        return state, asked[0] if asked else None

    def enactor(self, number: int, part: int) -> Agent:
        def moves(values: Values) -> Iterator[Move]:
            own, rest = values[0], values[1:]
            for event, after, draws in self._outcomes(own.effect, rest, _name(number)):
                yield Move((self._advanced(own, event), *after), (own.effect, event, draws), draws)
            if own != self.newborn:
                yield Move((self.newborn, *rest), ("crash", own.effect), "crashes")

        return Agent(name=_name(number), part=part, footprint=self._footprint, moves=moves)

    def _footprint(self, own: Walker) -> tuple[int, ...]:
        match own.effect:
            case m.FetchLatestPlan():
                return (0,)
            case m.Wake():
                return ()
        return (1 + self.names.index(own.effect.endpoint),)

    def _advanced(self, own: Walker, event: m.Event) -> Walker:
        state, effect = self._asked(self._machine.step(own.state, event))
        return Walker(state, effect) if state.phase is not Phase.IDLE else self._begun(state)

    def _outcomes(self, effect: m.Effect, parts: Values, me: str) -> Iterator[tuple[m.Event, Values, str]]:
        if isinstance(effect, m.FetchLatestPlan):
            yield m.PlanFound(Plan(parts[0], self._endpoints)), parts, ""
            return
        if isinstance(effect, m.Wake):
            yield m.Woken(), parts, ""
            return
        zone: Zone = parts[0]
        if isinstance(effect, m.ReadLock):
            yield m.LockRead(zone.lock, is_expired=False), parts, ""
            if zone.lock:
                yield m.LockRead(zone.lock, is_expired=True), parts, ""
            return
        event, after = self._at_zone(effect, zone, me)
        yield event, (after,), ""
        if after != zone:
            yield m.Failed("lost"), (after,), "lost-replies"

    def _at_zone(self, effect: m.Effect, zone: Zone, me: str) -> tuple[m.Event, Zone]:
        match effect:
            case m.ReadTop() | m.ReadActive():
                return m.TopRead(zone.top), zone
            case m.BuildTree(plan=plan):
                return m.TreeBuilt(), zone._replace(trees=zone.trees | {plan})
            case m.AcquireLock(over=over):
                return (m.LockAcquired(me), zone._replace(lock=me)) if zone.lock == over else (m.LockLost(), zone)
            case m.Install():
                return self._install(effect, zone)
            case m.ReleaseLock(lock=lock):
                return m.LockReleased(), zone._replace(lock="") if zone.lock == lock else zone
            case m.ListTrees():
                return m.TreesListed(tuple(sorted(zone.trees))), zone
            case m.DeleteTree(tree=tree):
                if "blind-clean-up" in self._mended and tree in {zone.top, zone.rollback}:
                    return m.Failed(f"an alias names plan {tree}"), zone
                return m.TreeDeleted(), zone._replace(trees=zone.trees - {tree})
        raise AssertionError(f"nobody carries out {effect!r}")

    def _install(self, effect: m.Install, zone: Zone) -> tuple[m.Event, Zone]:
        if zone.lock != effect.lock:
            return m.LockLost(), zone
        if "one-time-check" in self._mended and zone.top is not None and zone.top >= effect.plan:
            return m.InstallRefused(f"plan {zone.top} is live and no older", "REFUSED"), zone
        missing = [tree for tree in (effect.plan, effect.active) if tree is not None and tree not in zone.trees]
        is_waived = "missing-rollback" in self._mended and effect.plan in zone.trees
        if missing and not is_waived:
            return m.InstallRefused(f"the tree of plan {missing[0]} is not there", "REFUSED"), zone
        rollback = effect.active if effect.active is not None and not missing else zone.rollback
        return m.Installed(effect.lock), zone._replace(top=effect.plan, rollback=rollback)


def _renamed(value: Any, moved: tuple[int, ...]) -> Any:
    return _with_names(value, {_name(old): _name(new) for old, new in enumerate(moved) if old != new})


def _with_names(value: Any, names: dict[str, str]) -> Any:
    # Who holds a lock is the only name in this world.
    match value:
        case Zone(lock=lock):
            return value._replace(lock=names.get(lock, lock))
        case Walker(state=state, effect=effect):
            return Walker(state._replace(lock=names.get(state.lock, state.lock)), _with_lock(effect, names))
    return value


def _with_lock(effect: m.Effect, names: dict[str, str]) -> m.Effect:
    match effect:
        case m.AcquireLock(plan=plan, endpoint=endpoint, over=over):
            return m.AcquireLock(plan, endpoint, names.get(over, over))
        case m.Install(plan=plan, endpoint=endpoint, lock=lock, active=active):
            return m.Install(plan, endpoint, names.get(lock, lock), active)
        case m.ReleaseLock(plan=plan, endpoint=endpoint, lock=lock):
            return m.ReleaseLock(plan, endpoint, names.get(lock, lock))
    return effect


def _rank(value: Any, position: int) -> Any:
    me, lock = _name(position), value.state.lock
    over = value.effect.over if isinstance(value.effect, m.AcquireLock) else ""
    return _with_names(value, {name: "self" if name == me else "other" for name in (lock, over) if name})
