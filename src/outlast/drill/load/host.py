"""One client machine of a careful team: httpx as it comes, stamina's retries, the host's own stub resolver.

The three kinds differ in one thing each, and in nothing else: a second region to go to, or a resolver of ours.
"""

import time

import httpx
import stamina

from outlast.drill.load.dialer import DialedTransport, Dialer, Resolving
from outlast.drill.load.errand import Errand, Reply, Setting
from outlast.drill.load.memory import Memory
from outlast.drill.load.stub_resolver import StubResolver
from outlast.drill.load.trace import TRACE, count_dns_query

# stamina would log each scheduled retry, hundreds a second in an outage.
stamina.instrumentation.set_on_retry_hooks([])


class Host:
    """One host of the kind `plain`: one region, ten attempts within 45 s on every error that httpx knows.

    Args:
        setting: What it is told.
        resolver: What turns names into addresses; a stub resolver that does as the RFCs say, if not given.

    """

    def __init__(self, setting: Setting, resolver: Resolving | None = None) -> None:
        self.setting = setting
        self._resolver = resolver or StubResolver(
            setting.nameserver, clock=time.monotonic, on_query=count_dns_query, on_answer=setting.on_answer
        )
        # trust_env: a proxy named in the environment must not take calls to loopback.
        self._client = httpx.AsyncClient(
            transport=DialedTransport(Dialer(self._resolver, setting.address_map)), trust_env=False
        )
        self._memory = Memory()

    async def open(self) -> None:
        """Nothing is needed."""

    @stamina.retry(on=httpx.HTTPError)
    async def call(self, errand: Errand) -> Reply:
        """Make one call.

        Raises:
            httpx.HTTPError: No answer, or one that is not a success.
            WrongValue: Another value than was written.

        """
        return await self.attempt(errand)

    async def attempt(self, errand: Errand) -> Reply:
        """One attempt: one request to the first name."""
        return await self.ask(0, errand)

    async def ask(self, index: int, errand: Errand) -> Reply:
        """One request to a region's name. Raises as `call` does; writing again changes nothing."""
        url = self.setting.url(index)
        key, value = (errand.key, errand.value) if errand.key is not None else self._memory.last(url)
        trace = TRACE.get()
        trace.attempts += 1
        try:
            response = await self._client.request(
                "PUT" if errand.is_write else "GET",
                f"{url}/kv/{key}",
                json={"value": value} if errand.is_write else None,
            )
            response.raise_for_status()
        except httpx.HTTPError as error:
            trace.last_error = type(error).__name__
            raise
        if errand.is_write:
            self._memory.note(url, key, value)
        self._memory.check(url, key, expected=value, found=response.json().get("value"))
        return Reply(response.headers["x-region"], response.headers["x-target"])

    async def aclose(self) -> None:
        """Close connections and give up questions in flight."""
        await self._resolver.aclose()
        await self._client.aclose()


class TwoRegionHost(Host):
    """One host of the kind `plain-two-regions`: in each attempt, when the first name fails, the second is tried at once."""

    async def attempt(self, errand: Errand) -> Reply:
        """One attempt: a request to the first name, and if that fails one to the second."""
        try:
            return await self.ask(0, errand)
        except httpx.HTTPError:
            return await self.ask(1, errand)
