"""What `outlast doctor` looks at, one look for each zone, place and name, and what it finds."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from outlast.audit.findings import Finding, Level
from outlast.audit.health_rules import judge_regions
from outlast.audit.key_files import examine_files
from outlast.audit.keys import check_key
from outlast.audit.names import judge_name
from outlast.audit.prove import prove_cas
from outlast.audit.zone_rules import judge_endpoint, judge_signing, judge_tier, judge_zone
from outlast.cli.doctor_registry import examine_registry
from outlast.config import wire
from outlast.config.secret_files import secret_files
from outlast.config.settings import AnyProviderSettings, OctodnsSettings, Route53Settings, ServerSettings, Settings
from outlast.errors import OutlastError
from outlast.health.lookup import Lookup
from outlast.traffic.ports import Live, Place, Provider
from outlast.traffic.topology import Endpoint

if TYPE_CHECKING:
    from outlast.audit.zone_facts import Server

CONCURRENT = 16
"""Zones and endpoints looked at, at once."""

Look = Coroutine[None, None, list[Finding]]


async def examine(settings: Settings, resolver: tuple[str, int] | None, *, prove: bool) -> list[Finding]:
    """Look at everything; `resolver` is address and port, without it nobody outside is asked. `prove` writes scratch names."""
    from outlast.audit.zone_facts import Server  # DNS: starting a command needs none

    asked = None if resolver is None else Server(*resolver)
    providers = wire.providers(settings)
    room = asyncio.Semaphore(CONCURRENT)

    async def taking_turns(look: Look) -> list[Finding]:
        async with room:
            return await look

    found = await examine_registry(settings, asked)
    found += examine_files(secret_files(settings))
    found += [judge_tier(name, provider.tier) for name, provider in providers.items()]
    found += [it for endpoint in settings.topology.endpoints for it in judge_regions(endpoint, settings.health.place)]
    judged = await asyncio.gather(*(taking_turns(look) for look in _looks(settings, asked, providers)))
    found += [item for items in judged for item in items]
    if prove:
        found += [await prove_cas(providers[it.name], name) for it in settings.providers for name in it.zones]
    return found


def _looks(settings: Settings, resolver: "Server | None", providers: Mapping[str, Provider]) -> Iterator[Look]:
    for (name, primary), at in _primaries(settings):
        yield _zone(settings, name, primary, at, resolver)
    at_route53 = [it for it in settings.providers if isinstance(it, Route53Settings)]
    if resolver is not None:
        yield from (_hosted(settings, name, at, resolver) for at in at_route53 for name in at.zones)
    yield from (
        check_key(providers[at.name], name, _inside(settings, name, at))
        for at in settings.providers
        for name in at.zones
    )
    yield from (_endpoint(settings, place) for place in wire.places(settings))
    yield from (_prepared(settings, endpoint, place) for endpoint, place in _above(settings))
    lookup = wire.lookup(settings.health)
    for endpoint in settings.topology.named:
        yield from (_name(lookup, endpoint.name, target) for target in endpoint.addresses)


# ------------------------------------------------------------------------------------------------------------- zones


def _primaries(settings: Settings) -> "list[tuple[tuple[str, Server], list[AnyProviderSettings]]]":
    # A zone may be written by several providers at one server, as by DNS UPDATE and by HTTP: one look serves them all.
    from outlast.audit.zone_facts import Server

    found: dict[tuple[str, Server], list[AnyProviderSettings]] = {}
    for it in settings.providers:
        if isinstance(it, ServerSettings | OctodnsSettings) and it.address:
            for name in it.zones:
                found.setdefault((name, Server(it.address, it.port)), []).append(it)
    return sorted(found.items(), key=lambda item: item[0])


async def _zone(
    settings: Settings, name: str, primary: "Server", at: list[AnyProviderSettings], resolver: "Server | None"
) -> list[Finding]:
    from outlast.audit.zone_facts import Server, gather_facts

    known = tuple(server for (zone, server), _ in _primaries(settings) if zone == name)
    having = [it for it in settings.providers if name in it.zones]
    named = [it for it in having if isinstance(it, ServerSettings | OctodnsSettings) and it.address]
    others = tuple(server for server in known if server != primary)
    followers = tuple(
        (address, Server(it.address, it.port))
        for it in having
        if isinstance(it, ServerSettings)
        for address, _ in it.secondaries
    )
    has_unseen = len(named) < len(having)
    facts = await gather_facts(name, primary, resolver, others=others, has_unseen=has_unseen, followers=followers)
    if len(having) > 1:
        facts = replace(facts, at=", ".join(it.name for it in at))
    return judge_zone(facts) + [it for one in at for it in _signing(settings, name, one, facts.is_signed)]


async def _hosted(settings: Settings, name: str, at: Route53Settings, resolver: "Server") -> list[Finding]:
    from outlast.audit.zone_facts import zone_is_signed

    return _signing(settings, name, at, await zone_is_signed(name, resolver))


def _signing(settings: Settings, zone: str, at: AnyProviderSettings, is_signed: bool | str) -> list[Finding]:
    is_shared = any(len(wire.providers_of(settings, it.name)) > 1 for it in _inside(settings, zone, at))
    return judge_signing(zone, at.name, is_signed=is_signed, configured=at.signed, is_shared=is_shared)


def _inside(settings: Settings, zone: str, at: AnyProviderSettings) -> tuple[Endpoint, ...]:
    return tuple(it for it in settings.topology.endpoints if at.zone_of(it.name) == zone)


# ------------------------------------------------------------------------------------------------------------- names


async def _name(lookup: Lookup, name: str, target: str) -> list[Finding]:
    return [judge_name(name, target, await lookup(target))]


# ---------------------------------------------------------------------------------------------------------- endpoints


async def _endpoint(settings: Settings, place: Place) -> list[Finding]:
    configured = settings.topology.endpoint(place.endpoint)
    regions = len({target.region for target in configured.targets}) if configured is not None else 0
    try:
        live = await wire.readers(settings)[place.provider].read(place.endpoint)
    except OutlastError as error:
        return judge_endpoint(place.endpoint, place.provider, str(error), realm=settings.realm, regions=regions)
    judged = judge_endpoint(place.endpoint, place.provider, live, realm=settings.realm, regions=regions)
    if configured is not None and place.provider in {
        it.name for it in settings.providers if isinstance(it, Route53Settings)
    }:
        judged += _without_a_write(configured, place, live)
    return judged


def _without_a_write(endpoint: Endpoint, place: Place, live: Live) -> list[Finding]:
    # Route 53 takes changes in one region: what needs one in order to leave that region cannot leave it.
    from outlast.provider.route53_failover import needing_write

    fix = f"prepare it, or have a second provider: outlast route53 prepare {endpoint.name}"
    return [
        Finding(Level.WARN, "region shift needs a change", f"{needs.endpoint} at {place.provider}", needs.why, fix)
        for needs in needing_write((endpoint,), {endpoint.name: live})
    ]


def _above(settings: Settings) -> list[tuple[Endpoint, Place]]:
    # The names above regional endpoints are in no plan: they are written once, and nobody else looks at them.
    at = [it for it in settings.providers if isinstance(it, Route53Settings)]
    if not at:
        return []
    from outlast.provider.route53_failover import uppers

    named = [it for it in uppers(settings.topology.endpoints) if settings.topology.endpoint(it.name) is None]
    return [(it, Place(zones.name, it.name)) for it in named for zones in at if zones.zone_of(it.name)]


async def _prepared(settings: Settings, endpoint: Endpoint, place: Place) -> list[Finding]:
    check, subject = "region shift needs no change", f"{endpoint.name} at {place.provider}"
    try:
        live = await wire.readers(settings)[place.provider].read(endpoint.name)
    except OutlastError as error:
        return [Finding(Level.UNKNOWN, check, subject, str(error), "Route 53 must list it")]
    there = "prepared: its regions are left by outlast route53 leave"
    return _without_a_write(endpoint, place, live) or [Finding(Level.OK, check, subject, there)]
