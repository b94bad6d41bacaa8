"""`outlast doctor`: what of a set-up would make an outage, or make it longer, and what to change."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from outlast.audit.closure import cycle, words
from outlast.audit.findings import Finding, Level, worst
from outlast.audit.names import judge_name
from outlast.audit.prove import SCRATCH, prove_cas
from outlast.audit.zone_rules import judge_endpoint, judge_signing, judge_tier, judge_zone
from outlast.cli.options import DEFAULT_CONFIG, Config, Json, epilog
from outlast.cli.output import printable, put, put_json
from outlast.config import wire
from outlast.config.parse import load
from outlast.config.settings import AnyProviderSettings, OctodnsSettings, Route53Settings, ServerSettings, Settings
from outlast.errors import InvalidConfig, OutlastError
from outlast.traffic.planner import Place
from outlast.traffic.ports import Live
from outlast.traffic.topology import Endpoint

if TYPE_CHECKING:
    from outlast.audit.zone_facts import Server

ATTENTION = 1
COULD_NOT_TELL = 3
CONCURRENT = 16
"""Zones and endpoints looked at, at once."""

EPILOG = epilog(
    "outlast doctor",
    "outlast doctor --resolver 9.9.9.9            also what the parent zone says of yours",
    f"outlast doctor --prove-cas                   writes {SCRATCH}.ZONE, and tries to overwrite it with a stale write",
    status="0 all is well, 1 something needs attention, 2 the configuration is wrong, 3 something could not be looked at.",
)


def doctor(
    *,
    prove: Annotated[
        bool, typer.Option("--prove-cas", help="Try whether providers refuse stale writes, on a scratch name.")
    ] = False,
    resolver: Annotated[str, typer.Option("--resolver", help="ADDRESS[:PORT] to ask about the parent zones.")] = "",
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Check your set-up: zones, delegation, signatures, TTLs, who else writes, what the providers promise.

    It only reads, unless --prove-cas is given: then one scratch name in each zone is written, which stays there, retired.
    To check outlast's own protocol run `outlast verify`.
    """
    settings = load(config)
    asked = _address(resolver) if resolver else None
    findings = asyncio.run(_examine(settings, asked, prove=prove))
    if as_json:
        put_json({"ok": worst(findings) is Level.OK, "findings": [item._asdict() for item in findings]})
    else:
        _print(findings)
    raise typer.Exit({Level.OK: 0, Level.UNKNOWN: COULD_NOT_TELL}.get(worst(findings), ATTENTION))


async def _examine(settings: Settings, resolver: tuple[str, int] | None, *, prove: bool) -> list[Finding]:
    from outlast.audit.zone_facts import Server, gather_facts, zone_is_signed  # DNS: starting a command needs none

    asked = None if resolver is None else Server(*resolver)
    providers = wire.providers(settings)
    found = await _registry(settings, asked)
    found += [judge_tier(name, provider.tier) for name, provider in providers.items()]
    room = asyncio.Semaphore(CONCURRENT)

    async def zone(name: str, primary: Server, at: list[AnyProviderSettings]) -> list[Finding]:
        async with room:
            facts = await gather_facts(name, primary, asked)
            return judge_zone(facts) + [it for one in at for it in _signing(settings, name, one, facts.is_signed)]

    async def hosted(name: str, at: Route53Settings, resolver: Server) -> list[Finding]:
        async with room:
            return _signing(settings, name, at, await zone_is_signed(name, resolver))

    async def endpoint(place: Place) -> list[Finding]:
        async with room:
            return await _endpoint(settings, place)

    async def above(endpoint: Endpoint, place: Place) -> list[Finding]:
        async with room:
            return await _prepared(settings, endpoint, place)

    lookup = wire.lookup(settings.health)

    async def named(name: str, target: str) -> list[Finding]:
        async with room:
            return [judge_name(name, target, await lookup(target))]

    servers = [it for it in settings.providers if isinstance(it, ServerSettings | OctodnsSettings) and it.address]
    primaries: dict[tuple[str, Server], list[AnyProviderSettings]] = {}
    for it in servers:
        for name in it.zones:
            primaries.setdefault((name, Server(it.address, it.port)), []).append(it)
    at_route53 = [it for it in settings.providers if isinstance(it, Route53Settings)] if asked else []
    judged = await asyncio.gather(
        *(zone(*place, at) for place, at in sorted(primaries.items())),
        *(hosted(name, at, asked) for at in at_route53 for name in at.zones if asked),
        *(endpoint(place) for place in wire.places(settings)),
        *(above(name, place) for name, place in _above(settings)),
        *(named(name, target) for name, target in _names(settings)),
    )
    found += [item for items in judged for item in items]
    if prove:
        found += [await prove_cas(providers[it.name], name) for it in settings.providers for name in it.zones]
    return found


def _names(settings: Settings) -> list[tuple[str, str]]:
    return [(endpoint.name, target) for endpoint in settings.topology.named for target in endpoint.addresses]


def _signing(settings: Settings, zone: str, at: AnyProviderSettings, is_signed: bool | str) -> list[Finding]:
    inside = (it.name for it in settings.topology.endpoints if at.zone_of(it.name) == zone)
    is_shared = any(len(wire.providers_of(settings, name)) > 1 for name in inside)
    return judge_signing(zone, at.name, is_signed=is_signed, configured=at.signed, is_shared=is_shared)


async def _registry(settings: Settings, resolver: "Server | None") -> list[Finding]:
    from outlast.audit.name_facts import gather_names

    subject, hosts = settings.registry.name, settings.registry.hosts
    names = await gather_names(hosts, resolver)
    circle = cycle(hosts, settings.topology, leads_to=names.leads_to)
    if circle:
        fix = "put the registry where nothing that its plans repair is needed to reach it"
        return [Finding(Level.FAIL, "registry", subject, f"it needs what its plans repair: {words(circle)}", fix)]
    fix = "name it by addresses, or a resolver that knows it: --resolver ADDRESS"
    unseen = [
        Finding(Level.UNKNOWN, "registry", subject, f"what {name} leads to is not known: {why}", fix)
        for name, why in names.unseen.items()
    ]
    try:
        floor = await wire.registry(settings).floor()
    except OutlastError as error:
        return [*unseen, Finding(Level.FAIL, "registry", subject, error.message, error.hint)]
    return [*unseen, Finding(Level.OK, "registry", subject, f"answers; {floor} is the latest generation")]


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


def _address(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":") if text.count(":") == 1 else (text, "", "53")
    if not port.isdecimal() or not 1 <= int(port) <= 65_535:
        raise InvalidConfig((f"--resolver {text}: write ADDRESS or ADDRESS:PORT",))
    return address.strip("[]"), int(port)


def _print(findings: list[Finding]) -> None:
    for item in findings:
        put(printable(f"{item.level:8}{item.check}  {item.subject}: {item.there}"))
        if item.fix:
            put(printable(f"        fix: {item.fix}"))
    counts = {level: sum(item.level is level for item in findings) for level in Level}
    put(", ".join(f"{count} {level}" for level, count in counts.items() if count))
