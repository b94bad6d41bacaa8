"""Settings to a wired world: the registry and the providers that the settings name. Adapters are imported by kind, lazily."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from outlast.config import registry_wire
from outlast.config.key import Key, check_api_key, check_secret, read_api_key, read_key_file, read_secret
from outlast.config.settings import (
    AnyProviderSettings,
    HealthSettings,
    OctodnsSettings,
    PowerdnsSettings,
    Rfc2136Settings,
    Route53Settings,
    ServerSettings,
    Settings,
)
from outlast.errors import InvalidConfig
from outlast.health.lookup import Lookup
from outlast.traffic.ports import Place, Provider, Registry


def registry(settings: Settings, *, is_reader: bool = False) -> Registry:
    """Wire the registry. Nothing is opened before it is first asked; a reader makes no file, and finds a missing one empty.

    Raises:
        InvalidConfig: Its password cannot be read, or the packages of its kind are not installed.

    """
    return registry_wire.wire(settings.registry, f"{settings.path}: [registry]", is_reader=is_reader)


def check_registry(settings: Settings) -> None:
    """See that there is a registry, for who could only say that an empty one is empty.

    Raises:
        Unavailable: It is a file that nobody has made yet.

    """
    registry_wire.check_there(settings.registry, f"{settings.path}: [registry]")


def state_folder(settings: Settings) -> Path:
    """Where roles keep what is theirs: where systemd says (`STATE_DIRECTORY`, systemd.exec(5)), or beside the configuration.

    A configuration mostly lies where roles must not write.
    """
    first = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return Path(first) if first else settings.path.parent


def remembered(settings: Settings, shelf: Registry, name: str, on_fault: Callable[[str], None]) -> Registry:
    """Wire `shelf` for the enactor called `name`: with a copy on this machine's disk for when it does not answer."""
    path = settings.enactor.copy or state_folder(settings) / f"{settings.realm}.{name}.copy"
    return registry_wire.remembered(shelf, path, realm=settings.realm, on_fault=on_fault)


def lookup(health: HealthSettings) -> Lookup:
    """Wire what resolves the targets that are names.

    Raises:
        InvalidConfig: There are too many upstreams.

    """
    from outlast.resolver.lookup import PlainLookup  # noqa: PLC0415  it needs DNS, which starting a command does not

    return PlainLookup(health.upstreams, timeout=health.probe.timeout)


def providers(settings: Settings) -> dict[str, Provider]:
    """Wire every provider, by name.

    Raises:
        InvalidConfig: A secret cannot be read. Every such fault is listed.

    """
    return _each(settings, lambda provider: _wired(provider, settings))


def _each(settings: Settings, wire: Callable[[AnyProviderSettings], Provider]) -> dict[str, Provider]:
    faults: list[str] = []
    wired: dict[str, Provider] = {}
    for provider in settings.providers:
        try:
            wired[provider.name] = wire(provider)
        except InvalidConfig as error:
            faults += error.faults
    if faults:
        raise InvalidConfig(tuple(faults))
    return wired


def readers(settings: Settings) -> dict[str, Provider]:
    """Wire every provider, by name, without the credential that could change anything: for planner and janitor.

    A DNS server is read by DNS: an API knows no key that may only read. boto3 finds its credentials itself, so that a reader
    of Route 53 only refuses to write; whoever runs these roles gives them credentials that may list and nothing else. So
    for octoDNS, unless the settings name an authoritative server.

    Raises:
        InvalidConfig: What a provider needs is not installed. Every such fault is listed.

    """
    return _each(settings, lambda provider: _reader(provider, settings))


def providers_of(settings: Settings, endpoint: str) -> tuple[str, ...]:
    """Name the providers that have a zone for `endpoint`."""
    return tuple(provider.name for provider in settings.providers if provider.zone_of(endpoint))


def places(settings: Settings) -> tuple[Place, ...]:
    """Every endpoint at every provider that serves it."""
    return tuple(
        Place(provider, endpoint.name)
        for endpoint in settings.topology.endpoints
        for provider in providers_of(settings, endpoint.name)
    )


def _wired(provider: AnyProviderSettings, settings: Settings) -> Provider:
    match provider:
        case Route53Settings():
            return _route53(provider)
        case Rfc2136Settings():
            return _by_dns(provider, secret_of(provider, settings))
        case PowerdnsSettings():
            return _powerdns(provider, api_key_of(provider, settings))
        case OctodnsSettings():
            return _octodns(provider, settings)


def _reader(provider: AnyProviderSettings, settings: Settings) -> Provider:
    if isinstance(provider, Route53Settings):
        return _route53(provider, is_reader=True)
    if isinstance(provider, OctodnsSettings) and not provider.address:
        return _octodns(provider, settings, is_reader=True)
    return _by_dns(provider, Key(name="", algorithm="hmac-sha256", secret=""))


