"""How the drill's HTTP services are served: uvicorn on sockets that the drill bound, the same for all of them."""

import os
import socket
import time
from collections.abc import Sequence

import uvicorn
from starlette.types import ASGIApp

from outlast.drill.child import Lines
from outlast.drill.connection_age import CloseAtAge


class ReadyServer(uvicorn.Server):
    """uvicorn's server, which tells when it listens.

    Args:
        config: From `configure`.
        lines: Where to tell it.
        region: Whose service this is.

    """

    def __init__(self, config: uvicorn.Config, lines: Lines, region: str) -> None:
        super().__init__(config)
        self._lines = lines
        self._region = region

    def end(self) -> None:
        """Come to an end soon."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        addresses = [list(listening.getsockname()[:2]) for listening in sockets or []]
        ready = {"t": time.monotonic(), "pid": os.getpid(), "region": self._region, "addresses": addresses}
        self._lines.write("ready", ready)


def configure(app: ASGIApp, *, connection_age: float, grace: int = 1) -> uvicorn.Config:
    """Uvicorn without what the drill does not need; connections, busy or idle, are closed at that age in seconds.

    What was accepted is answered within `grace` seconds of the end: a caller who hears nothing of a write that was made
    makes it elsewhere.
    """
    return uvicorn.Config(
        CloseAtAge(app, age=connection_age),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=connection_age,  # type: ignore[arg-type]  # annotated int, given to call_later
        timeout_graceful_shutdown=grace,
    )


def opened(descriptors: Sequence[int], listen: Sequence[tuple[str, int]]) -> list[socket.socket]:
    """The sockets that were handed over, or else new ones at these addresses."""
    if descriptors:
        return [socket.socket(fileno=descriptor) for descriptor in descriptors]
    return [socket.create_server(place) for place in listen]
