"""The hazard planner's product: one numbered, flat plan with the addresses wanted for each endpoint."""

import ipaddress
import json
from collections.abc import Iterator
from typing import NamedTuple

from outlast.errors import UnsafePlan

# A plan file is small; what is larger is not one of ours.
PLAN_BYTES_MAX = 1_000_000
# Six digits in the file name, so that names sort as numbers do.
PLAN_NUMBER_MAX = 999_999

# With addresses that reach nobody, a plan is useless for anything but a drill (RFC 1122 section 3.2.1.3, RFC 5737).
HARMLESS = tuple(
    ipaddress.IPv4Network(text) for text in ("127.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
)


class Endpoint(NamedTuple):
    """One name and the IPv4 addresses it should have."""

    name: str
    addresses: tuple[str, ...]


class Plan(NamedTuple):
    """What every endpoint should be from now on. A larger number is newer."""

    number: int
    endpoints: tuple[Endpoint, ...]


def parse(text: str) -> Plan:
    """Read a plan from its JSON text.

    Raises:
        UnsafePlan: The text is no plan, an endpoint has no address, or an address could reach somebody.

    """
    if len(text) > PLAN_BYTES_MAX:
        raise UnsafePlan(f"the plan has {len(text)} characters; at most {PLAN_BYTES_MAX} are read")
    try:
        document = json.loads(text)
        endpoints = endpoints_from(document["endpoints"])
        plan = Plan(int(document["number"]), endpoints)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnsafePlan(f"this is no plan: {error!r}") from error
    if found := tuple(faults(plan)):
        raise UnsafePlan("; ".join(found))
    return plan


def to_json(plan: Plan) -> str:
    """Print a plan; `parse` reads it back."""
    wanted = {endpoint.name: list(endpoint.addresses) for endpoint in plan.endpoints}
    return json.dumps({"number": plan.number, "endpoints": wanted}, sort_keys=True)


def endpoints_from(wanted: dict[str, list[str]]) -> tuple[Endpoint, ...]:
    """Turn `{name: [address, …]}` into endpoints, in the order of their names."""
    return tuple(Endpoint(str(name), tuple(map(str, wanted[name]))) for name in sorted(wanted))


def faults(plan: Plan) -> Iterator[str]:
    """Tell all that is wrong with a plan, one sentence each."""
    if not 0 < plan.number <= PLAN_NUMBER_MAX:
        yield f"plan number {plan.number} is not between 1 and {PLAN_NUMBER_MAX}"
    if not plan.endpoints:
        yield "the plan has no endpoint"
    for endpoint in plan.endpoints:
        if not endpoint.addresses:
            yield f"endpoint {endpoint.name} has no address"
        yield from (
            f"endpoint {endpoint.name}: {address} is neither a loopback nor a documentation IPv4 address"
            for address in endpoint.addresses
            if not is_harmless(address)
        )


def is_harmless(address: str) -> bool:
    """Whether it is an IPv4 address that reaches nobody outside this machine."""
    try:
        parsed = ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return any(parsed in network for network in HARMLESS)
