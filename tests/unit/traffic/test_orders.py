"""A person's orders: what they take out, what stands in their way, and how targets come back."""

from typing import Any

import pytest

from outlast.health.signal import Verdict
from outlast.traffic.content import Content
from outlast.traffic.evidence import SECOND, freshest
from outlast.traffic.orders import ORDERED, Kind, Order
from outlast.traffic.plan import Entry, Withheld
from outlast.traffic.planning import propose
from outlast.traffic.topology import Endpoint, Target
from outlast.traffic.withholding import UNHEALTHY

E1, E2, W1, W2 = "192.0.2.1", "192.0.2.2", "198.51.100.1", "198.51.100.2"
EAST, WEST, ALL = (E1, E2), (W1, W2), (E1, E2, W1, W2)
UP, DOWN = Verdict.HEALTHY, Verdict.UNHEALTHY
EAST_OUT = Order(Kind.EVACUATE, "east", "", (), "ann", 1, "INC-42")
WEST_OUT = EAST_OUT._replace(subject="west")
SAID = f"{ORDERED}evacuate east by ann: INC-42"


def endpoint(**options: Any) -> Endpoint:
    """Two targets in each of two regions; velocity lets one leave in a minute."""
    targets = tuple(Target(address=it, region=region) for region, of in (("east", EAST), ("west", WEST)) for it in of)
    return Endpoint(**{"name": "db.example", "targets": targets, "max_leave": 0.0, "soak": 10.0, **options})


def entry(addresses: tuple[str, ...], **withheld: str) -> Entry:
    out = tuple(Withheld(address, reason, 1) for address, reason in withheld.items())
    return Entry(endpoint="db.example", generation=1, content=Content.of_addresses(addresses, ttl=5), withheld=out)


@pytest.fixture
def planned(signal: Any, wall: int) -> Any:
    """What is published and left out; every target is healthy but those that are down, never were up, or are unseen."""

    def plan(
        *orders: Order,
        of: Endpoint | None = None,
        previous: Entry | None = None,
        down: tuple[str, ...] = (),
        never_up: tuple[str, ...] = (),
        unseen: tuple[str, ...] = (),
    ) -> tuple[tuple[str, ...], dict[str, str]]:
        seen = [
            signal(it, DOWN if it in (*down, *never_up) else UP, worked=it not in never_up)
            for it in ALL
            if it not in unseen
        ]
        content, withheld = propose(
            of or endpoint(),
            previous=previous or entry(ALL),
            records=(),
            evidence=freshest(seen, wall=wall, max_age=30 * SECOND),
            wall=wall,
            orders=orders,
        )
        return content.addresses, {item.address: item.reason for item in withheld}

    return plan


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (EAST_OUT, "evacuate east by ann: INC-42"),
        (Order(Kind.PIN, "", "db", (E1, E2), "ann", 1, ""), f"pin {E1} {E2} at db by ann"),
        (Order(Kind.PIN, "", "db", (), "ann", 1, ""), "pin at db by ann"),
    ],
)
def test_the_words_of_an_order(order: Order, words: str) -> None:
    """What, where, by whom and why; a pin that is being lifted names no addresses, and leaves no gap for them."""
    assert words == str(order)


def test_a_region_leaves_at_once(planned: Any) -> None:
    """All of it, although velocity would let one target go; each is left out with the order's words."""
    assert (WEST, dict.fromkeys(EAST, SAID)) == planned(EAST_OUT)


def test_one_target_leaves(planned: Any) -> None:
    """An address is evacuated like a region."""
    assert (E2, W1, W2) == planned(EAST_OUT._replace(subject=E1))[0]


def test_an_order_for_another_endpoint_does_nothing(planned: Any) -> None:
    """An order for one endpoint does not concern others."""
    assert (ALL, {}) == planned(EAST_OUT._replace(endpoint="other.example"))
    assert WEST == planned(EAST_OUT._replace(endpoint="db.example"))[0]


def test_failing_open_brings_nothing_back(planned: Any) -> None:
    """With the west unhealthy the east stays out: the west fails open instead."""
    assert WEST == planned(EAST_OUT, down=WEST)[0]


def test_the_floors_stand(planned: Any) -> None:
    """Everything ordered out, or less left than the minimum: as many stay as must."""
    both = (EAST_OUT, EAST_OUT._replace(subject="west"))

    assert 1 == len(planned(*both)[0])
    assert 3 == len(planned(EAST_OUT, of=endpoint(min_addresses=3))[0])


@pytest.mark.parametrize(
    ("before", "down", "published"), [(WEST, EAST, (W1,)), ((W2,), EAST, (W2,)), ((W2,), (W2,), (E1,))]
)
def test_of_all_that_is_ordered_out_what_serves_best_stays(
    before: tuple[str, ...], down: tuple[str, ...], published: tuple[str, ...], planned: Any
) -> None:
    """The floor keeps a healthy target before one that is down, and what DNS answers now before one that has left."""
    assert published == planned(EAST_OUT, WEST_OUT, previous=entry(before), down=down)[0]


def test_what_was_ordered_out_comes_straight_back(planned: Any) -> None:
    """Once the order is lifted there is no soak; what is unhealthy stays out as unhealthy."""
    previous = entry(WEST, **dict.fromkeys(EAST, SAID))
    addresses, out = planned(previous=previous, down=(E2,))

    assert (E1, W1, W2) == addresses
    assert out[E2].startswith(UNHEALTHY)


@pytest.mark.parametrize("fault", ["never_up", "unseen"])
def test_what_never_served_is_a_newcomer_still_when_its_order_is_lifted(planned: Any, fault: str) -> None:
    """Configured while its region was ordered out: dead or never probed, it does not come in with those that served."""
    west = {fault: WEST}
    first = planned(WEST_OUT, previous=entry(EAST), **west)
    later = planned(WEST_OUT, previous=entry(first[0], **first[1]), **west)

    assert EAST == planned(previous=entry(later[0], **later[1]), **west)[0]


def test_what_had_served_is_no_newcomer_when_its_order_is_lifted(planned: Any) -> None:
    """However long it was ordered out, it comes back although nobody probes it."""
    first = planned(WEST_OUT)
    later = planned(WEST_OUT, previous=entry(first[0], **first[1]))

    assert ALL == planned(previous=entry(later[0], **later[1]), unseen=WEST)[0]


def test_a_pin_says_it_all(planned: Any) -> None:
    """Just these, unhealthy ones too, and no other; it goes before an evacuation."""
    pin = Order(Kind.PIN, "", "db.example", (E1,), "bob", 2, "")
    addresses, out = planned(EAST_OUT, pin, down=(E1,))

    assert ((E1,), dict.fromkeys((E2, W1, W2), f"{ORDERED}pin {E1} at db.example by bob")) == (addresses, out)


def test_a_pin_of_what_is_gone_is_none(planned: Any) -> None:
    """A pin to addresses that nobody configures any more does not count."""
    pin = Order(Kind.PIN, "", "db.example", ("203.0.113.9",), "bob", 2, "")

    assert (ALL, {}) == planned(pin)
