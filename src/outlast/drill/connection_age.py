"""Closes each HTTP connection at a stated age, the same for all clients.

Warm connections hide DNS for minutes: with keep-alive and nothing else, 2,090 of 2,100 calls went through an empty
record. Load balancers end connections after a while; this is that while, made short and stated. HTTP/1.1 lets a
server close only between responses (RFC 9112, section 9.6), so the first response after the age says
`Connection: close`.

ASGI does not name connections, so they are told apart by their two addresses. An entry that has been idle longer than
the server's keep-alive time belongs to a connection that is gone: its ports may be in use again.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# More than the drill's clients can hold open; beyond it the entry used longest ago is forgotten, and that connection
# merely lives for one more age.
MAX_CONNECTIONS = 10_000

Connection = tuple[object, object]


class ConnectionAges:
    """Remembers since when each connection exists. Told the time, never asks."""

    def __init__(self, age: float, *, capacity: int = MAX_CONNECTIONS) -> None:
        self._age = age
        self._capacity = capacity
        self._seen: OrderedDict[Connection, tuple[float, float]] = OrderedDict()  # first and last use

    def __len__(self) -> int:
        return len(self._seen)

    def is_due(self, connection: Connection, now: float) -> bool:
        """Note a response on `connection`; true (and forgotten) if it must be the last one."""
        first, last = self._seen.pop(connection, (now, now))
        if now - last > self._age:
            first = now
        if now - first >= self._age:
            return True
        self._seen[connection] = (first, now)
        if len(self._seen) > self._capacity:
            self._seen.popitem(last=False)
        return False


class CloseAtAge:
    """ASGI wrapper: `Connection: close` on the first response after `age` seconds."""

    def __init__(self, app: ASGIApp, *, age: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._ages = ConnectionAges(age)
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_last = self._ages.is_due((scope.get("client"), scope.get("server")), self._clock())

        async def send_and_close(message: Message) -> None:
            if is_last and message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive, send_and_close)
