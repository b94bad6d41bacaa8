"""Planner and enactor for the comparison of `zone_change`, as a process of its own.

Without more, one pass of the planner and then the enactor until so many endpoints are written; then the process ends. With
`--stay` both run side by side as they are used, until the end of standard input. Each line of it begins a round; when as many
endpoints as were asked for have been written anew, they say how much CPU (seconds) they have used since the round began.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

from outlast.config.notices import Notice, Tell
from outlast.config.parse import load
from outlast.config.run import run_enactor, run_planner
from outlast.config.settings import Settings


async def work(settings: Settings, count: int) -> None:
    """Run the roles one after the other, the second when the first has published."""
    published, finished = asyncio.Event(), asyncio.Event()
    tell = _listener(count, finished.set, published=published.set)
    await run_planner(settings, stop=published, tell=tell)
    await run_enactor(settings, name="enactor", stop=finished, tell=tell)


async def stay(settings: Settings, count: int) -> None:
    """Run the roles; tell when `count` endpoints have been written anew."""
    stop, before = asyncio.Event(), time.process_time()

    def listen() -> None:
        nonlocal before
        for _ in sys.stdin:
            before = time.process_time()

    async def until_the_end() -> None:
        await asyncio.to_thread(listen)
        stop.set()

    tell = _listener(count, lambda: print(time.process_time() - before, flush=True))
    roles = run_planner(settings, stop=stop, tell=tell), run_enactor(settings, name="enactor", stop=stop, tell=tell)
    await asyncio.gather(*roles, until_the_end())


def _listener(count: int, finished: Callable[[], None], *, published: Callable[[], None] = lambda: None) -> Tell:
    """Who hears what the roles do, and calls `finished` whenever so many endpoints have been written."""
    written = set[str]()

    def tell(notice: Notice) -> None:
        if notice.note.name == "published":
            published()
        elif notice.note.name == "enacted":
            written.add(notice.place)
        elif notice.note.alarm:
            print(notice.role, notice.place, notice.note.name, notice.note.detail, file=sys.stderr)
        if len(written) >= count:
            written.clear()
            finished()

    return tell


if __name__ == "__main__":
    act = stay if "--stay" in sys.argv else work
    asyncio.run(act(load(Path(sys.argv[1])), int(sys.argv[2])))
