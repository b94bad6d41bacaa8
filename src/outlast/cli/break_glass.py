"""`outlast break-glass`: writes addresses, or a CNAME, by hand, when nothing else works any more."""

import sys
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from outlast import hostnames
from outlast.cli.hold import Hand, carry_out, operator, pace_of, read_with
from outlast.cli.options import DEFAULT_CONFIG, Apply, Config, Json, Reason, epilog
from outlast.config import scalars, wire
from outlast.config.hand_turns import Pace
from outlast.config.key import read_key
from outlast.config.parse import load
from outlast.config.settings import Settings
from outlast.errors import InvalidConfig, Refused, did_you_mean
from outlast.traffic.content import Content
from outlast.traffic.hold_state import Command, HoldState
from outlast.traffic.ports import Provider, Registry
from outlast.traffic.sentinel import Sentinel, parse

TTL = 5
"""Seconds, where neither the command line nor a configuration says."""
TIMEOUT = 10.0
"""Seconds for one answer: longer than a role's, for the day on which everything is slow."""
DIRECT = "the server"
"""How a provider is called that only the command line knows."""


class World(NamedTuple):
    """What the hand may reach for one endpoint."""

    realm: str
    registry: Registry | None
    providers: dict[str, Provider]
    ttl: int
    pace: Pace = Pace()


EPILOG = epilog(
    'outlast break-glass db.example.com --address 192.0.2.7 --apply --reason "INC-42"',
    'outlast break-glass api.example.com --cname lb-9.example.net --apply --reason "INC-43"',
    "outlast break-glass db.example.com --address 192.0.2.7 --address 192.0.2.8 \\",
    "    --server 192.0.2.53 --zone example.com --key-file tsig.key --apply",
    status="0 written (or would be), 1 a provider was not reached or refused, 2 the command line or the configuration is wrong.",
)


def break_glass(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The endpoint.")],
    *,
    address: Annotated[
        list[str] | None, typer.Option("--address", help="What it shall answer; repeat for more.")
    ] = None,
    cname: Annotated[str, typer.Option("--cname", help="The name it shall be an alias of, instead.")] = "",
    ttl: Annotated[int | None, typer.Option("--ttl", help="Seconds; by default the endpoint's, or 5.")] = None,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Also if what stands there is not ours: it is replaced.")
    ] = False,
    apply: Apply = False,
    reason: Reason = "",
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
    server: Annotated[str, typer.Option("--server", help="The primary's IP address; then no file is read.")] = "",
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="The primary's port.")] = 53,
    zone: Annotated[str, typer.Option("--zone", help="The zone at --server.")] = "",
    key_file: Annotated[str, typer.Option("--key-file", help="BIND key file, or name:algorithm:base64.")] = "",
    realm: Annotated[str, typer.Option("--realm", help="The realm, if no sentinel stands there to say it.")] = "",
) -> None:
    """Write addresses, or a CNAME, by hand and hold them against every enactor until thaw.

    Needs no registry, no running role and, with --server, --zone and --key-file, no configuration either. What is
    there and what would be written is printed; nothing is written without --apply.
    """
    endpoint = _domain(name, "NAME")
    targets = _targets(endpoint, address or [], cname)
    if server or zone or key_file:
        world = _direct(endpoint, server=server, port=port, zone=zone, key_file=key_file, realm=realm)
    else:
        world = _configured(endpoint, config, apply=apply)
    content = Content.of_targets(targets, ttl=ttl if ttl is not None else world.ttl)
    me = operator(Command.BREAK_GLASS)
    states = tuple(
        HoldState(Command.BREAK_GLASS, me, world.realm, provider, endpoint, content=content, take_over=take_over)
        for provider in world.providers
    )
    hand = Hand(registry=world.registry, providers=world.providers, apply=apply, reason=reason, pace=world.pace)
    carry_out(states, hand, as_json=as_json)


def _targets(endpoint: str, addresses: list[str], cname: str) -> tuple[str, ...]:
    if bool(addresses) == bool(cname):
        raise InvalidConfig(("write either --address, once or more, or --cname",))
    if not cname:
        _check_addresses(addresses)
        return tuple(addresses)
    try:
        name = hostnames.absolute(cname)
    except ValueError as error:
        raise InvalidConfig((f"--cname {cname}: not a host name: {error}",)) from error
    if name == f"{endpoint}.":
        raise InvalidConfig((f"--cname {cname}: that is the endpoint itself",))
    return (name,)


def _check_addresses(addresses: list[str]) -> None:
    faults = []
    for address in addresses:
        try:
            scalars.ip_address(address)
        except scalars.Misread:
            faults.append(f"--address {address}: not an IPv4 or IPv6 address")
    if faults:
        raise InvalidConfig(tuple(faults))


def _configured(endpoint: str, config: Path, *, apply: bool) -> World:
    settings = load(config)
    names = wire.providers_of(settings, endpoint)
    if not names:
        fault = f"no provider in {config} has a zone for {endpoint}{_near(settings, endpoint)}"
        raise InvalidConfig((fault,), hint="or name --server, --zone, --key-file")
    wired = wire.providers(settings)
    known = settings.topology.endpoint(endpoint)
    if known is None:
        near = _near(settings, endpoint) or ": is it spelled right?"
        sys.stderr.write(f"outlast: {endpoint} is no endpoint of {config}{near}\n")
    ttl = known.ttl if known is not None else TTL
    reached = {name: wired[name] for name in names}
    registry = wire.registry(settings, is_reader=not apply)
    return World(settings.realm, registry, reached, ttl, pace_of(settings))


def _near(settings: Settings, endpoint: str) -> str:
    return did_you_mean(endpoint, (item.name for item in settings.topology.endpoints))


def _direct(endpoint: str, *, server: str, port: int, zone: str, key_file: str, realm: str) -> World:
    needed = {"--server": server, "--zone": zone, "--key-file": key_file}
    missing = tuple(
        f"{option} is missing: --server, --zone and --key-file go together" for option, it in needed.items() if not it
    )
    if missing:
        raise InvalidConfig(missing)
    zones = (_domain(zone, "--zone"),)
    try:
        address = scalars.ip_address(server)
    except scalars.Misread as error:
        raise InvalidConfig((f"--server {server}: {error}",)) from error
    key = read_key(key_file)
    provider = wire.rfc2136(name=DIRECT, zones=zones, address=address, port=port, key=key, timeout=TIMEOUT)
    return World(realm or _realm_there(provider, endpoint), None, {DIRECT: provider}, TTL)


def _realm_there(provider: Provider, endpoint: str) -> str:
    seen = parse(read_with(provider, endpoint).sentinel)
    if isinstance(seen, Sentinel):
        return seen.realm
    raise Refused(f"no sentinel stands at {endpoint} to say the realm", hint="name it: --realm, as in outlast.toml")


def _domain(text: str, what: str) -> str:
    try:
        return scalars.domain(text)
    except scalars.Misread as error:
        raise InvalidConfig((f"{what} {text}: {error}",)) from error
