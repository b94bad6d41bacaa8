"""The service of one region: a small insert-only key-value store over HTTP, copied to the other regions.

`GET /kv/{key}`; `PUT /kv/{key}` with `{"value": …}`, answered after the commit: 200 (also for the same value again),
409 for another value, 421 for a key whose home is another region. `POST /read` with `{"keys": […]}` reads many at once
and leaves out those that are not there; it is how the drill looks what became of the writes. `GET /health` and `GET /lag` say how it is;
`POST /replicate` takes another region's writes. A region that was away answers 503 until it has caught up.

It listens on sockets that the drill bound and handed over, so that one process stands behind both load-balancer
addresses of its region. Run as `python -m outlast.drill.service OPTIONS.json`; the options are `ServiceOptions`.
"""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from outlast.data.changes import BATCH_LIMIT, Batch, Change, Origin
from outlast.data.refusal import KeyTaken, TooLate
from outlast.data.region import RegionStore
from outlast.drill import late
from outlast.drill.catch_up import GAP_SECONDS, CatchUp
from outlast.drill.child import Lines, on_termination, require, run_child
from outlast.drill.serving import ReadyServer, configure, opened
from outlast.errors import OutlastError

MAX_BODY = 64 * 1024  # bytes; the drill's values are some tens of bytes
MAX_BATCH = 4 * 1024 * 1024  # bytes; a full batch of such values has some 60,000
MAX_KEY = 200  # characters
MAX_KEYS = 1_000
"""Keys of one `POST /read`."""
SEEDS = Origin("drill", "seeds")
"""Whose writes the seeded keys are: nobody's, so that no region ships them."""
MISSING = "x-outlast-missing"
"""Header of a batch: how many writes its sender has beyond it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """What one region's service is told.

    Args:
        region: Its name, in every answer.
        database: Path of the region's store; made if absent.
        output: Path of the JSON lines file.
        sockets: Inherited descriptors of bound TCP sockets, or none.
        listen: Addresses and ports to bind if no sockets are handed over.
        connection_age: Seconds after which a connection is closed, busy or idle.
        keys: How many keys `k0`, `k1` … are there from the start, with the values `v-k0`, `v-k1` …
        homes: Regions by key prefix: such keys are written in that region only.
        peers: The other regions, whose lag `/lag` tells.
        lag_bound: Writes that may be missing when the region serves again after it was away.

    """

    region: str
    database: str
    output: str
    sockets: tuple[int, ...] = ()
    listen: tuple[tuple[str, int], ...] = ()
    connection_age: float = 2.0
    keys: int = 100
    homes: Mapping[str, str] = field(default_factory=dict)
    peers: tuple[str, ...] = ()
    lag_bound: int = 20

    def __post_init__(self) -> None:
        require(
            (bool(self.sockets) != bool(self.listen), "give either `sockets` or `listen`"),
            (self.connection_age > 0, f"connection_age = {self.connection_age}: must be more than 0 seconds"),
            (0 <= self.keys <= 10_000, f"keys = {self.keys}: must be from 0 to 10000"),
            (self.lag_bound >= 0, f"lag_bound = {self.lag_bound}: must be at least 0"),
        )


class Service:
    """The HTTP face of a region's store. File work gets a thread: a commit waits for the disk."""

    def __init__(self, options: ServiceOptions, store: RegionStore, lines: Lines) -> None:
        self._options = options
        self._store = store
        self._lines = lines
        self._catch_up = CatchUp(options.lag_bound, now=time.monotonic())
        self.expired = 0

    def app(self) -> late.DropLate:
        """The application with its routes, which sees no request that comes too late."""
        routes = [
            Route("/health", self._health, methods=["GET"]),
            Route("/lag", self._lag, methods=["GET"]),
            Route("/replicate", self._replicate, methods=["POST"]),
            Route("/read", self._read, methods=["POST"]),
            Route("/kv/{key}", self._get, methods=["GET"]),
            Route("/kv/{key}", self._put, methods=["PUT"]),
        ]
        return late.DropLate(Starlette(routes=routes), told=self._note_late)

    async def beat(self) -> None:
        """Keep the region's pulse until cancelled: a stop shows as a missing beat."""
        was_ready = True
        while True:
            is_ready = self._catch_up.is_ready(time.monotonic())
            if is_ready != was_ready:
                self._lines.write("ready again" if is_ready else "catching up", {"t": time.monotonic()})
            was_ready = is_ready
            await asyncio.sleep(GAP_SECONDS / 10)

    def _note_late(self, method: str, path: str, seconds: float) -> None:
        self.expired += 1
        fields = {"t": time.monotonic(), "method": method, "path": path, "late_s": round(seconds, 3)}
        self._lines.write("expired", fields)

    async def _health(self, request: Request) -> Response:
        if not self._catch_up.is_ready(time.monotonic()):
            return self._not_ready(request)
        return self._answer(request, {"status": "ok"})

    async def _lag(self, request: Request) -> Response:
        lag = {}
        for peer in self._options.peers:
            found = await asyncio.to_thread(self._store.lag, peer)
            lag[peer] = {"writes": found.writes, "seconds": round(found.seconds, 3)}
        is_ready = self._catch_up.is_ready(time.monotonic())
        return self._answer(request, {"lag": lag, "ready": is_ready, "expired": self.expired})

    async def _replicate(self, request: Request) -> Response:
        body = await _read_body(request, MAX_BATCH)
        try:
            batch = Batch.from_json(body or b"")
            position = await asyncio.to_thread(self._store.apply, batch)
            missing = int(request.headers.get(MISSING, "0"))
        except ValueError as error:
            return self._answer(request, {"error": str(error)}, status=400)
        except OutlastError as error:
            return self._answer(request, {"error": str(error)}, status=503)
        if time.time() <= _deadline(request):
            # The region may have been stopped since it began to take the batch: then its sender's word is old.
            self._catch_up.note_missing(missing, now=time.monotonic())
        return self._answer(request, {"position": position})

    async def _get(self, request: Request) -> Response:
        if not self._catch_up.is_ready(time.monotonic()):
            return self._not_ready(request)
        key = request.path_params["key"]
        value = await asyncio.to_thread(self._store.get, key)
        if value is None:
            return self._answer(request, {"error": "no such key", "key": key}, status=404)
        return self._answer(request, {"key": key, "value": json.loads(value)})

    async def _read(self, request: Request) -> Response:
        if not self._catch_up.is_ready(time.monotonic()):
            return self._not_ready(request)
        body = await _read_body(request, MAX_BATCH)
        try:
            keys = [str(key) for key in json.loads(body or b"")["keys"]]
        except (ValueError, KeyError, TypeError):
            return self._answer(request, {"error": 'the body must be {"keys": […]}'}, status=400)
        if len(keys) > MAX_KEYS:
            return self._answer(request, {"error": f"more than {MAX_KEYS} keys"}, status=413)
        values = await asyncio.to_thread(lambda: {key: self._store.get(key) for key in keys})
        found = {key: json.loads(value) for key, value in values.items() if value is not None}
        return self._answer(request, {"values": found})

    async def _put(self, request: Request) -> Response:
        if not self._catch_up.is_ready(time.monotonic()):
            return self._not_ready(request)
        key = request.path_params["key"]
        body = await _read_body(request, MAX_BODY)
        if body is None or len(key) > MAX_KEY:
            return self._answer(request, {"error": "too large"}, status=413)
        home = next((region for prefix, region in self._options.homes.items() if key.startswith(prefix)), None)
        if home not in (None, self._options.region):
            # RFC 9110 section 15.5.20: this server is not the one to produce an answer.
            return self._answer(request, {"error": "written elsewhere", "home": home}, status=421)
        try:
            value = json.loads(body)["value"]
        except (ValueError, KeyError, TypeError):
            return self._answer(request, {"error": 'the body must be {"value": …}'}, status=400)
        try:
            await asyncio.to_thread(self._store.put, key, json.dumps(value), until=_deadline(request))
        except TooLate as error:
            self._note_late(request.method, request.url.path, error.seconds)
            return late.expired()
        except KeyTaken as error:
            return self._answer(request, {"error": str(error)}, status=409)
        return self._answer(request, {"key": key, "value": value})

    def _not_ready(self, request: Request) -> Response:
        return self._answer(request, {"error": "catching up with the other regions"}, status=503)

    def _answer(self, request: Request, content: dict[str, Any], *, status: int = 200) -> Response:
        address, port = request.scope["server"]
        region = self._options.region
        headers = {"x-region": region, "x-target": f"{address}:{port}"}
        return JSONResponse({**content, "region": region}, status_code=status, headers=headers)


