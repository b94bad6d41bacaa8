"""From signals to the entries of a plan. Pure: the same inputs give the same plan.

Per endpoint, in this order, each rule with its reason in `withheld`:

0. A person's orders come first (`orders`): a pin alone says what is in; what is ordered out leaves at once, like an
   evacuated region, and comes straight back when the order is lifted, unless it is unhealthy. Only the floors limit it.
1. A target is in or out by its freshest signals; without one it stays as the last plan had it. Nothing is decided on
   missing evidence. Without a previous plan every configured target is in.
2. A newcomer soaks: it must have been healthy for `soak` seconds. What the last plan published is no newcomer. If an edit
   replaces all that is published, it stays until one of the new ones is fit: an edit is no evidence that they work.
3. Evacuation: a region all of whose targets fail for observers in at least two other places, which still see another
   region healthy, leaves in one step. An observer that lost every region has lost itself; one outside that still sees
   the region healthy means that observers disagree: neither evacuates. What observers inside the region say counts for
   nothing: clients are outside. A target comes back once one observer outside has seen it healthy for `soak` seconds.
4. Fail open within a region: strictly below `fail_open_below`, its targets that are healthy again cut their soak short,
   and if that is not enough, all of its targets that ever worked stay (gdnsd). It looks at health alone, before velocity
   holds anything back: otherwise each window would end in a swing. It never brings back what is evacuated.
5. Velocity: only so much capacity may be out that left for health within a window; the rest stays until it has passed.
   Evacuation neither waits for it nor uses it up.
6. Floors: no address family and no endpoint below its minimum; what ever worked is brought back first, what is
   evacuated after what is not, then anything. If a `load` is known and what remains cannot bear it, part of what people
   ordered out stays (`capacity`).
7. Bake: what an edit takes out of many answers leaves one endpoint first (`bake`); elsewhere it is `retained`.

Of targets that are names one is published: for them 4 to 7 stand in `aliases`.
"""

from collections.abc import Set as AbstractSet

from outlast.health.signal import Verdict
from outlast.traffic import aliases
from outlast.traffic.capacity import keep_enough
from outlast.traffic.content import Content
from outlast.traffic.evacuation import evacuate
from outlast.traffic.evidence import SECOND, Evidence
from outlast.traffic.floors import ever_worked, fail_open, keep_floors
from outlast.traffic.guards import UNCONFIGURED
from outlast.traffic.orders import ORDERED, Order, ordered_out, pin_of
from outlast.traffic.plan import Entry, Withheld
from outlast.traffic.ports import Record
from outlast.traffic.topology import Endpoint
from outlast.traffic.velocity import slow_down
from outlast.traffic.withholding import EVACUATED, STANDBY, UNHEALTHY, explain


def is_settled(
    endpoint: Endpoint,
    previous: Entry,
    *,
    records: tuple[Record, ...],
    doubted: AbstractSet[str],
    orders: tuple[Order, ...],
    configured: str = "",
) -> bool:
    """Whether it is plain that `propose` would change nothing: all that is configured is published, and nobody objects.

    Most endpoints are like that most of the time, and this is found out some hundred times faster. `doubted` are the
    addresses that are not healthy for everybody who looks (`evidence.doubted`), `configured` what is configured as a digest.
    """
    if orders or not (previous.suits is endpoint or _suits(endpoint, previous, configured)):
        return False
    if endpoint.probed and doubted and not doubted.isdisjoint(endpoint.addresses):
        return False
    published = set(endpoint.addresses) if records else frozenset[str]()
    return all(published.issuperset(it.content.targets) for it in records)


def _suits(endpoint: Endpoint, previous: Entry, configured: str) -> bool:
    """Whether the entry has all that is configured. Neither can change, so an entry that does remembers it."""
    suits = (
        set(previous.content.targets) == set(endpoint.addresses)
        and configured in ("", previous.configured)
        and previous.min_addresses == endpoint.min_addresses
        and not (previous.shortage or previous.waits_for)
        and (not endpoint.load or sum(target.capacity for target in endpoint.targets) >= endpoint.load)
        and all(item.ttl == endpoint.ttl for item in previous.content.sets)
        and all(item.reason == UNCONFIGURED for item in previous.withheld)
    )
    if suits:
        object.__setattr__(previous, "suits", endpoint)
    return suits


