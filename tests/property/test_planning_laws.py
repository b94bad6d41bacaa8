"""Laws of planning: for any signals and any topology."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from outlast.health.signal import Signal, Verdict
from outlast.traffic import guards
from outlast.traffic import messages as m
from outlast.traffic.capacity import shortage
from outlast.traffic.content import Content, family_of
from outlast.traffic.evidence import SECOND, doubted, freshest
from outlast.traffic.orders import Kind, Order
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.planner import Options, Phase, PlannerState, step
from outlast.traffic.planning import is_settled, propose
from outlast.traffic.ports import Place, Record
from outlast.traffic.sentinel import Sentinel, Standing
from outlast.traffic.topology import Endpoint, Target, Topology
from outlast.traffic.withholding import UNHEALTHY

WALL = 1_000_000 * SECOND
POOL = [f"192.0.2.{last}" for last in range(1, 7)] + ["2001:db8::1", "2001:db8::2"]
REALM = "test"
EVACUATION = Order(Kind.EVACUATE, "east", "", (), "ann", 1, "")


@st.composite
def endpoints(draw: st.DrawFn) -> Endpoint:
    addresses = draw(st.lists(st.sampled_from(POOL), min_size=1, max_size=8, unique=True))
    return Endpoint(
        name="db.example",
        targets=tuple(Target(address=a, region=draw(st.sampled_from(["east", "west"]))) for a in addresses),
        min_addresses=draw(st.integers(1, len(addresses))),
        fail_open_below=draw(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])),
        max_leave=draw(st.sampled_from([0.0, 0.25, 0.5, 1.0])),
        velocity_window=draw(st.sampled_from([1.0, 60.0])),
        soak=draw(st.sampled_from([0.0, 10.0])),
        load=draw(st.sampled_from([0.0, 0.0, 2.0, 9.0])),
        probed=draw(st.booleans()),
    )


signals = st.lists(
    st.builds(
        Signal,
        st.sampled_from(POOL),
        st.sampled_from(["o1", "o2", "east/o3", "west/o4", "north/o5"]),
        st.sampled_from(Verdict),
        st.integers(0, 90).map(lambda age: WALL - age * SECOND),
        st.integers(0, 90).map(lambda age: WALL - age * SECOND),
        st.booleans(),
    ),
    max_size=32,
).map(tuple)


def _entry(endpoint: Endpoint, previous: Entry | None, seen: tuple[Signal, ...], wall: int = WALL) -> Entry:
    evidence = freshest(seen, wall=wall, max_age=60 * SECOND)
    content, withheld = propose(endpoint, previous=previous, records=(), evidence=evidence, wall=wall)
    short = shortage(endpoint, content, evidence=evidence, orders=())
    generation = previous.generation + 1 if previous is not None else 1
    return Entry(
        endpoint=endpoint.name,
        generation=generation,
        content=content,
        min_addresses=endpoint.min_addresses,
        withheld=withheld,
        shortage=short,
    )


def _history(endpoint: Endpoint, rounds: list[tuple[Signal, ...]]) -> list[Entry]:
    entries: list[Entry] = []
    for number, seen in enumerate(rounds):
        shifted = tuple(s._replace(since=s.since + number * SECOND, at=s.at + number * SECOND) for s in seen)
        entries.append(_entry(endpoint, entries[-1] if entries else None, shifted, WALL + number * SECOND))
    return entries


histories = st.lists(signals, min_size=1, max_size=4)


@given(endpoints(), histories)
def test_no_floor_is_broken(endpoint: Endpoint, rounds: list[tuple[Signal, ...]]) -> None:
    """No proposal has fewer addresses than `min_addresses`, or a configured family without one."""
    for entry in _history(endpoint, rounds):
        assert len(entry.content.addresses) >= endpoint.min_addresses
        assert set(endpoint.families) == {family_of(address) for address in entry.content.addresses}
        assert set(entry.content.addresses) <= set(endpoint.addresses)


@given(endpoints(), histories)
def test_everything_configured_is_published_or_explained(endpoint: Endpoint, rounds: list[tuple[Signal, ...]]) -> None:
    """Each configured address is in the content or withheld with a reason, never both."""
    for entry in _history(endpoint, rounds):
        explained = {item.address for item in entry.withheld}

        assert set() == explained & set(entry.content.addresses)
        assert set(endpoint.addresses) <= explained | set(entry.content.addresses)


@given(endpoints(), histories)
def test_velocity_is_never_exceeded(endpoint: Endpoint, rounds: list[tuple[Signal, ...]]) -> None:
    """At no time more targets are out, that left for health within the window, than the limit allows."""
    most = max(1, int(endpoint.max_leave * len(endpoint.targets)))
    for number, entry in enumerate(_history(endpoint, rounds)):
        wall = WALL + number * SECOND
        left = [item for item in entry.withheld if item.reason.startswith(UNHEALTHY)]
        window = endpoint.velocity_window * SECOND

        assert most >= sum(1 for item in left if wall - item.since < window)


@given(endpoints(), st.lists(signals, min_size=2, max_size=4))
def test_plans_of_the_same_inputs_settle(endpoint: Endpoint, rounds: list[tuple[Signal, ...]]) -> None:
    """The same inputs on a plan's own result give the same plan again, at the latest after one more.

    One more, because failing open can bring back a target of which nothing is heard any more. From then on it counts as
    published, and what is sick may leave beside it.
    """
    entries = _history(endpoint, rounds)
    wall = WALL + (len(rounds) - 1) * SECOND
    shifted = tuple(s._replace(since=s.since + wall - WALL, at=s.at + wall - WALL) for s in rounds[-1])
    settled = _entry(endpoint, entries[-1], shifted, wall)
    again = _entry(endpoint, settled, shifted, wall)

    assert (settled.content, settled.withheld) == (again.content, again.withheld)


@given(endpoints(), endpoints(), histories, signals, st.integers(0, 1))
def test_what_is_plainly_settled_is_settled(
    endpoint: Endpoint, old: Endpoint, rounds: list[tuple[Signal, ...]], seen: tuple[Signal, ...], recorded: int
) -> None:
    """Where the short look says that nothing changes, the long one comes to the same entry, now and at any later time."""
    previous = _history(endpoint, rounds)[-1]
    before = _history(old, rounds)[-1].content
    records = (Record("p", endpoint.name, Sentinel(REALM, 1, 1, before.digest, Standing.LIVE, "w"), before),)
    of = records[:recorded]
    for wall in (WALL, WALL + 30 * SECOND):
        evidence = freshest(seen, wall=wall, max_age=60 * SECOND)
        assume(is_settled(endpoint, previous, records=of, doubted=doubted(evidence), orders=()))
        content, withheld = propose(endpoint, previous=previous, records=of, evidence=evidence, wall=wall)

        assert (previous.content, previous.withheld) == (content, withheld)
        assert "" == previous.shortage == shortage(endpoint, content, evidence=evidence, orders=())


@given(endpoints())
def test_what_all_is_well_with_is_plainly_settled(endpoint: Endpoint) -> None:
    """An endpoint whose targets are all healthy and published is found settled by the short look."""
    seen = tuple(
        Signal(address, "o1", Verdict.HEALTHY, WALL, WALL, ever_healthy=True) for address in endpoint.addresses
    )
    previous = _entry(endpoint, None, seen)
    evidence = freshest(seen, wall=WALL, max_age=60 * SECOND)

    assert (not previous.shortage) == is_settled(endpoint, previous, records=(), doubted=doubted(evidence), orders=())


@given(endpoints(), st.sampled_from([5, 9]), st.integers(1, 8))
def test_what_was_edited_is_not_settled(endpoint: Endpoint, ttl: int, count: int) -> None:
    """After an edit of targets, TTL or minimum the short look does not say settled; without one it does."""
    edited = replace(endpoint, targets=endpoint.targets[:count], ttl=ttl, min_addresses=1)
    previous = _entry(endpoint, None, ())
    assume(not previous.shortage)
    is_same = (edited.targets, edited.ttl, edited.min_addresses) == (endpoint.targets, 5, endpoint.min_addresses)

    assert is_same == is_settled(edited, previous, records=(), doubted=frozenset(), orders=())
    assert not is_settled(endpoint, previous, records=(), doubted=frozenset(), orders=(EVACUATION,))


@given(endpoints(), histories, signals, st.sampled_from([Kind.EVACUATE, Kind.EVACUATE_ALL]), st.floats(0, 9))
def test_an_evacuation_by_hand_moves_what_fits_or_all(
    endpoint: Endpoint, rounds: list[tuple[Signal, ...]], seen: tuple[Signal, ...], kind: Kind, load: float
) -> None:
    """A load keeps more only where what would remain cannot bear it, and nobody who is to leave with all of a region."""
    loaded, free = replace(endpoint, load=load), replace(endpoint, load=0.0)
    previous = _history(endpoint, rounds)[-1]
    evidence = freshest(seen, wall=WALL, max_age=60 * SECOND)
    order = EVACUATION._replace(kind=kind)

    def published(of: Endpoint) -> Content:
        return propose(of, previous=previous, records=(), evidence=evidence, wall=WALL, orders=(order,))[0]

    inside = {target.address for target in endpoint.targets if target.region == "east"}
    kept = set(published(loaded).addresses) - set(published(free).addresses)

    assert not kept or shortage(loaded, published(free), evidence=evidence, orders=(order,))
    assert kind is Kind.EVACUATE or not kept & inside


@given(endpoints(), endpoints(), histories)
def test_the_last_hop_never_refuses_for_ever(old: Endpoint, new: Endpoint, rounds: list[tuple[Signal, ...]]) -> None:
    """Whatever the record names, the planner's next plan explains its removal and the last hop lets it through."""
    last = _history(old, rounds)[-1]
    record = Record("p", new.name, Sentinel(REALM, 1, 9, last.digest, Standing.LIVE, "w"), last.content)
    content, withheld = propose(new, previous=None, records=(record,), evidence={}, wall=WALL)
    entry = Entry(endpoint=new.name, generation=10, content=content, min_addresses=new.min_addresses, withheld=withheld)

    assert "" == guards.refusal(last.content.sets, entry, record)


