"""Whatever ends a drill, and whenever: nothing of it is left."""

import os
import random
import re
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from drill_process import Drill, running, short

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

EARLIEST, PLAYING, LATEST = 0.2, 11.0, 22.0
"""Seconds after its start: from before the first process of the drill, over the middle of the first act, to about its end."""
AT_ONCE = 3
LIVE = ("us-east-1-2025", "--act", "fenced", "--seed", "1")
"""What a person types."""
STYLE = re.compile(r"\x1b\[[0-9;]*m")
"""Bold and dim, which stand between the words of a terminal's picture."""


class Ending(NamedTuple):
    """How a drill ended."""

    at: float
    status: int
    left: dict[int, str]
    folders: list[str]


def draw(count: int, latest: float = LATEST) -> list[float]:
    """Moments spread over the time until `latest`: one at random in each of `count` equal parts."""
    seed = int(os.environ.get("OUTLAST_SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"seed {seed}: OUTLAST_SEED={seed} pytest {__file__}")  # noqa: T201  shown when the test fails
    chance = random.Random(seed)
    part = (latest - EARLIEST) / count
    return [EARLIEST + part * (number + chance.random()) for number in range(count)]


def once(number: signal.Signals, drill: Drill) -> None:
    """One signal to the drill alone; its children hear nothing."""
    drill.process.send_signal(number)


def twice_quickly(drill: Drill) -> None:
    """An impatient person."""
    for _ in range(2):
        drill.process.send_signal(signal.SIGINT)
        time.sleep(0.05)


def end(folder: Path, at: float, how: Callable[[Drill], None]) -> Ending:
    """Start a drill, end it after `at` seconds, and look what is left."""
    with running(folder, *short(seed=1)) as drill:
        time.sleep(at)
        assert drill.process.poll() is None, drill.output
        how(drill)
        status = drill.wait()
        return Ending(round(at, 2), status, drill.left_behind(), drill.folders())


@pytest.mark.long
def test_interrupted_drill_leaves_nothing(tmp_path: Path) -> None:
    """SIGINT, SIGTERM and two quick SIGINTs at six random moments: status 130, no process, no folder."""
    ways = [partial(once, signal.SIGINT), partial(once, signal.SIGTERM), twice_quickly] * 2
    moments = draw(len(ways))
    with ThreadPoolExecutor(AT_ONCE) as threads:
        folders = [tmp_path / str(number) for number in range(len(ways))]
        endings = list(threads.map(end, folders, moments, ways))

    assert [Ending(round(at, 2), 130, {}, []) for at in moments] == endings


def test_killed_drill_leaves_no_process(tmp_path: Path) -> None:
    """SIGKILL of the drill, once while its world starts and once while an act plays: its children end by themselves."""
    moments = draw(2, PLAYING)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        folders = [tmp_path / str(number) for number in range(len(moments))]
        endings = list(threads.map(partial(end, how=partial(once, signal.SIGKILL)), folders, moments))

    assert [(128 + signal.SIGKILL, {})] * 2 == [(ending.status, ending.left) for ending in endings]


@pytest.mark.long
def test_ctrl_c_twice_in_a_terminal(tmp_path: Path) -> None:
    """The live view shows act, phase, groups, answer and roles; Ctrl-C from the keyboard reaches all and ends all."""
    inside = "import os, pty, sys; raise SystemExit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    drill_command = (sys.executable, "-m", "outlast.cli", "drill", *LIVE)
    with running(tmp_path / "tmp", sys.executable, "-c", inside, *drill_command) as drill:
        drill.wait_for("phase: steady")
        drill.wait_for("100% answered")
        picture = STYLE.sub("", drill.output)
        assert drill.process.stdin is not None
        for _ in range(2):
            drill.process.stdin.write(b"\x03")
            drill.process.stdin.flush()
            time.sleep(0.05)
        status = drill.wait()
        left, folders = drill.left_behind(), drill.folders()
    wanted = (
        "act fenced",
        "plain-two-regions",
        "DNS answers now for dynamodb.us-east-1.fenced.test: 127.0.1.1",
        "enactor-a",
    )

    assert [] == [text for text in wanted if text not in picture]
    assert (130, {}, []) == (status, left, folders)


@pytest.mark.long
def test_dead_name_server_ends_the_drill(tmp_path: Path) -> None:
    """A child that dies is named with its status; status 1, and nothing is left."""
    with running(tmp_path / "tmp", *short(seed=1)) as drill:
        drill.wait_for("-- steady")
        (pid,) = [pid for pid, command in drill.children().items() if "drill.roles nameserver" in command]
        os.kill(pid, signal.SIGKILL)
        status = drill.wait()
        left, folders = drill.left_behind(), drill.folders()

    assert (1, {}, []) == (status, left, folders)
    assert "the drill could not be played: nameserver ended with status -9" in drill.output
