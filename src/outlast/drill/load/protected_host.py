"""One client machine with all of the product in it: resolver, policy, regions and queue. The kind `outlast`.

Everything is the public product, `outlast.protect` around an `httpx.AsyncClient` and a `Queue` around writes; the drill
adds what counts attempts and where 127.0.1.1 is on machines that have only one address.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import httpcore
import httpx

from outlast.client.protecting import protect
from outlast.client.regions import Regions
from outlast.data.desk import DrainOptions
from outlast.data.queue import Queue
from outlast.data.ramp import RampOptions
from outlast.data.records import Parked
from outlast.drill.load.dialer import DialedTransport
from outlast.drill.load.errand import Errand, Kept, Reply, Setting
from outlast.drill.load.lag import LagGate
from outlast.drill.load.memory import Memory
from outlast.drill.load.resolving import CountedResolver, build_resolver
from outlast.drill.load.trace import TRACE, CallTrace
from outlast.errors import Rejected, Unavailable
from outlast.policy.budget import Budget
from outlast.policy.policy import Policy
from outlast.policy.retry import Retry
from outlast.policy.transient import transient

ATTEMPT_TIMEOUT = 0.4
ATTEMPTS = 3
DRAINING = RampOptions(start=5.0, factor=2.0, ceiling=40.0)
"""Faster than the product's default: an act has seconds, not minutes, for its backlog."""
DEADLINE_HEADER = "x-outlast-deadline"
"""Wall-clock seconds; a server that comes to a request later drops it."""


def build_policy(name: str, *, deadline: float) -> Policy:
    """How every protected kind calls: the deadline of all groups, two further attempts, within a budget."""
    retry = Retry(on=transient, attempts=ATTEMPTS)
    return Policy(name, deadline=deadline, attempt_timeout=ATTEMPT_TIMEOUT, retry=retry, budget=Budget())


def is_outage(error: Exception) -> bool:
    """Whether a write that failed like this is parked: nobody was reached, or not in time."""
    return isinstance(error, Unavailable | Rejected | httpx.TransportError) or transient(error) is not False