@given(endpoints(), signals, st.integers(1, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_the_generation_always_grows(
    endpoint: Endpoint, seen: tuple[Signal, ...], latest: int, floor: int, own: int, live: int
) -> None:
    """A published plan is above the latest plan, the registry's floor, the planner's own and the sentinel it reads."""
    endpoint = replace(endpoint, probed=False)  # otherwise an edit of all addresses waits for one that is fit
    entry = _entry(endpoint, None, ())
    other = Endpoint(name=endpoint.name, targets=(Target(address="198.51.100.1", region="east"),))
    plan = Plan(realm=REALM, generation=latest, entries=(_at(_entry(other, None, ()), latest),))
    options = Options(me="p", realm=REALM, places=(Place("p1", endpoint.name),), max_signal_age=60 * SECOND)
    inputs = m.InputsRead(Topology(realm=REALM, endpoints=(endpoint,)), plan, floor, (), (), seen, WALL)
    sentinel = Sentinel(REALM, 1, live, entry.digest, Standing.LIVE, "w")
    state, _ = step(PlannerState(options, floor=own), m.Tick())
    state, _ = step(state, inputs)
    assume(state.phase is Phase.SENTINELS)
    state, effects = step(state, m.SentinelsRead((m.Sighting(options.places[0], (sentinel.text,)),)))
    publish = effects[-1]

    assert isinstance(publish, m.Publish)
    assert publish.plan.generation > max(latest, floor, own, live)
    assert publish.plan.generation == publish.plan.entries[0].generation


def _at(entry: Entry, generation: int) -> Entry:
    return Entry(endpoint=entry.endpoint, generation=generation, content=entry.content)
