"""No command in the documentation can rot: each one parses, and each runs here or in the test named for it."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer.main

from outlast.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
FENCE = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)

HERE = ("make", "make help", "outlast --help", "outlast --version", "outlast init", "outlast drill list")
"""Commands that run as they stand, in an empty folder, within a second."""

CONTROL_PLANE = "tests/cli/test_control_plane.py::"
ORDERS = "tests/cli/test_orders_by_hand.py::"
ROUTE53 = "tests/cli/test_route53_commands.py::"
RESOLVER = "tests/integration/resolver/test_resolver_command.py::"
ELSEWHERE = {
    "make setup": ".ci/run",
    "make drill": "tests/drill",
    "outlast drill": "tests/drill",
    "outlast drill --trace": "tests/drill/test_replay.py",
    "make check": ".ci/run",
    "make test": ".ci/run",
    "make bench": "tests/docs/test_benchmarks.py",
    "make docs": "tests/docs/test_cli_reference.py::test_the_page_is_current",
    "outlast verify": "tests/cli/test_verify.py",
    "outlast up": f"{CONTROL_PLANE}test_the_whole_control_plane_in_one_process",
    "outlast status": f"{CONTROL_PLANE}test_the_table_of_status",
    "outlast freeze": f"{CONTROL_PLANE}test_freeze_and_thaw",
    "outlast thaw": f"{CONTROL_PLANE}test_freeze_and_thaw",
    "outlast evacuate": f"{ORDERS}test_a_target_is_evacuated_and_comes_back",
    "outlast pin": f"{ORDERS}test_a_pin_holds_against_health",
    "outlast plan": f"{ORDERS}test_going_back_to_an_older_plan",
    "outlast audit": f"{ORDERS}test_the_audit_log_tells_who_why_and_what",
    "outlast doctor": f"{CONTROL_PLANE}test_what_doctor_says",
    "outlast exporter run": f"{ORDERS}test_metrics_follow",
    "outlast adopt": f"{CONTROL_PLANE}test_a_name_with_records_is_adopted",
    "outlast retire": f"{CONTROL_PLANE}test_a_retired_name_is_left_alone",
    "outlast break-glass": f"{CONTROL_PLANE}test_break_glass_with_nothing_else",
    "outlast route53 prepare": f"{ROUTE53}test_preparing_is_shown_first_and_done_once",
    "outlast route53 watch": f"{ROUTE53}test_a_region_is_left_and_come_back_to_while_route53_takes_no_changes",
    "outlast route53 leave": f"{ROUTE53}test_a_region_is_left_and_come_back_to_while_route53_takes_no_changes",
    "outlast route53 leave east --here": f"{ROUTE53}test_a_region_is_left_with_the_registry_down_too",
    "outlast route53 return": f"{ROUTE53}test_a_region_is_left_and_come_back_to_while_route53_takes_no_changes",
    "outlast planner run": f"{CONTROL_PLANE}test_roles_in_processes_of_their_own",
    "outlast prober run": f"{CONTROL_PLANE}test_roles_in_processes_of_their_own",
    "outlast enactor run": f"{CONTROL_PLANE}test_roles_in_processes_of_their_own",
    "outlast janitor run": f"{CONTROL_PLANE}test_roles_in_processes_of_their_own",
    "outlast nameserver serve": "tests/cli/conftest.py",
    "outlast resolver ask": f"{RESOLVER}test_addresses_with_their_origin",
    "outlast resolver forget": f"{RESOLVER}test_the_store_is_shared_and_can_forget",
}
"""Commands by how they begin, and where they run, with the options that the test needs."""


class Documented(NamedTuple):
    """A command as a reader would paste it."""

    page: str
    text: str


def documented() -> list[Documented]:
    """Return the commands in the fenced `sh` blocks of every page; comments and prompts are no part of them."""
    found = []
    for page in PAGES:
        for block in FENCE.findall(page.read_text(encoding="utf-8")):
            lines = (line.split(" #")[0].removeprefix("$ ").strip() for line in block.replace("\\\n", " ").splitlines())
            found += [Documented(page.name, line) for line in lines if line.split(" ")[0] in {"make", "outlast"}]
    return found


def place_of(command: str) -> str:
    """Return where a command runs: `here`, or the test of the longest entry that it begins with, or nothing."""
    if command in HERE:
        return "here"
    known = [start for start in ELSEWHERE if command == start or command.startswith(f"{start} ")]
    return ELSEWHERE[max(known, key=len)] if known else ""


def is_there(place: str) -> bool:
    """Whether a place is a file, with the test in it if one is named, or a folder of tests."""
    name, _, test = place.partition("::")
    path = ROOT / name
    if path.is_dir():
        return any(path.rglob("test_*.py"))
    return path.is_file() and (not test or f"def {test}(" in path.read_text())


def leaf(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that the words lead to, and the arguments left for it."""
    command: Any = typer.main.get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    return command, words


def test_each_documented_command_has_a_test() -> None:
    """A command that nothing runs must not be documented."""
    assert [] == [item for item in documented() if not place_of(item.text)]


def test_the_tests_named_exist() -> None:
    """A documented command that runs elsewhere names a test that is there."""
    missing = []
    for item in documented():
        place = place_of(item.text)
        missing += [] if place == "here" or is_there(place) else [(item, place)]

    assert [] == missing


def test_each_documented_command_parses() -> None:
    """Every documented `outlast …` names commands and options that exist."""
    for page, text in documented():
        words = shlex.split(text)[1:]
        if text.startswith("outlast ") and text not in HERE:
            command, arguments = leaf(words)
            assert not hasattr(command, "commands"), f"{page}: {text}"
            command.make_context(text, arguments)


@pytest.mark.slow
@pytest.mark.parametrize("command", HERE)
def test_a_documented_command_runs(command: str, tmp_path: Path) -> None:
    """A command that needs nothing runs as it stands and ends with status 0."""
    program, *arguments = shlex.split(command)
    start = ["make", "-C", str(ROOT)] if program == "make" else [str(Path(sys.executable).parent / program)]
    done = subprocess.run([*start, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert 0 == done.returncode, done.stderr
    assert done.stdout
