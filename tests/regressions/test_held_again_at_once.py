"""A role that came to its next hold within five milliseconds looked as if it had never left the first: two drills of three failed."""

import subprocess
import sys
from pathlib import Path

from outlast.drill.holds import Hold, arm, is_held, release, wait_until_held

ROLE = """
import asyncio, sys
from pathlib import Path
from outlast.drill.holds import held
from outlast.incidents.protocol import FetchLatestPlan, ReadTop
from outlast.incidents.trace import Trace

async def carry_out(effect):
    return None

async def main(folder):
    step = held(carry_out, role="b", folder=folder, trace=Trace(folder / "trace", role="b"))
    await step(FetchLatestPlan())
    await step(ReadTop(146, "db."))

asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_role_that_is_held_again_at_once_counts_as_released(tmp_path: Path) -> None:
    """The release returns as soon as the first hold is left, even if the next one follows before anybody looks."""
    arm(tmp_path, "b", "FetchLatestPlan")
    with subprocess.Popen([sys.executable, "-c", ROLE, str(tmp_path)]) as role:
        try:
            first = wait_until_held(tmp_path, "b", 20.0)
            release(tmp_path, "b", role.pid, then=Hold(effect="ReadTop"))
            second = wait_until_held(tmp_path, "b", 20.0)
            release(tmp_path, "b", role.pid)
            status = role.wait(20.0)
        finally:
            role.kill()

    assert ("FetchLatestPlan", "ReadTop", 0, False) == (
        first["effect"],
        second["effect"],
        status,
        is_held(tmp_path, "b"),
    )
