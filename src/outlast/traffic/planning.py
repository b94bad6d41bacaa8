"""From signals to the entries of a plan. Pure: the same inputs give the same plan.

Per endpoint, in this order, each rule with its reason in `withheld`:

0. A person's orders come first (`orders`): a pin alone says what is in; what is ordered out leaves at once, like an
   evacuated region, and comes straight back when the order is lifted, unless it is unhealthy. Only the floors limit it.
1. A target is in or out by its freshest signals; without one it stays as the last plan had it. Nothing is decided on
   missing evidence. Without a previous plan every configured target is in.
2. A newcomer soaks: it must have been healthy for `soak` seconds. What the last plan published is no newcomer.
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
   evacuated after what is not, then anything.

Of targets that are names one is published: for them 4 to 6 stand in `aliases`.

An observer's place stands before the slash of its name: `us-west-2/prober`. Without a slash its place is unknown: it
can object to an evacuation, never ask for one.
"""

from collections.abc import Iterable
from typing import NamedTuple

from outlast.health.signal import Signal, Verdict
from outlast.traffic import aliases
from outlast.traffic.content import Content, family_of
from outlast.traffic.guards import UNCONFIGURED
from outlast.traffic.orders import ORDERED, Order, ordered_out, pin_of
from outlast.traffic.plan import MAX_WITHHELD, Entry, Withheld
from outlast.traffic.ports import Record
from outlast.traffic.topology import Endpoint, Target

SECOND = 1_000_000_000
UNHEALTHY = "unhealthy: "
"""How the reason of a target that left for health begins; velocity counts these."""
EVACUATED = "evacuated: "
"""How the reason of a target begins that left with its region."""
EVACUATING_PLACES = 2
"""Places that must agree on a region's failure: one observer's own trouble looks like everybody else's."""


class Evidence(NamedTuple):
    """What the signals, taken together, say of one target; `views` are those signals."""

    verdict: Verdict
    since: int
    ever_healthy: bool
    detail: str
    views: tuple[Signal, ...] = ()


def freshest(signals: Iterable[Signal], *, wall: int, max_age: int) -> dict[str, Evidence]:
    """Put the fresh signals of all observers together, by target.

    Several observers must agree before a target counts as unhealthy: one that sees it healthy wins, since an observer's
    own fault looks like everybody else's.
    """
    by_target: dict[str, list[Signal]] = {}
    for signal in signals:
        if wall - max_age <= signal.at and signal.verdict is not Verdict.UNKNOWN:
            by_target.setdefault(signal.target, []).append(signal)
    return {target: _together(views) for target, views in by_target.items()}


def _together(views: list[Signal]) -> Evidence:
    worst = all(view.verdict is Verdict.UNHEALTHY for view in views)
    verdict = Verdict.UNHEALTHY if worst else Verdict.HEALTHY
    agreeing = [view for view in views if view.verdict is verdict]
    return Evidence(
        verdict,
        min(view.since for view in agreeing),
        any(view.ever_healthy for view in views),
        "; ".join(f"{view.evidence or verdict} ({view.observer})" for view in agreeing),
        tuple(views),
    )


def place_of(observer: str) -> str:
    """Return where an observer stands: what its name says before the slash, or nothing."""
    return observer.rpartition("/")[0]


def is_settled(
    endpoint: Endpoint,
    previous: Entry,
    *,
    records: tuple[Record, ...],
    evidence: dict[str, Evidence],
    orders: tuple[Order, ...],
) -> bool:
    """Whether it is plain that `propose` would change nothing: all that is configured is published, and nobody objects.

    Most endpoints are like that most of the time, and this is found out some twenty times faster.
    """
    content = previous.content
    published = set(content.targets)
    return (
        not orders
        and published == set(endpoint.addresses)
        and previous.min_addresses == endpoint.min_addresses
        and all(item.ttl == endpoint.ttl for item in content.sets)
        and all(item.reason == UNCONFIGURED for item in previous.withheld)
        and not (
            endpoint.probed
            and any(
                view.verdict is not Verdict.HEALTHY
                for address in published
                if address in evidence
                for view in evidence[address].views
            )
        )
        and all(published.issuperset(it.content.targets) for it in records if it.content.sets != content.sets)
    )