def propose(
    endpoint: Endpoint,
    *,
    previous: Entry | None,
    records: tuple[Record, ...],
    evidence: dict[str, Evidence],
    wall: int,
    orders: tuple[Order, ...] = (),
    retained: tuple[str, ...] = (),
) -> tuple[Content, tuple[Withheld, ...]]:
    """What `endpoint` should answer, and why each other address should not. `retained` are addresses besides its own."""
    is_judged = endpoint.probed and previous is not None and pin_of(endpoint, orders) is None
    evacuated = evacuate(endpoint, previous, evidence, wall) if is_judged else {}
    evacuated |= _remembered(ordered_out(endpoint, orders), previous)
    out = _unfit(endpoint, previous, evidence, wall) if is_judged else {}
    out = {address: reason for address, reason in out.items() if address not in evacuated}
    if endpoint.has_names:
        worked = {target.address for target in endpoint.targets if ever_worked(target, previous, evidence)}
        is_heard = endpoint.probed and pin_of(endpoint, orders) is None
        findings = aliases.Findings(out, evacuated, evidence if is_heard else {}, worked)
        content, out = aliases.decide(endpoint, previous, findings)
        return content, explain(content, out, previous=previous, records=records, wall=wall)
    if is_judged and previous is not None and _replaces_all(endpoint, previous, out | evacuated):
        return previous.content, explain(
            previous.content, out | evacuated, previous=previous, records=records, wall=wall
        )
    if out or evacuated:
        out = fail_open(endpoint, previous, evidence, out=out, evacuated=evacuated)
        # What a floor keeps does not leave: velocity spent on it would keep the others, dead as they are, for ever.
        left = keep_enough(endpoint, previous, evidence, out=out | evacuated, orders=orders, wall=wall)
        left = keep_floors(endpoint, previous, evidence, out=left, evacuated=evacuated)
        out = {address: reason for address, reason in out.items() if address in left}
        if previous is not None:
            out = slow_down(endpoint, previous, out, wall)
        out = keep_enough(endpoint, previous, evidence, out=out | evacuated, orders=orders, wall=wall)
        out = keep_floors(endpoint, previous, evidence, out=out, evacuated=evacuated)
    addresses = [address for address in endpoint.addresses if address not in out]
    content = Content.of_addresses([*addresses, *retained], ttl=endpoint.ttl)
    return content, explain(content, out, previous=previous, records=records, wall=wall)


def _replaces_all(endpoint: Endpoint, previous: Entry, out: dict[str, str]) -> bool:
    """Whether an edit left none of the published addresses, and none of the new ones is fit: it is no evidence that they work.

    As of names (`aliases`), what is published then stays until one is; a pin, or `probed = false`, says that a person knows.
    """
    there = previous.content.addresses
    is_new = bool(there) and set(there).isdisjoint(endpoint.addresses)
    return is_new and out.keys() >= set(endpoint.addresses) and len(there) >= endpoint.min_addresses


def _remembered(ordered: dict[str, str], previous: Entry | None) -> dict[str, str]:
    """An order proves nothing: what had not served before it is a newcomer still when it is lifted."""
    if previous is None:
        return ordered
    served = set(previous.content.targets) | {
        item.address for item in previous.withheld if item.reason.startswith((UNHEALTHY, EVACUATED, ORDERED, STANDBY))
    }
    return {address: why if address in served else f"newcomer, {why}" for address, why in ordered.items()}


def _unfit(endpoint: Endpoint, previous: Entry | None, evidence: dict[str, Evidence], wall: int) -> dict[str, str]:
    published = set(previous.content.targets) if previous is not None else set()
    reasons = {item.address: item.reason for item in previous.withheld} if previous is not None else {}
    out = {}
    for address in endpoint.addresses:
        found = evidence.get(address)
        if found is not None and found.verdict is Verdict.UNHEALTHY:
            # Only what was published can leave: a newcomer that never came in uses up no velocity, and fails open never.
            left = address in published or reasons.get(address, "").startswith((UNHEALTHY, EVACUATED, ORDERED))
            out[address] = (UNHEALTHY if left else "newcomer: unhealthy: ") + found.detail
        elif address in published or reasons.get(address, "").startswith(ORDERED):
            continue
        elif found is None:
            before = reasons.get(address, UNCONFIGURED)
            is_new = before == UNCONFIGURED or before.startswith("newcomer, ")
            out[address] = "newcomer: not yet probed" if is_new else before
        elif wall - found.since < endpoint.soak * SECOND:
            # One that left is still out for its old reason: until it is back, velocity counts it.
            left = reasons.get(address, "").startswith(UNHEALTHY)
            again = f"{UNHEALTHY}again healthy, but not yet for" if left else "newcomer: must be healthy for"
            out[address] = f"{again} {endpoint.soak:g} s"
    return out