class ProtectedHost:
    """One host of the kind `outlast`.

    Args:
        setting: What it is told.

    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._resolver = CountedResolver(build_resolver(setting), setting)
        policy = build_policy("orders", deadline=setting.deadline)
        urls = {region: setting.url(index) for index, region in enumerate(setting.regions)}
        self._regions = Regions(urls)
        self._home = next(iter(urls))
        self._client = protect(self._build_client(), policy, regions=self._regions, resolver=self._resolver)
        # What belongs to one region is asked of it once, and parked if it is not there: elsewhere it may not go.
        once = Policy("home", deadline=setting.deadline, attempt_timeout=ATTEMPT_TIMEOUT, budget=policy.budget)
        self._home_client = protect(self._build_client(), once, resolver=self._resolver)
        self._memory = Memory()
        self._gate = LagGate(tuple(urls.values()), client=self._build_client, resolver=self._resolver)
        draining = DrainOptions(ramp=DRAINING, gate=self._gate.is_open, concurrency=1)
        self._queue = Queue(setting.folder / f"{setting.label}.spool", draining=draining)
        self._place = self._queue.deliver(park_on=is_outage, dedup=lambda key, _value: str(key))(self._put)
        self._parked: set[str] = set()

    def _build_client(self) -> httpx.AsyncClient:
        transport = CountingTransport(MappedBackend(self._setting.address_map))
        return httpx.AsyncClient(transport=transport, trust_env=False)

    async def open(self) -> None:
        """Open the queue; it drains from now on."""
        await self._queue.__aenter__()

    async def call(self, errand: Errand) -> Reply | Kept:
        """Make one call; a write that cannot go through now is parked.

        Raises:
            httpx.HTTPError, outlast.Rejected: A read got no answer.
            WrongValue: Another value than was written.

        """
        if not errand.is_write:
            return await self._get(errand)
        assert errand.key is not None, "a write has a key"
        done = await self._place(errand.key, errand.value)
        if isinstance(done, Parked):
            self._parked.add(errand.key)
            self._gate.watch()
            return Kept(done.id)
        return done.value

    async def _get(self, errand: Errand) -> Reply:
        likely = next((region.name for region in self._regions.stats() if not region.is_ejected), self._home)
        key, value = (errand.key, errand.value) if errand.key is not None else self._memory.last(likely)
        response = await self._client.get(f"/kv/{key}", headers=self._headers())
        is_absent = response.status_code == httpx.codes.NOT_FOUND
        if not is_absent:
            response.raise_for_status()
        reply = _reply(response)
        found = None if is_absent else response.json().get("value")
        self._memory.check(reply.region, key, expected=value, found=found)
        return reply

    async def _put(self, key: str, value: str) -> Reply:
        """Write; called by `call`, and again by the queue's drain."""
        is_homed = Errand(is_write=True, key=key, value=value).is_homed
        client, base = (self._home_client, self._setting.url(0)) if is_homed else (self._client, "")
        headers = {"idempotency-key": key, **self._headers()}
        drained = _begin_drain()
        response = await client.put(f"{base}/kv/{key}", json={"value": value}, headers=headers)
        response.raise_for_status()
        reply = _reply(response)
        self._memory.note(reply.region, key, value)
        self._memory.check(reply.region, key, expected=value, found=response.json().get("value"))
        if drained is not None:
            self._note_drained(key, reply, drained)
        return reply

    def _headers(self) -> dict[str, str]:
        return {DEADLINE_HEADER: f"{time.time() + self._setting.deadline:.6f}"}

    def _note_drained(self, key: str, reply: Reply, trace: CallTrace) -> None:
        self._parked.discard(key)
        if not self._parked:
            self._gate.rest()
        now = round(asyncio.get_running_loop().time(), 6)
        self._setting.note("drained", {"t": now, "key": key, "region": reply.region, "attempts": trace.attempts})

    async def aclose(self) -> None:
        """Close the queue, what is parked in it stays there; then everything else."""
        await self._queue.__aexit__(None, None, None)
        await self._gate.aclose()
        self._resolver.close()
        await self._client.aclose()
        await self._home_client.aclose()


def _reply(response: httpx.Response) -> Reply:
    return Reply(response.headers["x-region"], response.headers["x-target"])


def _begin_drain() -> CallTrace | None:
    # Calls of the load have a trace; what the queue's own task does has none, and is given one.
    if TRACE.get(None) is not None and not TRACE.get().is_drain:
        return None
    trace = CallTrace(is_drain=True)
    TRACE.set(trace)
    return trace


def _shorten_deadline(request: httpx.Request) -> None:
    # Each attempt has its own end: the next one may be accepted by another region, so this one must not be any more.
    limit = request.extensions.get("timeout", {}).get("read")
    if DEADLINE_HEADER in request.headers and limit is not None:
        end = min(float(request.headers[DEADLINE_HEADER]), time.time() + limit)
        request.headers[DEADLINE_HEADER] = f"{end:.6f}"


class CountingTransport(DialedTransport):
    """httpx's own transport, which counts requests begun for the running call."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Count and send."""
        trace = TRACE.get(None)
        if trace is not None:
            trace.attempts += 1
        _shorten_deadline(request)
        try:
            return await super().handle_async_request(request)
        except BaseException as error:
            if trace is not None:
                trace.last_error = type(error).__name__
            raise


class MappedBackend(httpcore.AsyncNetworkBackend):
    """httpx's own backend, which counts connections and knows where mapped addresses are. Names never come here.

    Args:
        address_map: Where to go instead of an address.

    """

    def __init__(self, address_map: Mapping[str, tuple[str, int]]) -> None:
        self._address_map = address_map
        self._tcp = httpcore.AnyIOBackend()

    async def connect_tcp(self, host: str, port: int, *_: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        """Connect. httpcore gives its further arguments by name."""
        target, target_port = self._address_map.get(host, (host, port))
        stream = await self._tcp.connect_tcp(target, target_port, **options)
        trace = TRACE.get(None)
        if trace is not None:
            trace.connections += 1
        return stream

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
