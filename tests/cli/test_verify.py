"""`outlast verify` from end to end: verdicts with their statuses, the JSON that scripts rely on, traces in words."""

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_world import Run

from outlast.cli.verify import verify

SMALL = ("verify", "--plans", "2", "--crashes", "0")


def test_help_says_what_it_checks(run: Run) -> None:
    """The first sentence keeps it apart from `doctor`."""
    text = " ".join(run("verify", "--help").stdout.split())

    assert "Checks outlast's own protocol; to check your set-up run `outlast doctor`." in text


def test_pass(run: Run) -> None:
    """Every interleaving of a small world is explored, and all recovers."""
    done = run(*SMALL)

    assert 0 == done.returncode
    assert done.stdout.startswith(
        "PASS: no interleaving breaks a rule, and from every state the system returns to health"
    )


def test_fail_is_told_by_its_shortest_trace(run: Run) -> None:
    """The outage of 2025: who did what, and what DNS answers after it, and that nothing leads out again."""
    done = run("verify", "--protocol", "aws-2025", "--crashes", "0")
    last = [line for line in done.stdout.splitlines() if "deletes the tree of plan 1" in line]

    assert 1 == done.returncode
    assert done.stdout.startswith("FAIL: never empty")
    assert last[0].endswith("DNS: no address")
    assert "states from which nothing the system does leads back to health" in done.stdout


def test_a_mended_hazard(run: Run) -> None:
    """Without one hazard the automation of 2025 passes."""
    assert 0 == run("verify", "--protocol", "aws-2025", "--without", "blind-clean-up").returncode


def test_undetermined(run: Run) -> None:
    """A used-up budget is neither, and has a status of its own."""
    done = run("verify", "--max-states", "1")

    assert 3 == done.returncode
    assert done.stdout.startswith("UNDETERMINED")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_walks_end_when_their_time_is_over(run: Run, jobs: str) -> None:
    """Walks that were not all walked within the seconds given are neither, and it is told how many had no fault."""
    walks = ("verify", "--walks", "1000000", "--jobs", jobs, "--max-seconds", "0.5")
    text, as_json = run(*walks), run(*walks, "--json")
    found = json.loads(as_json.stdout)

    assert (3, 3) == (text.returncode, as_json.returncode)
    assert re.fullmatch(
        r"UNDETERMINED: 0\.5 s were over after [\d,]+ of 1,000,000 walks, none with a fault\n", text.stdout
    )
    assert ("UNDETERMINED", True) == (found["verdict"], 0 <= found["walks"] < 1_000_000)


def test_walks_have_all_the_time_they_need_by_default() -> None:
    """What ends a search that nobody has limited does not end walks."""
    option = inspect.signature(verify).parameters["max_seconds"]

    assert option.default is None


def test_walks_that_need_not_recover(run: Run) -> None:
    """With --no-recovery it is no fault that health is not back, only a broken rule is; and the verdict says so."""
    walks = ("verify", "--walks", "5", "--jobs", "1", "--without", "repair", "--fault", "records-lost=2")
    asked, not_asked, found = run(*walks), run(*walks, "--no-recovery"), run(*walks, "--no-recovery", "--json")

    assert (1, True) == (asked.returncode, asked.stdout.startswith("FAIL: health is not back"))
    assert (0, True) == (not_asked.returncode, not_asked.stdout.startswith("PASS: 5 walks break no rule; the last"))
    assert json.loads(found.stdout)["recovers"] is None


def test_json(run: Run) -> None:
    """The keys that scripts rely on."""
    done = run(*SMALL, "--without", "counting", "--json")
    found = json.loads(done.stdout)
    keys = {"verdict", "states", "transitions", "depth", "seconds", "states_per_cpu_second", "trace"}

    assert 1 == done.returncode
    assert keys <= found.keys()
    assert ("FAIL", "n does not rise: 1 -> 1") == (found["verdict"], found["reason"])
    assert {"actor", "step", "answer"} == found["trace"][0].keys()


def test_what_a_proof_rests_on_is_said(run: Run) -> None:
    """Several endpoints and many enactors are reduced to less, each by an argument that is printed."""
    done = run(*SMALL, "--enactors", "3", "--endpoints", "2")

    assert 4 == done.stdout.count("resting on: ")
    assert "rule h" in done.stdout


