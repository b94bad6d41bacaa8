"""One run of planner and enactor: from the start of a process to the last of so many endpoints written, then it ends."""

import asyncio
import sys
from pathlib import Path

from outlast.config.notices import Notice
from outlast.config.parse import load
from outlast.config.run import run_enactor, run_planner


async def work(path: Path, count: int) -> None:
    """Run the roles of the configuration at `path` until `count` endpoints were written."""
    settings, stop, written = load(path), asyncio.Event(), set[str]()

    def tell(notice: Notice) -> None:
        if notice.note.name == "enacted":
            written.add(notice.place)
        elif notice.note.alarm:
            print(notice.role, notice.place, notice.note.name, notice.note.detail, file=sys.stderr)
        if len(written) >= count:
            stop.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(run_planner(settings, stop=stop, tell=tell))
        group.create_task(run_enactor(settings, name="enactor", stop=stop, tell=tell))


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2])))
