"""How every group opens connections: one dialer under httpx, so that groups differ only in what they do with it.

httpx leaves names to the operating system. The dialer asks the host's stub resolver instead and then connects to plain
addresses through the very backend that httpx uses by itself. All addresses of an answer are tried in turn, within the
connect timeout, as a careful client does.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Protocol

import httpcore
import httpx

from outlast.drill.load.stub_resolver import Unresolved
from outlast.drill.load.trace import TRACE, CallTrace

CONNECT_TIMEOUT = 5.0  # seconds, httpx's default, where a caller sets none


class Resolving(Protocol):
    """What turns names into addresses for one host."""

    async def resolve(self, name: str) -> tuple[str, ...]:
        """The addresses of a name; raises `Unresolved` if there is none."""
        ...

    async def aclose(self) -> None:
        """Give up what is being asked."""
        ...


class Dialer(httpcore.AsyncNetworkBackend):
    """Connects by name through a resolver.

    Args:
        resolver: The host's resolver.
        address_map: Where to go instead of an address, for machines that have only 127.0.0.1.

    """

    def __init__(self, resolver: Resolving, address_map: Mapping[str, tuple[str, int]]) -> None:
        self._resolver = resolver
        self._address_map = address_map
        self._tcp = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve `host` and connect to the first of its addresses that accepts.

        Raises:
            httpcore.ConnectError: No address, or none accepts.
            httpcore.ConnectTimeout: The time is over.

        """
        trace = TRACE.get(None) or CallTrace()
        trace.resolved = True
        end = asyncio.get_running_loop().time() + (timeout or CONNECT_TIMEOUT)
        addresses = await self._resolve(host, end)
        for turn, address in enumerate(addresses):
            share = max(0.0, end - asyncio.get_running_loop().time()) / (len(addresses) - turn)
            target, target_port = self._address_map.get(address, (address, port))
            try:
                stream = await self._tcp.connect_tcp(target, target_port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if turn == len(addresses) - 1:
                    raise
            else:
                trace.connections += 1
                return stream
        raise AssertionError("a resolver's answer is never empty")

    async def _resolve(self, host: str, end: float) -> tuple[str, ...]:
        try:
            async with asyncio.timeout_at(end):
                return await self._resolver.resolve(host)
        except Unresolved as error:
            raise httpcore.ConnectError(str(error)) from error
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"{host}: not resolved in time") from error

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class DialedTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport with httpx's own limits, except that our dialer opens the connections."""

    def __init__(self, dialer: httpcore.AsyncNetworkBackend) -> None:
        super().__init__(verify=_NO_TLS)
        # httpx offers no way to hand a backend to its pool; replacing the pool would mean to copy its limits here.
        self._pool._network_backend = dialer  # noqa: SLF001 - see above


# The drill speaks plain HTTP; one context for all saves each client from loading every certificate of the machine.
_NO_TLS = httpx.create_ssl_context(verify=False)