def _deadline(request: Request) -> float:
    header = request.headers.get(late.HEADER)
    return late.deadline_of(None if header is None else header.encode())


async def _read_body(request: Request, limit: int) -> bytes | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return body


def seed(store: RegionStore, keys: int) -> None:
    """Put the seeded keys into a region's store; they are in no region's outbox."""
    at = time.time_ns()
    for first in range(0, keys, BATCH_LIMIT):
        numbers = range(first, min(keys, first + BATCH_LIMIT))
        changes = (Change(sequence=n + 1, key=f"k{n}", value=json.dumps(f"v-k{n}"), at=at) for n in numbers)
        store.apply(Batch(origin=SEEDS, changes=tuple(changes)))


class _Server(ReadyServer):
    """Keeps the service's pulse while it serves."""

    def __init__(self, config: uvicorn.Config, lines: Lines, service: Service, region: str) -> None:
        super().__init__(config, lines, region)
        self._service = service

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        async with _running(self._service):
            await super().serve(sockets)


@contextlib.asynccontextmanager
async def _running(service: Service) -> AsyncIterator[None]:
    pulse = asyncio.create_task(service.beat())
    try:
        yield
    finally:
        pulse.cancel()
        await asyncio.gather(pulse, return_exceptions=True)


def serve(options: ServiceOptions) -> None:
    """Serve until SIGTERM."""
    lines = Lines(options.output)
    with RegionStore(options.database, options.region) as store:
        seed(store, options.keys)
        service = Service(options, store, lines)
        config = configure(service.app(), connection_age=options.connection_age)
        server = _Server(config, lines, service, options.region)
        # uvicorn has handlers of its own while it serves, and raises the signal for ours again when it has ended.
        on_termination(server.end)
        server.run(sockets=opened(options.sockets, options.listen))
    requests = server.server_state.total_requests
    lines.write("end", {"t": time.monotonic(), "requests": requests, "expired": service.expired})
    lines.close()


if __name__ == "__main__":
    raise SystemExit(run_child(ServiceOptions, serve))
