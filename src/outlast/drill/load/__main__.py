"""`python -m outlast.drill.load OPTIONS.json`: one group of clients until its time is over or SIGTERM."""

import asyncio
import gc
import importlib.util
import os
import sys
import threading
import time

import anyio.lowlevel

from outlast.drill.child import Lines, on_termination, run_child
from outlast.drill.load.generator import Generator
from outlast.drill.load.options import LoadOptions


def serve(options: LoadOptions) -> None:
    """Make the group's calls."""
    _remember_missing("sniffio")
    asyncio.run(_run(options))
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        # A thread that waits for an answer cannot be stopped, and nobody waits for the answer any more.
        os._exit(0)


async def _run(options: LoadOptions) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        loop.call_soon_threadsafe(stop.set)

    on_termination(end)
    lines = Lines(options.output)
    generator = Generator(options, lines.write)
    await anyio.lowlevel.checkpoint()  # loads its asyncio backend; the first call would wait for that
    await generator.open()
    gc.freeze()  # what is loaded by now stays: collections need not look at it again
    lines.write("ready", {"t": time.monotonic(), "pid": os.getpid(), "group": options.group, "kind": options.kind})
    await generator.run(stop)
    lines.close()


def _remember_missing(module: str) -> None:
    # httpcore tries to import sniffio several times per request, and Python searches the disk again each time: 45 % of
    # this process's time in an outage. The client behaves the same, it only learns at once what it learns anyway.
    if importlib.util.find_spec(module) is None:
        sys.modules[module] = None  # type: ignore[assignment]  # documented: None makes the import fail at once


if __name__ == "__main__":
    raise SystemExit(run_child(LoadOptions, serve))
