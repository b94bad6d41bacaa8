"""Whether a registry needs what its plans repair: the circle in which neither can come back first.

A plan that brings a name back must be readable while that name is down. A registry that is reached by such a name, or
runs on one of the machines behind it, is gone exactly when it is needed: EC2's launches were lost that way in 2025.
"""

from collections.abc import Iterable, Mapping

from outlast.traffic.topology import Topology

NOTHING: Mapping[str, tuple[str, ...]] = {}


def cycle(
    hosts: Iterable[str], topology: Topology, *, leads_to: Mapping[str, tuple[str, ...]] = NOTHING
) -> tuple[str, ...]:
    """The shortest way from the registry to an endpoint that its own plans repair, to be printed; empty without one.

    Args:
        hosts: The names and addresses without which the registry cannot be used.
        topology: What the plans repair.
        leads_to: What a name leads to, as far as somebody looked: its alias, its addresses.

    """
    repaired = _repaired(topology)
    ways: list[tuple[str, ...]] = [(host,) for host in dict.fromkeys(map(_plain, hosts))]
    seen: set[str] = set()
    while ways:
        following: list[tuple[str, ...]] = []
        for way in ways:
            here = way[-1]
            if here in repaired:
                return ("registry", *way, *repaired[here], "registry")
            if here not in seen:
                seen.add(here)
                following += [(*way, _plain(there)) for there in leads_to.get(here, ())]
        ways = following
    return ()


def words(found: tuple[str, ...]) -> str:
    """A cycle for a person, in one line."""
    return " → ".join(found)


def _repaired(topology: Topology) -> dict[str, tuple[str, ...]]:
    # From each name or address to what is said of it; a name that is an endpoint says all by itself.
    behind: dict[str, tuple[str, ...]] = {
        _plain(address): (f"target of {endpoint.name}",)
        for endpoint in topology.endpoints
        for address in endpoint.addresses
    }
    return behind | {endpoint.name: ("endpoint of the plans",) for endpoint in topology.endpoints}


def _plain(host: str) -> str:
    return host.lower().rstrip(".")
