"""A region that fails for others is evacuated: rule 3 of `planning`.

An observer's place stands before the slash of its name: `us-west-2/prober`. Without a slash its place is unknown: it
can object to an evacuation, never ask for one.
"""

from outlast.health.signal import Verdict
from outlast.traffic.evidence import SECOND, Evidence, place_of
from outlast.traffic.plan import Entry
from outlast.traffic.topology import Endpoint
from outlast.traffic.withholding import EVACUATED

EVACUATING_PLACES = 2
"""Places that must agree on a region's failure: one observer's own trouble looks like everybody else's."""


def evacuate(endpoint: Endpoint, previous: Entry | None, evidence: dict[str, Evidence], wall: int) -> dict[str, str]:
    """Which addresses leave with their region or are not back yet, and why."""
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
            elif before.get(address, "").startswith(EVACUATED) and not is_seen(
                evidence.get(address), region, by=wall - int(endpoint.soak * SECOND)
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


def is_seen(found: Evidence | None, region: str, *, by: int) -> bool:
    """Whether an observer outside `region` has seen its target healthy since `by` (wall clock, nanoseconds) or longer."""
    views = found.views if found is not None else ()
    return any(
        view.verdict is Verdict.HEALTHY and view.since <= by and place_of(view.observer) != region for view in views
    )
