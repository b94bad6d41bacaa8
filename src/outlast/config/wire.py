"""Settings to a wired world: the registry and the providers that the settings name. Adapters are imported by kind, lazily."""

import os
from collections.abc import Callable

from outlast.config import registries
from outlast.config.key import Key, check_secret, read_key_file
from outlast.config.settings import Rfc2136Settings, Settings
from outlast.errors import InvalidConfig
from outlast.traffic.planner import Place
from outlast.traffic.ports import Provider, Registry


def registry(settings: Settings) -> Registry:
    """Wire the registry. Nothing is opened before it is first asked.

    Raises:
        InvalidConfig: Its password cannot be read, or the packages of its kind are not installed.

    """
    return registries.wire(settings.registry, f"{settings.path}: [registry]")


def remembered(settings: Settings, shelf: Registry, name: str, on_fault: Callable[[str], None]) -> Registry:
    """Wire `shelf` for the enactor called `name`: with a copy on this machine's disk for when it does not answer."""
    path = settings.enactor.copy or settings.path.parent / f"{name}.copy"
    return registries.remembered(shelf, path, realm=settings.realm, on_fault=on_fault)


def providers(settings: Settings) -> dict[str, Provider]:
    """Wire every provider, by name.

    Raises:
        InvalidConfig: A secret cannot be read. Every such fault is listed.

    """
    faults: list[str] = []
    wired: dict[str, Provider] = {}
    for provider in settings.providers:
        try:
            wired[provider.name] = _rfc2136(provider, secret_of(provider, settings))
        except InvalidConfig as error:
            faults += error.faults
    if faults:
        raise InvalidConfig(tuple(faults))
    return wired


def readers(settings: Settings) -> dict[str, Provider]:
    """Wire every provider, by name, without the credential that could change anything: for planner and janitor."""
    return {
        provider.name: _rfc2136(provider, Key(name="", algorithm="hmac-sha256", secret=""))
        for provider in settings.providers
    }


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


def _rfc2136(provider: Rfc2136Settings, key: Key) -> Provider:
    return rfc2136(
        name=provider.name,
        zones=provider.zones,
        address=provider.address,
        port=provider.port,
        key=key,
        timeout=provider.timeout,
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
    where = f"{settings.path}: [provider.{provider.name}]"
    if provider.key_secret_file is not None:
        key = read_key_file(provider.key_secret_file)
    else:
        key = Key(name="", algorithm="", secret=_from_environment(provider, where))
    name = provider.key_name or key.name
    if not name:
        raise InvalidConfig(
            (f'{where} key_name is missing and the key file does not say it: add key_name = "outlast."',)
        )
    return Key(name=name, algorithm=provider.key_algorithm or key.algorithm or "hmac-sha256", secret=key.secret)


def _from_environment(provider: Rfc2136Settings, where: str) -> str:
    secret = os.environ.get(provider.key_secret_env)
    if secret is None:
        fault = f'{where} key_secret_env = "{provider.key_secret_env}": the environment has no such variable; set it'
        raise InvalidConfig((fault,))
    return check_secret(secret, f'{where} key_secret_env = "{provider.key_secret_env}"')
