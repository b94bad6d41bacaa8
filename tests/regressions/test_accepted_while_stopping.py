"""A connection accepted in the turns before `stop` was handed over after it, and its socket outlived the event loop."""

import asyncio
import socket

import pytest

from outlast.listener import Listener, ListenerOptions


async def accepted_then_stopped(turns: int) -> bytes:
    """Connect, let the loop turn so often, stop the listener, and return what the peer reads."""
    listener = Listener(ListenerOptions(), lambda *_: None, fallback=lambda _: None)
    await listener.start()
    with socket.create_connection(("127.0.0.1", listener.port), timeout=5.0) as peer:
        for _ in range(turns):
            await asyncio.sleep(0)
        await listener.stop()
        try:
            return peer.recv(1)
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize("turns", range(8))
def test_a_connection_accepted_just_before_the_stop_is_closed_by_it(turns: int) -> None:
    """However far the connection had come, its peer reads the end at once, and no socket is left to the collector."""
    assert b"" == asyncio.run(accepted_then_stopped(turns))
