"""What `route53 prepare` does: what goes, what comes, carrying it out, and what is printed of it."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import typer

from outlast.cli.audit import unchanged, write_down
from outlast.cli.hold import user
from outlast.cli.output import printable, put, put_json
from outlast.cli.stdout import after_applying
from outlast.config import wire
from outlast.config.settings import Route53Settings, Settings
from outlast.errors import InvalidConfig, OutlastError
from outlast.provider.route53 import Route53Provider
from outlast.provider.route53_failover import Check, joined, regional, watch_of
from outlast.provider.route53_prepare import ALREADY, Preparation, carry_out, survey
from outlast.provider.route53_sets import ApiSet, is_routed, record_set
from outlast.traffic.ports import Outcome, Reply
from outlast.traffic.topology import Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line says."""

    name: str
    primary: str
    apply: bool
    reason: str
    as_json: bool


def prepare_name(settings: Settings, wanted: Wanted) -> None:
    """Say what preparing comes to, with `apply` do it, and leave with 0, or with 1 if something is in the way."""
    name = wanted.name.lower().rstrip(".")
    at = _provider_of(settings, name)
    found, reply = asyncio.run(_prepare(settings, at, _above(settings, name), wanted))
    with after_applying(is_applied=wanted.apply):
        if wanted.as_json:
            put_json(_to_json(found, reply, at.name, wanted.reason))
        else:
            _print(found, reply, at.name)
    is_done = not found.refused if reply is None else reply.outcome is Outcome.COMMITTED
    raise typer.Exit(0 if is_done else 1)


def _provider_of(settings: Settings, name: str) -> Route53Settings:
    found = [it for it in settings.providers if isinstance(it, Route53Settings) and it.zone_of(name)]
    if not found:
        fault = f"no provider in {settings.path} has {name} at Route 53"
        raise InvalidConfig((fault,), hint='one of kind = "route53" has zones')
    if not found[0].watches:
        fix = 'add watches = ["https://west.watch.example/evacuated"], two or more: see docs/ROUTE53.md'
        raise InvalidConfig((f"{settings.path}: [provider.{found[0].name}] watches is missing: {fix}",))
    return found[0]


def _above(settings: Settings, name: str) -> Endpoint:
    endpoint = joined(name, settings.topology.endpoints)
    if endpoint is not None:
        return endpoint
    itself = settings.topology.endpoint(name)
    below = regional(itself) if itself is not None else ()
    tables = "".join(
        f'\n  [endpoint."{it.name}".targets]\n  {json.dumps(it.targets[0].region)} = {json.dumps(list(it.addresses))}'
        for it in below
    )
    fix = f"add these, and when they answer, retire {name}:{tables}" if below else "one for each: REGION.NAME"
    raise InvalidConfig((f"{settings.path} has no regional endpoints below {name}",), hint=fix)


async def _prepare(
    settings: Settings, at: Route53Settings, endpoint: Endpoint, wanted: Wanted
) -> tuple[Preparation, Reply | None]:
    provider = wire.providers(settings)[at.name]
    assert isinstance(provider, Route53Provider)
    watches = [it for it in map(watch_of, at.watches) if it is not None]
    found = await survey(provider, endpoint, watches, realm=settings.realm, primary=wanted.primary)
    if not wanted.apply:
        return found, None
    try:
        reply = await carry_out(provider, found)
    except OutlastError as error:
        reply = Reply(Outcome.FAILED, str(error))
    outcome = " ".join(word for word in (reply.outcome, reply.detail) if word)
    if reply == Reply(Outcome.COMMITTED, ALREADY):
        outcome = unchanged(ALREADY)
    what, subject = "route53 prepare", f"{endpoint.name}@{at.name}"
    registry = wire.registry(settings)
    await write_down(registry, by=user(), what=what, subject=subject, why=wanted.reason, outcome=outcome)
    return found, reply


def _to_json(found: Preparation, reply: Reply | None, provider: str, reason: str) -> dict[str, Any]:
    return {
        "endpoint": found.endpoint,
        "provider": provider,
        "applied": reply is not None,
        "reason": reason,
        "prepared": found.is_there,
        "refused": found.refused,
        "outcome": str(reply.outcome) if reply else "dry run",
        "why": reply.detail if reply else found.refused,
        "health_checks": [{"region": it, **check._asdict()} for it, own in found.checks.items() for check in own],
        "goes": list(found.going),
        "comes": list(found.coming),
    }


def _print(found: Preparation, reply: Reply | None, provider: str) -> None:
    put(f"{found.endpoint} at {provider}")
    for region, own in found.checks.items():
        for check in own:
            put(f"  checks  {region}: {_check(check)}")
    for item in found.going if not found.is_there else ():
        put(printable(f"  goes    {_set(item)}"))
    for item in found.coming:
        put(f"  {'stands' if found.is_there else 'comes '}  {_set(item)}")
    if found.refused:
        put(f"NOT PREPARED: {found.refused}")
    elif reply is not None:
        is_done = reply.outcome is Outcome.COMMITTED
        put(f"  {reply.detail or 'prepared'}" if is_done else f"NOT PREPARED: {reply.outcome}: {reply.detail}")
    elif found.is_there:
        put("  prepared already; with --apply its health checks are made to ask these watches")
    else:
        put("This was a dry run: nothing was written. Add --apply to write.")


def _check(check: Check) -> str:
    if check.children:
        return f"in while {check.config['HealthThreshold']} of {len(check.children)} of these are well"
    config = check.config
    port = "" if config["Port"] == 443 else f":{config['Port']}"
    return f"until https://{config['FullyQualifiedDomainName']}{port}{config['ResourcePath']} answers 2xx or 3xx"


def _set(item: ApiSet) -> str:
    if not is_routed(item):
        plain = record_set(item)
        return f"{item['Name']} {plain.type} {plain.ttl} {' '.join(plain.values)}"
    kind = item.get("Failover") or f"weight {item.get('Weight')}"
    return f"{item['Type']} {item.get('SetIdentifier')}: {kind}, alias to {item.get('AliasTarget', {}).get('DNSName')}"
