"""Providers of kind `octodns` in `outlast.toml`: the options of an octoDNS provider, with its secrets elsewhere."""

import re
from pathlib import Path
from typing import Any

from outlast.config import scalars
from outlast.config.settings import OctodnsSettings
from outlast.config.table import Table

MAX_OPTIONS = 64
_SECRET = re.compile(r"secret|passw|token|api_?key|private_key|^key$", re.IGNORECASE)
"""Options of octoDNS providers that hold a secret have such names."""
_CLASS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+")


def read_octodns(table: Table, name: str, folder: Path) -> OctodnsSettings | None:
    """Read the table `[provider.NAME]` of this kind; paths are relative to `folder`."""
    no_zones: tuple[str, ...] = ()
    optional: dict[str, Any] = {
        "timeout": scalars.duration,
        "signed": scalars.flag,
        "multi_signer": scalars.flag,
        "address": scalars.ip_address,
        "port": scalars.port,
    }
    example = 'class = "octodns_powerdns.PowerDnsProvider"'
    fields: dict[str, Any] = {
        "class_path": table.demand("class", _class_path, "", example=example),
        "zones": table.demand("zones", scalars.domains, no_zones, example='zones = ["example.com"]'),
        **_options(table.table("settings"), folder),
    }
    read = {key: table.take(key, reader, None) for key, reader in optional.items()}
    fields |= {key: value for key, value in read.items() if value is not None}
    if "port" in fields and "address" not in fields:
        table.fault("port is that of address: add address, or move port to settings if it is the provider's own")
    table.finish()
    return table.build(lambda: OctodnsSettings(name=name, **fields))


def _class_path(value: object) -> str:
    if not isinstance(value, str) or not _CLASS.fullmatch(value):
        raise scalars.Misread('write the class as octoDNS has it, such as "octodns_powerdns.PowerDnsProvider"')
    return value


def _options(table: Table, folder: Path) -> dict[str, Any]:
    plain: list[tuple[str, Any]] = []
    files: list[tuple[str, Path]] = []
    envs: list[tuple[str, str]] = []
    names = table.names()
    if len(names) > MAX_OPTIONS:
        table.fault(f"{len(names)} settings are more than {MAX_OPTIONS}")
    for key in names:
        match table.take(key, lambda value: value, None):
            case {"file": str(path), **rest} if path and not rest:
                files.append((key, folder / path))
            case {"env": str(variable), **rest} if variable and not rest:
                envs.append((key, variable))
            case str(value) if _SECRET.search(key) or value.startswith("env/"):
                # Its value is not repeated in the fault: messages end in logs.
                table.fault(
                    f'{key}: never write a secret here, and name a variable in our way: {key} = {{file = "{key}"}}, '
                    f'or {key} = {{env = "VARIABLE"}}'
                )
            case bool() | int() | float() | str() as value:
                plain.append((key, value))
            case [*values] if all(isinstance(value, str | int) for value in values):
                plain.append((key, list(values)))
            case _:
                table.fault(
                    f'{key}: write text, a number, true or false, a list of them, {{file = "…"}} or {{env = "…"}}'
                )
    return {"options": tuple(plain), "secret_files": tuple(files), "secret_envs": tuple(envs)}
