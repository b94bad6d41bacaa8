"""The places of httpx that have no public way in, all in one module, each guarded: another version fails loudly here.

httpx has no argument for a network backend (its pull request 3749 is open) and passes it to no transport; the pool that a
transport builds is reached by its attribute. Written against httpx 0.28 and httpcore 1.0.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpcore
import httpx

from outlast.client.dialer import AsyncDialer, Dialer
from outlast.client.explanation import Applied, Missing
from outlast.client.ports import Resolves
from outlast.errors import InvalidConfig


class Seam(NamedTuple):
    """A transport of a client, and what it is for."""

    label: str
    transport: object


def _take(owner: object, name: str) -> Any:
    found = vars(owner)
    if name not in found:
        raise InvalidConfig((f"{type(owner).__name__} has no {name}: this version of httpx is not known to outlast",))
    return found[name]


def find_transports(client: httpx.Client | httpx.AsyncClient) -> Iterator[Seam]:
    """Yield the client's own transport and those mounted for proxies and patterns."""
    yield Seam("its transport", _take(client, "_transport"))
    for pattern, transport in _take(client, "_mounts").items():
        if transport is not None:
            yield Seam(f"the transport mounted for {pattern.pattern}", transport)


def install_resolver(seam: Seam, resolver: Resolves) -> Applied | Missing:
    """Let a transport resolve names through `resolver`, if it opens connections itself."""
    what = f"resolver on {seam.label}"
    if not isinstance(seam.transport, httpx.HTTPTransport | httpx.AsyncHTTPTransport):
        return Missing(what, f"{type(seam.transport).__name__} opens no connections that outlast knows of")
    pool = _take(seam.transport, "_pool")
    if type(pool) not in {httpcore.ConnectionPool, httpcore.AsyncConnectionPool}:
        return Missing(what, "it goes through a proxy, and the proxy resolves the name")
    inner = _take(pool, "_network_backend")
    is_async = isinstance(inner, httpcore.AsyncNetworkBackend)
    vars(pool)["_network_backend"] = AsyncDialer(resolver, inner) if is_async else Dialer(resolver, inner)
    return Applied(what, "names are resolved by outlast; Host, TLS name and pool keys stay the request's")


def switch_off_retries(seam: Seam) -> Applied | None:
    """Take away a transport's own connect retries, which no budget would see; return what was done, if anything was."""
    if not isinstance(seam.transport, httpx.HTTPTransport | httpx.AsyncHTTPTransport):
        return None
    pool = _take(seam.transport, "_pool")
    before = vars(pool).get("_retries", 0)
    if not before:
        return None
    vars(pool)["_retries"] = 0
    return Applied(f"retries of {seam.label}", f"switched off, were {before}; the policy's count instead")


def intercept(client: httpx.Client | httpx.AsyncClient, send: Any) -> None:
    """Put `send` in the way of everything this client sends: each of its verbs ends there."""
    vars(client)["send"] = send
