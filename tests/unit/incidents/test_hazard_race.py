"""The event of 2025-10-20 in a tiny zone, with the machines that ship."""

import random
from dataclasses import dataclass, field

import pytest

from outlast.incidents.enactor import Enactor, State
from outlast.incidents.plan import Endpoint, Plan
from outlast.incidents.protocol import (
    AcquireLock,
    BuildTree,
    DeleteTree,
    Effect,
    Event,
    FetchLatestPlan,
    Install,
    Installed,
    InstallRefused,
    ListTrees,
    LockAcquired,
    LockLost,
    LockRead,
    LockReleased,
    Note,
    PlanFound,
    ReadActive,
    ReadLock,
    ReadTop,
    ReleaseLock,
    Tick,
    TopRead,
    TreeBuilt,
    TreeDeleted,
    TreesListed,
    Woken,
)

DB = "db.example.test."


@dataclass
class Zone:
    """One endpoint with a provider's rules: whole transactions, and an alias that is added must resolve."""

    published: int = 1
    top: int | None = None
    rollback: int | None = None
    lock: str = ""
    locks: int = 0
    trees: set[int] = field(default_factory=set)

    @property
    def is_empty(self) -> bool:
        """The endpoint had addresses once and now answers with none."""
        return self.top is not None and self.top not in self.trees

    def carry_out(self, effect: Effect) -> Event:
        """Do one effect as one atomic step."""
        match effect:
            case FetchLatestPlan():
                return PlanFound(Plan(self.published, (Endpoint(DB, ("127.0.1.1",)),)))
            case ReadTop() | ReadActive():
                return TopRead(self.top)
            case BuildTree(plan):
                self.trees.add(plan)
                return TreeBuilt()
            case ListTrees():
                return TreesListed(tuple(self.trees))
            case DeleteTree(_, _, tree):
                self.trees.discard(tree)
                return TreeDeleted()
            case _:
                return self._locked(effect)

    def _locked(self, effect: Effect) -> Event:
        match effect:
            case ReadLock():
                return LockRead(self.lock, is_expired=False)
            case AcquireLock(_, _, over):
                return LockAcquired(self._renew()) if self.lock == over else LockLost()
            case ReleaseLock(_, _, lock):
                self.lock = "" if self.lock == lock else self.lock
                return LockReleased()
            case Install():
                return self._install(effect)
            case _:
                return Woken()

    def _install(self, effect: Install) -> Event:
        if self.lock != effect.lock:
            return LockLost()
        if missing := {effect.plan, effect.active} - {None} - self.trees:
            return InstallRefused(f"alias target {missing} was not found", "REFUSED")
        self.top, self.rollback = effect.plan, effect.active
        return Installed(self._renew())

    def _renew(self) -> str:
        self.locks += 1
        self.lock = f"lock {self.locks}"
        return self.lock


@dataclass
class Role:
    """An enactor that is about to carry an effect out, or idle."""

    zone: Zone
    machine: Enactor
    state: State = State()  # noqa: RUF009  # a NamedTuple is immutable
    coming: Effect | None = None

    def tick(self) -> None:
        """Start a walk."""
        self._feed(Tick())

    def go(self) -> Event:
        """Carry one effect out and hear of it."""
        assert self.coming is not None, "idle"
        answer = self.zone.carry_out(self.coming)
        self._feed(answer)
        return answer

    def walk(self, until: type[Effect] | None = None) -> list[Event]:
        """Go on until an effect of the class is next, or to the end; return the answers."""
        if self.coming is None:
            self.tick()
        answers = []
        while self.coming is not None and (until is None or not isinstance(self.coming, until)):
            answers.append(self.go())
        return answers

    def _feed(self, event: Event) -> None:
        self.state, effects = self.machine.step(self.state, event)
        self.coming = next((effect for effect in effects if not isinstance(effect, Note)), None)


def roles(zone: Zone, count: int, *, keep: int) -> list[Role]:
    """Make enactors of one zone."""
    return [Role(zone, Enactor(keep=keep)) for _ in range(count)]


