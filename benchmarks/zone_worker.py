"""One pass of the planner, then one of the enactor, until so many endpoints are written; then the process ends."""

import asyncio
import sys
from pathlib import Path

from outlast.config.notices import Notice
from outlast.config.parse import load
from outlast.config.run import run_enactor, run_planner


async def work(path: Path, count: int) -> None:
    """Run the roles of the configuration at `path`, the second when the first has published."""
    settings, published, finished, written = load(path), asyncio.Event(), asyncio.Event(), set[str]()

    def tell(notice: Notice) -> None:
        if notice.note.name == "published":
            published.set()
        elif notice.note.name == "enacted":
            written.add(notice.place)
        elif notice.note.alarm:
            print(notice.role, notice.place, notice.note.name, notice.note.detail, file=sys.stderr)
        if len(written) >= count:
            finished.set()

    await run_planner(settings, stop=published, tell=tell)
    await run_enactor(settings, name="enactor", stop=finished, tell=tell)


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2])))
