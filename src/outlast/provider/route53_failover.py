"""Names from which a region can be left without a write to Route 53: what has to stand there beforehand. Pure.

Route 53's change API stood in one region and was down with it on 20 October 2025; its name servers and health checkers
went on. So the decision "this region is left" must reach DNS through what they do by themselves:

    shop.example.com   A  weighted or failover, one alias for each region, each with a health check of ours
      └─▶ east.shop.example.com   A  plain: an endpoint like any other, kept by enactors
      └─▶ west.shop.example.com   A  plain

The upper name is written once. Targets within a region go on coming and going by plan, at the lower names. Aliases,
because a weighted set may have only one value (API Reference, `Weight`), and because plain sets are what enactors keep. A
health check on an alias counts beside its target's health; the guide would rather have it on the target, which here is
plain and has no other set to give way to.

**The signal.** A health check is *inverted* and asks addresses of ours, outside the region that it is about: it passes,
and the region counts as healthy, until our address says yes (2xx or 3xx) to "is this region evacuated?". Silence is no
answer: when our signal itself is down, the region stays (errors freeze, rule 6). One check for each watching place, and
a calculated one above them: a region is left when at least two places say so (one, if there is only one), and stays left
when a third goes silent meanwhile. When every region is left, Route 53 takes all for healthy: no name is ever empty.

**Rejected.** A check that passes while the region is fine: the end of our signal would evacuate everything. Inverting or
disabling a check by hand: UpdateHealthCheck is a write to the API that is down. CLOUDWATCH_METRIC: an alarm lives in one
region, needs PutMetricData to be up there, and is one more thing between; its `LastKnownStatus` is the better latch,
though. RECOVERY_CONTROL (ARC) does the same with five regions behind it, for a price by the hour.

Sources: Developer Guide, "How Amazon Route 53 chooses records when health checking is configured"; API Reference,
HealthCheckConfig, ResourceRecordSet (`Failover`, `HealthCheckId`), CreateHealthCheck (`CallerReference`), AliasTarget (`EvaluateTargetHealth`); the AWS blog
"Creating Disaster Recovery Mechanisms Using Amazon Route 53" (standby takes over primary).
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from outlast.errors import InvalidConfig
from outlast.provider.route53_sets import ROUTED, ApiSet
from outlast.traffic.content import FAMILIES, of_family
from outlast.traffic.ports import Live
from outlast.traffic.topology import Endpoint

REQUEST_INTERVAL, FAILURE_THRESHOLD = 10, 3
"""Seconds and requests in a row until a check changes: half a minute. 10 is the shortest interval there is."""
PATH_MAX = 255
"""Characters of what a health check asks for (API Reference, HealthCheckConfig, `ResourcePath`)."""
WATCHES_MAX = 255
"""Health checks that a calculated one may count (Developer Guide, "Quotas on health checks")."""


class Watch(NamedTuple):
    """A place of ours that says, over HTTPS, which regions are evacuated: 2xx or 3xx for those, anything else for others."""

    host: str
    port: int = 443
    path: str = "/evacuated"

    def path_of(self, endpoint: str, region: str) -> str:
        return f"{self.path}/{endpoint}/{region}"

    def __str__(self) -> str:
        return f"https://{self.host}{'' if self.port == 443 else f':{self.port}'}{self.path}"


def watch_of(url: str) -> Watch | None:
    """The watch at `https://HOST[:PORT][/PATH]`, without a path at the default one; `None` if that is not what it says."""
    try:
        parts, port = urlsplit(url), urlsplit(url).port
    except ValueError:
        return None
    is_plain = parts.scheme == "https" and parts.hostname and not ("@" in parts.netloc or parts.query or parts.fragment)
    if not is_plain:
        return None
    path = parts.path.rstrip("/")
    return Watch(parts.hostname or "", port or 443, *([path] if path else []))


def quorum(count: int) -> int:
    """How many of so many watches must say that a region is left, to be believed."""
    return min(2, count)


class Check(NamedTuple):
    """A health check to be created. `children` are the references of those that it counts.

    The reference follows from the settings, so that creating it again finds it, and other settings are another check.
    """

    reference: str
    config: Mapping[str, Any]
    children: tuple[str, ...] = ()


def regions_of(endpoint: Endpoint) -> tuple[str, ...]:
    """The regions that it has targets in, in order."""
    return tuple(sorted({target.region for target in endpoint.targets}))


def regional(endpoint: Endpoint) -> tuple[Endpoint, ...]:
    """The endpoints below it, one for each region: these are what the plan keeps."""
    return tuple(_regional(endpoint, region) for region in regions_of(endpoint))


def _regional(endpoint: Endpoint, region: str) -> Endpoint:
    targets = tuple(target for target in endpoint.targets if target.region == region)
    floor = min(endpoint.min_addresses, len(targets))
    return dataclasses.replace(endpoint, name=f"{region}.{endpoint.name}", targets=targets, min_addresses=floor)


def joined(name: str, endpoints: Iterable[Endpoint]) -> Endpoint | None:
    """The upper name above the regional endpoints that are configured below it (`regional`); `None` if there is none."""
    below = [endpoint for endpoint in endpoints if upper_of(endpoint) == name]
    if not below:
        return None
    targets = tuple(target for endpoint in below for target in endpoint.targets)
    return dataclasses.replace(below[0], name=name, targets=targets, min_addresses=1)


def upper_of(endpoint: Endpoint) -> str:
    """The name whose region this endpoint is, if it is named like one and has targets of that region alone; else empty."""
    first, _, rest = endpoint.name.partition(".")
    return rest if regions_of(endpoint) == (first,) else ""


def uppers(endpoints: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    """Every upper name over two configured regions or more, as `joined`, in order."""
    names = sorted({upper_of(endpoint) for endpoint in endpoints} - {""})
    found = (joined(name, endpoints) for name in names)
    return tuple(endpoint for endpoint in found if endpoint is not None and len(regions_of(endpoint)) > 1)


# -------------------------------------------------------------------------------------------------- health checks


def checks_of(endpoint: str, region: str, watches: Sequence[Watch]) -> tuple[Check, ...]:
    """The health checks of one region, each after those that it counts; the last is the region's.

    Raises:
        InvalidConfig: There is no watch, one stands in twice, or there are more or longer ones than Route 53 takes.

    """
    if not watches or len(set(watches)) != len(watches) or len(watches) > WATCHES_MAX:
        raise InvalidConfig((f"{endpoint}: name at least one watch, at most {WATCHES_MAX}, and none twice",))
    long = [str(watch) for watch in watches if len(watch.path_of(endpoint, region)) > PATH_MAX]
    if long:
        raise InvalidConfig((f"{endpoint}: with name and region the path of {long[0]} has over {PATH_MAX} characters",))
    asking = tuple(_check(_asking(watch, endpoint, region)) for watch in watches)
    # As many must be healthy as leave no two (of one: no one) that say "evacuated".
    threshold = len(watches) + 1 - quorum(len(watches))
    parent = {"Type": "CALCULATED", "HealthThreshold": threshold}
    return (*asking, _check(parent, tuple(check.reference for check in asking)))


def _asking(watch: Watch, endpoint: str, region: str) -> dict[str, Any]:
    return {
        "Type": "HTTPS",
        "FullyQualifiedDomainName": watch.host,
        "Port": watch.port,
        "ResourcePath": watch.path_of(endpoint, region),
        "RequestInterval": REQUEST_INTERVAL,
        "FailureThreshold": FAILURE_THRESHOLD,
        "EnableSNI": True,
        "Inverted": True,
    }


def _check(config: Mapping[str, Any], children: tuple[str, ...] = ()) -> Check:
    text = json.dumps([config, children], sort_keys=True)
    return Check(f"outlast-{hashlib.sha256(text.encode()).hexdigest()[:32]}", config, children)


# ---------------------------------------------------------------------------------------------------- record sets


def routed_sets(
    endpoint: Endpoint, zone_id: str, checks: Mapping[str, str], *, primary: str = ""
) -> tuple[ApiSet, ...]:
    """The sets of the upper name: an alias for each region and family, to the lower name of the same zone.

    Args:
        endpoint: The upper name and its targets.
        zone_id: The hosted zone of all of these names.
        checks: The id of each region's health check.
        primary: The region that answers alone while it is not evacuated, the other being its standby; empty: all share.

    Raises:
        InvalidConfig: There is nothing to shift to; its targets are names; or `primary` is given and there are not two regions, it being one.

    """
    regions = regions_of(endpoint)
    if endpoint.has_names:
        raise InvalidConfig(
            (f"{endpoint.name}: its targets are names, and no alias of type A or AAAA leads to a CNAME",)
        )
    if len(regions) < 2:
        raise InvalidConfig((f"{endpoint.name}: all its targets are in one region: there is nothing to shift to",))
    if primary and (primary not in regions or len(regions) != 2):
        raise InvalidConfig((f"{endpoint.name}: primary = {primary!r} needs exactly two regions, of which it is one",))
    return tuple(_routed_sets(endpoint, zone_id, checks, primary))


def _routed_sets(endpoint: Endpoint, zone_id: str, checks: Mapping[str, str], primary: str) -> Iterator[ApiSet]:
    for below in regional(endpoint):
        region = below.targets[0].region
        kind = {"Failover": "PRIMARY" if region == primary else "SECONDARY"} if primary else {"Weight": 1}
        for family in FAMILIES:
            if of_family(below.addresses, family):
                target = {"HostedZoneId": zone_id, "DNSName": f"{below.name}.", "EvaluateTargetHealth": True}
                head: dict[str, Any] = {"Name": f"{endpoint.name}.", "Type": family, "SetIdentifier": region}
                yield head | kind | {"AliasTarget": target, "HealthCheckId": checks[region]}


# -------------------------------------------------------------------------------------------------------- doctor


class NeedsWrite(NamedTuple):
    """An endpoint from which no region can be taken while Route 53 takes no changes."""

    endpoint: str
    why: str


def needing_write(endpoints: Iterable[Endpoint], seen: Mapping[str, Live]) -> tuple[NeedsWrite, ...]:
    """Those of the endpoints with targets in several regions that are not prepared, by what was read of them."""
    several = (endpoint for endpoint in endpoints if len(regions_of(endpoint)) > 1)
    found = ((endpoint.name, _why(endpoint, seen.get(endpoint.name))) for endpoint in several)
    return tuple(NeedsWrite(name, why) for name, why in found if why)


def _why(endpoint: Endpoint, live: Live | None) -> str:
    if live is None:
        return "it could not be read"
    routed = [json.loads(item.values[0]) for item in live.sets if item.type.startswith(ROUTED)]
    if not routed:
        return f"its regions ({', '.join(regions_of(endpoint))}) stand in one set, which a shift replaces"
    for family in endpoint.families:
        group = [item for item in routed if item["Type"] == family]
        if len(group) < 2:
            return f"it has fewer than two {family} sets to choose from"
        free = sorted(str(item.get("SetIdentifier")) for item in group if "HealthCheckId" not in item)
        if free:
            return f"no health check takes {', '.join(free)} out of its {family} answers"
    return ""
