"""`outlast doctor`: what of a set-up would make an outage, or make it longer, and what to change."""

import asyncio
from typing import Annotated

import typer

from outlast.audit.closure import cycle, words
from outlast.audit.findings import Finding, Level, worst
from outlast.audit.names import judge_name
from outlast.audit.prove import SCRATCH, prove_cas
from outlast.audit.zone_rules import judge_endpoint, judge_tier, judge_zone
from outlast.cli.options import DEFAULT_CONFIG, Config, Json, epilog
from outlast.cli.output import printable, put, put_json
from outlast.config import wire
from outlast.config.parse import load
from outlast.config.settings import Route53Settings, ServerSettings, Settings
from outlast.errors import InvalidConfig, OutlastError
from outlast.traffic.planner import Place
from outlast.traffic.ports import Live
from outlast.traffic.topology import Endpoint

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
    from outlast.audit.zone_facts import Server, gather_facts  # speaks DNS, which starting a command does not need

    asked = None if resolver is None else Server(*resolver)
    providers = wire.providers(settings)
    found = [await _registry(settings), *(judge_tier(name, provider.tier) for name, provider in providers.items())]
    room = asyncio.Semaphore(CONCURRENT)

    async def zone(name: str, primary: Server) -> list[Finding]:
        async with room:
            return judge_zone(await gather_facts(name, primary, asked))

    async def endpoint(place: Place) -> list[Finding]:
        async with room:
            return await _endpoint(settings, place)

    lookup = wire.lookup(settings.health)

    async def named(name: str, target: str) -> list[Finding]:
        async with room:
            return [judge_name(name, target, await lookup(target))]

    servers = [it for it in settings.providers if isinstance(it, ServerSettings)]
    primaries = {(name, Server(it.address, it.port)) for it in servers for name in it.zones}
    judged = await asyncio.gather(
        *(zone(name, primary) for name, primary in sorted(primaries)),
        *(endpoint(place) for place in wire.places(settings)),
        *(named(name, target) for name, target in _names(settings)),
    )
    found += [item for items in judged for item in items]
    if prove:
        found += [await prove_cas(providers[it.name], name) for it in settings.providers for name in it.zones]
    return found


def _names(settings: Settings) -> list[tuple[str, str]]:
    return [(endpoint.name, target) for endpoint in settings.topology.named for target in endpoint.addresses]


async def _registry(settings: Settings) -> Finding:
    subject = settings.registry.name
    circle = cycle(settings.registry.hosts, settings.topology)
    if circle:
        fix = "put the registry where nothing that its plans repair is needed to reach it"
        return Finding(Level.FAIL, "registry", subject, f"it needs what its plans repair: {words(circle)}", fix)
    try:
        floor = await wire.registry(settings).floor()
    except OutlastError as error:
        return Finding(Level.FAIL, "registry", subject, error.message, error.hint)
    return Finding(Level.OK, "registry", subject, f"answers; {floor} is the latest generation")


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

    fix = "prepare it, as docs/ROUTE53.md shows, or have a second provider"
    return [
        Finding(Level.WARN, "region shift needs a change", f"{needs.endpoint} at {place.provider}", needs.why, fix)
        for needs in needing_write((endpoint,), {endpoint.name: live})
    ]


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
