"""A tiny synchronous world for the shipped machines: one registry, some primaries, and actors whose every effect is a step.

The registry and the primaries are the model of the world, with atomic operations on values; the actors are the machines
that ship. Whoever drives the world chooses who goes next and what becomes of the effect (`Fate`); `protocol_checker`
judges every write that lands.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from protocol_checker import Checker, Violation, Writer

from outlast.traffic import enactor, hold, janitor, planner
from outlast.traffic import messages as m
from outlast.traffic.content import Content
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.ports import AheadReport, Known, Live, PlanInfo, Record, Transaction, supersedes
from outlast.traffic.sentinel import Sentinel, Standing, parse
from outlast.traffic.topology import Endpoint, Target, Topology

REALM = "test"
DB = "db.example"
ABSENT = Live((), ())
SECOND = 1_000_000_000


class Fate(StrEnum):
    """What becomes of an effect."""

    NOW = "now"
    LOST = "lands, reply lost"
    LATE = "reply lost, lands later"
    TWICE = "lands, and a copy lands later"
    DOWN = "nobody answers"
    CRASH_BEFORE = "its actor dies before it"
    CRASH_AFTER = "its actor dies after it"


class Memory:
    """The registry: what survives in it is copied by `backup` and put back by `restore`."""

    def __init__(self) -> None:
        self.plans: dict[int, Plan] = {}
        self.tombstones: dict[int, int] = {}
        self.records: dict[tuple[str, str], Record] = {}
        self.reports: dict[AheadReport, None] = {}
        self.floor = 0

    def backup(self) -> tuple[Any, ...]:
        return dict(self.plans), dict(self.tombstones), dict(self.records), dict(self.reports), self.floor

    def restore(self, copy: tuple[Any, ...]) -> None:
        self.plans, self.tombstones, self.records, self.reports = (dict(part) for part in copy[:4])
        self.floor = copy[4]

    @property
    def latest(self) -> Plan | None:
        return self.plans[max(self.plans)] if self.plans else None

    def known(self, provider: str, endpoint: str) -> Known:
        plan = self.latest
        entry = plan.entry(endpoint) if plan is not None else None
        return Known(plan.generation if plan is not None else 0, entry, self.records.get((provider, endpoint)))

    def publish(self, plan: Plan, after: int) -> bool:
        if (self.latest.generation if self.latest is not None else 0) != after:
            return False
        self.plans[plan.generation] = plan
        self.floor = max(self.floor, plan.generation)
        return True

    def write_record(self, record: Record, *, pending: bool) -> bool:
        place = (record.provider, record.endpoint)
        there = self.records.get(place)
        if there is not None and not supersedes(record.sentinel, there.sentinel, pending=pending):
            return False
        self.records[place] = record
        return True

    def find_content(self, endpoint: str, digest: str) -> Content | None:
        entries = (plan.entry(endpoint) for plan in self.plans.values())
        return next((entry.content for entry in entries if entry is not None and entry.digest == digest), None)

    def delete_plan(self, deed: m.DeletePlan) -> bool:
        tombstoned = self.tombstones.get(deed.generation, 0)
        newest = sorted(self.plans, reverse=True)[: deed.keep]
        named = {record.sentinel.gen for record in self.records.values()}
        if not 0 < tombstoned < deed.tombstoned_before or deed.generation in {*newest, *named}:
            return False
        return self.plans.pop(deed.generation, None) is not None


@dataclass(slots=True)
class Actor:
    """A shipped machine, the effect it is about to ask for, and what it has read and told."""

    name: str
    step: Callable[[Any, m.Event], tuple[Any, m.Effects]]
    state: Any
    newborn: Any
    is_person: bool = False
    pending: m.Effect | None = None
    writer: Writer | None = None
    registry_losses: int = 0
    listed: tuple[PlanInfo, ...] = ()
    notes: list[m.Note] = field(default_factory=list)

    def feed(self, event: m.Event) -> None:
        self.state, effects = self.step(self.state, event)
        self.notes += [effect for effect in effects if isinstance(effect, m.Note)]
        asked = [effect for effect in effects if not isinstance(effect, m.Note)]
        assert len(asked) <= 1, f"more than one external effect in a step: {asked}"
        self.pending = asked[0] if asked else None

    def told(self, name: str) -> bool:
        return any(note.name == name for note in self.notes)


class World:
    """Registry, primaries, actors, what is in flight, and the checker over all of it."""

    def __init__(self, *places: tuple[str, str]) -> None:
        self.places = places or (("p1", DB),)
        self.registry = Memory()
        self.primaries: dict[tuple[str, str], Live] = dict.fromkeys(self.places, ABSENT)
        self.flying: list[tuple[Transaction, Writer]] = []
        self.checker = Checker()
        self.wall = 1_000 * SECOND
        self.topology = Topology(realm=REALM, endpoints=())
        self.trace: list[str] = []

    # -------------------------------------------------------------------------------------------------- actors

    def enactor(self, name: str, provider: str = "p1", endpoint: str = DB) -> Actor:
        return _actor(name, enactor.step, enactor.EnactorState(name, REALM, provider, endpoint))

    def planner(self, name: str = "planner") -> Actor:
        places = tuple(planner.Place(*place) for place in self.places)
        options = planner.Options(me=name, realm=REALM, places=places, max_signal_age=60 * SECOND)
        return _actor(name, planner.step, planner.PlannerState(options))

    def janitor(self, *, keep: int = 1) -> Actor:
        return _actor("janitor", janitor.step, janitor.JanitorState(janitor.Options(keep=keep, grace=0, wait=0)))

    def person(
        self, command: hold.Command, content: Content | None = None, *, provider: str = "p1", endpoint: str = DB
    ) -> Actor:
        state = hold.HoldState(command, "person", REALM, provider, endpoint, content=content)
        actor = _actor(str(command), hold.step, state)
        actor.is_person = True
        return actor

    # -------------------------------------------------------------------------------------------------- stepping

    def begin(self, actor: Actor, wait: int = 0) -> None:
        assert actor.pending is None, f"{actor.name} is busy"
        self.trace.append(f"{actor.name} begins")
        actor.feed(m.Tick(wait))

    def advance(self, actor: Actor, fate: Fate = Fate.NOW) -> None:
        """Carry out the one effect that `actor` waits for, as `fate` says."""
        effect = actor.pending
        assert effect is not None, f"{actor.name} asks for nothing"
        self.wall += SECOND
        answer = None if fate is Fate.CRASH_BEFORE else self._fated(actor, effect, fate)
        self.trace.append(f"{actor.name} {type(effect).__name__} [{fate}] {answer!r}")
        if answer is None or fate is Fate.CRASH_AFTER:
            actor.state, actor.pending = actor.newborn, None
        else:
            actor.feed(answer)

    def until(self, actor: Actor, effect: type[Any]) -> None:
        """Let `actor` go on until it is about to do `effect`: asleep with what it has read."""
        if actor.pending is None:
            self.begin(actor)
        while not isinstance(actor.pending, effect):
            self.advance(actor)

    def run(self, actor: Actor, passes: int = 1) -> Actor:
        """Let `actor` finish, and begin and finish again for each further pass."""
        for _ in range(passes):
            if actor.pending is None:
                self.begin(actor)
            while actor.pending is not None:
                self.advance(actor)
        return actor

    def deliver(self, index: int = 0) -> m.Event:
        """A transaction that was in flight arrives."""
        return self._commit(*self.flying.pop(index))

    def _fated(self, actor: Actor, effect: m.Effect, fate: Fate) -> m.Event:
        at_provider = isinstance(effect, m.ReadLive | m.Commit)
        if isinstance(effect, m.Commit):
            assert actor.writer is not None, "a commit follows a reading"
            if fate in {Fate.LATE, Fate.TWICE}:
                self.flying.append((effect.transaction, actor.writer))
            if fate is Fate.DOWN:
                return m.Failed("down")
            if fate is Fate.LATE:
                return m.Lost("late")
        elif fate is Fate.DOWN and not isinstance(effect, m.Wake):
            return m.ProviderDown("down") if at_provider else m.RegistryDown("down")
        answer = self._carry_out(actor, effect)
        if fate is Fate.LOST and not isinstance(effect, m.ReadLive | m.Wake):
            return m.Lost("lost") if at_provider else m.RegistryDown("lost")
        return answer

    def _carry_out(self, actor: Actor, effect: m.Effect) -> m.Event:
        match effect:
            case m.Wake():
                return m.Woken()
            case m.ReadLive(provider=provider, endpoint=endpoint):
                place = (provider, endpoint)
                live = self.primaries[place]
                losses = self.checker.losses.get(place, 0)
                actor.writer = Writer(actor.name, actor.is_person, live, losses, actor.registry_losses)
                return m.LiveRead(live)
            case m.Commit(transaction=transaction):
                assert actor.writer is not None, "a commit follows a reading"
                return self._commit(transaction, actor.writer)
            case m.ReadInputs():
                records = tuple(self.registry.records.values())
                reports = tuple(self.registry.reports)
                floor = self.registry.floor
                return m.InputsRead(self.topology, self.registry.latest, floor, records, reports, (), self.wall)
        return self._at_registry(actor, effect)

    def _commit(self, transaction: Transaction, writer: Writer) -> m.Event:
        place = (transaction.provider, transaction.endpoint)
        before = self.primaries[place]
        if before != transaction.seen:
            return m.Conflict("NXRRSET")
        after = Live((transaction.sentinel.text,), transaction.content.sets)
        self.primaries[place] = after
        self.trace.append(f"landed {transaction.sentinel.text} {transaction.content}")
        self.checker.landed(before, after, transaction, writer)
        return m.Committed()

    def _at_registry(self, actor: Actor, effect: m.Effect) -> m.Event:
        registry = self.registry
        match effect:
            case m.ReadKnown(provider=provider, endpoint=endpoint):
                actor.registry_losses = self.checker.registry_losses
                if actor.writer is not None:
                    actor.writer = actor.writer._replace(registry_losses=actor.registry_losses)
                return m.KnownRead(registry.known(provider, endpoint))
            case m.FindContent(endpoint=endpoint, digest=digest):
                return m.ContentFound(registry.find_content(endpoint, digest))
            case m.WriteRecord(record=record, pending=pending):
                if actor.is_person:
                    self.checker.person_acted((record.provider, record.endpoint))
                return m.RecordWritten(registry.write_record(record, pending=pending))
            case m.ReportAhead(report=report):
                registry.reports[report] = None
                return m.Reported()
            case m.DropReports(reports=reports):
                for report in reports:
                    registry.reports.pop(report, None)
                return m.ReportsDropped()
            case m.Publish(plan=plan, after=after):
                return m.Published() if registry.publish(plan, after) else m.Raced()
            case m.ListPlans():
                plans = sorted(registry.plans.values(), key=lambda plan: plan.generation, reverse=True)
                actor.listed = tuple(
                    PlanInfo(p.generation, p.at, registry.tombstones.get(p.generation, 0)) for p in plans
                )
                return m.PlansListed(actor.listed, tuple(registry.records.values()), self.wall)
            case m.Tombstone(generation=generation):
                registry.tombstones.setdefault(generation, self.wall)
                return m.Tombstoned()
            case m.DeletePlan():
                if effect.generation == max(info.generation for info in actor.listed):
                    raise Violation(f"the janitor wants to delete the newest plan: {effect}")
                return m.PlanDeleted() if registry.delete_plan(effect) else m.PlanKept()
        raise AssertionError(f"nobody carries out {effect!r}")

    # ----------------------------------------------------------------------------------------- what others do

    def configure(self, *addresses: str) -> None:
        """A person writes a new topology: the same targets for every endpoint."""
        targets = tuple(Target(address=address, region="r") for address in addresses)
        names = sorted({endpoint for _, endpoint in self.places})
        endpoints = tuple(Endpoint(name=name, targets=targets, probed=False) for name in names)
        self.topology = Topology(realm=REALM, endpoints=endpoints)

    def damage(self, after: Live, place: tuple[str, str] | None = None) -> None:
        """Somebody who knows nothing of us changes a primary."""
        place = place or self.places[0]
        before, self.primaries[place] = self.primaries[place], after
        self.trace.append(f"damage at {place}: {after}")
        self.checker.damaged(place, before, after, self.registry.records.get(place))

    def retire(self, place: tuple[str, str] | None = None) -> None:
        """A person gives the endpoint up on purpose: sentinel `retired`, no records."""
        place = place or self.places[0]
        seen = parse(self.primaries[place].sentinel)
        assert isinstance(seen, Sentinel), f"{place} has nothing to retire"
        retired = seen._replace(n=seen.n + 1, standing=Standing.RETIRED, by="person")
        record = self.registry.records.get(place)
        if record is not None:
            self.registry.records[place] = record._replace(sentinel=retired)
        self.primaries[place] = Live((retired.text,), ())
        self.trace.append(f"retired {place}")

    def restore_registry(self, copy: tuple[Any, ...] | None) -> None:
        """Put an older copy of the registry back; `None`: a new one, empty."""
        self.registry.restore(copy or Memory().backup())
        self.trace.append("registry restored" if copy else "registry lost")
        self.checker.registry_lost()

    # ------------------------------------------------------------------------------------------------ looking

    def live(self, place: tuple[str, str] | None = None) -> Live:
        return self.primaries[place or self.places[0]]

    def sentinel(self, place: tuple[str, str] | None = None) -> Sentinel:
        """The readable sentinel that stands there."""
        found = parse(self.live(place).sentinel)
        assert isinstance(found, Sentinel), f"no sentinel at {place}: {found}"
        return found

    def addresses(self, place: tuple[str, str] | None = None) -> tuple[str, ...]:
        return tuple(value for item in self.live(place).sets for value in item.values)

    def entry(self, endpoint: str = DB) -> Entry:
        latest = self.registry.latest
        found = latest.entry(endpoint) if latest is not None else None
        assert found is not None, f"no plan for {endpoint}"
        return found


def _actor(name: str, step: Callable[[Any, m.Event], tuple[Any, m.Effects]], state: Any) -> Actor:
    return Actor(name, step, state, state)


def content(*addresses: str) -> Content:
    """The content of these addresses with the TTL that the world's topology has."""
    return Content.of_addresses(addresses, ttl=5)


class Stage:
    """One world with the usual actors, and generation 1 (192.0.2.1) applied."""

    def __init__(self, *places: tuple[str, str]) -> None:
        self.world = World(*places)
        self.e1, self.e2 = self.world.enactor("e1"), self.world.enactor("e2")
        self.planner = self.world.planner()
        self.plan("192.0.2.1")
        self.world.run(self.e1)

    def plan(self, *addresses: str) -> None:
        self.world.configure(*addresses)
        self.world.run(self.planner)

    def person(self, command: hold.Command, *addresses: str) -> Actor:
        return self.world.run(self.world.person(command, content(*addresses) if addresses else None))

    def settle(self, rounds: int = 3) -> None:
        for _ in range(rounds):
            for actor in (self.e1, self.planner, self.e2):
                self.world.run(actor)
