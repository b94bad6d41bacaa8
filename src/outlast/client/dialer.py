"""Connections by name through a resolver of ours, under httpcore: the layer of httpx that opens sockets.

The request keeps its host name, so `Host`, TLS server name and the pool's keys stay what they are; only the connection goes
to a plain address, through the very backend that was there before. All addresses of an answer are tried in turn within the
connect timeout, as a careful client does.
"""

from typing import Any

import httpcore

from outlast.client.dialing import Dialing, is_address
from outlast.client.ports import Resolves
from outlast.errors import OutlastError


class Dialer(httpcore.NetworkBackend):
    """Connects by name through `resolver`, and then by `inner`.

    Args:
        resolver: Gives the addresses.
        inner: Opens connections to them.

    """

    def __init__(self, resolver: Resolves, inner: httpcore.NetworkBackend) -> None:
        self._resolver = resolver
        self._inner = inner

    def connect_tcp(self, host: str, port: int, *_: Any, **options: Any) -> httpcore.NetworkStream:
        """Connect to the first address of `host` that accepts. httpcore gives its further arguments by name.

        Raises:
            httpcore.ConnectError: No address, or none accepts.
            httpcore.ConnectTimeout: The time is over.

        """
        if is_address(host):
            return self._inner.connect_tcp(host, port, **options)
        dialing = Dialing(options.get("timeout"))
        try:
            found = self._resolver.resolve(host, deadline=dialing.left())
        except (OutlastError, OSError) as error:
            raise _unresolved(host, error) from error
        for address, share, is_last in dialing.shares(found):
            try:
                return self._inner.connect_tcp(address, port, **{**options, "timeout": share})
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if is_last:
                    raise
        raise httpcore.ConnectError(f"{host}: the resolver answered without an address")

    def connect_unix_socket(self, path: str, *args: Any, **options: Any) -> httpcore.NetworkStream:
        return self._inner.connect_unix_socket(path, *args, **options)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class AsyncDialer(httpcore.AsyncNetworkBackend):
    """Does as `Dialer`, for coroutines."""

    def __init__(self, resolver: Resolves, inner: httpcore.AsyncNetworkBackend) -> None:
        self._resolver = resolver
        self._inner = inner

    async def connect_tcp(self, host: str, port: int, *_: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of `host` that accepts."""
        if is_address(host):
            return await self._inner.connect_tcp(host, port, **options)
        dialing = Dialing(options.get("timeout"))
        try:
            found = await self._resolver.aresolve(host, deadline=dialing.left())
        except (OutlastError, OSError) as error:
            raise _unresolved(host, error) from error
        for address, share, is_last in dialing.shares(found):
            try:
                return await self._inner.connect_tcp(address, port, **{**options, "timeout": share})
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if is_last:
                    raise
        raise httpcore.ConnectError(f"{host}: the resolver answered without an address")

    async def connect_unix_socket(self, path: str, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        return await self._inner.connect_unix_socket(path, *args, **options)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


def _unresolved(host: str, error: Exception) -> Exception:
    kind = httpcore.ConnectTimeout if isinstance(error, TimeoutError) else httpcore.ConnectError
    return kind(f"{host}: {error}")
