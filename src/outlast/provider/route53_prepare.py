"""Puts the name of `route53_failover` in place, once, while Route 53 takes changes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from outlast.errors import Unavailable
from outlast.provider.route53 import Route53Provider
from outlast.provider.route53_batch import Change
from outlast.provider.route53_failover import Check, Watch, checks_of, regions_of, routed_sets
from outlast.provider.route53_listing import Look
from outlast.provider.route53_sets import ADDRESS_TYPES, ApiSet, is_routed, name_of, record_set
from outlast.traffic.content import RecordSet
from outlast.traffic.ports import Outcome, Reply
from outlast.traffic.sentinel import Sentinel, Standing, parse, sentinel_name
from outlast.traffic.topology import Endpoint

ALREADY = "already prepared"
"""The detail of a reply after which all is as it was."""


class Preparation(NamedTuple):
    """What preparing a name comes to, by what stands there. In `coming` a health check has its reference for an id.

    Args:
        endpoint: The name.
        checks: Of each region, as `checks_of`.
        going: The sets that the batch deletes.
        coming: Those that it creates.
        refused: Why it is not done; empty if nothing is in the way.
        is_there: The name is prepared: its sets stand as in `coming`, each with some health check.

    """

    endpoint: str
    checks: Mapping[str, tuple[Check, ...]]
    going: tuple[ApiSet, ...]
    coming: tuple[ApiSet, ...]
    refused: str
    is_there: bool


async def survey(
    provider: Route53Provider, endpoint: Endpoint, watches: Sequence[Watch], *, realm: str, primary: str = ""
) -> Preparation:
    """Read what stands there and say what preparing it would do; the arguments are those of `prepare`. Nothing is changed.

    Raises:
        Unavailable: Route 53 did not answer, or the name is in none of the provider's zones.
        InvalidConfig: There is nothing to shift to, or to ask.

    """
    zone = provider.zone_of(endpoint.name)
    checks = {region: checks_of(endpoint.name, region, watches) for region in regions_of(endpoint)}
    zone_id = provider.zones[zone].removeprefix("/hostedzone/")  # as the API gives it elsewhere
    references = {region: own[-1].reference for region, own in checks.items()}
    coming = routed_sets(endpoint, zone_id, references, primary=primary)
    look = await provider.look(endpoint.name)
    standing = [item for item in look.sets if _counts(item, endpoint.name)]
    is_there = bool(standing) and not look.live.sentinel and _but_for_checks(standing) == _but_for_checks(coming)
    refused = "" if is_there else _refusal(endpoint.name, standing, look, realm)
    going = tuple(item for item in look.sets if item in standing or _is_sentinel(item, endpoint.name))
    return Preparation(endpoint.name, checks, going, coming, refused, is_there)


def _but_for_checks(sets: Sequence[ApiSet]) -> set[RecordSet]:
    # Each with some health check: other watches are other checks, and nothing else changes with them.
    return {record_set({**item, "HealthCheckId": "HealthCheckId" in item}) for item in sets}


async def prepare(
    provider: Route53Provider, endpoint: Endpoint, watches: Sequence[Watch], *, realm: str, primary: str = ""
) -> Reply:
    """Create the health checks, then replace what stands at the endpoint's name by its prepared sets, in one batch.

    The regional endpoints below it must be there already: Route 53 takes no alias to nothing. A name that was an endpoint
    itself must be let go of first (`outlast retire`): enactors keep away from it from then on, and its addresses answer
    until this batch replaces them. Doing it again changes nothing; with other watches, only the health checks.

    Args:
        provider: Where the name is.
        endpoint: The name, and the targets that say which regions and families there are.
        watches: Where the health checkers ask which regions are evacuated.
        realm: Ours: what stands there under another, or under none, is not replaced.
        primary: As `routed_sets`.

    Returns:
        Committed, or what kept it from being done; health checks may have been created then, and are found again.

    Raises:
        InvalidConfig: There is nothing to shift to, or to ask.

    """
    try:
        found = await survey(provider, endpoint, watches, realm=realm, primary=primary)
        return await carry_out(provider, found)
    except Unavailable as error:
        return Reply(Outcome.FAILED, error.message)


async def carry_out(provider: Route53Provider, found: Preparation) -> Reply:
    """Do what a survey found: `going` is demanded as it stood then, so that what changed since is refused.

    Raises:
        Unavailable: A health check could not be created; no set was touched.

    """
    if found.refused:
        return Reply(Outcome.FAILED, found.refused)
    ids = {own[-1].reference: await _create(provider, own) for own in found.checks.values()}
    coming = [{**item, "HealthCheckId": ids[item["HealthCheckId"]]} for item in found.coming]
    if set(map(record_set, found.going)) == set(map(record_set, coming)):
        return Reply(Outcome.COMMITTED, ALREADY)
    batch = [*_each("DELETE", found.going), *_each("CREATE", coming)]
    return await provider.change(provider.zone_of(found.endpoint), batch)


async def _create(provider: Route53Provider, checks: Sequence[Check]) -> str:
    ids: dict[str, str] = {}
    for check in checks:
        config = dict(check.config)
        if check.children:
            config["ChildHealthChecks"] = [ids[child] for child in check.children]
        ids[check.reference] = await provider.create_health_check(reference=check.reference, config=config)
    return ids[checks[-1].reference]


def _counts(item: ApiSet, endpoint: str) -> bool:
    return name_of(item["Name"]) == endpoint and item["Type"] in ADDRESS_TYPES


def _is_sentinel(item: ApiSet, endpoint: str) -> bool:
    return name_of(item["Name"]) == sentinel_name(endpoint) and item["Type"] == "TXT"


def _refusal(endpoint: str, standing: Sequence[ApiSet], look: Look, realm: str) -> str:
    if any(is_routed(item) for item in standing):
        return f"{endpoint} has other sets with a routing policy; remove them in Route 53 first"
    seen = parse(look.live.sentinel)
    if seen is None and not standing:
        return ""
    if not isinstance(seen, Sentinel) or seen.realm != realm:
        return f"what stands at {endpoint} is not ours; remove it in Route 53 first"
    if seen.standing is not Standing.RETIRED:
        return f"{endpoint} is {seen.standing}, and enactors keep it; let go of it first: outlast retire {endpoint}"
    return ""


def _each(action: str, sets: Sequence[ApiSet]) -> list[Change]:
    return [{"Action": action, "ResourceRecordSet": item} for item in sets]
