"""The embedded name server on loopback, in a thread with a loop of its own."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from outlast.nameserver.keys import UpdateKey
from outlast.nameserver.options import ServerOptions, ZoneOptions
from outlast.nameserver.server import Nameserver

WAIT_SECONDS = 10.0


@contextmanager
def embedded(
    folder: Path,
    *,
    zones: dict[str, str],
    closed: tuple[str, ...],
    key: str,
    secret: str,
    address: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[Nameserver]:
    """Run the name server until the block ends; the arguments are those of `servers.bind.bind`, and where it listens."""
    for zone, text in zones.items():
        (folder / f"{zone}.zone").write_text(text)
    options = ServerOptions(
        zones=tuple(ZoneOptions(name=zone, file=folder / f"{zone}.zone") for zone in zones),
        keys=(UpdateKey(name=key, secret=secret, names=tuple(zone for zone in zones if zone not in closed)),),
        address=address,
        port=port,
        route53_aliases=True,
    )
    started: Future[tuple[Nameserver, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(options, started)))
    thread.start()
    try:
        server, loop, ended = started.result(WAIT_SECONDS)
        try:
            yield server
        finally:
            loop.call_soon_threadsafe(ended.set)
    finally:
        thread.join(WAIT_SECONDS)


async def _serve(
    options: ServerOptions, started: "Future[tuple[Nameserver, asyncio.AbstractEventLoop, asyncio.Event]]"
) -> None:
    ended = asyncio.Event()
    try:
        async with Nameserver(options) as server:
            started.set_result((server, asyncio.get_running_loop(), ended))
            await ended.wait()
    except BaseException as error:
        if not started.done():
            started.set_exception(error)
        raise
