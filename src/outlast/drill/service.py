"""The service of one region: a small key-value store over HTTP, healthy all the time.

`GET /kv/{key}`, `PUT /kv/{key}` with `{"value": …}` (answered after the commit), `GET /health`. It listens on sockets
that the drill bound and handed over, so that one process stands behind both load-balancer addresses of its region.
Run as `python -m outlast.drill.service OPTIONS.json`; the options are `ServiceOptions`.
"""

import json
import os
import socket
import sqlite3
import time
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from outlast.drill.child import Lines, on_termination, require, run_child
from outlast.drill.connection_age import CloseAtAge

MAX_BODY = 64 * 1024  # bytes; the drill's values are some tens of bytes
MAX_KEY = 200  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """What one region's service is told.

    Args:
        region: Its name, in every answer.
        database: Path of the SQLite file; made if absent.
        output: Path of the JSON lines file.
        sockets: Inherited descriptors of bound TCP sockets, or none.
        listen: Addresses and ports to bind if no sockets are handed over.
        connection_age: Seconds after which a connection is closed, busy or idle.
        keys: How many keys `k0`, `k1` … are there from the start, with the values `v-k0`, `v-k1` …

    """

    region: str
    database: str
    output: str
    sockets: tuple[int, ...] = ()
    listen: tuple[tuple[str, int], ...] = ()
    connection_age: float = 2.0
    keys: int = 100

    def __post_init__(self) -> None:
        require(
            (bool(self.sockets) != bool(self.listen), "give either `sockets` or `listen`"),
            (self.connection_age > 0, f"connection_age = {self.connection_age}: must be more than 0 seconds"),
            (0 <= self.keys <= 10_000, f"keys = {self.keys}: must be from 0 to 10000"),
        )


class Store:
    """Keys and JSON values in one SQLite file. Calls take well under a millisecond, so they run on the event loop."""

    def __init__(self, path: str, *, keys: int) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        # Survives the death of the process, which is all that the drill can do to it; no fsync per write.
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute("CREATE TABLE IF NOT EXISTS kv (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        with self._database:
            self._database.execute("BEGIN")
            seeds = ((f"k{number}", json.dumps(f"v-k{number}")) for number in range(keys))
            self._database.executemany("INSERT OR IGNORE INTO kv VALUES (?, ?)", seeds)

    def get(self, key: str) -> str | None:
        """The value as JSON text, or `None` if there is no such key."""
        row = self._database.execute("SELECT value FROM kv WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def put(self, key: str, value: str) -> None:
        """Store a value given as JSON text; it is committed when this returns."""
        self._database.execute("INSERT OR REPLACE INTO kv VALUES (?, ?)", (key, value))

    def close(self) -> None:
        self._database.close()


class Service:
    """The HTTP face of a store."""

    def __init__(self, region: str, store: Store) -> None:
        self._region = region
        self._store = store

    def app(self) -> Starlette:
        """The Starlette application with its three routes."""
        return Starlette(
            routes=[
                Route("/health", self._health, methods=["GET"]),
                Route("/kv/{key}", self._get, methods=["GET"]),
                Route("/kv/{key}", self._put, methods=["PUT"]),
            ]
        )

    async def _health(self, request: Request) -> Response:
        return self._answer(request, {"status": "ok"})

    async def _get(self, request: Request) -> Response:
        key = request.path_params["key"]
        value = self._store.get(key)
        if value is None:
            return self._answer(request, {"error": "no such key", "key": key}, status=404)
        return self._answer(request, {"key": key, "value": json.loads(value)})

    async def _put(self, request: Request) -> Response:
        key = request.path_params["key"]
        body = await _read_body(request)
        if body is None or len(key) > MAX_KEY:
            return self._answer(request, {"error": "too large"}, status=413)
        try:
            value = json.loads(body)["value"]
        except (ValueError, KeyError, TypeError):
            return self._answer(request, {"error": 'the body must be {"value": …}'}, status=400)
        self._store.put(key, json.dumps(value))
        return self._answer(request, {"key": key, "value": value})

    def _answer(self, request: Request, content: dict[str, Any], *, status: int = 200) -> Response:
        address, port = request.scope["server"]
        headers = {"x-region": self._region, "x-target": f"{address}:{port}"}
        return JSONResponse({**content, "region": self._region}, status_code=status, headers=headers)


async def _read_body(request: Request) -> bytes | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return body


class _Server(uvicorn.Server):
    """uvicorn's server, which tells when it listens."""

    def __init__(self, config: uvicorn.Config, lines: Lines, region: str) -> None:
        super().__init__(config)
        self._lines = lines
        self._region = region

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        addresses = [list(listening.getsockname()[:2]) for listening in sockets or []]
        ready = {"t": time.monotonic(), "pid": os.getpid(), "region": self._region, "addresses": addresses}
        self._lines.write("ready", ready)


def serve(options: ServiceOptions) -> None:
    """Serve until SIGTERM."""
    lines = Lines(options.output)
    store = Store(options.database, keys=options.keys)
    server = _Server(_configure(options, Service(options.region, store).app()), lines, options.region)

    def end() -> None:
        server.should_exit = True

    # uvicorn has handlers of its own while it serves, and raises the signal for ours again when it has ended in order.
    on_termination(end)
    server.run(sockets=_open(options))
    store.close()
    lines.write("end", {"t": time.monotonic(), "requests": server.server_state.total_requests})
    lines.close()


def _configure(options: ServiceOptions, app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        CloseAtAge(app, age=options.connection_age),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=options.connection_age,  # type: ignore[arg-type]  # annotated int, given to call_later
        timeout_graceful_shutdown=0,
    )


def _open(options: ServiceOptions) -> list[socket.socket]:
    if options.sockets:
        return [socket.socket(fileno=descriptor) for descriptor in options.sockets]
    return [socket.create_server((address, port)) for address, port in options.listen]


if __name__ == "__main__":
    raise SystemExit(run_child(ServiceOptions, serve))
