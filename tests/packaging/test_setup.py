"""`make setup` fails politely: what is missing and how to get it, in one line, with a status that is not 0."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FILES = ("Makefile", "pyproject.toml", "requirements.lock", "scripts/setup.sh")

TOO_OLD = """#!/bin/sh
[ "$1" = -V ] && echo "Python 3.9.2" && exit 0
exit 1
"""
WITHOUT_VENV = """#!/bin/sh
case "$*" in *ensurepip*) echo "ModuleNotFoundError: No module named 'ensurepip'" >&2; exit 1;; esac
exec "{python}" "$@"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what setup reads."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def set_up(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `make setup` in the copy."""
    # A make around the tests would hand its own settings down.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "setup"],
        cwd=checkout,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return what was said, without make's own line about the failed target."""
    return [line for line in done.stderr.splitlines() if not line.startswith("make")]


def with_python(checkout: Path, script: str) -> str:
    """Put a `python3` before all others; return the path to search."""
    program = checkout / "programs" / "python3"
    program.parent.mkdir()
    program.write_text(script)
    program.chmod(0o755)
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}"


def test_no_python(checkout: Path) -> None:
    """Without Python, one line says which to install."""
    done = set_up(checkout, PYTHON="python-that-is-not-there")

    assert 0 != done.returncode
    assert [True] == ["install Python 3.11 or newer" in line for line in said(done)]


def test_a_python_that_is_too_old(checkout: Path) -> None:
    """With an old Python, one line says which it is and how to name another."""
    done = set_up(checkout, PATH=with_python(checkout, TOO_OLD))

    assert 0 != done.returncode
    assert [True] == ["Python 3.9.2 is too old" in line and "make PYTHON=" in line for line in said(done)]


def test_no_venv_module(checkout: Path) -> None:
    """Without the venv module, one line says which package brings it."""
    done = set_up(checkout, PATH=with_python(checkout, WITHOUT_VENV.format(python=sys.executable)))

    assert 0 != done.returncode
    assert [True] == ["apt install python3-venv" in line for line in said(done)]


def test_no_package_index(checkout: Path) -> None:
    """If packages cannot be fetched, the last line says what to look at, and the next try starts anew."""
    # Port 1 of loopback refuses; no file or variable of this machine may help out.
    settings = {name: "" for name in os.environ if name.startswith("PIP_")}
    settings |= {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:1/", "PIP_RETRIES": "0"}
    done = set_up(checkout, PYTHON=sys.executable, **settings)

    assert 0 != done.returncode
    assert "is a package index reachable?" in said(done)[-1]
    assert not (checkout / ".venv" / ".ready").exists()
