"""What comes back whatever health says: failing open within a region, and the floors. Rules 4 and 6 of `planning`."""

from outlast.health.signal import Verdict
from outlast.traffic.content import family_of
from outlast.traffic.evidence import Evidence
from outlast.traffic.orders import ORDERED
from outlast.traffic.plan import Entry
from outlast.traffic.topology import Endpoint, Target
from outlast.traffic.withholding import EVACUATED, STANDBY, UNHEALTHY


def fail_open(
    endpoint: Endpoint,
    previous: Entry | None,
    evidence: dict[str, Evidence],
    *,
    out: dict[str, str],
    evacuated: dict[str, str],
) -> dict[str, str]:
    """Those of `out` that stay out although few of their region are left."""
    kept = dict(out)
    staying = [target for target in endpoint.targets if target.address not in evacuated]
    for region in dict.fromkeys(target.region for target in staying):
        targets = [target for target in staying if target.region == region]
        able = [target.address for target in targets if ever_worked(target, previous, evidence)]
        # First those that only soak: otherwise the unhealthy would come in beside them, to leave again in the next plan.
        soaking = [a for a in able if a in evidence and evidence[a].verdict is Verdict.HEALTHY]
        for brought_in in (soaking, able):
            if sum(1 for address in able if address not in kept) < endpoint.fail_open_below * len(able):
                for address in brought_in:
                    kept.pop(address, None)
    return kept


def ever_worked(target: Target, previous: Entry | None, evidence: dict[str, Evidence]) -> bool:
    """Whether a target has served, as far as anybody knows."""
    found = evidence.get(target.address)
    if found is not None and found.ever_healthy:
        return True
    if previous is None:
        return True
    # A target that left for health was published once: it worked as far as anybody knows.
    once = {
        item.address for item in previous.withheld if item.reason.startswith((UNHEALTHY, EVACUATED, ORDERED, STANDBY))
    }
    return target.address in previous.content.targets or target.address in once


def keep_floors(
    endpoint: Endpoint,
    previous: Entry | None,
    evidence: dict[str, Evidence],
    *,
    out: dict[str, str],
    evacuated: dict[str, str],
) -> dict[str, str]:
    """Those of `out` that no floor brings back."""
    kept = dict(out)

    def rank(target: Target) -> tuple[bool, bool, bool, bool]:
        found = evidence.get(target.address)
        is_unhealthy = found is not None and found.verdict is Verdict.UNHEALTHY
        is_away = previous is None or target.address not in previous.content.targets
        return not ever_worked(target, previous, evidence), target.address in evacuated, is_unhealthy, is_away

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
