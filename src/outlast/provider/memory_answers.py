"""What Route 53's name servers may answer, and what its health checkers think. Pure.

Sources: Developer Guide, "How Amazon Route 53 chooses records when health checking is configured", "How Amazon Route 53
determines whether a health check is healthy" and "Values specific for weighted records"; API Reference,
ResourceRecordSet (`Failover`) and HealthCheckConfig. Health checks and answers are its data plane: they go on while the
API is down. Latency, geolocation and multivalue sets are not answered here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from outlast.provider.memory_zone import Sets
from outlast.provider.route53_sets import ApiSet, is_routed, name_of

Config = Mapping[str, Any]
"""A `HealthCheckConfig`."""
INTERVAL_SECONDS, THRESHOLD = 30, 3
"""The defaults of `RequestInterval` and `FailureThreshold`."""


class Signal(NamedTuple):
    """From when on an endpoint of somebody's passed (`is_up`) or failed each request of the checkers; nanoseconds."""

    at: int
    is_up: bool


def place_of(config: Config) -> str:
    """What an endpoint's health check asks: `host:port/path`."""
    host = config.get("FullyQualifiedDomainName") or config.get("IPAddress")
    return f"{host}:{config.get('Port', 443)}{config.get('ResourcePath', '/')}"


def is_healthy(check_id: str, checks: Mapping[str, Config], signals: Mapping[str, Sequence[Signal]], now: int) -> bool:
    """Whether the health checkers consider a check healthy at `now`."""
    config = checks[check_id]
    if config.get("Disabled"):
        return not config.get("Inverted")
    if config["Type"] == "CALCULATED":
        healthy = sum(is_healthy(child, checks, signals, now) for child in config["ChildHealthChecks"])
        found = healthy >= config["HealthThreshold"]
    else:
        delay = config.get("RequestInterval", INTERVAL_SECONDS) * config.get("FailureThreshold", THRESHOLD) * 10**9
        found = _settled(signals.get(place_of(config), ()), delay, now)
    return bool(found != config.get("Inverted", False))


def _settled(signals: Sequence[Signal], delay: int, now: int) -> bool:
    # A state counts when it has lasted for a whole threshold of requests; who never answered fails.
    ends = [*(signal.at for signal in signals[1:]), now]
    lasted = [signal for signal, end in zip(signals, ends, strict=False) if end - signal.at >= delay]
    return lasted[-1].is_up if lasted else False


def possible(sets: Sets, owner: str, rdtype: str, is_up: Callable[[str], bool]) -> tuple[tuple[str, ...], ...]:
    """Every answer that may be given: none if there is no such set, several where chance decides.

    Args:
        sets: What the name servers have.
        owner: The name asked for.
        rdtype: The type asked for.
        is_up: Whether the health check of that id is healthy.

    """
    group = [item for key, item in sets.items() if key[:2] == (owner, rdtype)]
    if not group and rdtype != "CNAME":
        group = [item for key, item in sets.items() if key[:2] == (owner, "CNAME")]
    return tuple(answer for item in _chosen(sets, group, is_up) for answer in _values(sets, item, is_up))


def _values(sets: Sets, item: ApiSet, is_up: Callable[[str], bool]) -> tuple[tuple[str, ...], ...]:
    if "AliasTarget" in item:
        return possible(sets, name_of(item["AliasTarget"]["DNSName"]), item["Type"], is_up)
    return (tuple(record["Value"] for record in item["ResourceRecords"]),)


def _chosen(sets: Sets, group: Sequence[ApiSet], is_up: Callable[[str], bool]) -> Sequence[ApiSet]:
    if not any(is_routed(item) for item in group):
        return group
    healthy = [item for item in group if _is_set_healthy(sets, item, is_up)]
    if any("Failover" in item for item in group):
        # The secondary answers only while it is healthy and the primary is not.
        kind = "SECONDARY" if healthy and all(item["Failover"] == "SECONDARY" for item in healthy) else "PRIMARY"
        return [item for item in group if item["Failover"] == kind]
    # Weight 0 answers only when nothing else is healthy, and when nothing at all is, everything counts as healthy.
    heavy = [item for item in healthy if item["Weight"]]
    return heavy or healthy or [item for item in group if item["Weight"]] or group


def _is_set_healthy(sets: Sets, item: ApiSet, is_up: Callable[[str], bool]) -> bool:
    if "HealthCheckId" in item and not is_up(item["HealthCheckId"]):
        return False
    target = item.get("AliasTarget")
    if not target or not target["EvaluateTargetHealth"]:
        return True
    key = (name_of(target["DNSName"]), item["Type"])
    group = [other for at, other in sets.items() if at[:2] == key]
    return any(_is_set_healthy(sets, other, is_up) for other in group)
