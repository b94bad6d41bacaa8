"""How fast capacity may leave for health: rule 5 of `planning`."""

from outlast.traffic.evidence import SECOND
from outlast.traffic.plan import Entry
from outlast.traffic.topology import Endpoint
from outlast.traffic.withholding import UNHEALTHY


def slow_down(endpoint: Endpoint, previous: Entry, out: dict[str, str], wall: int) -> dict[str, str]:
    """Those of `out` that may leave now."""
    published = set(previous.content.targets)
    leaving = [a for a in endpoint.addresses if a in published and out.get(a, "").startswith(UNHEALTHY)]
    recent = sum(
        1
        for item in previous.withheld
        if item.reason.startswith(UNHEALTHY)
        and out.get(item.address, "").startswith(UNHEALTHY)  # what comes back now is not out any more
        and wall - item.since < endpoint.velocity_window * SECOND
    )
    allowed = max(1, int(endpoint.max_leave * len(endpoint.targets))) - recent
    staying = set(leaving[max(0, allowed) :])
    return {address: reason for address, reason in out.items() if address not in staying}
