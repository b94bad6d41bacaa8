"""What stays although people ordered it out: which floor keeps it, one row for each."""

from typing import Any

import pytest

from outlast.traffic.content import Content
from outlast.traffic.kept import Floor, all_kept, kept
from outlast.traffic.orders import Kind, Order
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.topology import Endpoint, Target, Topology

E1, E2, W1, W6 = "192.0.2.1", "192.0.2.2", "198.51.100.1", "2001:db8::1"
EAST_OUT = Order(Kind.EVACUATE, "east", "", (), "ann", 1, "INC-42")
WEST_OUT = EAST_OUT._replace(subject="west", reason="")
ALL_OUT = EAST_OUT._replace(kind=Kind.EVACUATE_ALL)
PIN = Order(Kind.PIN, "", "db.example", (W1,), "ann", 1, "")


def endpoint(**options: Any) -> Endpoint:
    places = ((E1, "east"), (E2, "east"), (W1, "west"), (W6, "west"))
    targets = tuple(Target(address=address, region=region) for address, region in places)
    return Endpoint(**{"name": "db.example", "targets": targets, **options})


def entry(*addresses: str, shortage: str = "") -> Entry:
    content = Content.of_targets(addresses, ttl=5)
    return Entry(endpoint="db.example", generation=1, content=content, shortage=shortage)


@pytest.mark.parametrize(
    ("published", "orders", "options", "expected"),
    [
        pytest.param((W1, W6), (EAST_OUT,), {}, {}, id="nothing is kept"),
        pytest.param((E1,), (EAST_OUT, WEST_OUT), {}, {E1: ("min_addresses", "family")}, id="the last of all"),
        pytest.param((E1, W6), (EAST_OUT,), {}, {E1: ("family",)}, id="the last of its family"),
        pytest.param((E1, W1, W6), (EAST_OUT,), {"min_addresses": 3}, {E1: ("min_addresses",)}, id="the minimum"),
        pytest.param((E1, W1, W6), (EAST_OUT,), {"min_addresses": 2}, {E1: ()}, id="just above the minimum"),
        pytest.param((E1, W1, W6), (PIN,), {"min_addresses": 3}, {E1: ("min_addresses",), W6: ("min_addresses", "family")}, id="a pin of too few"),
    ],
)  # fmt: skip
def test_the_floor_is_named(
    published: tuple[str, ...], orders: tuple[Order, ...], options: dict[str, Any], expected: dict[str, tuple[str, ...]]
) -> None:
    """Each target that is published against an order, with every floor that would be broken without it."""
    found = kept(endpoint(**options), entry(*published), orders)

    assert expected == {it.address: it.floors for it in found}


@pytest.mark.parametrize(
    ("order", "shortage", "floors"),
    [(EAST_OUT, "too small", (Floor.LOAD,)), (EAST_OUT, "", ()), (ALL_OUT, "too small", ())],
)
def test_the_load_keeps_what_was_not_ordered_out_whole(order: Order, shortage: str, floors: tuple[Floor, ...]) -> None:
    """Where the rest cannot bear the load; an order for all passes it."""
    (found,) = kept(endpoint(load=3.0), entry(E1, W1, W6, shortage=shortage), (order,))

    assert floors == found.floors


def test_of_names_one_is_published() -> None:
    """A name that nothing can take the place of stays, and it is the minimum that keeps it."""
    names = ("lb.east.example.", "lb.west.example.")
    targets = tuple(Target(address=name, region=name.split(".")[1]) for name in names)
    (found,) = kept(endpoint(targets=targets), entry(names[0]), (EAST_OUT, WEST_OUT))

    assert (names[0], (Floor.MIN_ADDRESSES,)) == (found.address, found.floors)


def test_the_words_name_order_and_floor() -> None:
    """As people read it; and what no floor keeps has not been followed yet."""
    (one,) = kept(endpoint(), entry(E1, W6), (EAST_OUT,))
    (late,) = kept(endpoint(), entry(E1, W1, W6), (EAST_OUT,))
    words = f"{E1} is published although ordered out (evacuate east by ann: INC-42): "

    assert (f"{words}kept by family", f"{words}the planner has not followed yet") == (str(one), str(late))


def test_of_a_whole_plan() -> None:
    """Endpoint by endpoint; without orders, without a plan, and of what is not configured nothing."""
    topology, plan = Topology(realm="r", endpoints=(endpoint(),)), Plan(realm="r", generation=1, entries=(entry(E1),))
    empty = Topology(realm="r", endpoints=())

    assert [("db.example", E1)] == [(it.endpoint, it.address) for it in all_kept(topology, plan, (EAST_OUT,))]
    assert () == all_kept(topology, plan, ()) + all_kept(topology, None, (EAST_OUT,)) + all_kept(
        empty, plan, (EAST_OUT,)
    )
