"""A registry that needs what its plans repair is found, and the way there is printed."""

import pytest

from outlast.audit.closure import cycle, words
from outlast.traffic.topology import Endpoint, Target, Topology

TOPOLOGY = Topology(
    realm="shop",
    endpoints=(
        Endpoint(name="db.example.com", targets=(Target(address="192.0.2.1", region="east"),)),
        Endpoint(name="api.example.com", targets=(Target(address="lb.example.net.", region="east"),)),
        Endpoint(name="web.example.com", targets=(Target(address="2001:db8::1", region="east"),)),
    ),
)


@pytest.mark.parametrize(
    ("hosts", "printed"),
    [
        (("DB.example.com.",), "registry → db.example.com → endpoint of the plans → registry"),
        (("LB.example.net",), "registry → lb.example.net → target of api.example.com → registry"),
        (("192.0.2.1",), "registry → 192.0.2.1 → target of db.example.com → registry"),
        (("pg.example.net", "2001:db8::1"), "registry → 2001:db8::1 → target of web.example.com → registry"),
        (("alias.example.net",), "registry → alias.example.net → db.example.com → endpoint of the plans → registry"),
        (
            ("far.example.net",),
            "registry → far.example.net → near.example.net → 192.0.2.1 → target of db.example.com → registry",
        ),
    ],
)
def test_a_circle_is_printed(hosts: tuple[str, ...], printed: str) -> None:
    """By name, by address, through aliases and the addresses that they lead to."""
    leads_to = {
        "alias.example.net": ("db.example.com",),
        "far.example.net": ("near.example.net",),
        "near.example.net": ("198.51.100.1", "192.0.2.1"),
    }

    assert printed == words(cycle(hosts, TOPOLOGY, leads_to=leads_to))


def test_the_shortest_circle_is_printed() -> None:
    """Of several the one that is seen at once."""
    leads_to = {"a.example.net": ("b.example.net",), "b.example.net": ("192.0.2.1",)}

    assert ("registry", "192.0.2.1", "target of db.example.com", "registry") == cycle(
        ("a.example.net", "192.0.2.1"), TOPOLOGY, leads_to=leads_to
    )


@pytest.mark.parametrize("hosts", [(), ("pg.example.net",), ("x.db.example.com",), ("example.com",), ("192.0.2.2",)])
def test_a_registry_of_its_own_is_no_circle(hosts: tuple[str, ...]) -> None:
    """Other names, also those above and below an endpoint, are not repaired by the plans."""
    assert () == cycle(hosts, TOPOLOGY)


def test_aliases_in_a_ring_end() -> None:
    """Names that lead to one another and nowhere else are no circle through the plans."""
    leads_to = {"a.example.net": ("b.example.net",), "b.example.net": ("a.example.net",)}

    assert () == cycle(("a.example.net",), TOPOLOGY, leads_to=leads_to)
