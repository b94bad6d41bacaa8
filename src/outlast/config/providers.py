"""The tables `[provider.NAME]` of `outlast.toml`: one reader for each kind, and which providers get on together."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from outlast.config import scalars
from outlast.config.key import ALGORITHMS
from outlast.config.octodns import read_octodns
from outlast.config.settings import AnyProviderSettings, PowerdnsSettings, Rfc2136Settings, Route53Settings
from outlast.config.table import Table
from outlast.errors import did_you_mean


def read_providers(root: Table, folder: Path) -> tuple[AnyProviderSettings, ...]:
    """Read every provider; paths are relative to `folder`."""
    table = root.table("provider")
    names = table.names()
    if not names:
        root.fault('there is no provider: add one under [provider.primary], as "outlast init" shows')
    found = [_provider(table.table(name), name, folder) for name in names]
    return tuple(provider for provider in found if provider is not None)


def fault_of_signing(endpoint: str, providers: tuple[AnyProviderSettings, ...]) -> str:
    """What is wrong with several providers of a signed name, and how to mend it; empty if nothing is.

    Each signs with its own keys. A resolver that has validated one's DNSKEY set rejects the other's answers, unless
    every set holds the keys of all (RFC 8901, section 2.1); that is agreed between the providers, and we cannot do it.
    """
    there = [provider for provider in providers if provider.zone_of(endpoint)]
    signed = [provider.name for provider in there if provider.signed]
    if len(there) < 2 or not signed or all(provider.multi_signer for provider in there):
        return ""
    names = ", ".join(provider.name for provider in there)
    return (
        f"it lies at several providers ({names}), with signed = true at {', '.join(signed)}: resolvers would reject one "
        "with the keys of another; leave its zone at one provider, or put every provider's keys into every DNSKEY set "
        "(RFC 8901) and write multi_signer = true at each"
    )


def given(table: Table, readers: dict[str, Any]) -> dict[str, Any]:
    """Read optional keys; only what the file says is in the result, since each option's default stands with the option."""
    read = {key: table.take(key, reader, None) for key, reader in readers.items()}
    return {key: value for key, value in read.items() if value is not None}


def _provider(table: Table, name: str, folder: Path) -> AnyProviderSettings | None:
    kind = table.demand("kind", _kind, "", example='kind = "rfc2136"')
    # Of an unknown kind nothing can be said about the other keys.
    return _KINDS[kind](table, name, folder) if kind else None


def _rfc2136(table: Table, name: str, folder: Path) -> Rfc2136Settings | None:
    fields = _common(table, folder, example="tsig.key", variable="TSIG_SECRET")
    fields |= given(table, {"key_name": scalars.domain, "key_algorithm": _algorithm})
    if table.has("key_secret_env") and not table.has("key_name"):
        table.fault('key_name is missing: add key_name = "outlast."')
    table.finish()
    return table.build(lambda: Rfc2136Settings(name=name, **fields))


def _powerdns(table: Table, name: str, folder: Path) -> PowerdnsSettings | None:
    fields = _common(table, folder, example="pdns-api.key", variable="PDNS_API_KEY")
    fields["url"] = table.demand("url", _url, "http://127.0.0.1", example='url = "http://127.0.0.1:8081"')
    table.finish()
    return table.build(lambda: PowerdnsSettings(name=name, **fields))


def _route53(table: Table, name: str, _: Path) -> Route53Settings | None:
    no_zones: tuple[tuple[str, str], ...] = ()
    pairs = table.demand("zones", scalars.zone_ids, no_zones, example='zones = {"example.com" = "Z0123456789"}')
    fields: dict[str, Any] = {
        "zones": tuple(zone for zone, _ in pairs),
        "zone_ids": tuple(number for _, number in pairs),
    }
    fields |= given(table, {"endpoint_url": scalars.text, "timeout": scalars.duration, "wait_insync": scalars.duration})
    fields |= given(table, {"requests_per_second": scalars.integer, "watches": _watches})
    fields |= given(table, {"signed": scalars.flag, "multi_signer": scalars.flag})
    table.finish()
    return table.build(lambda: Route53Settings(name=name, **fields))


_KINDS: dict[str, Callable[[Table, str, Path], AnyProviderSettings | None]] = {
    "rfc2136": _rfc2136,
    "powerdns": _powerdns,
    "route53": _route53,
    "octodns": read_octodns,
}


def _kind(value: object) -> str:
    if value not in _KINDS:
        near = did_you_mean(value, _KINDS) if isinstance(value, str) else ""
        raise scalars.Misread(f"write one of {', '.join(_KINDS)}, in quotes{near}")
    return str(value)


def _common(table: Table, folder: Path, *, example: str, variable: str) -> dict[str, Any]:
    secret_file = table.take("key_secret_file", scalars.text, "")
    no_zones: tuple[str, ...] = ()
    fields: dict[str, Any] = {
        "address": table.demand("address", scalars.ip_address, "127.0.0.1", example='address = "192.0.2.53"'),
        "zones": table.demand("zones", scalars.domains, no_zones, example='zones = ["example.com"]'),
        "key_secret_file": folder / secret_file if secret_file else None,
    }
    fields |= given(table, {"port": scalars.port, "timeout": scalars.duration, "key_secret_env": scalars.text})
    fields |= given(table, {"signed": scalars.flag, "multi_signer": scalars.flag, "secondaries": scalars.servers})
    _check_secret(table, example=example, variable=variable)
    return fields


def _check_secret(table: Table, *, example: str, variable: str) -> None:
    # Its value is not repeated in the fault: messages end in logs.
    for key in ("key_secret", "api_key"):
        if table.has(key):
            table.take(key, lambda _: None, None)
            table.fault(f'{key}: never write a secret here; put it into a file: key_secret_file = "{example}"')
            return
    if table.has("key_secret_file") == table.has("key_secret_env"):
        table.fault(f'name where the secret is: either key_secret_file = "{example}" or key_secret_env = "{variable}"')


def _algorithm(value: object) -> str:
    if value not in ALGORITHMS:
        raise scalars.Misread(f"write one of {', '.join(ALGORITHMS)}")
    return str(value)


def _watches(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise scalars.Misread('write a list of HTTPS URLs such as ["https://west.watch.example/evacuated"]')
    urls = tuple(scalars.https_url(item) for item in value)
    if len(set(urls)) != len(urls):
        raise scalars.Misread("name each watch once: one that counts twice would decide alone")
    return urls


def _url(value: object) -> str:
    from outlast.provider.http_exchange import read_url  # noqa: PLC0415  it needs DNS, which few of these files do

    if not isinstance(value, str) or read_url(value) is None:
        raise scalars.Misread(
            'write "http://127.0.0.1:8081" for this machine, or https:// with an IP address; no name, user or query'
        )
    return value
