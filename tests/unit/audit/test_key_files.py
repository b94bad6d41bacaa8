"""A file with a secret that more than its owner may open is a warning with the chmod that mends it."""

import os
from pathlib import Path

import pytest

from outlast.audit.findings import Finding, Level
from outlast.audit.key_files import examine_files, judge_file

ROOT, SOMEBODY = 0, 10_001
EVERYBODY, GROUP = "everybody on this machine", "its whole group"


def key_file(folder: Path, mode: int) -> tuple[Path, int]:
    """A key file, and its owner, who is not root."""
    path = folder / "the key"
    path.write_text("c2VjcmV0")
    path.chmod(mode)
    if os.geteuid() == ROOT:
        os.chown(path, SOMEBODY, SOMEBODY)
    return path, path.stat().st_uid


@pytest.mark.parametrize(
    ("mode", "who"), [(0o644, EVERYBODY), (0o604, EVERYBODY), (0o602, EVERYBODY), (0o640, GROUP), (0o660, GROUP)]
)
def test_ones_own_file_is_open_to_others(tmp_path: Path, mode: int, who: str) -> None:
    """Others or the whole group may open it; the chmod is there to be pasted."""
    path, owner = key_file(tmp_path, mode)
    words = f"its mode is {mode:04o}: it is open to {who}"

    assert [Finding(Level.WARN, "key file", str(path), words, f"chmod 600 '{path}'")] == judge_file(path, user=owner)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_file_of_its_owner_alone_is_right(tmp_path: Path, mode: int) -> None:
    """Nobody else can open it."""
    path, owner = key_file(tmp_path, mode)

    assert [] == judge_file(path, user=owner)


@pytest.mark.parametrize("user", [ROOT, SOMEBODY + 1])
def test_a_file_of_somebody_else_may_have_a_group(tmp_path: Path, user: int) -> None:
    """By its group a role reads what is not its own, and root may look on; open to everybody, it keeps its group."""
    path, _ = key_file(tmp_path, 0o640)
    closed = judge_file(path, user=user)
    path.chmod(0o644)
    (found,) = judge_file(path, user=user)

    assert [] == closed
    assert (Level.WARN, True) == (found.level, found.fix.startswith(f"chmod o= '{path}', "))


def test_a_file_that_is_not_there_is_not_judged(tmp_path: Path) -> None:
    """Whoever needs what is in it says so; a file named twice is told once."""
    path, _ = key_file(tmp_path, 0o644)

    assert [str(path)] == [it.subject for it in examine_files([path, tmp_path / "none", path])]