def test_what_waits_for_a_person_is_listed_with_the_command(run: Run) -> None:
    """A hold is no trap: its command is printed."""
    done = run(*SMALL, "--enactors", "1", "--fault", "freezes")

    assert 0 == done.returncode
    assert "a hold: outlast thaw" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--fault", "rain"),
        ("--fault", "freezes=9"),
        ("--without", "luck"),
        ("--protocol", "aws-2025", "--without", "hold"),
    ],
)
def test_a_name_that_does_not_exist(run: Run, arguments: tuple[str, ...]) -> None:
    """What is no fault, guard or hazard is refused with where to look."""
    done = run("verify", *arguments)

    assert 2 == done.returncode
    assert "--list" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("--script", "x.json"), "--script writes the trace of aws-2025"),
        (("--protocol", "aws-2025", "--script", "no/x.json"), "--script no/x.json: no file can be there"),
        (("--protocol", "aws-2025", "--script", "x.json", "--without", "blind-clean-up"), "without blind-clean-up"),
        (("--protocol", "aws-2025", "--script", "x.json", "--lost-replies", "1"), "lost replies"),
        (("--protocol", "aws-2025", "--script", "x.json", "--walks", "1"), "--script writes the trace of aws-2025"),
        (("--protocol", "aws-2025", "--script", "x.json", "--plans", "1"), "there is no trace to write"),
        (("--protocol", "aws-2025", "--stops", "x.json"), "--stops leads the machines of outlast"),
        (("--stops", "x.json"), "x.json: No such file or directory; write one with outlast verify --script"),
    ],
)
def test_what_cannot_be_a_script(run: Run, arguments: tuple[str, ...], fault: str) -> None:
    """A trace that is none, cannot be played or cannot be written is refused; nothing is written."""
    done = run("verify", *arguments)

    assert 0 != done.returncode
    assert fault in done.stderr
    assert not list(Path.cwd().iterdir())


def test_stops_are_told_as_a_trace_is(run: Run) -> None:
    """What our machines do with the stops of the outage: text, and JSON for scripts; a file for the drill."""
    run("verify", "--protocol", "aws-2025", "--crashes", "0", "--no-recovery", "--script", "empty.json")
    text = run("verify", "--stops", "empty.json", "--script", "ours.json")
    found = json.loads(run("verify", "--stops", "empty.json", "--json").stdout)

    assert text.stdout.startswith("PASS: no rule is broken")
    assert "outlast drill --trace ours.json" in text.stderr
    assert ("PASS", 1) == (found["verdict"], found["refused"])
    assert [line["step"] in text.stdout for line in found["trace"]] == [True] * len(found["trace"])
    assert len(found["trace"]) == len(json.loads(Path("ours.json").read_text())["steps"])


def test_faults_and_guards_are_listed(run: Run) -> None:
    """Everything that `--fault` and `--without` take, with what it is."""
    done = run("verify", "--list")

    assert {"sentinel-lost", "lost-reply", "one-time-check"} <= set(done.stdout.split())


@pytest.mark.slow
def test_the_same_question_has_the_same_answer() -> None:
    """States, moves and trace do not depend on PYTHONHASHSEED."""
    question = (
        sys.executable,
        "-m",
        "outlast.cli",
        *SMALL,
        "--without",
        "recheck",
        "--fault",
        "sentinel-lost",
        "--json",
    )
    answers = []
    for seed in ("1", "2"):
        done = subprocess.run(
            question,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        found = json.loads(done.stdout)
        answers.append({key: found[key] for key in ("verdict", "states", "transitions", "depth", "trace")})

    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--protocol", "aws-2025", "--janitor"), "has neither --fault nor --janitor"),
        (("--fault", "thaws"), "there is nothing to thaw"),
        (("--providers", "2"), "--providers is for --walks"),
        (("--script", "trace.json"), "--script writes the trace of aws-2025"),
    ],
)
def test_options_that_do_not_go_together_refute_nothing(run: Run, arguments: tuple[str, ...], words: str) -> None:
    """A command line that is refused has the status 2: 1 would say that the protocol is broken."""
    done = run("verify", *arguments)

    assert (2, "", True) == (done.returncode, done.stdout, words in done.stderr)


def test_a_restored_registry_brings_its_backup(run: Run) -> None:
    """Without a backup nothing could be restored, and a PASS would say nothing."""
    small = ("verify", "--enactors", "1", "--plans", "2", "--crashes", "0", "--json")
    alone = json.loads(run(*small).stdout)["states"]
    restored = json.loads(run(*small, "--fault", "registry-restored").stdout)

    assert ("PASS", True) == (restored["verdict"], restored["states"] > 2 * alone)


def test_what_is_stuck_does_not_recover(run: Run) -> None:
    """Where a rule is broken and states are stuck besides, both are told."""
    told = json.loads(run("verify", "--protocol", "aws-2025", "--json").stdout)

    assert ("FAIL", False, True) == (told["verdict"], told["recovers"], told["stuck"]["states"] > 0)


def test_without_a_trace_no_script_is_written(run: Run, tmp_path: Path) -> None:
    """A search that was given up has its own status, and leaves no file."""
    done = run("verify", "--protocol", "aws-2025", "--max-states", "10", "--script", "trace.json")

    assert (3, False) == (done.returncode, (tmp_path / "trace.json").exists())
    assert "trace.json: not written, for the search was given up" in done.stderr
