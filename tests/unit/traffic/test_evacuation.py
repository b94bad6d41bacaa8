"""Evacuation of a region: who may ask for it, who may object, and how a region comes back."""

from typing import Any

import pytest

from outlast.health.signal import Signal, Verdict
from outlast.traffic.content import Content
from outlast.traffic.evidence import SECOND, freshest, place_of
from outlast.traffic.plan import Entry, Withheld
from outlast.traffic.planning import propose
from outlast.traffic.topology import Endpoint, Target
from outlast.traffic.withholding import EVACUATED, UNHEALTHY

E1, E2, W1, W2, C1 = "192.0.2.1", "192.0.2.2", "198.51.100.1", "198.51.100.2", "203.0.113.1"
EAST, WEST, ALL = (E1, E2), (W1, W2), (E1, E2, W1, W2)
INSIDE, NEIGHBOUR, THIRD, UNPLACED = "east/prober", "west/prober", "north/prober", "prober"
UP, DOWN = Verdict.HEALTHY, Verdict.UNHEALTHY


def endpoint(**options: Any) -> Endpoint:
    """Two targets in each of two regions; velocity lets one leave in a minute."""
    regions = (("east", EAST), ("west", WEST))
    targets = tuple(Target(address=address, region=region) for region, of in regions for address in of)
    return Endpoint(**{"name": "db.example", "targets": targets, "max_leave": 0.0, "soak": 10.0, **options})


def entry(addresses: tuple[str, ...], withheld: tuple[Withheld, ...] = ()) -> Entry:
    return Entry(endpoint="db.example", generation=1, content=Content.of_addresses(addresses, ttl=5), withheld=withheld)


def evacuated(*addresses: str, wall: int) -> Entry:
    """The plan after an evacuation of the east."""
    out = tuple(Withheld(address, f"{EVACUATED}east fails for somebody", wall - 60 * SECOND) for address in addresses)
    return entry(tuple(address for address in ALL if address not in addresses), out)


@pytest.fixture
def seen(signal: Any) -> Any:
    """What one observer sees: an instance for each region, up or down, for so many seconds."""

    def build(observer: str, *, east: Verdict, west: Verdict = UP, for_: float = 60) -> list[Signal]:
        verdicts = dict.fromkeys(EAST, east) | dict.fromkeys(WEST, west)
        return [signal(a, verdict, for_=for_)._replace(observer=observer) for a, verdict in verdicts.items()]

    return build


def planned(of: Endpoint, previous: Entry, signals: list[Signal], wall: int) -> tuple[tuple[str, ...], dict[str, str]]:
    """The addresses published, and the reason for each that is not."""
    evidence = freshest(signals, wall=wall, max_age=30 * SECOND)
    content, withheld = propose(of, previous=previous, records=(), evidence=evidence, wall=wall)
    return content.addresses, {item.address: item.reason for item in withheld}


def test_two_other_places_evacuate_a_region_in_one_step(seen: Any, wall: int) -> None:
    """All of it leaves at once, although velocity would let one target go and failing open would keep both."""
    views = [*seen(NEIGHBOUR, east=DOWN), *seen(THIRD, east=DOWN)]
    reason = f"{EVACUATED}east fails for {THIRD}, {NEIGHBOUR}"

    assert (WEST, dict.fromkeys(EAST, reason)) == planned(endpoint(), entry(ALL), views, wall)


@pytest.mark.parametrize("observer", [NEIGHBOUR, THIRD])
def test_one_place_alone_evacuates_nothing(observer: str, seen: Any, wall: int) -> None:
    """One observer's trouble may be its own; two observers in one place share it."""
    views = [*seen(observer, east=DOWN), *seen(f"{observer}-2", east=DOWN)]

    assert ALL == planned(endpoint(), entry(ALL), views, wall)[0]


