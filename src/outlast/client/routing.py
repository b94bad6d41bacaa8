"""The same request at another region: which part of a URL is the region's and which is the call's."""

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """A base URL in comparable form."""

    scheme: str
    host: str
    port: int
    path: str
    """Without a slash at the end; empty for the root."""


def parse_origin(url: str) -> Origin:
    """Return the origin of a base URL, its default port filled in."""
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return Origin(parts.scheme, (parts.hostname or "").lower(), port, parts.path.rstrip("/"))


def find_call(url: str, bases: Iterable[str]) -> str | None:
    """Return the path and query of a URL below the base it belongs to, or `None` if it belongs to none.

    A URL without a host belongs to any. A path outside the base's path does not belong to it: `/api` is not `/apiary`.
    """
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    if not parts.hostname:
        return f"/{parts.path.lstrip('/')}{query}"
    asked = parse_origin(url)
    for base in map(parse_origin, bases):
        if asked[:3] == base[:3] and f"{parts.path}/".startswith(f"{base.path}/"):
            return (parts.path[len(base.path) :] or "/") + query
    return None
