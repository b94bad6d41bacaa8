"""A tiny synchronous world for the shipped machines: one registry, some primaries, and actors whose every effect is a step.

The registry and the primaries are the model of the world, with atomic operations on values; the actors are the machines
that ship. Whoever drives the world chooses who goes next and what becomes of the effect (`Fate`); `protocol_checker`
judges every write that lands.
"""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from protocol_checker import Checker, Violation, Writer

from outlast.simulator.plan_layout import Copy
from outlast.simulator.plan_store import ABSENT, Shelf, recorded
from outlast.traffic import enactor, hold, hold_state, janitor, planner
from outlast.traffic import messages as m
from outlast.traffic.content import Content
from outlast.traffic.edition import with_edition
from outlast.traffic.plan import Entry
from outlast.traffic.ports import AheadReport, Live, Place, PlanInfo, Record, Transaction
from outlast.traffic.sentinel import Sentinel, Standing, parse
from outlast.traffic.topology import Endpoint, Target, Topology

REALM = "test"
DB = "db.example"
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
    """The registry: what survives in it is copied by `backup` and put back by `restore`. The explorer's, with a memory."""

    def __init__(self) -> None:
        self.shelf = Shelf()
        self.records: dict[tuple[str, str], Record] = {}
        self.reports: dict[AheadReport, None] = {}

    def backup(self) -> Copy:
        return Copy(self.shelf, tuple(self.records.items()), tuple(self.reports))

    def restore(self, copy: Copy) -> None:
        self.shelf = copy.shelf
        self.records, self.reports = dict(copy.records), dict.fromkeys(copy.reports)

    @property
    def plans(self) -> list[int]:
        return [plan.generation for plan in self.shelf.plans]

    def forget_plan(self, generation: int) -> None:
        kept = tuple(plan for plan in self.shelf.plans if plan.generation != generation)
        self.shelf = self.shelf._replace(plans=kept)

    def write_record(self, record: Record, *, pending: bool) -> bool:
        place = (record.provider, record.endpoint)
        new = recorded(self.records.get(place), record, pending=pending)
        if new is not None:
            self.records[place] = new
        return new is not None

    def changed(self, shelf: Shelf | None) -> bool:
        """Take what an operation came to; nothing if it was refused."""
        self.shelf = shelf if shelf is not None else self.shelf
        return shelf is not None


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
        self.primaries: MutableMapping[tuple[str, str], Live] = dict.fromkeys(self.places, ABSENT)
        self.flying: list[tuple[Transaction, Writer]] = []
        self.checker = Checker()
        self.wall = 1_000 * SECOND
        self.topology = Topology(realm=REALM, endpoints=())
        self.files: dict[str, Topology] = {}
        """What single planners' files say, where it is not what everybody's says."""
        self.trace: list[str] = []

    # -------------------------------------------------------------------------------------------------- actors

    def enactor(self, name: str, provider: str = "p1", endpoint: str = DB) -> Actor:
        return _actor(name, enactor.step, enactor.EnactorState(name, REALM, provider, endpoint))

    def planner(self, name: str = "planner") -> Actor:
        places = tuple(Place(*place) for place in self.places)
        options = planner.Options(me=name, realm=REALM, places=places, max_signal_age=60 * SECOND)
        return _actor(name, planner.step, planner.PlannerState(options))

    def janitor(self, *, keep: int = 1) -> Actor:
        return _actor("janitor", janitor.step, janitor.JanitorState(janitor.Options(keep=keep, grace=0, wait=0)))

    def person(
        self, command: hold_state.Command, content: Content | None = None, *, provider: str = "p1", endpoint: str = DB
    ) -> Actor:
        state = hold_state.HoldState(command, "person", REALM, provider, endpoint, content=content)
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
        if isinstance(effect, m.ReadSentinels):
            # Place by place, so that others may move in between.
            place = effect.places[0]
            texts = None if fate is Fate.DOWN else self.primaries[place].sentinel
            return m.SentinelsRead((m.Sighting(place, texts, "down" if texts is None else ""),))
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
                losses = self.checker.past(place).losses
                actor.writer = Writer(actor.name, actor.is_person, live, losses, actor.registry_losses)
                return m.LiveRead(live)
            case m.Commit(transaction=transaction):
                assert actor.writer is not None, "a commit follows a reading"
                return self._commit(transaction, actor.writer)
            case m.ReadInputs():
                records = tuple(self.registry.records.values())
                reports = tuple(self.registry.reports)
                shelf = self.registry.shelf
                topology = self.files.get(actor.name, self.topology)
                topology = replace(topology, edition=topology.edition._replace(by=actor.name))
                return m.InputsRead(topology, shelf.latest, shelf.floor, records, reports, (), self.wall)
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
                return m.KnownRead(registry.shelf.known(endpoint, registry.records.get((provider, endpoint))))
            case m.FindContent(endpoint=endpoint, digest=digest):
                return m.ContentFound(registry.shelf.find_content(endpoint, digest))
            case m.WriteRecord(record=record, pending=pending):
                self.checker.recorded((record.provider, record.endpoint), is_person=actor.is_person)
                return m.RecordWritten(registry.write_record(record, pending=pending))
            case m.ReportAhead(report=report):
                registry.reports[report] = None
                return m.Reported()
            case m.DropReports(reports=reports):
                for report in reports:
                    registry.reports.pop(report, None)
                return m.ReportsDropped()
            case m.Publish(plan=plan, after=after):
                return m.Published() if registry.changed(registry.shelf.published(plan, after)) else m.Raced()
            case m.ListPlans():
                actor.listed = registry.shelf.listed()
                return m.PlansListed(actor.listed, tuple(registry.records.values()), self.wall)
            case m.Tombstone(generation=generation):
                registry.changed(registry.shelf.tombstoned(generation, self.wall))
                return m.Tombstoned()
            case m.DeletePlan():
                if effect.generation == max(info.generation for info in actor.listed):
                    raise Violation(f"the janitor wants to delete the newest plan: {effect}")
                named = frozenset(record.sentinel.gen for record in registry.records.values())
                gone = registry.changed(registry.shelf.without(effect, named))
                return m.PlanDeleted() if gone else m.PlanKept()
        raise AssertionError(f"nobody carries out {effect!r}")

    # ----------------------------------------------------------------------------------------- what others do

    def configure(self, *addresses: str, at: str = "") -> None:
        """A person writes a new topology, the same targets for every endpoint, for all or into one planner's file."""
        targets = tuple(Target(address=address, region="r") for address in addresses)
        names = sorted({endpoint for _, endpoint in self.places})
        endpoints = tuple(Endpoint(name=name, targets=targets, probed=False) for name in names)
        topology = with_edition(Topology(realm=REALM, endpoints=endpoints), self.wall)
        if at:
            self.files[at] = topology
        else:
            self.topology, self.files = topology, {}

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

    def restore_registry(self, copy: Copy | None) -> None:
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
        latest = self.registry.shelf.latest
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

    def person(self, command: hold_state.Command, *addresses: str) -> Actor:
        return self.world.run(self.world.person(command, content(*addresses) if addresses else None))

    def settle(self, rounds: int = 3) -> None:
        for _ in range(rounds):
            for actor in (self.e1, self.planner, self.e2):
                self.world.run(actor)
