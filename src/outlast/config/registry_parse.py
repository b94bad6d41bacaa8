"""`[registry]` to typed settings, by its kind. No fault repeats what may be a password."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from outlast.config import scalars
from outlast.config.registry_settings import (
    TIMEOUT_RANGE,
    EtcdSettings,
    PostgresSettings,
    RegistrySettings,
    S3Settings,
    SqliteSettings,
)
from outlast.config.table import Table

KINDS = ("sqlite", "postgres", "etcd", "s3")
_PREFIX = re.compile(r"(?:[A-Za-z0-9._-]+/)+")
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def read_registry(table: Table, folder: Path) -> RegistrySettings:
    """Read the table; paths are relative to `folder`. What is wrong becomes faults of the table."""
    kind = table.demand("kind", _kind, "sqlite", example='kind = "sqlite"')
    readers: dict[str, Callable[[Table, Path], RegistrySettings]] = {
        "sqlite": _sqlite,
        "postgres": _postgres,
        "etcd": _etcd,
        "s3": _s3,
    }
    settings = readers[kind](table, folder)
    table.finish()
    return settings


def _kind(value: object) -> str:
    if value not in KINDS:
        raise scalars.Misread(f"write one of {', '.join(KINDS)}")
    return str(value)


def _sqlite(table: Table, folder: Path) -> SqliteSettings:
    path = table.demand("path", scalars.text, "", example='path = "outlast.db"')
    return SqliteSettings(path=folder / path, **_given(table, {"depends_on": _hosts}))


def _postgres(table: Table, folder: Path) -> PostgresSettings:
    example = 'dsn = "postgresql://outlast@192.0.2.10:5432/outlast"'
    dsn = table.demand("dsn", str, "", example=example)  # checked below: no fault may repeat it
    fault = _dsn_fault(dsn) if table.has("dsn") else ""
    if fault:
        table.fault(f"dsn: {fault}, such as {example}")
    options = _given(table, {"schema": _schema, "timeout": _timeout, "depends_on": _hosts})
    files = _certificates(table, folder)
    if files and not fault and _says_tls(dsn, files):
        table.fault("dsn: it says ssl… too; say it once, with ca_file, cert_file and key_file")
    return PostgresSettings(dsn=dsn, **_password(table, folder), **files, **options)


def _says_tls(dsn: str, files: dict[str, Any]) -> bool:
    parts = _split(dsn)
    own = {"ca_file": ("sslmode", "sslrootcert"), "cert_file": ("sslcert", "sslkey")}
    said = parse_qs(parts.query) if parts is not None else {}
    return any(word in said for key in files for word in own.get(key, ()))


def _dsn_fault(dsn: str) -> str:
    parts = _split(dsn)
    if parts is None or parts.scheme not in {"postgresql", "postgres"}:
        return "write the URL of the database"
    if ":" in parts.netloc.rpartition("@")[0] or "password" in parse_qs(parts.query):
        return "never write a password here; put it into a file: password_file, or password_env, and leave it out"
    return ""


def _etcd(table: Table, folder: Path) -> EtcdSettings:
    none: tuple[str, ...] = ()
    example = 'endpoints = ["https://192.0.2.11:2379"]'
    endpoints = table.demand("endpoints", _urls, none, example=example)
    files = _certificates(table, folder)
    options = _given(table, {"prefix": _prefix, "user": scalars.text, "timeout": _timeout, "depends_on": _hosts})
    password = _password(table, folder)
    if ("user" in options) != bool(password):
        table.fault('user and password belong together: user = "outlast" and password_file = "etcd.password"')
    if files and endpoints and not any(url.startswith("https:") for url in endpoints):
        table.fault("endpoints: ca_file, cert_file and key_file are for those that begin with https://")
    return EtcdSettings(endpoints=endpoints, **password, **files, **options)


def _certificates(table: Table, folder: Path) -> dict[str, Any]:
    files = _given(table, dict.fromkeys(("ca_file", "cert_file", "key_file"), scalars.text))
    if ("cert_file" in files) != ("key_file" in files):
        table.fault("cert_file and key_file belong together: add the one that is missing")
    return {key: folder / name for key, name in files.items()}


def _s3(table: Table, folder: Path) -> S3Settings:
    del folder  # nothing of it lies in a file
    bucket = table.demand("bucket", _bucket, "", example='bucket = "plans"')
    options = _given(table, {"prefix": _prefix, "region": _region, "endpoint": _url, "timeout": _timeout})
    return S3Settings(bucket=bucket, **options, **_given(table, {"depends_on": _hosts}))


def _password(table: Table, folder: Path) -> dict[str, Any]:
    if table.has("password"):
        table.take("password", lambda _: None, None)
        table.fault('password: never write one here; put it into a file: password_file = "registry.password"')
    found = _given(table, {"password_file": scalars.text, "password_env": scalars.text})
    if len(found) > 1:
        table.fault("name where the password is once: either password_file or password_env")
    return {key: folder / value if key == "password_file" else value for key, value in found.items()}


def _given(table: Table, readers: dict[str, Any]) -> dict[str, Any]:
    # Only what the file says: each option's default stands with the option.
    read = {key: table.take(key, reader, None) for key, reader in readers.items()}
    return {key: value for key, value in read.items() if value is not None}


def _hosts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise scalars.Misread('write a list of hosts such as ["db.example.com", "192.0.2.10"]')
    return tuple(_host(item) for item in value)


def _host(value: object) -> str:
    try:
        return scalars.ip_address(value)
    except scalars.Misread:
        return scalars.domain(value)


def _split(value: object) -> SplitResult | None:
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return parts if parts is not None and parts.netloc else None


def _url(value: object) -> str:
    parts = _split(value)
    if parts is None or parts.scheme not in {"http", "https"} or "@" in parts.netloc or parts.path.strip("/"):
        raise scalars.Misread("write a URL such as https://192.0.2.11:2379, without user, password or path")
    return str(value)


def _urls(value: object) -> tuple[str, ...]:
    # The value is checked before anything can repeat it: a password in a URL must not come out in the fault.
    if not isinstance(value, list) or not value:
        raise scalars.Misread('write a list of URLs such as ["https://192.0.2.11:2379"]')
    return tuple(_url(item) for item in value)


def _timeout(value: object) -> float:
    seconds = scalars.duration(value)
    low, high = TIMEOUT_RANGE
    if not low <= seconds <= high:
        raise scalars.Misread(f"write a duration between {low:g} s and {high:g} s")
    return seconds


def _matching(value: object, pattern: re.Pattern[str], fix: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise scalars.Misread(fix)
    return value


def _prefix(value: object) -> str:
    return _matching(value, _PREFIX, 'write letters, digits, dots and dashes that end with a slash, such as "outlast/"')


def _schema(value: object) -> str:
    return _matching(value, _SCHEMA, "write lower case letters, digits and underscores")


def _bucket(value: object) -> str:
    return _matching(value, re.compile(r"[A-Za-z0-9._:/-]{3,255}"), "write the name of a bucket")


def _region(value: object) -> str:
    return _matching(value, re.compile(r"[a-z0-9-]+"), 'write a region such as "eu-central-1"')