def test_observers_without_a_place_evacuate_nothing(seen: Any, wall: int) -> None:
    """Who does not say where it stands may stand anywhere, also in the region."""
    views = [*seen(UNPLACED, east=DOWN), *seen(f"{UNPLACED}-2", east=DOWN), *seen(THIRD, east=DOWN)]

    assert ALL == planned(endpoint(), entry(ALL), views, wall)[0]


def test_observers_that_lost_everything_evacuate_nothing(seen: Any, wall: int) -> None:
    """Two places that see no region at all have lost themselves; with one that sees the other region it is one place."""
    lost = [*seen(NEIGHBOUR, east=DOWN, west=DOWN), *seen("south/prober", east=DOWN, west=DOWN)]

    assert ALL == planned(endpoint(), entry(ALL), lost, wall)[0]
    assert ALL == planned(endpoint(), entry(ALL), [*lost, *seen(THIRD, east=DOWN)], wall)[0]


@pytest.mark.parametrize("observer", ["south/prober", UNPLACED])
def test_observers_that_disagree_evacuate_nothing(observer: str, seen: Any, wall: int) -> None:
    """Somebody outside who sees the region healthy outweighs any number who do not; so does one of unknown place."""
    views = [*seen(NEIGHBOUR, east=DOWN), *seen(THIRD, east=DOWN), *seen(observer, east=UP)]

    assert ALL == planned(endpoint(), entry(ALL), views, wall)[0]


def test_what_is_seen_inside_the_region_does_not_count(seen: Any, wall: int) -> None:
    """A region that is cut off is healthy for itself and for nobody else."""
    inside, outside = seen(INSIDE, east=UP), [*seen(NEIGHBOUR, east=DOWN), *seen(THIRD, east=DOWN)]

    assert WEST == planned(endpoint(), entry(ALL), [*inside, *outside], wall)[0]
    assert ALL == planned(endpoint(), entry(ALL), [*seen(INSIDE, east=DOWN), *outside[:4]], wall)[0]


def test_a_region_with_one_healthy_target_is_not_evacuated(seen: Any, signal: Any, wall: int) -> None:
    """A sick target leaves for itself; the region has not failed."""
    views = [*seen(NEIGHBOUR, east=DOWN), *seen(THIRD, east=DOWN)]
    views = [view._replace(verdict=UP) if view.target == E2 else view for view in views]
    found = planned(endpoint(), entry(ALL), views, wall)

    assert ((E2, *WEST), [E1]) == (found[0], list(found[1]))
    assert found[1][E1].startswith(UNHEALTHY)


def test_a_target_that_an_observer_does_not_know_is_no_failure(seen: Any, wall: int) -> None:
    """Both places must have seen every target of the region fail."""
    views = [view for view in seen(NEIGHBOUR, east=DOWN) if view.target != E2]

    assert ALL == planned(endpoint(), entry(ALL), [*views, *seen(THIRD, east=DOWN)], wall)[0]


def test_old_signals_do_not_evacuate(seen: Any, wall: int) -> None:
    """A place whose prober has been silent for longer than signals count is no second place."""
    old = [view._replace(at=wall - 31 * SECOND) for view in seen(THIRD, east=DOWN)]

    assert ALL == planned(endpoint(), entry(ALL), [*seen(NEIGHBOUR, east=DOWN), *old], wall)[0]


def test_evacuation_uses_up_no_velocity(seen: Any, wall: int) -> None:
    """A sick target of the surviving region may still leave in the same window."""
    views = [*seen(NEIGHBOUR, east=DOWN), *seen(THIRD, east=DOWN)]
    views = [view._replace(verdict=DOWN) if view.target == W1 else view for view in views]

    assert (W2,) == planned(endpoint(), entry(ALL), views, wall)[0]


def test_floors_hold_over_an_evacuation(seen: Any, wall: int) -> None:
    """With a floor of three one address of the east stays, although nobody outside reaches it."""
    views = [*seen(NEIGHBOUR, east=DOWN), *seen(THIRD, east=DOWN)]

    assert (E1, *WEST) == planned(endpoint(min_addresses=3), entry(ALL), views, wall)[0]


