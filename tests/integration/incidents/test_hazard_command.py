"""`python -m outlast.incidents` as a stranger starts it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from outlast.incidents.command import main
from outlast.incidents.store import PlanStore

NAMESERVER = {
    "nameserver": "127.0.0.1",
    "port": 1,
    "zone": "example.test.",
    "key_name": "drill.",
    "key_secret": "c2VjcmV0",
    "timeout": 0.5,
}


def options(folder: Path, document: dict[str, object]) -> str:
    """Write an options file."""
    path = folder / "options.json"
    path.write_text(json.dumps({"plans": str(folder / "plans"), "trace": str(folder / "trace")} | document))
    return str(path)


def test_help_says_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """The help warns, and shows a file that works."""
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    text = capsys.readouterr().out

    assert caught.value.code == 0
    assert "can never be configured for real use" in text
    assert '"first": 109' in text


def test_a_nameserver_elsewhere_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The role does not start, says why, and its status is 2."""
    status = main(["enactor", "--options", options(tmp_path, NAMESERVER | {"nameserver": "192.0.2.53"})])

    assert status == 2
    assert "hazard mode never leaves loopback" in capsys.readouterr().err


def test_a_planner_publishes_up_to_its_ceiling(tmp_path: Path) -> None:
    """With `--once` it ends there."""
    document = {"endpoints": {"db.example.test.": ["127.0.1.1"]}, "first": 109, "ceiling": 111, "every": 0.01}
    status = main(["planner", "--once", "--options", options(tmp_path, document)])

    assert (status, PlanStore(tmp_path / "plans").numbers()) == (0, (109, 110, 111))


def test_a_planner_goes_on_from_the_newest_plan(tmp_path: Path) -> None:
    """Started again, it repeats no number."""
    document = {"endpoints": {"db.example.test.": ["127.0.1.1"]}, "first": 109, "every": 0.01}
    main(["planner", "--once", "--options", options(tmp_path, document | {"ceiling": 110})])
    before = (tmp_path / "plans" / "plan-000110.json").stat()
    main(["planner", "--once", "--options", options(tmp_path, document | {"ceiling": 112})])

    assert PlanStore(tmp_path / "plans").numbers() == (109, 110, 111, 112)
    assert before.st_ino == (tmp_path / "plans" / "plan-000110.json").stat().st_ino


def test_an_enactor_without_a_nameserver_notes_it_and_lives(tmp_path: Path) -> None:
    """A refused connection ends the walk, not the role."""
    planner = {"endpoints": {"db.example.test.": ["127.0.1.1"]}, "every": 0.01}
    main(["planner", "--once", "--options", options(tmp_path, planner | {"trace": ""})])
    status = main(["enactor", "--once", "--options", options(tmp_path, NAMESERVER)])
    lines = [json.loads(line) for line in (tmp_path / "trace").read_text().splitlines()]

    assert status == 0
    assert [line["answer"] for line in lines if line["phase"] == "end" and "answer" in line] == ["PlanFound", "Failed"]
    assert lines[-1]["effect"] == "Note"
    assert "ReadTop" in lines[-1]["detail"]["reason"]


@pytest.mark.slow
def test_the_module_runs_without_the_drill() -> None:
    """The hazard roles import nothing of the drill."""
    code = "import sys, outlast.incidents.command as c; print([m for m in sys.modules if 'outlast.drill' in m])"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert ran.stdout.strip() == "[]"


@pytest.mark.slow
def test_the_module_has_an_entry_point() -> None:
    """`python -m outlast.incidents` without arguments tells its usage."""
    ran = subprocess.run([sys.executable, "-m", "outlast.incidents"], check=False, capture_output=True, text=True)

    assert (ran.returncode, ran.stderr.split()[0]) == (2, "usage:")