def secondary(provider: ServerSettings, server: tuple[str, int]) -> Provider:
    """Wire a reader of one of a provider's secondaries, by address and port."""
    address, port = server
    return _by_dns(replace(provider, address=address, port=port), Key(name="", algorithm="hmac-sha256", secret=""))


def _octodns(provider: OctodnsSettings, settings: Settings, *, is_reader: bool = False) -> Provider:
    from outlast.provider.octodns import OctodnsProvider  # noqa: PLC0415  imported by kind

    where = f"{settings.path}: [provider.{provider.name}.settings]"
    secrets = {key: read_secret(path) for key, path in provider.secret_files}
    secrets |= {
        key: _variable(variable, f'{where} {key} = {{env = "{variable}"}}') for key, variable in provider.secret_envs
    }
    return OctodnsProvider(
        name=provider.name,
        zones=provider.zones,
        class_path=provider.class_path,
        options={**dict(provider.options), **secrets},
        secrets=tuple(secrets.values()),
        timeout=provider.timeout,
        is_reader=is_reader,
    )


def _route53(provider: Route53Settings, *, is_reader: bool = False) -> Provider:
    from outlast.provider.route53 import Route53Provider  # noqa: PLC0415  imported by kind

    return Route53Provider(
        name=provider.name,
        zones=dict(zip(provider.zones, provider.zone_ids, strict=True)),
        endpoint_url=provider.endpoint_url,
        timeout=provider.timeout,
        wait_insync=provider.wait_insync,
        requests_per_second=provider.requests_per_second,
        is_reader=is_reader,
    )


def _by_dns(provider: ServerSettings | OctodnsSettings, key: Key) -> Provider:
    return rfc2136(
        name=provider.name,
        zones=provider.zones,
        address=provider.address,
        port=provider.port,
        key=key,
        timeout=provider.timeout,
    )


def _powerdns(provider: PowerdnsSettings, api_key: str) -> Provider:
    from outlast.provider.powerdns import PowerdnsProvider  # noqa: PLC0415  imported by kind

    return PowerdnsProvider(
        name=provider.name, zones=provider.zones, url=provider.url, api_key=api_key, timeout=provider.timeout
    )


def rfc2136(*, name: str, zones: tuple[str, ...], address: str, port: int, key: Key, timeout: float) -> Provider:
    """Wire one RFC 2136 provider.

    Raises:
        InvalidConfig: The adapter refuses an option.

    """
    from outlast.provider.rfc2136 import Rfc2136Provider  # noqa: PLC0415  imported by kind

    return Rfc2136Provider(
        name=name,
        zones=zones,
        address=address,
        port=port,
        key_name=key.name,
        key_secret=key.secret,
        key_algorithm=key.algorithm,
        timeout=timeout,
    )


def secret_of(provider: Rfc2136Settings, settings: Settings) -> Key:
    """Read a provider's key from where the settings say it is; what the settings name wins over the file.

    Raises:
        InvalidConfig: It is not there, or it is no key.

    """
    where = _where(provider, settings)
    if provider.key_secret_file is not None:
        key = read_key_file(provider.key_secret_file)
    else:
        secret, source = _from_environment(provider, where)
        key = Key(name="", algorithm="", secret=check_secret(secret, source))
    name = provider.key_name or key.name
    if not name:
        raise InvalidConfig(
            (f'{where} key_name is missing and the key file does not say it: add key_name = "outlast."',)
        )
    return Key(name=name, algorithm=provider.key_algorithm or key.algorithm or "hmac-sha256", secret=key.secret)


def api_key_of(provider: PowerdnsSettings, settings: Settings) -> str:
    """Read an API's key from where the settings say it is.

    Raises:
        InvalidConfig: It is not there, or it is no key.

    """
    if provider.key_secret_file is not None:
        return read_api_key(provider.key_secret_file)
    return check_api_key(*_from_environment(provider, _where(provider, settings)))


def _where(provider: ServerSettings, settings: Settings) -> str:
    return f"{settings.path}: [provider.{provider.name}]"


def _from_environment(provider: ServerSettings, where: str) -> tuple[str, str]:
    # The secret, and what to call its source in a fault.
    source = f'{where} key_secret_env = "{provider.key_secret_env}"'
    return _variable(provider.key_secret_env, source), source


def _variable(name: str, source: str) -> str:
    secret = os.environ.get(name)
    if secret is None:
        raise InvalidConfig((f"{source}: the environment has no such variable; set it",))
    return secret
