"""The stand-in for one region's DynamoDB: moto's, behind the same server as the region's service.

It listens under the endpoint's own name on sockets that the drill bound and handed over, and closes connections at the
same age as the service. One table is there from the start, seeded as the service is. moto keeps its tables in memory,
so what was written is put into a file at the end and read from it at the next start: an outage of the listeners must
not look like a loss of data. Regions do not copy to each other.

Run as `python -m outlast.drill.dynamodb OPTIONS.json`; the options are `DynamodbOptions`.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import create_backend_app
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from werkzeug.test import Client

from outlast.drill.child import Lines, on_termination, require, run_child
from outlast.drill.names import TABLE
from outlast.drill.serving import ReadyServer, configure, opened
from outlast.drill.table_wire import TARGET, signature

MAX_BODY = 64 * 1024  # bytes; the drill's items are some tens of bytes
BATCH = 25
"""Items that one BatchWriteItem may have."""
MAX_PAGES = 1_000
LOOK_EVERY = 0.02
"""Seconds between two looks at a gate."""
Item = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamodbOptions:
    """What one region's stand-in is told.

    Args:
        region: Its name at AWS, in every answer.
        database: Path of the file that keeps the items while it does not run.
        output: Path of the JSON lines file.
        sockets: Inherited descriptors of bound TCP sockets, or none.
        listen: Addresses and ports to bind if no sockets are handed over.
        gate: Path of a file that must be there before anything is bound, or `None`: moto takes seconds to load, and whoever
            restarts a stand-in wants it back at a moment of their own.
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
    gate: str | None = None

    def __post_init__(self) -> None:
        require(
            (bool(self.sockets) != bool(self.listen), "give either `sockets` or `listen`"),
            (self.connection_age > 0, f"connection_age = {self.connection_age}: must be more than 0 seconds"),
            (0 <= self.keys <= 10_000, f"keys = {self.keys}: must be from 0 to 10000"),
        )


class Table:
    """moto's DynamoDB with our one table, asked within this process as by HTTP. A call takes two to six milliseconds."""

    def __init__(self, region: str) -> None:
        self._client = Client(create_backend_app("dynamodb"))
        self._headers = signature(region)
        key = {"AttributeName": "key", "KeyType": "HASH"}
        attribute = {"AttributeName": "key", "AttributeType": "S"}
        table = {"KeySchema": [key], "AttributeDefinitions": [attribute], "BillingMode": "PAY_PER_REQUEST"}
        self._do("CreateTable", {"TableName": TABLE, **table})

    def ask(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes, dict[str, str]]:
        """Hand a request to moto; return status, body and headers of its answer."""
        response = self._client.open("/", method="POST", headers=headers, data=body)
        return response.status_code, response.get_data(), dict(response.headers)

    def put_all(self, items: Sequence[Item]) -> None:
        """Store items."""
        for first in range(0, len(items), BATCH):
            puts = [{"PutRequest": {"Item": item}} for item in items[first : first + BATCH]]
            self._do("BatchWriteItem", {"RequestItems": {TABLE: puts}})

    def scan(self) -> Iterator[Item]:
        """Every item there is."""
        start: dict[str, Any] = {}
        for _ in range(MAX_PAGES):
            page = self._do("Scan", {"TableName": TABLE, **start})
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _do(self, operation: str, parameters: dict[str, Any]) -> Any:
        headers = {**self._headers, "x-amz-target": f"{TARGET}.{operation}"}
        status, body, _ = self.ask(headers, json.dumps(parameters).encode())
        assert status == 200, f"moto refuses {operation}: {body!r:.300}"
        return json.loads(body)


def build_app(table: Table, region: str) -> Starlette:
    """The HTTP face of a table: DynamoDB's one route, and `GET /health`."""

    async def operate(request: Request) -> Response:
        body = await request.body()
        if len(body) > MAX_BODY:
            return Response(status_code=413)
        status, content, headers = table.ask(dict(request.headers), body)
        kept = {name: value for name, value in headers.items() if name.lower() not in _OWN_HEADERS}
        return Response(content, status_code=status, headers=kept | _told(request))

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok", "region": region}, headers=_told(request))

    def _told(request: Request) -> dict[str, str]:
        address, port = request.scope["server"]
        return {"x-region": region, "x-target": f"{address}:{port}"}

    return Starlette(
        routes=[Route("/", operate, methods=["POST"]), Route("/health", health, methods=["GET"])],
    )


_OWN_HEADERS = {"content-length", "connection", "date", "server"}
"""Headers that the server writes itself."""


def serve(options: DynamodbOptions) -> None:
    """Serve until SIGTERM, then keep what was written for the next start."""
    lines = Lines(options.output)
    database = Path(options.database)
    table = Table(options.region)
    table.put_all([_item(f"k{number}", f"v-k{number}") for number in range(options.keys)])
    if database.exists():
        table.put_all(json.loads(database.read_text(encoding="utf-8")))
    config = configure(build_app(table, options.region), connection_age=options.connection_age, grace=0)
    server = ReadyServer(config, lines, options.region)
    on_termination(server.end)
    while options.gate is not None and not Path(options.gate).exists() and not server.should_exit:
        time.sleep(LOOK_EVERY)
    if not server.should_exit:
        server.run(sockets=opened(options.sockets, options.listen))
    database.write_text(json.dumps(list(table.scan())), encoding="utf-8")
    lines.write("end", {"t": time.monotonic(), "requests": server.server_state.total_requests})
    lines.close()


def _item(key: str, value: str) -> Item:
    return {"key": {"S": key}, "value": {"S": value}}


if __name__ == "__main__":
    raise SystemExit(run_child(DynamodbOptions, serve))
