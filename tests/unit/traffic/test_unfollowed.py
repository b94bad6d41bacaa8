"""Which orders a plan does not follow: held against what the planner would publish now."""

from typing import Any

import pytest

from outlast.health.signal import Verdict
from outlast.traffic.content import Content
from outlast.traffic.evidence import SECOND
from outlast.traffic.messages import InputsRead
from outlast.traffic.orders import ORDERED, Kind, Order
from outlast.traffic.plan import Entry, Plan, Withheld
from outlast.traffic.topology import Endpoint, Target, Topology
from outlast.traffic.unfollowed import Unfollowed, unfollowed

DB, E1, W1, W2 = "db.example", "192.0.2.1", "198.51.100.1", "198.51.100.2"
ALL = (E1, W1, W2)
EAST_OUT = Order(Kind.EVACUATE, "east", "", (), "ann", 1, "INC-42")
PIN = Order(Kind.PIN, "", DB, (E1,), "bob", 1, "")
LEAVE = Order(Kind.LEAVE, "east", "", (), "ann", 1, "")
OUT_EAST = Unfollowed(DB, "evacuate east by ann: INC-42", (E1,))


@pytest.fixture
def late(signal: Any, wall: int) -> Any:
    """What is late where this is planned, with these targets left out by order, and these orders stand."""

    def found(planned: tuple[str, ...], *orders: Order, out: tuple[str, ...] = (), floor: int = 1) -> Any:
        targets = tuple(Target(address=it, region="east" if it == E1 else "west") for it in ALL)
        endpoint = Endpoint(name=DB, targets=targets, soak=0.0, velocity_window=0.0, min_addresses=floor)
        withheld = tuple(Withheld(it, f"{ORDERED}somebody said so", 1) for it in out)
        entry = Entry(endpoint=DB, generation=1, content=Content.of_addresses(planned or ALL, ttl=5), withheld=withheld)
        plan = Plan(realm="shop", generation=1, entries=(entry,)) if planned else None
        signals = tuple(signal(it, Verdict.HEALTHY) for it in ALL)
        inputs = InputsRead(Topology(realm="shop", endpoints=(endpoint,)), plan, 1, (), (), signals, wall, orders)
        return unfollowed(inputs, 30 * SECOND)

    return found


@pytest.mark.parametrize(
    ("planned", "orders", "out", "expected"),
    [
        (ALL, (), (), ()),
        ((), (EAST_OUT,), (), ()),
        (ALL, (EAST_OUT,), (), (OUT_EAST,)),
        ((W1, W2), (EAST_OUT,), (E1,), ()),
        (ALL, (PIN,), (), (Unfollowed(DB, str(PIN), (W1, W2)),)),
        ((W1, W2), (PIN,), (E1,), (Unfollowed(DB, str(PIN), (W1, W2)),)),
        ((E1,), (PIN,), (W1, W2), ()),
        ((W1, W2), (), (E1,), (Unfollowed(DB, "", (E1,)),)),
        (ALL, (LEAVE,), (), ()),
        (ALL, (EAST_OUT._replace(subject="north"),), (), ()),
    ],
)
def test_late_orders(late: Any, planned: Any, orders: Any, out: Any, expected: Any) -> None:
    """An order that the plan does not show is late, and so is one that was lifted and still stands in the plan."""
    assert expected == late(planned, *orders, out=out)


def test_what_a_floor_keeps_is_not_late(late: Any) -> None:
    """The planner cannot do more than the floor lets it."""
    assert () == late(ALL, EAST_OUT, floor=3)
