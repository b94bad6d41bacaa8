"""Laws of choosing one name: for any signals, any order and any history."""

from hypothesis import given
from hypothesis import strategies as st

from outlast.health.signal import NOWHERE, Signal, Verdict
from outlast.traffic import guards
from outlast.traffic.aliases import resolves_to_nothing
from outlast.traffic.content import RecordSet
from outlast.traffic.evidence import SECOND, doubted, freshest
from outlast.traffic.orders import Kind, Order
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.planning import is_settled, propose
from outlast.traffic.ports import Record
from outlast.traffic.sentinel import Sentinel, Standing
from outlast.traffic.topology import Endpoint, Target

WALL = 1_000_000 * SECOND
NAMES = [f"lb-{letter}.example." for letter in "abcd"]
ADDRESSES = ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
ORDERS = (
    Order(Kind.EVACUATE, "east", "", (), "ann", 1, ""),
    Order(Kind.EVACUATE, NAMES[1], "", (), "ann", 2, ""),
    Order(Kind.PIN, "", "api.example", (NAMES[0], NAMES[2]), "ann", 3, ""),
)


def endpoints_of(pool: list[str]) -> st.SearchStrategy[Endpoint]:
    targets = st.lists(
        st.builds(Target, address=st.sampled_from(pool), region=st.sampled_from(["east", "west"])),
        min_size=1,
        max_size=4,
        unique_by=lambda target: target.address,
    ).map(tuple)
    soaks = st.sampled_from([0.0, 10.0])
    return st.builds(Endpoint, name=st.just("api.example"), targets=targets, soak=soaks, probed=st.booleans())


named = endpoints_of(NAMES)
either = named | endpoints_of(ADDRESSES)
signals = st.lists(
    st.builds(
        Signal,
        st.sampled_from(NAMES + ADDRESSES),
        st.sampled_from(["o1", "o2", "east/o3", "west/o4", "north/o5"]),
        st.sampled_from(Verdict),
        st.integers(0, 90).map(lambda age: WALL - age * SECOND),
        st.integers(0, 90).map(lambda age: WALL - age * SECOND),
        st.booleans(),
        st.sampled_from([f"{NOWHERE}: NXDOMAIN", "192.0.2.9: timeout"]),
    ),
    max_size=24,
).map(tuple)
orders = st.sets(st.sampled_from(ORDERS)).map(tuple)
rounds = st.lists(st.tuples(signals, orders), min_size=1, max_size=4)


def _next(
    of: Endpoint,
    previous: Entry | None,
    seen: tuple[Signal, ...],
    orders: tuple[Order, ...],
    records: tuple[Record, ...] = (),
) -> Entry:
    evidence = freshest(seen, wall=WALL, max_age=60 * SECOND)
    content, withheld = propose(of, previous=previous, records=records, evidence=evidence, wall=WALL, orders=orders)
    generation = previous.generation + 1 if previous is not None else 1
    minimum = of.min_addresses
    return Entry(endpoint=of.name, generation=generation, content=content, min_addresses=minimum, withheld=withheld)


def _history(of: Endpoint, told: list[tuple[tuple[Signal, ...], tuple[Order, ...]]]) -> list[Entry]:
    entries: list[Entry] = []
    for seen, given_orders in told:
        entries.append(_next(of, entries[-1] if entries else None, seen, given_orders))
    return entries


@given(named, rounds)
def test_exactly_one_configured_name_is_published(
    of: Endpoint, told: list[tuple[tuple[Signal, ...], tuple[Order, ...]]]
) -> None:
    """Never none, never two, and every other name is explained; the plan survives its own text."""
    for entry in _history(of, told):
        (published,) = entry.content.targets

        assert published in of.addresses
        assert {*of.addresses} - {published} == {item.address for item in entry.withheld}
        assert (RecordSet("CNAME", of.ttl, (published,)),) == entry.content.sets
        plan = Plan(realm="r", generation=entry.generation, entries=(entry,))
        assert plan == Plan.from_json(plan.to_json())


@given(named, rounds)
def test_a_healthy_name_stays_unless_a_person_says_otherwise(
    of: Endpoint, told: list[tuple[tuple[Signal, ...], tuple[Order, ...]]]
) -> None:
    """A move has evidence against the name that is left, or a person's word; without evidence nothing moves."""
    entries = _history(of, told)
    for before, after, (seen, given_orders) in zip(entries, entries[1:], told[1:], strict=False):
        if before.content != after.content and not given_orders:
            (left,) = before.content.targets
            reason = next(item.reason for item in after.withheld if item.address == left)

            assert of.probed
            assert reason.startswith(("unhealthy: ", "evacuated: ")), reason
            assert any(it.target == left and it.verdict is Verdict.UNHEALTHY for it in seen)


@given(named, rounds)
def test_nothing_moves_to_where_nothing_is(
    of: Endpoint, told: list[tuple[tuple[Signal, ...], tuple[Order, ...]]]
) -> None:
    """If another name leads somewhere, as far as anybody heard, one that resolves to nothing is not moved to."""
    entries = _history(of, told)
    for before, after, (seen, given_orders) in zip(entries, entries[1:], told[1:], strict=False):
        evidence = freshest(seen, wall=WALL, max_age=60 * SECOND)
        is_pinned = any(order.kind is Kind.PIN for order in given_orders)
        if before.content != after.content and of.probed and not is_pinned:
            (to,) = after.content.targets

            assert to not in evidence or not resolves_to_nothing(evidence[to])


@given(named, rounds, signals, orders)
def test_planning_twice_changes_nothing(
    of: Endpoint,
    told: list[tuple[tuple[Signal, ...], tuple[Order, ...]]],
    seen: tuple[Signal, ...],
    given_orders: tuple[Order, ...],
) -> None:
    """The same inputs on a plan's own result give the same content: the choice does not swing."""
    settled = _next(of, _history(of, told)[-1], seen, given_orders)
    again = _next(of, settled, seen, given_orders)

    assert settled.content == again.content
    assert _next(of, again, seen, given_orders).withheld == again.withheld


@given(either, either, rounds, rounds, signals, orders)
def test_the_last_hop_lets_every_edit_through(
    old: Endpoint,
    new: Endpoint,
    before: list[tuple[tuple[Signal, ...], tuple[Order, ...]]],
    recorded: list[tuple[tuple[Signal, ...], tuple[Order, ...]]],
    seen: tuple[Signal, ...],
    given_orders: tuple[Order, ...],
) -> None:
    """Between names and addresses, whatever a record still promises, the next plan explains what goes."""
    previous, promised = _history(old, before)[-1], _history(old, recorded)[-1].content
    records = (Record("p", new.name, Sentinel("r", 1, 9, promised.digest, Standing.LIVE, "w"), promised),)
    entry = _next(new, previous, seen, given_orders, records)
    kinds = {"CNAME"} & {item.type for item in (*promised.sets, *entry.content.sets)}

    # Between addresses the law stands in test_planning_laws.
    assert not kinds or "" == guards.refusal(promised.sets, entry, records[0])


@given(named, rounds, signals)
def test_what_is_plainly_settled_is_settled(
    of: Endpoint, told: list[tuple[tuple[Signal, ...], tuple[Order, ...]]], seen: tuple[Signal, ...]
) -> None:
    """Where the short look says that nothing changes, the long one comes to the same entry."""
    previous = _history(of, told)[-1]
    evidence = freshest(seen, wall=WALL, max_age=60 * SECOND)
    if is_settled(of, previous, records=(), doubted=doubted(evidence), orders=()):
        after = _next(of, previous, seen, ())

        assert (previous.content, previous.withheld) == (after.content, after.withheld)
