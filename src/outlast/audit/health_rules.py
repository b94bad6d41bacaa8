"""What health can and cannot do for an endpoint as it is configured. Pure."""

from collections import Counter

from outlast.audit.findings import Finding, Level
from outlast.traffic.topology import Endpoint

CHECK = "leaving by health"


def judge_regions(endpoint: Endpoint, place: str) -> list[Finding]:
    """Whether health takes each region's targets out of DNS; `place` is where this machine's prober stands, if it says.

    Within a region failing open keeps the last target. A region is left only if probers in two places outside see it fail.
    Of targets that are names one is published, and one that fails gives way to a fit one wherever it is (`aliases`).
    """
    counts = Counter(target.region for target in endpoint.targets)
    alone = sorted(region for region, count in counts.items() if count == 1)
    if (
        endpoint.has_names
        or place
        or not alone
        or len(counts) < 2
        or not endpoint.probed
        or not endpoint.fail_open_below
    ):
        return []
    words = f"the only target in {', '.join(alone)} stays in DNS however sick it is: probers without a place evacuate nothing"
    fix = "run probers in two other places, each with its [health] place; until then by hand: outlast evacuate"
    return [Finding(Level.WARN, CHECK, endpoint.name, words, fix)]