def force_the_race() -> tuple[Zone, list[Role]]:
    """Play 2025: C builds late with 110, A has installed 145 and is about to clean, B holds 146."""
    zone = Zone(published=109)
    a, b, c = roles(zone, 3, keep=20)
    a.walk()
    zone.published = 110
    c.walk(until=BuildTree)
    for zone.published in range(111, 145):
        a.walk()
    zone.published = 145
    a.walk(until=ListTrees)
    zone.published = 146
    b.walk(until=BuildTree)
    return zone, [a, b, c]


def test_the_check_of_2025_passes_and_is_never_repeated() -> None:
    """C's plan passes the check against 109 and is installed over 145."""
    zone, (_, _, c) = force_the_race()
    c.walk()

    assert (zone.top, zone.rollback, zone.is_empty) == (110, 145, False)


def test_the_race_of_2025_empties_the_endpoint() -> None:
    """A's clean-up after its own 145 deletes the tree of 110, which C has made live."""
    zone, (a, _, c) = force_the_race()
    c.walk()
    a.walk()

    assert (zone.top, zone.is_empty) == (110, True)


def test_after_the_race_every_install_is_refused_for_ever() -> None:
    """The rollback alias would have to name the tree that is gone, so no enactor can repair, with no later plan."""
    zone, enactors = force_the_race()
    a, b, c = enactors
    c.walk()
    a.walk()
    refused = []
    for zone.published in range(146, 150):
        for enactor in (b, a, c):
            refused += [answer for answer in enactor.walk() if isinstance(answer, InstallRefused)]

    assert (len(refused), zone.top, zone.is_empty, zone.lock) == (12, 110, True, "")


def test_the_shortest_trace_needs_two_enactors_and_three_plans() -> None:
    """Plan 1; E0 picks 1; plans 2 and 3; E1 picks and installs 3; E0 installs 1; E1 lists 1 and deletes it."""
    zone = Zone(published=1)
    e0, e1 = roles(zone, 2, keep=2)
    e0.walk(until=BuildTree)
    zone.published = 3
    e1.walk(until=ListTrees)
    e0.walk(until=ListTrees)
    e1.walk()

    assert (zone.top, zone.is_empty) == (1, True)


def test_one_enactor_alone_is_safe() -> None:
    """Without a second enactor no walk can overtake another, and the endpoint is never empty."""
    zone = Zone(published=1)
    (alone,) = roles(zone, 1, keep=2)
    for zone.published in range(1, 30):
        alone.tick()
        while alone.coming is not None:
            alone.go()

            assert not zone.is_empty
    assert (29, 28, {28, 29}) == (zone.top, zone.rollback, zone.trees)


def random_walk(seed: int, *, steps: int) -> int | None:
    """Let chance choose who goes next, slow ones seldom; return the step at which the endpoint was empty."""
    chance = random.Random(seed)
    zone = Zone()
    enactors = roles(zone, 3, keep=2)
    # One of them is slow: trouble is more likely than with equals.
    weights = [1.0, 1.0, 0.1]
    for step in range(steps):
        if chance.random() < 0.1:
            zone.published += 1
        (enactor,) = chance.choices(enactors, weights)
        if enactor.coming is None:
            enactor.tick()
        else:
            enactor.go()
        if zone.is_empty:
            return step
    return None


@pytest.mark.parametrize("seed", range(5))
def test_chance_finds_the_empty_endpoint(seed: int) -> None:
    """A random walk of three enactors, one of them slow, soon empties the endpoint."""
    replay = f"pytest 'tests/unit/incidents/test_hazard_race.py::test_chance_finds_the_empty_endpoint[{seed}]'"
    print(f"seed {seed}; replay: {replay}")  # noqa: T201  # pytest shows it with a failure

    assert random_walk(seed, steps=20_000) is not None


def test_a_seed_gives_the_same_walk_every_time() -> None:
    """Ten walks of one seed end at one step."""
    assert len({random_walk(7, steps=20_000) for _ in range(10)}) == 1