def propose(
    endpoint: Endpoint,
    *,
    previous: Entry | None,
    records: tuple[Record, ...],
    evidence: dict[str, Evidence],
    wall: int,
    orders: tuple[Order, ...] = (),
) -> tuple[Content, tuple[Withheld, ...]]:
    """What `endpoint` should answer, and why each other address should not."""
    is_judged = endpoint.probed and previous is not None and pin_of(endpoint, orders) is None
    evacuated = _evacuated(endpoint, previous, evidence, wall) if is_judged else {}
    evacuated |= ordered_out(endpoint, orders)
    out = _unfit(endpoint, previous, evidence, wall) if is_judged else {}
    out = {address: reason for address, reason in out.items() if address not in evacuated}
    if endpoint.has_names:
        worked = {target.address for target in endpoint.targets if _ever_worked(target, previous, evidence)}
        is_heard = endpoint.probed and pin_of(endpoint, orders) is None
        findings = aliases.Findings(out, evacuated, evidence if is_heard else {}, worked)
        content, out = aliases.decide(endpoint, previous, findings)
        return content, _withheld(content, out, previous=previous, records=records, wall=wall)
    out = _failed_open(endpoint, previous, evidence, out=out, evacuated=evacuated)
    if previous is not None:
        out = _slowed(endpoint, previous, out, wall)
    out = _with_floors(endpoint, previous, evidence, out=out | evacuated, evacuated=evacuated)
    content = Content.of_addresses([address for address in endpoint.addresses if address not in out], ttl=endpoint.ttl)
    return content, _withheld(content, out, previous=previous, records=records, wall=wall)


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
            out[address] = before if before != UNCONFIGURED else "newcomer: not yet probed"
        elif wall - found.since < endpoint.soak * SECOND:
            # One that left is still out for its old reason: until it is back, velocity counts it.
            left = reasons.get(address, "").startswith(UNHEALTHY)
            again = f"{UNHEALTHY}again healthy, but not yet for" if left else "newcomer: must be healthy for"
            out[address] = f"{again} {endpoint.soak:g} s"
    return out


def _evacuated(endpoint: Endpoint, previous: Entry | None, evidence: dict[str, Evidence], wall: int) -> dict[str, str]:
    regions = dict.fromkeys(target.region for target in endpoint.targets)
    if len(regions) < 2:
        return {}  # nowhere to go
    before = {item.address: item.reason for item in previous.withheld} if previous is not None else {}
    out = {}
    for region in regions:
        inside = [target.address for target in endpoint.targets if target.region == region]
        failure = _failure(endpoint, region, evidence)
        for address in inside:
            if failure:
                out[address] = failure
            elif before.get(address, "").startswith(EVACUATED) and not _is_back(
                evidence.get(address), region, wall - int(endpoint.soak * SECOND)
            ):
                out[address] = before[address]
    # Observers that see nothing but their own region would evacuate all of them: they disagree, so none goes.
    return out if len(out) < len(endpoint.targets) else {}


def _failure(endpoint: Endpoint, region: str, evidence: dict[str, Evidence]) -> str:
    """Why a region is to be evacuated; empty if it is not."""
    inside = [target.address for target in endpoint.targets if target.region == region]
    if not all(address in evidence and _fails_for_any(evidence[address]) for address in inside):
        return ""
    seen: dict[str, dict[str, Verdict]] = {}
    for address in endpoint.addresses:
        for view in evidence[address].views if address in evidence else ():
            if place_of(view.observer) != region:
                seen.setdefault(view.observer, {})[address] = view.verdict
    against = []
    for observer, verdicts in seen.items():
        if Verdict.HEALTHY not in verdicts.values():
            continue  # It lost every region: presumably itself.
        if any(verdicts.get(address) is Verdict.HEALTHY for address in inside):
            return ""  # Observers disagree.
        if place_of(observer) and all(verdicts.get(address) is Verdict.UNHEALTHY for address in inside):
            against.append(observer)
    if len({place_of(observer) for observer in against}) < EVACUATING_PLACES:
        return ""
    return f"{EVACUATED}{region} fails for {', '.join(sorted(against))}"


