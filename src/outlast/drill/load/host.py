"""One independent client machine: its HTTP client, its stub resolver's cache, its memory of what it wrote.

Each write goes to a key of its own, so that a retry that arrives late can never make a later read look wrong. The last
acknowledged write is remembered per endpoint name: the two regions do not replicate, and a fair client reads back where
it wrote.
"""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import httpx

from outlast.drill.load.dialer import DialedTransport, Dialer
from outlast.drill.load.stub_cache import Lookup
from outlast.drill.load.stub_resolver import StubResolver
from outlast.drill.load.trace import TRACE, count_dns_query
from outlast.errors import OutlastError


class WrongValue(OutlastError):
    """The service answered 200 with something else than what was written."""


class Reply(NamedTuple):
    """A correct answer, and which load balancer of which region gave it."""

    region: str
    target: str


class Host:
    """One host of a group.

    Args:
        label: A name that is unique among all hosts that write to the same services.
        nameserver: Address and port of the server its stub resolver asks.
        port: The port of the services.
        address_map: See `Dialer`.
        on_answer: See `StubResolver`.

    """

    def __init__(
        self,
        label: str,
        *,
        nameserver: tuple[str, int],
        port: int,
        address_map: Mapping[str, tuple[str, int]],
        on_answer: Callable[[str, Lookup], None],
    ) -> None:
        self._label = label
        self._port = port
        self._resolver = StubResolver(nameserver, clock=time.monotonic, on_query=count_dns_query, on_answer=on_answer)
        # trust_env: a proxy named in the environment must not take calls to loopback.
        self._client = httpx.AsyncClient(
            transport=DialedTransport(Dialer(self._resolver, address_map)), trust_env=False
        )
        self._written: dict[str, tuple[str, str]] = {}

    async def read(self, name: str, key: str | None) -> Reply:
        """Read a seeded key, or with `None` the key this host last wrote at `name` (or `k0` before the first write).

        Raises:
            httpx.HTTPError: No answer, or one that is not a success.
            WrongValue: Another value than was written.

        """
        written_key, value = self._written.get(name, ("k0", "v-k0"))
        if key is not None:
            written_key, value = key, f"v-{key}"
        return await self._request("GET", name, key=written_key, value=value)

    async def write(self, name: str, number: int) -> Reply:
        """Write the key of call `number`. Raises as `read` does; writing again changes nothing."""
        key, value = f"w-{self._label}-{number}", f"v-{number}"
        reply = await self._request("PUT", name, key=key, value=value)
        self._written[name] = (key, value)
        return reply

    async def _request(self, method: str, name: str, *, key: str, value: str) -> Reply:
        trace = TRACE.get()
        trace.attempts += 1
        url = f"http://{name.rstrip('.')}:{self._port}/kv/{key}"
        try:
            response = await self._client.request(method, url, json={"value": value} if method == "PUT" else None)
            response.raise_for_status()
        except httpx.HTTPError as error:
            trace.last_error = type(error).__name__
            raise
        if response.json().get("value") != value:
            raise WrongValue(f"{key} at {name}: expected {value!r}, got {response.text[:200]!r}")
        return Reply(response.headers["x-region"], response.headers["x-target"])

    async def aclose(self) -> None:
        """Close connections and give up questions in flight."""
        await self._resolver.aclose()
        await self._client.aclose()
