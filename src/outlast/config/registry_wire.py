"""Settings of a registry to the registry, by kind; each kind's packages are imported only if it is named."""

import os
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from outlast.config.registry_settings import (
    EtcdSettings,
    PostgresSettings,
    RegistrySettings,
    S3Settings,
    SqliteSettings,
)
from outlast.errors import InvalidConfig, NotMade
from outlast.system_clock import SystemClock
from outlast.traffic.ports import Registry

MAX_PASSWORD_BYTES = 4096


def wire(settings: RegistrySettings, where: str, *, is_reader: bool = False) -> Registry:
    """Wire the registry; `where` names its table in errors. For a reader nothing is made that is not there.

    Raises:
        InvalidConfig: Its password or a certificate cannot be read, or the packages of its kind are not installed.

    """
    match settings:
        case SqliteSettings():
            from outlast.registry.sqlite import SqliteRegistry

            return SqliteRegistry(settings.path, is_reader=is_reader)
        case PostgresSettings():
            return _said_where(where, lambda: _postgres(settings, where, is_reader=is_reader))
        case EtcdSettings():
            return _said_where(where, lambda: _etcd(settings, where))
        case S3Settings():
            return _s3(settings, where)


def check_there(settings: RegistrySettings, where: str) -> None:
    """See that somebody has made the registry; a server answers for itself.

    Raises:
        NotMade: It is a file that is not there, in a folder that is.

    """
    if not isinstance(settings, SqliteSettings):
        return
    try:
        settings.path.stat()
    except FileNotFoundError:
        if settings.path.parent.is_dir():
            fix = "outlast up, or outlast planner run, makes it; if one runs, its file is another"
            raise NotMade(f"{where} path: no registry yet, there is no file {settings.path}", hint=fix) from None
    except OSError:
        pass  # whoever opens it says more


def _said_where(where: str, make: Callable[[], Registry]) -> Registry:
    # An adapter knows the setting that is wrong, and not the file in which it stands.
    try:
        return make()
    except InvalidConfig as error:
        known = (fault if fault.startswith(where) else f"{where} {fault}" for fault in error.faults)
        raise InvalidConfig(tuple(known)) from error


def _postgres(settings: PostgresSettings, where: str, *, is_reader: bool) -> Registry:
    _demand("psycopg", "postgres", where)
    from outlast.registry.postgres import TIMEOUT, PostgresRegistry

    return PostgresRegistry(
        settings.dsn,
        password=_kept_up(settings, where),
        schema=settings.schema,
        timeout=settings.timeout or TIMEOUT,
        ca_file=settings.ca_file,
        cert_file=settings.cert_file,
        key_file=settings.key_file,
        is_reader=is_reader,
    )


def _etcd(settings: EtcdSettings, where: str) -> Registry:
    _demand("httpx", "etcd", where)
    from outlast.registry.documents import DocumentRegistry
    from outlast.registry.etcd import TIMEOUT, EtcdStore

    timeout = settings.timeout or TIMEOUT
    store = EtcdStore(
        settings.endpoints,
        prefix=settings.prefix,
        user=settings.user,
        password=_kept_up(settings, where),
        ca_file=settings.ca_file,
        cert_file=settings.cert_file,
        key_file=settings.key_file,
        timeout=timeout,
    )
    return DocumentRegistry(store, timeout=timeout)


def _s3(settings: S3Settings, where: str) -> Registry:
    _demand("boto3", "s3", where)
    from outlast.registry.documents import DocumentRegistry
    from outlast.registry.s3 import TIMEOUT, S3Store

    timeout = settings.timeout or TIMEOUT
    options: dict[str, Any] = {"bucket": settings.bucket, "prefix": settings.prefix, "region": settings.region}
    return DocumentRegistry(S3Store(**options, endpoint=settings.endpoint, timeout=timeout), timeout=timeout)


def remembered(registry: Registry, path: Path, *, realm: str, on_fault: Callable[[str], None]) -> Registry:
    """Wire `registry` with a copy of what it said last in the file at `path`; `on_fault` is told what is wrong with it."""
    from outlast.registry.remembered import RememberedRegistry  # imported only where a role runs

    return RememberedRegistry(registry, path, realm=realm, clock=SystemClock(), on_fault=on_fault)


def _demand(package: str, extra: str, where: str) -> None:
    if find_spec(package) is None:
        raise InvalidConfig((f"{where} kind: {package} is not installed: pip install 'outlast[{extra}]'",))


def _kept_up(settings: PostgresSettings | EtcdSettings, where: str) -> Callable[[], str]:
    # A password may be changed under a running role, which then reads it anew; that there is none is said at once.
    password_of(settings, where)
    return partial(password_of, settings, where)


def password_of(settings: PostgresSettings | EtcdSettings, where: str) -> str:
    """Read the password from where the settings say it is; empty if they name no place.

    Raises:
        InvalidConfig: It is not there. No message repeats it.

    """
    if settings.password_file is not None:
        return _from_file(settings.password_file, where)
    if not settings.password_env:
        return ""
    password = os.environ.get(settings.password_env, "")
    if not password:
        fault = f'{where} password_env = "{settings.password_env}": the environment has no such variable; set it'
        raise InvalidConfig((fault,))
    return password


def _from_file(path: Path, where: str) -> str:
    try:
        with path.open("rb") as file:
            password = file.read(MAX_PASSWORD_BYTES).decode().strip("\r\n")
    except OSError as error:
        raise InvalidConfig((f"{where} password_file {path}: cannot be read: {error.strerror}",)) from error
    except UnicodeDecodeError:
        raise InvalidConfig((f"{where} password_file {path}: not UTF-8 text",)) from None
    if not password:
        raise InvalidConfig((f"{where} password_file {path}: it is empty; put the password into it",))
    return password