def _fails_for_any(found: Evidence) -> bool:
    return any(view.verdict is Verdict.UNHEALTHY for view in found.views)


def _is_back(found: Evidence | None, region: str, soaked: int) -> bool:
    views = found.views if found is not None else ()
    return any(
        view.verdict is Verdict.HEALTHY and view.since <= soaked and place_of(view.observer) != region for view in views
    )


def _slowed(endpoint: Endpoint, previous: Entry, out: dict[str, str], wall: int) -> dict[str, str]:
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


def _failed_open(
    endpoint: Endpoint,
    previous: Entry | None,
    evidence: dict[str, Evidence],
    *,
    out: dict[str, str],
    evacuated: dict[str, str],
) -> dict[str, str]:
    kept = dict(out)
    staying = [target for target in endpoint.targets if target.address not in evacuated]
    for region in dict.fromkeys(target.region for target in staying):
        targets = [target for target in staying if target.region == region]
        able = [target.address for target in targets if _ever_worked(target, previous, evidence)]
        # First those that only soak: otherwise the unhealthy would come in beside them, to leave again in the next plan.
        soaking = [a for a in able if a in evidence and evidence[a].verdict is Verdict.HEALTHY]
        for brought_in in (soaking, able):
            if sum(1 for address in able if address not in kept) < endpoint.fail_open_below * len(able):
                for address in brought_in:
                    kept.pop(address, None)
    return kept


def _ever_worked(target: Target, previous: Entry | None, evidence: dict[str, Evidence]) -> bool:
    found = evidence.get(target.address)
    if found is not None and found.ever_healthy:
        return True
    if previous is None:
        return True
    # A target that left for health was published once: it worked as far as anybody knows.
    left = (UNHEALTHY, EVACUATED, ORDERED, aliases.STANDBY)
    once = {item.address for item in previous.withheld if item.reason.startswith(left)}
    return target.address in previous.content.targets or target.address in once


def _with_floors(
    endpoint: Endpoint,
    previous: Entry | None,
    evidence: dict[str, Evidence],
    *,
    out: dict[str, str],
    evacuated: dict[str, str],
) -> dict[str, str]:
    kept = dict(out)

    def rank(target: Target) -> tuple[bool, bool]:
        return not _ever_worked(target, previous, evidence), target.address in evacuated

    ranked = sorted(endpoint.targets, key=rank)
    for family in endpoint.families:
        of = [target.address for target in ranked if family_of(target.address) == family]
        if all(address in kept for address in of):
            kept.pop(of[0])
    for target in ranked:
        if len(endpoint.targets) - len(kept) >= endpoint.min_addresses:
            break
        kept.pop(target.address, None)
    return kept


def _withheld(
    content: Content, out: dict[str, str], *, previous: Entry | None, records: tuple[Record, ...], wall: int
) -> tuple[Withheld, ...]:
    # Every address that was ever promised and is not any more keeps its explanation: the last hop asks for it.
    before = {item.address: item for item in previous.withheld} if previous is not None else {}
    known = dict.fromkeys(before)
    known |= dict.fromkeys(previous.content.targets if previous is not None else ())
    for record in records:
        known |= dict.fromkeys(record.content.targets)
    reasons = dict.fromkeys(known, UNCONFIGURED) | out
    published = set(content.targets)
    items = [_dated(a, reason, before.get(a), wall) for a, reason in reasons.items() if a not in published]
    # What a record still names stays longest: the last hop asks about nothing else.
    recorded = {address for record in records for address in record.content.targets}
    items.sort(key=lambda item: (item.reason == UNCONFIGURED, item.address not in recorded, -item.since, item.address))
    return tuple(sorted(items[:MAX_WITHHELD]))


def _dated(address: str, reason: str, before: Withheld | None, wall: int) -> Withheld:
    # The kind of reason dates it, not its wording: "timeout" after "refused" is no new departure.
    same = before is not None and kind_of(before.reason) == kind_of(reason)
    return before._replace(reason=reason) if before is not None and same else Withheld(address, reason, wall)


def kind_of(reason: str) -> str:
    """What kind of reason it is; the wording behind the colon may change with every probe."""
    return reason.split(":", maxsplit=1)[0]
