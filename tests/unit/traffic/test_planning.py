"""The rules of planning, one row each, with both sides of each limit."""

from typing import Any

import pytest

from outlast.health.signal import Signal, Verdict
from outlast.traffic.content import Content
from outlast.traffic.evidence import SECOND, freshest
from outlast.traffic.guards import UNCONFIGURED
from outlast.traffic.plan import MAX_WITHHELD, Entry, Withheld
from outlast.traffic.planning import propose
from outlast.traffic.ports import Record
from outlast.traffic.sentinel import Sentinel, Standing
from outlast.traffic.topology import Endpoint, Target
from outlast.traffic.withholding import UNHEALTHY

A, B, C, D, SIX = "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "2001:db8::1"
UP, DOWN = Verdict.HEALTHY, Verdict.UNHEALTHY


def endpoint(*addresses: str, **options: Any) -> Endpoint:
    targets = tuple(Target(address=address, region="east") for address in addresses)
    return Endpoint(**{"name": "db.example", "targets": targets, "max_leave": 1.0, **options})


def entry(*addresses: str, withheld: tuple[Withheld, ...] = ()) -> Entry:
    content = Content.of_addresses(addresses, ttl=5)
    return Entry(endpoint="db.example", generation=1, content=content, withheld=withheld)


def planned(
    of: Endpoint, previous: Entry | None, signals: list[Signal], wall: int
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The addresses published, and the reason for each that is not."""
    evidence = freshest(signals, wall=wall, max_age=30 * SECOND)
    content, withheld = propose(of, previous=previous, records=(), evidence=evidence, wall=wall)
    return content.addresses, {item.address: item.reason for item in withheld}


def test_without_a_previous_plan_every_target_is_in(signal: Any, wall: int) -> None:
    """The first plan asks no signals: nothing was ever published, so nothing can be kept."""
    found = planned(endpoint(A, B), None, [signal(A, DOWN), signal(B, DOWN, worked=False)], wall)

    assert ((A, B), {}) == found


@pytest.mark.parametrize("verdict", [DOWN, None], ids=["dead", "not yet probed"])
def test_an_edit_of_all_addresses_waits_for_one_that_is_fit(verdict: Verdict | None, signal: Any, wall: int) -> None:
    """What serves stays until one of the new ones has been healthy for its soak, then goes at once; a pin need not wait."""
    edited, before = endpoint(C, D, soak=10.0), entry(A, B)
    seen = [] if verdict is None else [signal(C, verdict, worked=False), signal(D, verdict, worked=False)]

    assert (A, B) == planned(edited, before, seen, wall)[0]
    assert (A, B) == planned(edited, before, [signal(C, UP, for_=9)], wall)[0]
    assert (C,) == planned(edited, before, [signal(C, UP, for_=10)], wall)[0]
    assert (C, D) == planned(endpoint(C, D, probed=False), before, [], wall)[0]


def test_without_signals_the_last_plan_stands(wall: int) -> None:
    """Missing evidence takes nobody out and brings nobody in."""
    gone = Withheld(C, UNHEALTHY + "timeout", wall - SECOND)
    found = planned(endpoint(A, B, C), entry(A, B, withheld=(gone,)), [], wall)

    assert ((A, B), {C: UNHEALTHY + "timeout"}) == found


@pytest.mark.parametrize(("age", "published"), [(30, (B, C)), (30.001, (A, B, C))])
def test_a_signal_counts_until_it_is_too_old(age: float, published: tuple[str, ...], signal: Any, wall: int) -> None:
    """At the largest age it still counts, a little later it is missing."""
    found = planned(endpoint(A, B, C), entry(A, B, C), [signal(A, DOWN, age=age)], wall)

    assert published == found[0]


def test_an_unknown_verdict_is_no_evidence(signal: Any, wall: int) -> None:
    """An observer that does not know changes nothing."""
    assert (A, B) == planned(endpoint(A, B), entry(A, B), [signal(A, Verdict.UNKNOWN)], wall)[0]


def test_observers_that_disagree_keep_the_target(signal: Any, wall: int) -> None:
    """One healthy view wins: the other observer's own fault looks the same."""
    views = [signal(A, DOWN), signal(A, UP)._replace(observer="o2")]

    assert (A, B, C) == planned(endpoint(A, B, C), entry(A, B, C), views, wall)[0]


def test_all_observers_red_keep_everything(signal: Any, wall: int) -> None:
    """When every target of a region fails, all that ever worked stay."""
    views = [signal(address, DOWN) for address in (A, B, C)]

    assert ((A, B, C), {}) == planned(endpoint(A, B, C), entry(A, B, C), views, wall)


@pytest.mark.parametrize(("seconds", "is_in"), [(9.999, False), (10, True)])
def test_a_newcomer_soaks(seconds: float, is_in: bool, signal: Any, wall: int) -> None:  # noqa: FBT001 - a table's column
    """A new target comes in when it has been healthy for `soak` seconds, not before."""
    found = planned(endpoint(A, B), entry(A), [signal(B, UP, for_=seconds)], wall)

    assert is_in is (B in found[0])


def test_a_target_that_was_published_does_not_soak(signal: Any, wall: int) -> None:
    """What the last plan published is no newcomer, however young its verdict."""
    assert (A, B) == planned(endpoint(A, B), entry(A, B), [signal(B, UP, for_=0)], wall)[0]


@pytest.mark.parametrize(("down", "published"), [((A, B), (C, D)), ((A, B, C), (A, B, C, D))])
def test_fail_open_is_strictly_below_its_threshold(
    down: tuple[str, ...], published: tuple[str, ...], signal: Any, wall: int
) -> None:
    """Half of the region healthy at a threshold of a half: no; a quarter: yes."""
    views = [signal(address, DOWN if address in down else UP) for address in (A, B, C, D)]

    assert published == planned(endpoint(A, B, C, D), entry(A, B, C, D), views, wall)[0]


def test_fail_open_leaves_other_regions_alone(signal: Any, wall: int) -> None:
    """A region that is wholly down stays as it was; a sick target of another region leaves."""
    targets = tuple(Target(address=a, region="east" if a == A else "west") for a in (A, B, C))
    views = [signal(A, DOWN), signal(B, DOWN), signal(C, UP)]
    found = planned(endpoint(targets=targets), entry(A, B, C), views, wall)

    assert (A, C) == found[0]


def test_fail_open_never_brings_in_what_never_worked(signal: Any, wall: int) -> None:
    """A newcomer that was never healthy stays out while the whole region is red, also in the plan after."""
    of = endpoint(A, B, C)
    sick = signal(C, DOWN, worked=False)
    first = propose(
        of,
        previous=entry(A, B),
        records=(),
        evidence=freshest([sick], wall=wall, max_age=30 * SECOND),
        wall=wall,
    )
    views = [signal(A, DOWN), signal(B, DOWN), sick]

    assert (A, B) == planned(of, entry(A, B, withheld=first[1]), views, wall)[0]


def test_a_soaking_target_comes_in_before_a_sick_one(signal: Any, wall: int) -> None:
    """One target left, is healthy again and soaks; now the only other one fails: the healthy one is published alone."""
    left = (Withheld(A, UNHEALTHY + "timeout", wall - 61 * SECOND),)
    views = [signal(A, UP, for_=1), signal(B, DOWN)]

    assert (B,) == planned(endpoint(A, B), entry(B, withheld=left), [views[0], signal(B, UP)], wall)[0]
    assert (A,) == planned(endpoint(A, B), entry(B, withheld=left), views, wall)[0]


def test_fail_open_does_not_swing_with_the_velocity_window(signal: Any, wall: int) -> None:
    """A region that is red stays published at once and in every later window, instead of going half out and back."""
    of = endpoint(A, B, C, D, max_leave=0.5, velocity_window=60)
    views = [signal(address, DOWN) for address in (A, B, C, D)]
    left = tuple(Withheld(a, UNHEALTHY + "timeout", wall - 61 * SECOND) for a in (A, B))

    assert (A, B, C, D) == planned(of, entry(A, B, C, D), views, wall)[0]
    assert (A, B, C, D) == planned(of, entry(C, D, withheld=left), views, wall)[0]


@pytest.mark.parametrize(("ago", "published"), [(59.999, (B, C, D)), (60, (C, D))])
def test_velocity_counts_within_its_window(ago: float, published: tuple[str, ...], signal: Any, wall: int) -> None:
    """One of four may leave in a window of 60 s: the second waits until exactly 60 s have passed."""
    of = endpoint(A, B, C, D, max_leave=0.25, velocity_window=60)
    left = Withheld(A, UNHEALTHY + "timeout", wall - int(ago * SECOND))
    views = [signal(A, DOWN), signal(B, DOWN), signal(C, UP), signal(D, UP)]

    assert published == planned(of, entry(B, C, D, withheld=(left,)), views, wall)[0]


def test_one_may_always_leave(signal: Any, wall: int) -> None:
    """A share that comes to less than one target still lets one go."""
    of = endpoint(A, B, C, max_leave=0.0)
    views = [signal(A, DOWN), signal(B, UP), signal(C, UP)]

    assert (B, C) == planned(of, entry(A, B, C), views, wall)[0]


def test_a_newcomer_that_fails_uses_up_no_velocity(signal: Any, wall: int) -> None:
    """A sick target that was never in does not keep a sick one that is in from leaving."""
    of = endpoint(A, B, C, max_leave=0.0)
    _, first = planned(of, entry(A, B), [signal(C, DOWN, worked=False)], wall)
    held = tuple(Withheld(address, reason, wall) for address, reason in first.items())
    views = [signal(A, DOWN), signal(B, UP), signal(C, DOWN, worked=False)]

    assert (B,) == planned(of, entry(A, B, withheld=held), views, wall)[0]


def test_a_family_keeps_an_address(signal: Any, wall: int) -> None:
    """The only IPv6 target stays though it is sick and the region as a whole is well."""
    views = [signal(SIX, DOWN), signal(A, UP), signal(B, UP)]

    assert (A, B, SIX) == planned(endpoint(A, B, SIX), entry(A, B, SIX), views, wall)[0]


def test_what_a_floor_keeps_uses_up_no_velocity(signal: Any, wall: int) -> None:
    """One may leave: the only IPv6 target is dead and stays, so that it is the dead IPv4 target that leaves."""
    of = endpoint(SIX, A, B, C, D, max_leave=0.25)
    views = [signal(address, DOWN if address in {SIX, A} else UP) for address in (SIX, A, B, C, D)]

    assert (B, C, D, SIX) == planned(of, entry(SIX, A, B, C, D), views, wall)[0]


@pytest.mark.parametrize(("least", "published"), [(2, (B, C)), (3, (A, B, C))])
def test_min_addresses_brings_back(least: int, published: tuple[str, ...], signal: Any, wall: int) -> None:
    """A sick target stays if without it the endpoint would have fewer than `min_addresses`."""
    views = [signal(A, DOWN), signal(B, UP), signal(C, UP)]

    assert published == planned(endpoint(A, B, C, min_addresses=least), entry(A, B, C), views, wall)[0]


def test_without_probes_every_target_is_published(signal: Any, wall: int) -> None:
    """Signals do not decide for an endpoint that is not probed."""
    assert (A, B) == planned(endpoint(A, B, probed=False), entry(A), [signal(A, DOWN)], wall)[0]


def test_what_is_not_configured_any_more_keeps_its_explanation(wall: int) -> None:
    """An address that leaves the topology is withheld as such; configured again, it is a newcomer."""
    out = planned(endpoint(A), entry(A, B), [], wall)
    back = planned(endpoint(A, B), entry(A, withheld=(Withheld(B, UNCONFIGURED, wall),)), [], wall)

    assert ((A,), {B: UNCONFIGURED}) == out
    assert ((A,), {B: "newcomer: not yet probed"}) == back


def test_another_wording_is_no_new_departure(signal: Any, wall: int) -> None:
    """The kind of reason dates a withheld address, not the last probe's words."""
    left = Withheld(A, UNHEALTHY + "refused", wall - 5 * SECOND)
    evidence = freshest([signal(A, DOWN)], wall=wall, max_age=30 * SECOND)
    _, withheld = propose(
        endpoint(A, B, C), previous=entry(B, C, withheld=(left,)), records=(), evidence=evidence, wall=wall
    )

    assert (Withheld(A, UNHEALTHY + "timeout (o1)", wall - 5 * SECOND),) == withheld


def test_what_a_record_names_is_the_last_to_be_forgotten(wall: int) -> None:
    """The memory of withheld addresses is bounded, and never at the cost of one that the last hop will ask about."""
    many = tuple(Withheld(f"198.51.{n // 250}.{n % 250}", UNCONFIGURED, wall) for n in range(MAX_WITHHELD))
    old = Content.of_addresses([D], ttl=5)
    record = Record("p1", "db.example", Sentinel("r", 1, 1, old.digest, Standing.LIVE, "w"), old)
    previous = entry(A, withheld=(*many[1:], Withheld(D, UNCONFIGURED, wall - SECOND)))
    _, withheld = propose(
        endpoint(A), previous=entry(A, B, withheld=previous.withheld), records=(record,), evidence={}, wall=wall
    )

    assert MAX_WITHHELD == len(withheld)
    assert D in {item.address for item in withheld}
