"""What the explorer found, seen on real sockets: `outlast verify --script`, then `outlast drill --trace`, as people do."""

import json
import signal
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from drill_process import running

from outlast.cli import main
from outlast.drill.replay.automation import Automation
from outlast.drill.replay.play import play
from outlast.drill.replay.script import DIED, Script, Step

pytestmark = pytest.mark.slow

COMMAND = (sys.executable, "-m", "outlast.cli")


class Played(NamedTuple):
    """A script that was played to its end."""

    status: int
    output: str
    result: dict[str, Any]
    left: dict[int, str]
    folders: list[str]

    def answers(self) -> list[list[str]]:
        """What DNS answered after each step."""
        return [step["dns"]["a.example"]["addresses"] for step in self.result["steps"]]

    def missed(self) -> list[str]:
        """Expectations that did not hold."""
        return [f"{it['claim']}: {it['measured']}" for it in self.result.get("expectations", []) if not it["held"]]


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the outage's script, `empty.json`, and ours with the same stops, `ours.json`."""
    folder = tmp_path_factory.mktemp("scripts")
    empty, ours = str(folder / "empty.json"), str(folder / "ours.json")
    verified("--protocol", "aws-2025", "--crashes", "0", "--no-recovery", "--script", empty, status=1)
    verified("--stops", empty, "--script", ours, status=0)
    return folder


def verified(*words: str, status: int) -> None:
    """Run `outlast verify` in this process."""
    with pytest.raises(SystemExit) as ended:
        main(("verify", *words))

    assert status == (ended.value.code or 0)


def played(folder: Path, script: Path) -> Played:
    """Play a script with the command."""
    result = folder / "result.json"
    with running(folder / "tmp", *COMMAND, "drill", "--trace", str(script), "--json", str(result)) as drill:
        status, left, folders = drill.wait(), drill.left_behind(), drill.folders()
        found = json.loads(result.read_text()) if result.exists() else {}
        return Played(status, drill.output, found, left, folders)


def test_the_outage_is_seen_on_real_sockets(tmp_path: Path, scripts: Path) -> None:
    """Each step as the explorer says; the record goes from plan 3 to plan 1 to nothing, and all are refused from then on."""
    done = played(tmp_path, scripts / "empty.json")

    assert (0, []) == (done.status, done.missed()), done.output
    assert [["192.0.2.3"], ["192.0.2.1"], []] == done.answers()[-3:]
    assert "NOERROR" == done.result["steps"][-1]["dns"]["a.example"]["rcode"]
    assert done.result["verdict"].startswith("EMPTY AND STUCK")
    assert ({}, []) == (done.left, done.folders)


def test_with_the_same_stops_ours_is_refused_and_never_empty(tmp_path: Path, scripts: Path) -> None:
    """The sleeper's transaction is refused by the name server itself; from the first address on there is always one."""
    done = played(tmp_path, scripts / "ours.json")

    assert (0, []) == (done.status, done.missed()), done.output
    refused = [step for step in done.result["steps"] if step["answer"] == "Conflict"]
    answers = done.answers()
    first = next(at for at, answer in enumerate(answers) if answer)
    assert [("e1", "Commit")] == [(step["actor"], step["effect"]) for step in refused]
    assert first < refused[0]["step"] - 1
    assert all(answers[first:])
    assert {0, 3} == {step["dns"]["a.example"]["generation"] for step in done.result["steps"]}
    assert done.result["verdict"].startswith("REFUSED")
    assert ({}, []) == (done.left, done.folders)


def test_another_order_is_not_what_the_script_says(tmp_path: Path, scripts: Path) -> None:
    """The last two steps exchanged: reality differs from the script at the first of them, which is named."""
    document = json.loads((scripts / "empty.json").read_text())
    document["steps"][-2:] = reversed(document["steps"][-2:])
    path = tmp_path / "exchanged.json"
    path.write_text(json.dumps(document))
    done = played(tmp_path, path)

    assert (1, {}, []) == (done.status, done.left, done.folders)
    assert "step 19 of 20 (e2 deletes the tree of plan 1, old beside its own plan 3)" in done.output
    assert "DNS answers NOERROR 192.0.2.3 for a.example; the script says no address" in done.output
    assert (18, True) == (len(done.result["steps"]), done.result["verdict"].startswith("NOT AS TOLD: step 19 of 20"))


def test_nothing_is_left_of_an_interrupted_play(tmp_path: Path, scripts: Path) -> None:
    """Ctrl-C while every role is stopped: status 130, and no process and no folder stays."""
    with running(tmp_path / "tmp", *COMMAND, "drill", "--trace", str(scripts / "empty.json")) as drill:
        drill.wait_for("builds the tree of plan 1")
        drill.process.send_signal(signal.SIGINT)
        found = (drill.wait(), drill.left_behind(), drill.folders())

    assert (130, {}, []) == found, drill.output


def step(actor: str, effect: str, answer: str, fields: dict[str, Any], says: dict[str, Any]) -> Step:
    """A step on plan 1, while DNS answers nothing."""
    known = {} if effect == "FetchLatestPlan" else {"plan": 1, "endpoint": "a.example"}
    return Step(
        actor=actor, effect=effect, fields=known | fields, answer=answer, says=says, dns={"a.example": ()}, words=""
    )


def begun(actor: str, lock: str, *, is_expired: bool | None = None) -> tuple[Step, ...]:
    """A walk up to the lock."""
    expiry = {} if is_expired is None else {"is_expired": is_expired}
    return (
        step(actor, "FetchLatestPlan", "PlanFound", {}, {"plan": 1}),
        step(actor, "ReadTop", "TopRead", {}, {"target": None}),
        step(actor, "BuildTree", "TreeBuilt", {}, {}),
        step(actor, "ReadLock", "LockRead", {}, {"value": lock, **expiry}),
        step(actor, "AcquireLock", "LockAcquired", {"over": lock}, {"value": actor}),
    )


def test_who_dies_begins_anew_and_locks_expire() -> None:
    """One enactor is killed with the lock in its hand and starts from the beginning; the other one waits for the lock."""
    plan = Step(
        actor="planner", effect="Publish", fields={"plan": 1}, answer="Published", dns={"a.example": ()},
        configured={"a.example": ("192.0.2.1",)},
    )  # fmt: skip
    dies = step("e1", "ReadActive", DIED, {}, {})
    again = step("e1", "FetchLatestPlan", "PlanFound", {}, {"plan": 1})
    steps = (plan, *begun("e1", ""), dies, *begun("e2", "e1", is_expired=True), again)
    script = Script(protocol="aws-2025", enactors=2, endpoints=("a.example",), keep=2, shows="", steps=steps)
    told: list[int] = []
    with Automation(script, is_interrupted=lambda: False) as world:
        world.start()
        first = world.crew.pid("e1")
        play(world, lambda seen: told.append(seen.number))
        second = world.crew.pid("e1")
    world.remove_folder()

    assert list(range(1, len(steps) + 1)) == told
    assert first != second
