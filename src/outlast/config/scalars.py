"""Single values of `outlast.toml`: each reader returns the typed value, or raises `Misread` with what to write instead."""

import ipaddress
import re
from urllib.parse import urlsplit

from outlast import hostnames
from outlast.durations import seconds_of
from outlast.health.lookup import MAX_UPSTREAMS

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_WORD = re.compile(r"[A-Za-z0-9._-]+")


class Misread(Exception):
    """A value is not what its key takes; the message says what to write instead."""


def duration(value: object) -> float:
    """Read seconds from `"5s"`, `"250ms"`, `"2m"`, `"1h"` or `"1d"`."""
    seconds = seconds_of(value) if isinstance(value, str) else None
    if seconds is None:
        raise Misread('write a duration such as "5s", "250ms" or "2m"')
    return seconds


def whole_seconds(value: object) -> int:
    """Read a TTL: a duration of whole seconds, or a plain number of seconds."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    seconds = duration(value)
    if seconds != int(seconds):
        raise Misread('write whole seconds such as "5s" or 5')
    return int(seconds)


def integer(value: object) -> int:
    """Read a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Misread("write a whole number, without quotes")
    return value


def port(value: object) -> int:
    """Read a port."""
    number = integer(value)
    if not 1 <= number <= 65_535:
        raise Misread("write a port between 1 and 65535")
    return number


def share(value: object) -> float:
    """Read a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise Misread("write a share between 0 and 1, such as 0.5")
    return float(value)


def number(value: object) -> float:
    """Read a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Misread("write a number, without quotes")
    return float(value)


def flag(value: object) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise Misread("write true or false, without quotes")
    return value


def text(value: object) -> str:
    """Read a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise Misread('write text in quotes, such as "shop"')
    return value


def realm(value: object) -> str:
    """Read the realm, which stands in every sentinel."""
    if not isinstance(value, str) or len(value) > 32 or not _WORD.fullmatch(value):
        raise Misread("write up to 32 letters, digits, dots, dashes or underscores in quotes")
    return value


def role_name(value: object) -> str:
    """Read the name of an enactor or observer, which stands in sentinels and signals."""
    if not isinstance(value, str) or len(value) > 48 or not _WORD.fullmatch(value):
        raise Misread("write up to 48 letters, digits, dots, dashes or underscores in quotes")
    return value


def role_names(value: object) -> tuple[str, ...]:
    """Read a list of such names."""
    if not isinstance(value, list):
        raise Misread('write a list of names such as ["enactor-a", "enactor-b"]')
    return tuple(role_name(item) for item in value)


def domain(value: object) -> str:
    """Read a domain name into its one form: lower case, without a trailing dot."""
    name = value.lower().rstrip(".") if isinstance(value, str) else ""
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise Misread('write a domain name such as "example.com"')
    return name


def domains(value: object) -> tuple[str, ...]:
    """Read a list of domain names, at least one."""
    if not isinstance(value, list) or not value:
        raise Misread('write a list of domain names such as ["example.com"]')
    return tuple(domain(item) for item in value)


def zone_ids(value: object) -> tuple[tuple[str, str], ...]:
    """Read a table of zones and what a provider calls them, at least one."""
    if not isinstance(value, dict) or not value:
        raise Misread('write each zone with its id, such as {"example.com" = "Z0123456789"}')
    return tuple((domain(zone), text(zone_id)) for zone, zone_id in value.items())


def ip_address(value: object) -> str:
    """Read an IP address. Names are refused: what repairs DNS must not need DNS."""
    try:
        return str(ipaddress.ip_address(text(value)))
    except ValueError as error:
        raise Misread("write an IP address such as 192.0.2.53; a name would need the DNS that is down") from error


def https_url(value: object) -> str:
    """Read the HTTPS URL of a place: host, perhaps port and path, and nothing else."""
    fix = 'write an HTTPS URL such as "https://west.watch.example/evacuated", without user or query'
    try:
        parts = urlsplit(text(value))
        is_plain = parts.scheme == "https" and parts.hostname and parts.port != 0
    except ValueError as error:
        raise Misread(fix) from error
    if not is_plain or "@" in parts.netloc or parts.query or parts.fragment:
        raise Misread(fix)
    return parts.geturl().rstrip("/")


def upstreams(value: object) -> tuple[str, ...]:
    """Read a list of servers, each `ADDRESS:PORT` or `ADDRESS`."""
    if not isinstance(value, list) or not value:
        raise Misread('write a list of servers such as ["192.0.2.53", "127.0.0.1:5353"]')
    if len(value) > MAX_UPSTREAMS:
        raise Misread(f"write at most {MAX_UPSTREAMS} servers: they are asked one after another")
    for item in value:
        server(item)
    return tuple(value)


def servers(value: object) -> tuple[tuple[str, int], ...]:
    """Read a list of servers, each named once."""
    if not isinstance(value, list) or not value:
        raise Misread('write a list of servers such as ["192.0.2.54", "198.51.100.54:5353"]')
    found = tuple(server(item) for item in value)
    if len(set(found)) != len(found):
        raise Misread("name each server once")
    return found


def server(value: object) -> tuple[str, int]:
    """Read `ADDRESS:PORT` or `ADDRESS` into address and port; before a port, an IPv6 address stands in brackets."""
    word = text(value)
    address, _, port_text = word.rpartition(":") if word.count(":") == 1 or "]:" in word else (word, "", "53")
    address = address.removeprefix("[").removesuffix("]")
    if not address or not port_text.isdecimal() or not 1 <= int(port_text) <= 65_535:
        raise Misread("write a server as ADDRESS:PORT, or ADDRESS for port 53")
    return ip_address(address), int(port_text)


def target(value: object) -> str:
    """Read a target: an address as it stands, or a name in its one form. What is neither is the topology's to refuse."""
    word = text(value)
    try:
        return hostnames.absolute(word)
    except ValueError:
        return word


def status_range(value: object) -> tuple[int, int]:
    """Read lowest and highest HTTP status."""
    match value:
        case [int(low), int(high)]:
            return low, high
    raise Misread("write lowest and highest status such as [200, 399]")
