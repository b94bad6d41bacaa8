"""An edit that takes addresses away: who goes first, who waits, and what ends the waiting."""

from collections.abc import Mapping
from typing import Any

import pytest

from outlast.errors import InvalidConfig
from outlast.health.signal import Signal, Verdict
from outlast.traffic.content import MAX_VALUES, Content
from outlast.traffic.drafting import next_entries
from outlast.traffic.evidence import SECOND
from outlast.traffic.messages import InputsRead
from outlast.traffic.orders import Kind, Order
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.topology import Endpoint, Target, Topology

BAKE = 60.0
A, B, C = "a.example", "b.example", "c.example"
OLD: dict[str, tuple[str, ...]] = {
    A: ("192.0.2.1", "192.0.2.2"),
    B: ("192.0.2.11", "192.0.2.12"),
    C: ("192.0.2.21", "192.0.2.22"),
}
TRIMMED = {name: addresses[:1] for name, addresses in OLD.items()}
DOWN = Verdict.UNHEALTHY


def topology(of: Mapping[str, tuple[str, ...]], *, unprobed: tuple[str, ...] = (), **options: Any) -> Topology:
    def endpoint(name: str, addresses: tuple[str, ...]) -> Endpoint:
        targets = tuple(Target(address=it, region=f"r{place % 2}") for place, it in enumerate(addresses))
        return Endpoint(name=name, targets=targets, probed=name not in unprobed, max_leave=1.0, fail_open_below=0)

    endpoints = tuple(endpoint(*item) for item in of.items())
    return Topology(**{"realm": "r", "endpoints": endpoints, "bake": BAKE, **options})


class World:
    """Passes of the planner on its own results. The clock is told, signals are what they are told to be."""

    def __init__(self, wall: int) -> None:
        self.wall = wall
        self.orders: tuple[Order, ...] = ()
        self.signals: tuple[Signal, ...] = ()
        self.entries: dict[str, Entry] = {}
        self.topology: Topology
        self.follow(topology(OLD))

    def follow(self, edited: Topology | None = None, *, after: float = 0) -> dict[str, tuple[str, ...]]:
        """One pass; by endpoint what is published then."""
        self.topology = edited or self.topology
        self.wall += int(after * SECOND)
        names = sorted(self.entries)
        plan = Plan(realm="r", generation=1, entries=tuple(self.entries[name] for name in names)) if names else None
        inputs = InputsRead(self.topology, plan, 1, (), (), self._now(), self.wall, self.orders)
        self.entries |= {entry.endpoint: entry for entry in next_entries(inputs, 30 * SECOND)}
        return {name: entry.content.addresses for name, entry in self.entries.items()}

    def _now(self) -> tuple[Signal, ...]:
        told = {signal.target for signal in self.signals}
        configured = {address for endpoint in self.topology.endpoints for address in endpoint.addresses}
        begin = 1_000 * SECOND
        fine = (
            Signal(it, "o1", Verdict.HEALTHY, begin, self.wall, ever_healthy=True) for it in sorted(configured - told)
        )
        return (*(signal._replace(at=self.wall) for signal in self.signals), *fine)

    def says(self, address: str, verdict: Verdict) -> None:
        """From now on the observer says so."""
        others = tuple(signal for signal in self.signals if signal.target != address)
        self.signals = (*others, Signal(address, "o1", verdict, self.wall, self.wall, ever_healthy=True))

    def waiting(self) -> dict[str, str]:
        return {name: entry.waits_for for name, entry in self.entries.items() if entry.waits_for}


@pytest.fixture
def world(wall: int) -> World:
    return World(wall)


def test_one_goes_first_and_the_rest_follow(world: World) -> None:
    """The edit reaches one endpoint at once, the others when it has baked for as long as was said, and not before."""
    first = world.follow(topology(TRIMMED))
    waiting, early = world.waiting(), world.follow(after=BAKE - 1)
    late = world.follow(after=1)

    assert {**OLD, A: TRIMMED[A]} == first == early
    assert {B: A, C: A} == waiting
    assert (TRIMMED, {}) == (late, world.waiting())
    assert late == world.follow(after=1000)


