"""Waiting for what happens in threads, files and other processes, however busy the machine is."""

import asyncio
import time
from collections.abc import Callable

SECONDS = 30.0


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds; fail if it never does."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


async def await_for(condition: Callable[[], bool]) -> None:
    """Wait in an event loop."""
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110  what is awaited happens in files and threads
            await asyncio.sleep(0.01)
