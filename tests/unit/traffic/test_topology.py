"""Endpoints and targets: every fault is told at once, and each limit has two sides."""

from typing import Any

import pytest

from outlast.errors import InvalidConfig
from outlast.traffic.content import MAX_TTL, MAX_VALUES
from outlast.traffic.topology import MAX_ENDPOINT_LENGTH, Endpoint, Target, Topology


def endpoint(**options: Any) -> Endpoint:
    targets = (Target(address="192.0.2.1", region="east"), Target(address="192.0.2.2", region="west"))
    return Endpoint(**{"name": "db.example", "targets": targets, **options})


def test_all_faults_are_told_at_once() -> None:
    """One error lists the address, the repetition, the name and the ranges."""
    targets = (Target(address="nowhere", region="a"), *[Target(address="0.0.0.0", region="a")] * 2)
    with pytest.raises(InvalidConfig) as caught:
        endpoint(name="DB.example", targets=targets, ttl=-1, soak=float("nan"))
    words = ("nowhere", "0.0.0.0", "twice", "lower case", "ttl = -1", "soak = nan")

    assert [] == [word for word in words if not any(word in fault for fault in caught.value.faults)]
    assert all(fault.startswith("endpoint 'DB.example': ") for fault in caught.value.faults)


@pytest.mark.parametrize(
    ("key", "inside", "outside"),
    [
        ("ttl", 0, -1),
        ("ttl", MAX_TTL, MAX_TTL + 1),
        ("min_addresses", 1, 0),
        ("min_addresses", 2, 3),
        ("fail_open_below", 0.0, -0.01),
        ("fail_open_below", 1.0, 1.01),
        ("max_leave", 0.0, -0.01),
        ("max_leave", 1.0, 1.01),
        ("velocity_window", 0, -1),
        ("velocity_window", MAX_TTL, MAX_TTL + 1),
        ("soak", 0, -1),
        ("soak", MAX_TTL, MAX_TTL + 1),
        ("name", "a." * (MAX_ENDPOINT_LENGTH // 2 - 1) + "aa", "a." * (MAX_ENDPOINT_LENGTH // 2) + "a"),
        ("name", "a" * 63, "a" * 64),
        ("name", "a.b", "a.b."),
        ("name", "a", ""),
    ],
)
def test_limits_have_two_sides(key: str, inside: object, outside: object) -> None:
    """Just inside builds, just outside does not."""
    assert inside == getattr(endpoint(**{key: inside}), key)
    with pytest.raises(InvalidConfig):
        endpoint(**{key: outside})


def test_the_number_of_targets_is_bounded() -> None:
    """As many targets as a set has values build an endpoint; one more and none do not."""
    targets = tuple(Target(address=f"10.0.{n // 250}.{n % 250 + 1}", region="a") for n in range(MAX_VALUES + 1))

    assert MAX_VALUES == len(endpoint(targets=targets[:-1]).addresses)
    for wrong in (targets, ()):
        with pytest.raises(InvalidConfig):
            endpoint(targets=wrong)


def test_an_address_is_written_in_one_way() -> None:
    """Another spelling of an IPv6 address is refused with the right one."""
    with pytest.raises(InvalidConfig, match="write 2001:DB8::1 as 2001:db8::1"):
        endpoint(targets=(Target(address="2001:DB8::1", region="a"),))


LB, LB2 = "lb-1.example.net.", "lb-2.example.net."


def named(name: str, *targets: str, **options: Any) -> Endpoint:
    return Endpoint(name=name, targets=tuple(Target(address=it, region="east") for it in targets), **options)


def test_targets_are_all_addresses_or_all_names() -> None:
    """A CNAME stands alone, so names beside addresses are refused, with the names and the fix."""
    assert (True, ("CNAME",)) == (named("db.example", LB, LB2).has_names, named("db.example", LB).families)
    with pytest.raises(InvalidConfig, match=f"targets has names \\({LB}\\) beside addresses; a CNAME stands alone"):
        named("db.example", "192.0.2.1", LB)


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("db.example.", "its target db.example. is the endpoint itself"),
        ("LB.example.net.", "write LB.example.net. as lb.example.net."),
        ("lb.example.net", "write lb.example.net as lb.example.net."),
        ("lb_1.example.net.", "'lb_1.example.net.' is neither an address nor a host name: its label 'lb_1' is not"),
        ("192.0.2.", "'192.0.2.' is not an IPv4 or IPv6 address"),
    ],
)
def test_a_name_is_written_in_one_way(target: str, fault: str) -> None:
    """What is no host name in its one form, or the endpoint's own, is refused with what to write."""
    with pytest.raises(InvalidConfig) as caught:
        named("db.example", target)

    assert caught.value.faults[0].startswith(f"endpoint 'db.example': {fault}")


def test_of_names_the_minimum_is_one() -> None:
    """A CNAME has one value, however many names it may be chosen from."""
    assert 1 == named("db.example", LB, LB2, min_addresses=1).min_addresses
    with pytest.raises(InvalidConfig, match="min_addresses = 2 is not within 1 and 1"):
        named("db.example", LB, LB2, min_addresses=2)


def test_names_that_lead_back_are_refused() -> None:
    """Endpoints that may become aliases of one another are told as a circle; a chain of them is none."""
    a, b, c = (
        named("a.example", "b.example.", LB),
        named("b.example", LB, "c.example."),
        named("c.example", "a.example."),
    )

    assert 2 == len(Topology(realm="r", endpoints=(a, b)).endpoints)
    with pytest.raises(InvalidConfig, match=r"'a.example'.*\(a.example → b.example → c.example → a.example\)"):
        Topology(realm="r", endpoints=(c, b, a))


def test_endpoints_are_unique() -> None:
    """A name that is defined twice is refused; each is found by its name."""
    one = endpoint()

    assert one == Topology(realm="r", endpoints=(one,)).endpoint("db.example")
    assert None is Topology(realm="r", endpoints=(one,)).endpoint("other.example")
    with pytest.raises(InvalidConfig, match="defined twice"):
        Topology(realm="r", endpoints=(one, one))


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("dbé.example", "; write it as xn--db-cja.example"),
        ("Db.example", ""),
        ("db .example", ""),
        ("db\\.example", ""),
        ('"db".example', ""),
        ("db..example", ""),
        ("db.example.", ""),
        ("é" * 80 + ".example", ""),
    ],
)
def test_a_name_that_dns_does_not_have_is_refused_with_what_to_write(name: str, fix: str) -> None:
    """Neither probers nor zone files take other letters than those of host names and the underscore."""
    with pytest.raises(InvalidConfig) as caught:
        Endpoint(name=name, targets=(Target(address="192.0.2.1", region="r"),))

    assert caught.value.message.endswith(f"at most 244 in all{fix}")


@pytest.mark.parametrize("name", ["db.example", "a-b_c.0.example", "xn--db-cja.example", "*.example", "localhost"])
def test_a_name_that_dns_has_is_taken(name: str) -> None:
    """Underscores and a wildcard too."""
    assert name == Endpoint(name=name, targets=(Target(address="192.0.2.1", region="r"),)).name
