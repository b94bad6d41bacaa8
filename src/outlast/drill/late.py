"""Drops requests whose deadline has passed before anybody works on them.

A stopped server's kernel goes on taking connections and bytes. When the server wakes it finds requests whose senders
gave up long ago and have been served elsewhere; carrying them out would do work twice, for nobody. Each request says
until when its answer is of use, `x-outlast-deadline`: seconds since 1970 (the two clocks must agree as well as the
deadline is meant to be exact). A request without the header is never late.
"""

import math
import time
from collections.abc import Callable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HEADER = "x-outlast-deadline"


class DropLate:
    """ASGI wrapper: 503 for a request that comes too late, and word of it.

    Args:
        app: What serves the others.
        told: Given method, path and how many seconds too late.
        clock: Wall clock in seconds.

    """

    def __init__(
        self, app: ASGIApp, *, told: Callable[[str, str, float], None], clock: Callable[[], float] = time.time
    ) -> None:
        self._app = app
        self._told = told
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        late = seconds_late(dict(scope.get("headers", ())).get(HEADER.encode()), self._clock())
        if scope["type"] != "http" or late <= 0:
            await self._app(scope, receive, send)
            return
        self._told(scope["method"], scope["path"], late)
        await expired()(scope, receive, send)


def expired() -> JSONResponse:
    """The answer to a request that came too late."""
    return JSONResponse({"error": "expired"}, status_code=503)


def deadline_of(header: bytes | None) -> float:
    """The header's seconds since 1970; for ever if there is none, or it is no number."""
    try:
        deadline = float(header) if header is not None else math.inf
    except ValueError:
        return math.inf
    return math.inf if math.isnan(deadline) else deadline


def seconds_late(header: bytes | None, now: float) -> float:
    """How long the deadline has passed; 0 if it has not, or there is none."""
    return max(0.0, now - deadline_of(header))