def test_the_last_region_is_never_evacuated(seen: Any, wall: int) -> None:
    """An endpoint with one region has nowhere to go; regions that see only themselves do not evacuate each other."""
    alone = Endpoint(name="db.example", targets=tuple(Target(address=a, region="east") for a in EAST))
    views = [*seen(NEIGHBOUR, east=DOWN), *seen(THIRD, east=DOWN)]

    assert EAST == planned(alone, entry(EAST), views, wall)[0]


def test_three_islands_evacuate_nobody(signal: Any, wall: int) -> None:
    """Each of three regions sees only itself: two places agree on every one, and everything stays."""
    homes = {"east": E1, "west": W1, "centre": C1}
    of = endpoint(targets=tuple(Target(address=address, region=region) for region, address in homes.items()))
    views = [
        signal(address, UP if home == region else DOWN)._replace(observer=f"{home}/prober")
        for region, address in homes.items()
        for home in homes
    ]

    assert (E1, W1, C1) == planned(of, entry((E1, W1, C1)), views, wall)[0]


def test_without_signals_a_region_stays_evacuated(wall: int) -> None:
    """Missing evidence brings nobody back."""
    assert WEST == planned(endpoint(), evacuated(*EAST, wall=wall), [], wall)[0]


def test_failing_open_does_not_bring_an_evacuated_region_back(seen: Any, wall: int) -> None:
    """When the observers have lost everything afterwards, only what was published stays."""
    views = [*seen(NEIGHBOUR, east=DOWN, west=DOWN), *seen(THIRD, east=DOWN, west=DOWN)]

    assert WEST == planned(endpoint(), evacuated(*EAST, wall=wall), views, wall)[0]


@pytest.mark.parametrize(("seconds", "published"), [(9.999, WEST), (10, ALL)])
def test_one_observer_outside_brings_it_back(seconds: float, published: tuple[str, ...], seen: Any, wall: int) -> None:
    """As soon as one of them has seen it healthy for `soak` seconds, whatever the others still say."""
    views = [*seen(NEIGHBOUR, east=UP, for_=seconds), *seen(THIRD, east=DOWN)]

    assert published == planned(endpoint(), evacuated(*EAST, wall=wall), views, wall)[0]


def test_who_stands_inside_brings_nothing_back(seen: Any, wall: int) -> None:
    """A region that is healthy for itself alone stays out; soaking there counts for nothing outside."""
    inside = seen(INSIDE, east=UP, for_=3600)
    still = planned(endpoint(), evacuated(*EAST, wall=wall), [*inside, *seen(NEIGHBOUR, east=DOWN)], wall)
    young = planned(endpoint(), evacuated(*EAST, wall=wall), [*inside, *seen(NEIGHBOUR, east=UP, for_=1)], wall)

    assert [WEST, WEST] == [still[0], young[0]]


def test_each_target_comes_back_for_itself(seen: Any, wall: int) -> None:
    """The one that is healthy again returns; the other keeps its explanation."""
    views = [view for view in seen(NEIGHBOUR, east=UP) if view.target != E2]
    views += [view._replace(verdict=DOWN) for view in seen(NEIGHBOUR, east=DOWN) if view.target == E2]
    found = planned(endpoint(), evacuated(*EAST, wall=wall), views, wall)

    assert ((E1, *WEST), [E2]) == (found[0], list(found[1]))
    assert found[1][E2].startswith(EVACUATED)


@pytest.mark.parametrize(
    ("observer", "place"), [("us-west-2/prober", "us-west-2"), ("prober", ""), ("eu/c1/p", "eu/c1")]
)
def test_place_stands_before_the_slash(observer: str, place: str) -> None:
    """What is before the last slash, and nothing without one."""
    assert place == place_of(observer)
