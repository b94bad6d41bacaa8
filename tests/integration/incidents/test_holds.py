"""Real processes that stop and kill themselves where they are told."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outlast.drill.holds import (
    ANY,
    Hold,
    NotHeld,
    arm,
    arm_death,
    disarm,
    release,
    wait_until_held,
)
from outlast.incidents.plan import Endpoint, Plan
from outlast.incidents.planner import Publish
from outlast.incidents.protocol import BuildTree, Note, PlanFound
from outlast.incidents.store import PlanStore

# Long enough for a process to start on a busy machine.
PATIENCE = 15.0


class Planner:
    """A hazard planner as a process, publishing every 10 ms from 1 up to 8."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plans = PlanStore(folder / "plans")
        self.process: subprocess.Popen[bytes] | None = None
        options = {
            "plans": str(folder / "plans"),
            "ceiling": 8,
            "every": 0.01,
            "trace": str(folder / "trace"),
            "endpoints": {"db.example.test.": ["127.0.1.1"]},
        }
        (folder / "options.json").write_text(json.dumps(options))

    def start(self, *arguments: str) -> int:
        """Start the process; return its pid."""
        command = [sys.executable, "-m", "outlast.drill.hazard", "planner", "--holds", str(self.folder), *arguments]
        self.process = subprocess.Popen(
            [*command, "--options", str(self.folder / "options.json")], stdin=subprocess.PIPE
        )
        return self.process.pid

    def wait(self) -> int:
        """Wait for the end of the process; return its status."""
        assert self.process is not None
        return self.process.wait(PATIENCE)

    def stop(self) -> None:
        """Kill the process and forget it."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    def trace(self) -> list[dict[str, Any]]:
        """Read what the process did."""
        return [json.loads(line) for line in (self.folder / "trace").read_text().splitlines()]


@pytest.fixture
def planner(tmp_path: Path) -> Iterator[Planner]:
    """A planner that is killed at the end, stopped or not."""
    planner = Planner(tmp_path)
    yield planner
    planner.stop()


@pytest.mark.slow
def test_a_role_stops_before_the_effect_it_was_told(planner: Planner) -> None:
    """A held role has not carried the effect out, is frozen, and does so once released."""
    arm(planner.folder, "planner", "Publish", where={"plan": 3})
    pid = planner.start("--once")
    at = wait_until_held(planner.folder, "planner", PATIENCE)
    published = planner.plans.numbers()
    release(planner.folder, "planner", pid)

    assert at.pop("since") > 0
    assert at == {"effect": "Publish", "detail": {"plan": 3}, "moment": "before", "pid": pid}
    assert published == (1, 2)
    assert planner.wait() == 0
    assert planner.plans.numbers()[-1] == 8


@pytest.mark.slow
def test_a_role_stops_after_the_effect_it_was_told(planner: Planner) -> None:
    """Held after an effect, the role has carried it out, and nothing further."""
    arm(planner.folder, "planner", "Publish", where={"plan": 3}, moment="after")
    planner.start()
    wait_until_held(planner.folder, "planner", PATIENCE)

    assert planner.plans.numbers() == (1, 2, 3)


@pytest.mark.slow
def test_a_release_can_name_the_next_hold(planner: Planner) -> None:
    """A role that is released towards another hold cannot run past it."""
    arm(planner.folder, "planner", "Publish", where={"plan": 2})
    pid = planner.start()
    wait_until_held(planner.folder, "planner", PATIENCE)
    release(planner.folder, "planner", pid, then=Hold(effect="Publish", where={"plan": 4}))
    at = wait_until_held(planner.folder, "planner", PATIENCE)

    assert (at["detail"], planner.plans.numbers()) == ({"plan": 4}, (1, 2, 3))


@pytest.mark.slow
def test_a_stray_continue_releases_nobody(planner: Planner) -> None:
    """Only taking the hold away lets a role go on; a signal from somebody else does not."""
    arm(planner.folder, "planner", "Publish", where={"plan": 2})
    pid = planner.start()
    wait_until_held(planner.folder, "planner", PATIENCE)
    for _ in range(20):
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.005)

    assert (planner.plans.numbers(), (planner.folder / "planner.held.json").exists()) == ((1,), True)


@pytest.mark.slow
def test_a_hold_leaves_its_lines_in_the_trace(planner: Planner) -> None:
    """The trace says when a role was held and when it went on."""
    arm(planner.folder, "planner", "Publish", where={"plan": 1})
    pid = planner.start("--once")
    wait_until_held(planner.folder, "planner", PATIENCE)
    release(planner.folder, "planner", pid)
    planner.wait()
    lines = [(line["phase"], line["effect"]) for line in planner.trace()]

    assert lines[:6] == [
        ("begin", "ReadCeiling"),
        ("end", "ReadCeiling"),
        ("held", "Publish"),
        ("continued", "Publish"),
        ("begin", "Publish"),
        ("end", "Publish"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("effects", "published"), [(1, ()), (2, (1,)), (4, (1, 2)), (5, (1, 2))])
def test_a_role_kills_itself_after_its_nth_effect(planner: Planner, effects: int, published: tuple[int, ...]) -> None:
    """The N-th effect is carried out, the machine never hears of it, and the next process of the role lives."""
    arm_death(planner.folder, "planner", die_after=effects)
    planner.start("--once")

    assert planner.wait() == -signal.SIGKILL
    assert planner.plans.numbers() == published
    planner.stop()
    planner.start("--once")
    assert planner.wait() == 0
    assert planner.plans.numbers() == tuple(range(1, 9))


@pytest.mark.slow
def test_a_role_that_is_gone_cannot_be_released(planner: Planner) -> None:
    """Releasing a dead process says so instead of waiting."""
    arm(planner.folder, "planner", "Publish")
    pid = planner.start()
    wait_until_held(planner.folder, "planner", PATIENCE)
    planner.stop()

    with pytest.raises(NotHeld, match=f"process {pid}"):
        release(planner.folder, "planner", pid)


def test_a_role_that_does_not_come_is_told(tmp_path: Path) -> None:
    """The error names the role and what it was told."""
    arm(tmp_path, "c", "BuildTree", where={"plan": 110})

    with pytest.raises(NotHeld, match=r"c was not held within 0\.01 s .*BuildTree"):
        wait_until_held(tmp_path, "c", 0.01)


def test_what_a_role_was_told_can_be_taken_back(tmp_path: Path) -> None:
    """After disarming, nothing is left in the folder."""
    arm(tmp_path, "c", "BuildTree")
    arm_death(tmp_path, "c", die_after=1)
    disarm(tmp_path, "c")
    disarm(tmp_path, "c")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("hold", "effect", "is_match"),
    [
        (Hold(effect="Publish"), Publish(7), True),
        (Hold(effect="Publish", where={"plan": 7}), Publish(7), True),
        (Hold(effect="Publish", where={"plan": 8}), Publish(7), False),
        (Hold(effect="Publish", where={"endpoint": "db."}), Publish(7), False),
        (Hold(effect="Publish", moment="after"), Publish(7), False),
        (Hold(effect="BuildTree"), Publish(7), False),
        (Hold(effect="BuildTree", where={"addresses": ["127.0.0.1"]}), BuildTree(7, "db.", ("127.0.0.1",)), True),
        (Hold(effect="BuildTree", where={"plan": 7, "endpoint": "web."}), BuildTree(7, "db.", ()), False),
        (Hold(effect="PlanFound", where={"plan.number": 7}), PlanFound(Plan(7, (Endpoint("db.", ()),))), True),
        (Hold(effect="PlanFound", where={"plan.number": 7}), PlanFound(None), False),
    ],
)
def test_a_hold_matches_by_class_and_fields(hold: Hold, effect: object, *, is_match: bool) -> None:
    """All named fields must have the named value; dots look into a field; a missing field never matches."""
    assert hold.matches(effect, "before") is is_match


def test_any_is_every_effect_that_is_answered() -> None:
    """Whoever is told to stop at any effect stops at each, on the side that was told, but not at a note."""
    tree, note = BuildTree(1, "db.example.test.", ("127.0.0.1",)), Note(1, "db.example.test.", "a word")

    assert Hold(effect=ANY).matches(tree, "before")
    assert not Hold(effect=ANY).matches(tree, "after")
    assert not Hold(effect=ANY).matches(note, "before")
    assert not Hold(effect=ANY, where={"plan": 2}).matches(tree, "before")