def test_a_canary_that_turns_unhealthy_holds_the_rest(world: World) -> None:
    """However long it takes; when it is healthy again it bakes anew, and then they follow."""
    world.follow(topology(TRIMMED))
    world.says(TRIMMED[A][0], DOWN)
    held = world.follow(after=10 * BAKE)
    world.says(TRIMMED[A][0], Verdict.HEALTHY)
    early, late = world.follow(after=BAKE - 1), world.follow(after=1)

    assert {**OLD, A: TRIMMED[A]} == held == early
    assert TRIMMED == late


@pytest.mark.parametrize(("before", "waiting"), [("sick", {}), ("well", {B: A, C: A})])
def test_what_left_for_health_counts_at_the_canary(before: str, waiting: dict[str, str], world: World) -> None:
    """A target that turned unhealthy after the edit holds the rest though it has left; one that was out before does not."""
    three = {name: (*addresses, addresses[0] + "9") for name, addresses in OLD.items()}
    world.follow(topology(three), after=1)
    if before == "sick":
        world.says(OLD[A][1], DOWN)
        world.follow(after=1)
    world.follow(topology(OLD), after=1)
    world.says(OLD[A][1], DOWN)
    world.follow(after=1)

    assert OLD[A][:1] == world.follow(after=10 * BAKE)[A]
    assert waiting == world.waiting()


def test_silence_is_no_bake(world: World) -> None:
    """A canary of which nothing is heard has not been seen to do well; one that nobody probes needs only the time."""
    world.follow(topology(TRIMMED))
    world.signals = (Signal(TRIMMED[A][0], "o1", Verdict.UNKNOWN, 0, 0),)
    silent = world.follow(after=BAKE)
    unprobed = world.follow(topology(TRIMMED, unprobed=(A,)))

    assert ({**OLD, A: TRIMMED[A]}, TRIMMED) == (silent, unprobed)


def test_what_is_added_never_waits(world: World) -> None:
    """An edit that adds and takes away adds everywhere at once, after the soak that every newcomer has."""
    new = {name: (addresses[0], addresses[0] + "9") for name, addresses in OLD.items()}
    found = world.follow(topology(new))

    assert {name: {*OLD[name], new[name][1]} for name in (B, C)} == {name: set(found[name]) for name in (B, C)}
    assert set(new[A]) == set(found[A])


@pytest.mark.parametrize(
    ("options", "canary"),
    [({}, A), ({"canary": C}, C), ({"unprobed": (A,)}, B), ({"canary": A, "unprobed": (A,)}, A)],
)
def test_who_goes_first(options: dict[str, Any], canary: str, world: World) -> None:
    """The one that is named, otherwise the first by name that is probed."""
    found = world.follow(topology(TRIMMED, **options))

    assert {**OLD, canary: TRIMMED[canary]} == found


def test_one_alone_waits_for_nobody(world: World) -> None:
    """An edit of one endpoint is followed at once, also while others wait; it is no canary of theirs."""
    alone = world.follow(topology({**OLD, B: TRIMMED[B]}))
    world.follow(topology(TRIMMED))

    assert {**OLD, B: TRIMMED[B]} == alone
    assert {C: A} == world.waiting()


def test_health_goes_on_while_an_edit_waits(world: World) -> None:
    """Of an endpoint that waits the sick leave as ever, those that the edit takes away too."""
    world.follow(topology(TRIMMED))
    world.says(OLD[B][1], DOWN)

    assert (OLD[B][0],) == world.follow(after=1)[B]
    assert {C: A} == world.waiting()


def test_people_do_not_wait(world: World) -> None:
    """An evacuation or a pin at an endpoint lets its edit through."""
    world.follow(topology(TRIMMED))
    world.orders = (Order(Kind.PIN, "", B, TRIMMED[B], "ann", 1, ""),)
    pinned = world.follow()
    world.orders = (Order(Kind.EVACUATE, "r0", C, (), "ann", 1, ""),)

    assert TRIMMED[B] == pinned[B]
    assert TRIMMED == world.follow()


