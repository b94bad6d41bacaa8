"""Standard output on a full disk, closed, or with nobody reading any more: no traceback, and what was done is said."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_world import COMMAND, ENVIRONMENT, World

DEVICE = Path("/dev/full")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DEVICE.exists(), reason="no /dev/full on this system"),
]
FULL = "outlast: standard output cannot be written: No space left on device"
DONE = "; --apply was carried out all the same, and outlast audit has it if the registry was reached"
DB = "db.example.com"


@pytest.fixture
def full() -> Iterator[int]:
    """A file to which nothing can be written any more."""
    opened = os.open(DEVICE, os.O_WRONLY)
    yield opened
    os.close(opened)


def run(folder: Path, stdout: int, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command that writes into this open file."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**ENVIRONMENT, **environment},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("verify", "--list"), ("init",)], ids=" ".join)
def test_a_full_disk_is_one_line(tmp_path: Path, full: int, arguments: tuple[str, ...], unbuffered: str) -> None:
    """Whoever writes, and whether at once or from a buffer at the end: the status is 1, the fault is told."""
    done = run(tmp_path, full, *arguments, PYTHONUNBUFFERED=unbuffered)

    assert (1, f"{FULL}\n") == (done.returncode, done.stderr)


def test_nobody_reading_is_no_fault(tmp_path: Path) -> None:
    """After `| head` has what it wants nothing is said."""
    reading, writing = os.pipe()
    os.close(reading)
    done = run(tmp_path, writing, "verify", "--list")
    os.close(writing)

    assert (1, "") == (done.returncode, done.stderr)


def test_a_closed_output_is_one_line(tmp_path: Path) -> None:
    """A process that was started without any standard output says so."""
    closing = ["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, "--version"]
    done = subprocess.run(closing, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, check=False)

    expected = "outlast: standard output cannot be written: Bad file descriptor\n"
    assert (1, expected) == (done.returncode, done.stderr)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_what_was_applied_is_said(world: World, full: int, unbuffered: str) -> None:
    """A hand whose report is lost has written all the same, and says so; a look or a dry run has not."""
    world.settle()
    told = [
        run(world.folder, full, *arguments, PYTHONUNBUFFERED=unbuffered)
        for arguments in (
            ("status",),
            ("freeze", DB),
            ("freeze", DB, "--apply"),
            ("thaw", DB, "--apply", "--json"),
            ("evacuate", "127.0.0.2"),
            ("evacuate", "127.0.0.2", "--apply", "--wait", "0"),
        )
    ]
    deeds = [line.split("  ")[2].split(":")[0] for line in world.run("audit").stdout.splitlines()]

    assert [1] * 6 == [done.returncode for done in told]
    assert [FULL, FULL, FULL + DONE, FULL + DONE, FULL, FULL + DONE] == [done.stderr.strip() for done in told]
    assert ["evacuate 127.0.0.2", f"thaw {DB}@primary", f"freeze {DB}@primary"] == deeds
