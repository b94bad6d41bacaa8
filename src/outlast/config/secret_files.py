"""Which files of a configuration hold secrets."""

from collections.abc import Iterator
from pathlib import Path

from outlast.config.registry_settings import EtcdSettings, PostgresSettings, RegistrySettings
from outlast.config.settings import AnyProviderSettings, OctodnsSettings, ServerSettings, Settings


def secret_files(settings: Settings) -> tuple[Path, ...]:
    """Every file that a provider's key, the registry's password or a private key is read from."""
    found = [path for provider in settings.providers for path in _of_provider(provider)]
    return (*found, *_of_registry(settings.registry))


def _of_provider(provider: AnyProviderSettings) -> Iterator[Path]:
    if isinstance(provider, ServerSettings) and provider.key_secret_file is not None:
        yield provider.key_secret_file
    if isinstance(provider, OctodnsSettings):
        yield from (path for _, path in provider.secret_files)


def _of_registry(registry: RegistrySettings) -> Iterator[Path]:
    if isinstance(registry, PostgresSettings | EtcdSettings):
        yield from (path for path in (registry.password_file, registry.key_file) if path is not None)
