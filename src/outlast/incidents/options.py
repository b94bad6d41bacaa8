"""What the hazard roles are told, from one JSON file each; checked when built, all faults at once."""

import difflib
import ipaddress
import json
import re
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import dns.exception
import dns.name
import dns.tsig

from outlast.errors import InvalidConfig
from outlast.incidents.plan import Endpoint, Plan, endpoints_from, faults

Options = TypeVar("Options", "EnactorOptions", "PlannerOptions")

# A role's name becomes a file name and part of the lock's text.
ROLE = re.compile(r"[A-Za-z0-9.-]{1,60}")

OPTIONS_BYTES_MAX = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EnactorOptions:
    """Settings of one hazard enactor. Times are in seconds.

    Args:
        role: Its name: the lock's holder, and the role in the trace.
        nameserver: IPv4 or IPv6 loopback address of the drill's nameserver.
        port: Its port.
        zone: The zone that all endpoints live in.
        key_name: The TSIG key's name.
        key_secret: The key, base64.
        key_algorithm: For instance `hmac-sha256`.
        plans: Folder of the published plans.
        trace: Trace file, or empty for none.
        every: Pause between two walks.
        keep: Plan numbers that the cleaner spares.
        backoff: First wait for a held lock, doubled up to `backoff_max`.
        backoff_max: Longest wait.
        lock_lifetime: How long a lock lives unless renewed.
        ttl: Of all records written.
        timeout: Of each exchange with the nameserver.

    """

    nameserver: str
    port: int
    zone: str
    key_name: str
    key_secret: str = field(repr=False)
    plans: Path
    role: str = "enactor"
    key_algorithm: str = "hmac-sha256"
    trace: str = ""
    every: float = 1.0
    keep: int = 20
    backoff: float = 0.1
    backoff_max: float = 2.0
    lock_lifetime: float = 10.0
    ttl: int = 1
    timeout: float = 2.0

    def __post_init__(self) -> None:
        _refuse(
            (_is_loopback(self.nameserver), f"nameserver = {self.nameserver}: hazard mode never leaves loopback"),
            (0 < self.port < 65536, f"port = {self.port}: must be between 1 and 65535"),
            (_is_name(self.zone), f"zone = {self.zone!r}: no domain name"),
            (_is_key(self), f"key_name, key_secret, key_algorithm: no TSIG key (name {self.key_name!r})"),
            (bool(ROLE.fullmatch(self.role)), f"role = {self.role!r}: up to 60 letters, digits, dots and hyphens"),
            (self.every > 0, f"every = {self.every}: must be above 0"),
            (self.lock_lifetime > 0, f"lock_lifetime = {self.lock_lifetime}: must be above 0"),
            (0 <= self.ttl < 2**31, f"ttl = {self.ttl}: must be between 0 and 2147483647"),
            (self.timeout > 0, f"timeout = {self.timeout}: must be above 0"),
        )

    def key(self) -> dns.tsig.Key:
        """Build the TSIG key."""
        return dns.tsig.Key(self.key_name, self.key_secret, self.key_algorithm)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerOptions:
    """Settings of the hazard planner. Times are in seconds.

    Args:
        endpoints: What every plan contains; in the file `{name: [address, …]}`.
        plans: Folder to publish in.
        first: Number of the first plan ever; later runs go on from the newest plan in the folder.
        ceiling: Largest number to publish until the folder's file `ceiling` says another.
        every: Pause between two plans.
        role: Its name in the trace.
        trace: Trace file, or empty for none.

    """

    endpoints: tuple[Endpoint, ...]
    plans: Path
    first: int = 1
    ceiling: int = 1
    every: float = 1.0
    role: str = "planner"
    trace: str = ""

    def __post_init__(self) -> None:
        _refuse(
            *((False, fault) for fault in faults(Plan(self.first, self.endpoints))),
            *((_is_name(name), f"endpoint {name!r}: no domain name") for name, _ in self.endpoints),
            (bool(ROLE.fullmatch(self.role)), f"role = {self.role!r}: up to 60 letters, digits, dots and hyphens"),
            (self.every > 0, f"every = {self.every}: must be above 0"),
        )


def read(kind: type[Options], path: Path) -> Options:
    """Read options from a JSON file.

    Raises:
        InvalidConfig: The file cannot be read, or lists everything that is wrong in it.

    """
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text[:OPTIONS_BYTES_MAX])
    except (OSError, ValueError) as error:
        raise InvalidConfig((f"{path}: {error}",)) from error
    if not isinstance(document, dict):
        raise InvalidConfig((f"{path}: a JSON object is expected",))
    try:
        return _build(kind, document)
    except InvalidConfig as error:
        raise InvalidConfig(tuple(f"{path}: {fault}" for fault in error.faults)) from error


def _build(kind: type[Options], document: dict[str, Any]) -> Options:
    known = {option.name: option for option in fields(kind)}
    found: list[str] = []
    found += [f"{key}: unknown{_nearest(key, known)}" for key in document if key not in known]
    found += [
        f"{name}: missing" for name, option in known.items() if option.default is MISSING and name not in document
    ]
    found += [
        f"{key} = {value!r}: {_expected(known[key].type)} is expected"
        for key, value in document.items()
        if key in known and not _fits(value, known[key].type)
    ]
    if found:
        raise InvalidConfig(tuple(found))
    return kind(**{key: _converted(value, known[key].type) for key, value in document.items()})


def _fits(value: Any, kind: Any) -> bool:
    if kind is int or kind is float:
        return isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
    if kind is str or kind is Path:
        return isinstance(value, str)
    return isinstance(value, dict) and all(
        isinstance(addresses, list) and all(isinstance(address, str) for address in addresses)
        for addresses in value.values()
    )


def _expected(kind: Any) -> str:
    names = {int: "a whole number", float: "a number", str: "a text", Path: "a path"}
    return names.get(kind, "an object of lists of addresses")


def _converted(value: Any, kind: Any) -> Any:
    if kind is Path:
        return Path(value)
    return endpoints_from(value) if isinstance(value, dict) else value


def _nearest(key: str, known: dict[str, Any]) -> str:
    match = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {match[0]}?" if match else ""


def _refuse(*conditions: tuple[bool, str]) -> None:
    if found := tuple(fault for holds, fault in conditions if not holds):
        raise InvalidConfig(found)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _is_name(text: str) -> bool:
    try:
        return bool(dns.name.from_text(text).labels)
    except dns.exception.DNSException:
        return False


def _is_key(options: EnactorOptions) -> bool:
    try:
        key = options.key()
    except (ValueError, dns.exception.DNSException):
        return False
    return bool(key.secret) and key.algorithm in dns.tsig.mac_sizes