def test_a_region_going_dark_does_not_wait(world: World) -> None:
    """Where a region is evacuated nothing unprobed stays: an edit that waits there is followed at once."""
    places = {name: (*addresses, addresses[0] + "9") for name, addresses in OLD.items()}
    world.follow(topology(places), after=1)
    world.follow(topology(OLD), after=1)
    dark = OLD[B][0]
    world.signals = tuple(
        Signal(it, f"{place}/o", DOWN if it == dark else Verdict.HEALTHY, world.wall, world.wall, ever_healthy=True)
        for it in OLD[B]
        for place in ("r1", "r2")
    )

    assert {B: A, C: A} == world.waiting()
    assert (OLD[B][1],) == world.follow(after=1)[B]


def test_taking_the_edit_back_ends_the_waiting(world: World) -> None:
    """The canary is given back what it lost, and nobody waits any more."""
    world.follow(topology(TRIMMED))

    assert (OLD, {}) == (world.follow(topology(OLD), after=BAKE), world.waiting())


def test_without_bake_all_go_at_once(world: World) -> None:
    """Also those that wait when it is taken out; nothing is remembered then."""
    world.follow(topology(TRIMMED))
    found = world.follow(topology(TRIMMED, bake=0))

    assert (TRIMMED, {}) == (found, world.waiting())
    assert 0 == world.entries[B].trimmed < world.entries[A].trimmed


def test_a_canary_that_is_gone_binds_nobody(world: World) -> None:
    """When its endpoint is taken out of the configuration, another of those that wait goes first."""
    world.follow(topology(TRIMMED))
    world.follow(topology({name: TRIMMED[name] for name in (B, C)}))

    assert {C: B} == world.waiting()


def test_a_second_edit_has_its_own_canary(world: World) -> None:
    """Who waits goes on waiting for the first; the canary's own next edit begins its bake anew."""
    world.follow(topology({**OLD, A: TRIMMED[A], B: TRIMMED[B]}))
    world.follow(topology({**TRIMMED, A: ("192.0.2.9",)}), after=BAKE / 2)

    assert {B: A, C: A} == world.waiting()
    assert OLD[B] == world.follow(after=BAKE - 1)[B]
    assert TRIMMED[B] == world.follow(after=1)[B]


def test_no_set_grows_beyond_its_limit(world: World) -> None:
    """What waits stays only as far as there is room beside all that is configured."""
    full = {
        name: tuple(f"10.{place}.{it // 256}.{it % 256}" for it in range(MAX_VALUES)) for place, name in enumerate(OLD)
    }
    found = world.follow(topology(full, unprobed=(A, B, C)))

    assert dict.fromkeys(OLD, MAX_VALUES) == {name: len(addresses) for name, addresses in found.items()}


def test_the_history_is_kept_with_the_plan(world: World) -> None:
    """Who waits and since when the canary bakes survive text; a plan of before they were known is read as without."""
    world.follow(topology(TRIMMED))
    entries = tuple(world.entries[name] for name in sorted(world.entries))
    plan = Plan(realm="r", generation=1, entries=entries)
    bare = Plan(
        realm="r", generation=1, entries=(Entry(endpoint=A, generation=1, content=Content.of_addresses(OLD[A], ttl=5)),)
    )

    assert plan == Plan.from_json(plan.to_json())
    assert not {"shortage", "waits_for", "trimmed"} & set(bare.to_json().split('"'))
    assert bare == Plan.from_json(bare.to_json())


@pytest.mark.parametrize("bake", [-1, 86_401])
def test_bake_and_canary_are_checked(bake: float) -> None:
    """Out of range, or a canary that is no endpoint, is refused with the fix."""
    with pytest.raises(InvalidConfig, match=r"bake = .* is not within 0 and 86400"):
        topology(OLD, bake=bake)
    with pytest.raises(InvalidConfig, match=r"canary = 'x\.example' is not an endpoint: name one"):
        topology(OLD, canary="x.example")
