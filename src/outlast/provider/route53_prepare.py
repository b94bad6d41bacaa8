"""Puts the name of `route53_failover` in place, once, while Route 53 takes changes."""

from collections.abc import Sequence

from outlast.errors import Unavailable
from outlast.provider.route53 import Route53Provider
from outlast.provider.route53_batch import Change
from outlast.provider.route53_failover import Check, Watch, checks_of, regions_of, routed_sets
from outlast.provider.route53_listing import Look
from outlast.provider.route53_sets import ADDRESS_TYPES, ApiSet, is_routed, name_of, record_set
from outlast.traffic.ports import Outcome, Reply
from outlast.traffic.sentinel import Sentinel, Standing, parse, sentinel_name
from outlast.traffic.topology import Endpoint


async def prepare(
    provider: Route53Provider, endpoint: Endpoint, watches: Sequence[Watch], *, realm: str, primary: str = ""
) -> Reply:
    """Create the health checks, then replace what stands at the endpoint's name by its prepared sets, in one batch.

    The regional endpoints below it must be there already: Route 53 takes no alias to nothing. A name that was an endpoint
    itself must be let go of first (`outlast retire`): enactors keep away from it from then on, and its addresses answer
    until this batch replaces them. Doing it again changes nothing.

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
        zone = provider.zone_of(endpoint.name)
        checks = {
            region: await _create(provider, checks_of(endpoint.name, region, watches))
            for region in regions_of(endpoint)
        }
        look = await provider.look(endpoint.name)
    except Unavailable as error:
        return Reply(Outcome.FAILED, error.message)
    zone_id = provider.zones[zone].removeprefix("/hostedzone/")  # as the API gives it elsewhere
    wanted = routed_sets(endpoint, zone_id, checks, primary=primary)
    standing = [item for item in look.sets if _counts(item, endpoint.name)]
    if set(map(record_set, standing)) == set(map(record_set, wanted)) and not look.live.sentinel:
        return Reply(Outcome.COMMITTED, "already prepared")
    if refused := _refusal(endpoint.name, standing, look, realm):
        return Reply(Outcome.FAILED, refused)
    going = [item for item in look.sets if item in standing or _is_sentinel(item, endpoint.name)]
    return await provider.change(zone, [*_each("DELETE", going), *_each("CREATE", wanted)])


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
