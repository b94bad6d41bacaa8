"""Planner and enactor as they are run, side by side, until the end of standard input.

Each line of it begins a round. When as many endpoints as were asked for have been written anew, the roles say how much CPU
(seconds) they have used since the round began.
"""

import asyncio
import sys
import time
from pathlib import Path

from outlast.config.notices import Notice
from outlast.config.parse import load
from outlast.config.run import run_enactor, run_planner


async def work(path: Path, count: int) -> None:
    """Run the roles of the configuration at `path`; tell when `count` endpoints have been written anew."""
    settings, stop, written, before = load(path), asyncio.Event(), set[str](), time.process_time()

    def tell(notice: Notice) -> None:
        nonlocal before
        if notice.note.name == "enacted":
            written.add(notice.place)
        elif notice.note.alarm:
            print(notice.role, notice.place, notice.note.name, notice.note.detail, file=sys.stderr)
        if len(written) >= count:
            written.clear()
            print(time.process_time() - before, flush=True)

    def listen() -> None:
        nonlocal before
        for _ in sys.stdin:
            before = time.process_time()

    async def until_the_end() -> None:
        await asyncio.to_thread(listen)
        stop.set()

    roles = run_planner(settings, stop=stop, tell=tell), run_enactor(settings, name="enactor", stop=stop, tell=tell)
    await asyncio.gather(*roles, until_the_end())


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2])))
