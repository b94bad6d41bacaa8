"""Whether what remains can bear the load. Rule 6 of `planning`.

A target's `capacity` and an endpoint's `load` are numbers of one unit that the user chooses; without a load nothing here
is asked. DNS spreads answers evenly and knows no weights, so the sum of capacities is what a set bears at best.

Where survivors are too small, a part is moved and it is told. A region that a person evacuates still serves: as many of
its targets stay as the rest needs. A region that fails for everybody outside serves nobody, and keeping its addresses
would turn a slow answer into none: it leaves whole, but what of it is seen healthy again from outside comes back
without its soak. What is known to be unhealthy bears nothing and is never kept for this.

Nothing here refuses for ever: the shortage names what ends it, and an order for all of a region passes.
"""

from collections.abc import Set as AbstractSet

from outlast.health.signal import Verdict
from outlast.traffic.content import Content
from outlast.traffic.evacuation import is_seen
from outlast.traffic.evidence import Evidence
from outlast.traffic.orders import ORDERED, Order, must_leave, ordered_out, pin_of
from outlast.traffic.plan import Entry
from outlast.traffic.topology import Endpoint, Target
from outlast.traffic.withholding import EVACUATED


def keep_enough(
    endpoint: Endpoint,
    previous: Entry | None,
    evidence: dict[str, Evidence],
    *,
    out: dict[str, str],
    orders: tuple[Order, ...],
    wall: int,
) -> dict[str, str]:
    """Those of `out` that leave although there is a load to bear."""
    if not endpoint.load or pin_of(endpoint, orders) is not None:
        return out
    kept, leaving = dict(out), must_leave(endpoint, orders)
    evidence = evidence if endpoint.probed else {}
    published = set(previous.content.targets) if previous is not None else set()
    # What is published stays before what would have to come back: otherwise each pass might choose others.
    for target in sorted(endpoint.targets, key=lambda it: it.address not in published):
        if _bearing(endpoint, set(endpoint.addresses) - kept.keys(), evidence) >= endpoint.load:
            break
        if target.address not in leaving and _could_serve(target, out, evidence, wall):
            del kept[target.address]
    return kept


def _could_serve(target: Target, out: dict[str, str], evidence: dict[str, Evidence], wall: int) -> bool:
    reason, found = out.get(target.address, ""), evidence.get(target.address)
    if reason.startswith(EVACUATED):
        return is_seen(found, target.region, by=wall)
    return reason.startswith(ORDERED) and (found is None or found.verdict is Verdict.HEALTHY)


def _bearing(endpoint: Endpoint, addresses: AbstractSet[str], evidence: dict[str, Evidence]) -> float:
    sick = {it for it in addresses if it in evidence and evidence[it].verdict is Verdict.UNHEALTHY}
    return sum(target.capacity for target in endpoint.targets if target.address in addresses - sick)


def shortage(endpoint: Endpoint, content: Content, *, evidence: dict[str, Evidence], orders: tuple[Order, ...]) -> str:
    """Why `content` is not all that health and people asked for, or not enough for the load; empty if it is both."""
    if not endpoint.load:
        return ""
    ordered = ordered_out(endpoint, orders)
    kept = [address for address in content.targets if address in ordered]
    rest = _bearing(endpoint, set(content.targets) - ordered.keys(), evidence if endpoint.probed else {})
    words = f"{rest:g} of a load of {endpoint.load:g}; lifted by more healthy capacity or a smaller load"
    if kept and rest < endpoint.load:
        return f"{' '.join(kept)} stay although ordered out, for the rest bears {words}, or by: outlast evacuate --all"
    return "" if rest >= endpoint.load else f"what is healthy bears {words}"
