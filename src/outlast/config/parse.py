"""`outlast.toml` to typed settings. Every fault of the file comes out at once, with file, key, value and fix."""

import difflib
import tomllib
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outlast import hostnames
from outlast.config import scalars
from outlast.config.providers import fault_of_signing, given, read_providers
from outlast.config.registry_parse import read_registry
from outlast.config.settings import (
    AnyProviderSettings,
    EnactorSettings,
    HealthSettings,
    JanitorSettings,
    PlannerSettings,
    Settings,
)
from outlast.config.table import Table
from outlast.errors import InvalidConfig
from outlast.health.detector import Thresholds
from outlast.health.probe import HttpProbe
from outlast.traffic.topology import Endpoint, Target, Topology

if TYPE_CHECKING:
    from outlast.resolver.options import ResolverOptions

MAX_BYTES = 64 * 1024 * 1024
"""A file of 100,000 endpoints has about 20 MB."""
TARGET_KEYS = ("address", "name", "zone", "cloud", "capacity")
STAND_IN = Target(address="192.0.2.1", region="")
"""For targets that cannot be read, so that "targets is empty" is not said as well."""


def load(path: Path) -> Settings:
    """Read a configuration file.

    Raises:
        InvalidConfig: The file cannot be read, is not TOML, or says something wrong: all of it, at once.

    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidConfig((f"{path}: there is no such file; write one with: outlast init",)) from error
    except OSError as error:
        raise InvalidConfig((f"{path}: cannot be read: {error.strerror}",)) from error
    return parse(data, path)


def parse(data: bytes, path: Path) -> Settings:
    """Read a configuration from its bytes; `path` is for messages and for paths relative to the file.

    Raises:
        InvalidConfig: As `load`.

    """
    if len(data) > MAX_BYTES:
        raise InvalidConfig((f"{path}: more than {MAX_BYTES // 1024 // 1024} MiB",))
    try:
        values = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfig((f"{path}: not TOML: {error}",)) from error
    faults: list[str] = []
    settings = _settings(Table(str(path), (), values, faults), path)
    if faults or settings is None:
        raise InvalidConfig(tuple(faults))
    return replace(settings, digest=sha256(data).digest())


def _settings(root: Table, path: Path) -> Settings | None:
    realm = root.demand("realm", scalars.realm, "stand-in", example='realm = "shop" at the top of the file')
    registry = read_registry(root.table("registry"), path.parent)
    providers = read_providers(root, path.parent)
    health = _health(root.table("health"))
    planner, caution = _planner(root.table("planner"))
    enactor = _enactor(root.table("enactor"), path.parent)
    janitor = _janitor(root.table("janitor"))
    resolver = _resolver(root, path.parent)
    endpoints = _endpoints(root.table("endpoint"), providers)
    topology = root.build(lambda: Topology(realm=realm, endpoints=endpoints, **caution))
    root.finish()
    if topology is not None and health is not None and topology.named:
        _check_age(root.table("health"), health)
    if topology is None or health is None or planner is None or enactor is None or janitor is None:
        return None
    return Settings(
        path=path,
        registry=registry,
        providers=providers,
        topology=topology,
        health=health,
        planner=planner,
        enactor=enactor,
        janitor=janitor,
        resolver=resolver,
    )


def _check_age(table: Table, health: HealthSettings) -> None:
    # Looking a name up takes up to one timeout, and probing what it leads to another.
    least = health.interval + 2 * health.probe.timeout
    if health.max_signal_age < least:
        table.fault(
            f"max_signal_age = {health.max_signal_age:g} s is too short for targets that are names: write {least:g}s"
        )


def _one_kind(table: Table, kind: str) -> None:
    def read(value: object) -> str:
        if value != kind:
            raise scalars.Misread(f'write "{kind}"; there is no other kind yet')
        return kind

    table.demand("kind", read, kind, example=f'kind = "{kind}"')


# ----------------------------------------------------------------------------------------------------- the roles


def _health(table: Table) -> HealthSettings | None:
    if table.has("kind"):
        _one_kind(table, "http")
    options: dict[str, Any] = given(
        table, {"path": scalars.text, "port": scalars.port, "host": scalars.domain, "timeout": scalars.duration}
    )
    options |= given(table, {"expect": scalars.status_range})
    counts: dict[str, Any] = given(table, {"rise": scalars.integer, "fall": scalars.integer})
    counts |= given(table, {"flap_window": scalars.duration})
    looking: dict[str, Any] = given(table, {"interval": scalars.duration, "max_signal_age": scalars.duration})
    looking |= given(table, {"place": scalars.role_name, "upstreams": scalars.upstreams})
    table.take("kind", scalars.text, "http")
    table.finish()
    probe = table.build(lambda: HttpProbe(**options))
    thresholds = table.build(lambda: Thresholds(**counts))
    if probe is None or thresholds is None:
        return None
    return table.build(lambda: HealthSettings(probe=probe, thresholds=thresholds, **looking))


def _planner(table: Table) -> tuple[PlannerSettings | None, dict[str, Any]]:
    # How an edit is followed belongs to what is edited: it may change while the planner runs.
    caution: dict[str, Any] = given(table, {"bake": scalars.duration, "canary": scalars.domain})
    options = given(table, {"interval": scalars.duration})
    table.finish()
    return table.build(lambda: PlannerSettings(**options)), caution


def _enactor(table: Table, folder: Path) -> EnactorSettings | None:
    durations = dict.fromkeys(("interval", "stand_back"), scalars.duration)
    options = given(table, {**durations, "peers": scalars.role_names})
    options |= {key: folder / name for key, name in given(table, {"copy": scalars.text}).items()}
    table.finish()
    return table.build(lambda: EnactorSettings(**options))


def _janitor(table: Table) -> JanitorSettings | None:
    durations = dict.fromkeys(("interval", "grace", "wait"), scalars.duration)
    options = given(table, {**durations, "keep": scalars.integer})
    table.finish()
    return table.build(lambda: JanitorSettings(**options))


def _resolver(root: Table, folder: Path) -> "ResolverOptions | None":
    if not root.has("resolver"):
        root.table("resolver")  # known all the same, so that a misspelt one is told its name
        return None
    from outlast.config.resolver import read_resolver  # noqa: PLC0415  it needs DNS, which few of these files do

    return read_resolver(root.table("resolver"), folder)


# ----------------------------------------------------------------------------------------------------- endpoints


def _endpoints(table: Table, providers: tuple[AnyProviderSettings, ...]) -> tuple[Endpoint, ...]:
    if not table.names():
        table.fault('there is no endpoint: add [endpoint."db.example.com".targets] with us-east-1 = ["192.0.2.1"]')
    found = [_endpoint(table.table(name), name, providers) for name in table.names()]
    return tuple(endpoint for endpoint in found if endpoint is not None)


def _endpoint(table: Table, name: str, providers: tuple[AnyProviderSettings, ...]) -> Endpoint | None:
    if "." not in name and not table.has("targets"):
        table.fault(f'write the whole name in quotes: [endpoint."{name}.example.com"]')
        return None
    zones = [zone for provider in providers for zone in provider.zones]
    if zones and not any(provider.zone_of(name) for provider in providers):
        table.fault(
            f"it lies in no provider's zone ({', '.join(zones)}): correct the name or add its zone to a provider"
        )
    if fault := fault_of_signing(name, providers):
        table.fault(fault)
    targets = _targets(table)
    if fault := _fault_of_apex(name, targets, providers):
        table.fault(fault)
    options = given(
        table,
        {
            "ttl": scalars.whole_seconds,
            "min_addresses": scalars.integer,
            "fail_open_below": scalars.share,
            "max_leave": scalars.share,
            "velocity_window": scalars.duration,
            "soak": scalars.duration,
            "load": scalars.number,
            "probed": scalars.flag,
        },
    )
    table.finish()
    return _built(table, name, targets, options)


def _built(table: Table, name: str, targets: tuple[Target, ...], options: dict[str, Any]) -> Endpoint | None:
    try:
        return Endpoint(name=name, targets=targets, **options)
    except InvalidConfig as error:
        for fault in error.faults:
            # The table's own place says which endpoint it is.
            table.fault(fault.removeprefix(f"endpoint {name!r}: "))
    return None


def _targets(table: Table) -> tuple[Target, ...]:
    regions = table.table("targets")
    found = tuple(target for region in regions.names() for target in _region(regions, region))
    return tuple(target for target in found if target is not STAND_IN) or found[:1]


def _fault_of_apex(name: str, targets: tuple[Target, ...], providers: tuple[AnyProviderSettings, ...]) -> str:
    names = [target.address for target in targets if hostnames.is_absolute(target.address)]
    at = [provider.name for provider in providers if provider.zone_of(name) == name]
    if not names or not at:
        return ""
    # RFC 1034, section 3.6.2: SOA and NS stand there. An alias of the provider's own kind cannot be fenced (`aliases`).
    why = f"it is the zone's own name at {', '.join(at)}, beside whose SOA and NS no CNAME can stand"
    return f"target {names[0]}: {why}; give it addresses, or give clients a name below it such as www.{name}"


def _region(table: Table, region: str) -> tuple[Target, ...]:
    fix = f'write a list of addresses such as {region} = ["192.0.2.1", {{address = "192.0.2.2", zone = "a"}}]'

    def read(value: object) -> tuple[Target, ...]:
        if not isinstance(value, list):
            raise scalars.Misread(fix)
        for item in value:
            _check_target(item)
        return tuple(_target(item, region) for item in value)

    return table.take(region, read, (STAND_IN,))


def _check_target(value: object) -> None:
    if isinstance(value, str):
        return
    if not isinstance(value, dict) or sum(isinstance(value.get(key), str) for key in ("address", "name")) != 1:
        forms = '{address = "192.0.2.2", zone = "a"}, or {name = "lb.example.net", zone = "a"}'
        raise scalars.Misread(f"each target is an address or a name in quotes, {forms}")
    for key, word in value.items():
        if key not in TARGET_KEYS:
            near = difflib.get_close_matches(key, TARGET_KEYS, n=1)
            fix = f"did you mean {near[0]}?" if near else f"there are: {', '.join(TARGET_KEYS)}"
            raise scalars.Misread(f"unknown key {key} of a target; {fix}")
        (scalars.number if key == "capacity" else scalars.text)(word)


def _target(value: str | dict[str, Any], region: str) -> Target:
    words: dict[str, Any] = {"address": value} if isinstance(value, str) else dict(value)
    address = scalars.target(words.pop("name", "") or words.pop("address"))
    return Target(address=address, region=region, **words)
