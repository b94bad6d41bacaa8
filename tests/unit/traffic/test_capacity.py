"""Survivors that are too small: what stays, what is told, and what nobody can hold up."""

from typing import Any

import pytest

from outlast.errors import InvalidConfig
from outlast.health.signal import Verdict
from outlast.traffic.capacity import shortage
from outlast.traffic.content import Content
from outlast.traffic.drafting import next_entries
from outlast.traffic.evidence import SECOND, freshest
from outlast.traffic.messages import InputsRead
from outlast.traffic.orders import Kind, Order
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.topology import MAX_CAPACITY, Endpoint, Target, Topology

E1, E2, W1, W2 = "192.0.2.1", "192.0.2.2", "198.51.100.1", "198.51.100.2"
ALL = (E1, E2, W1, W2)
UP, DOWN = Verdict.HEALTHY, Verdict.UNHEALTHY
EAST_OUT = Order(Kind.EVACUATE, "east", "", (), "ann", 1, "")
ALL_OUT = EAST_OUT._replace(kind=Kind.EVACUATE_ALL)


def endpoint(load: float, **options: Any) -> Endpoint:
    """Two targets in each of two regions, of which each can bear ten."""
    places = ((E1, "east"), (E2, "east"), (W1, "west"), (W2, "west"))
    targets = tuple(Target(address=address, region=region, capacity=10) for address, region in places)
    return Endpoint(**{"name": "db.example", "targets": targets, "load": load, "max_leave": 1.0, **options})


@pytest.fixture
def planned(signal: Any, wall: int) -> Any:
    """What is published, and the shortage that is told, with every target published before and healthy but those down."""

    def plan(
        of: Endpoint, *orders: Order, down: tuple[str, ...] = (), before: tuple[str, ...] = ALL
    ) -> tuple[tuple[str, ...], str]:
        previous = Entry(endpoint=of.name, generation=1, content=Content.of_addresses(before, ttl=5))
        inputs = InputsRead(
            topology=Topology(realm="r", endpoints=(of,)),
            plan=Plan(realm="r", generation=1, entries=(previous,)),
            floor=1,
            records=(),
            reports=(),
            signals=tuple(signal(address, DOWN if address in down else UP) for address in ALL),
            wall=wall,
            orders=orders,
        )
        entry = (*next_entries(inputs, 30 * SECOND), previous)[0]
        return entry.content.addresses, entry.shortage

    return plan


@pytest.mark.parametrize(("load", "published"), [(0, (W1, W2)), (20, (W1, W2)), (21, (E1, W1, W2)), (31, ALL)])
def test_what_the_rest_needs_stays(load: float, published: tuple[str, ...], planned: Any) -> None:
    """As many targets that were ordered out stay as the load asks for, and no more; with enough, or no load, none."""
    assert published == planned(endpoint(load), EAST_OUT)[0]


def test_what_stays_is_told_with_what_ends_it(planned: Any) -> None:
    """The words name the targets, the figures and the ways out; an evacuation that fits is no alarm."""
    words = planned(endpoint(25), EAST_OUT)[1]

    assert f"{E1} stay although ordered out, for the rest bears 20 of a load of 25" in words
    assert "lifted by more healthy capacity or a smaller load, or by: outlast evacuate --all" in words
    assert "" == planned(endpoint(20), EAST_OUT)[1]


def test_all_of_it_leaves_when_a_person_says_all(planned: Any) -> None:
    """No load holds up an order for all of a region; that it is too little is told all the same."""
    addresses, words = planned(endpoint(25), ALL_OUT)

    assert (W1, W2) == addresses
    assert words.startswith("what is healthy bears 20 of a load of 25; lifted by")


def test_the_sick_bear_nothing_and_are_not_kept(planned: Any) -> None:
    """A sick survivor does not count, and a sick target of the evacuated region is no help; unprobed, all count."""
    assert (E2, W2) == planned(endpoint(20), EAST_OUT, down=(E1, W1))[0]
    assert planned(endpoint(20, fail_open_below=1.0), down=(E1, E2, W1, W2))[1].startswith("what is healthy bears 0 of")
    assert (E1, E2, W1, W2) == planned(endpoint(35, probed=False), EAST_OUT, down=(E1, W1))[0]


def test_what_is_published_stays_before_what_would_come_back(planned: Any) -> None:
    """Otherwise each pass might choose another part."""
    assert (E2, W1, W2) == planned(endpoint(25), EAST_OUT, before=(E2, W1, W2))[0]


def test_a_pin_is_exact(planned: Any) -> None:
    """A load adds nothing to what a person pinned; too little is told."""
    addresses, words = planned(endpoint(25), Order(Kind.PIN, "", "db.example", (W1,), "ann", 1, ""))

    assert ((W1,), True) == (addresses, words.startswith("what is healthy bears 10 of a load of 25"))


def test_a_shortage_is_news_once(planned: Any, signal: Any, wall: int) -> None:
    """Too little from the start is told without anything changing, and an entry that tells it already is not planned anew."""
    of = endpoint(50)
    told = planned(of)[1]
    entry = Entry(endpoint=of.name, generation=1, content=Content.of_addresses(ALL, ttl=5), shortage=told)
    plan = Plan(realm="r", generation=1, entries=(entry,))
    inputs = InputsRead(Topology(realm="r", endpoints=(of,)), plan, 1, (), (), (), wall)
    enough = inputs._replace(topology=Topology(realm="r", endpoints=(endpoint(40),)))

    assert told.startswith("what is healthy bears 40 of a load of 50")
    assert () == next_entries(inputs, 30 * SECOND)
    assert [""] == [item.shortage for item in next_entries(enough, 30 * SECOND)]


def test_without_a_load_nothing_is_judged(signal: Any, wall: int) -> None:
    """Whatever the capacities are."""
    evidence = freshest([signal(address, DOWN) for address in ALL], wall=wall, max_age=30 * SECOND)

    assert "" == shortage(endpoint(0), Content.of_addresses((W1,), ttl=5), evidence=evidence, orders=())


@pytest.mark.parametrize("capacity", [0, -1, float("nan"), float("inf"), MAX_CAPACITY * 2])
def test_a_capacity_is_a_number_above_nothing(capacity: float) -> None:
    """What could not be added up is refused, with the target; so is a load below nothing."""
    with pytest.raises(InvalidConfig, match=r"192\.0\.2\.1: capacity = .* is not above 0"):
        Endpoint(name="db.example", targets=(Target(address=E1, region="east", capacity=capacity),))
    with pytest.raises(InvalidConfig, match="load = -1 is not within 0 and"):
        endpoint(-1)


def test_both_kinds_of_order_are_about_one_thing() -> None:
    """Giving or lifting one takes the place of the other; pins stand for themselves."""
    pin = Order(Kind.PIN, "", "db.example", (W1,), "ann", 1, "")

    assert (EAST_OUT.key, ALL_OUT.key) == EAST_OUT.keys
    assert (ALL_OUT.key, EAST_OUT.key) == ALL_OUT.keys
    assert (pin.key,) == pin.keys
