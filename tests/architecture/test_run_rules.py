"""The rules of a test run in tests/conftest.py, tried on small runs of their own."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

RULES = Path(__file__).parents[1] / "conftest.py"

SKIPS = "import pytest\n\ndef test_skips():\n    pytest.skip('no such server')\n"
SKIPS_WHOLE = "import pytest\n\npytest.skip('no such system', allow_module_level=True)\n"
EXPECTED_TO_FAIL = "import pytest\n\n@pytest.mark.xfail(strict=True)\ndef test_fails():\n    assert False\n"
# The child is a session of its own and its parent ends at once, so that only its environment tells whose it is.
LEAVES = """
import subprocess, sys

def test_leaves_a_process():
    sleep = "import time; print('up', flush=True); time.sleep(60)"
    start = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {sleep!r}], start_new_session=True)"
    subprocess.run([sys.executable, "-c", start], stdout=subprocess.DEVNULL, check=True)
"""

pytestmark = pytest.mark.slow

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run one test file under our rules and return the finished process."""

    def run_tests(text: str, *arguments: str, whole: str = "", ci: str = "false") -> subprocess.CompletedProcess[str]:
        (tmp_path / "conftest.py").write_text(RULES.read_text())
        (tmp_path / "test_sample.py").write_text(text)
        (tmp_path / "test_first.py").write_text(whole)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-ra",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:hypothesispytest",
            f"--rootdir={tmp_path}",
            *arguments,
        ]
        return subprocess.run(
            command, cwd=tmp_path, env={**os.environ, "CI": ci}, capture_output=True, text=True, timeout=60, check=False
        )

    return run_tests


def test_a_skip_fails_the_run_with_ci(run: Run) -> None:
    """With CI=true a skipped test and a skipped module fail the run and are listed with their reasons."""
    done = run(SKIPS, whole=SKIPS_WHOLE, ci="true")

    assert pytest.ExitCode.OK != done.returncode
    assert re.search(r"fails with CI=true.*no such system.*no such server", done.stdout, re.DOTALL), done.stdout


def test_a_skip_is_a_line_without_ci(run: Run) -> None:
    """Without CI a skip passes and its reason is one visible line."""
    done = run(SKIPS)

    assert pytest.ExitCode.OK == done.returncode
    assert 1 == done.stdout.count("no such server")


def test_an_expected_failure_is_no_skip(run: Run) -> None:
    """An expected failure passes with CI=true, although pytest reports it as skipped."""
    done = run(EXPECTED_TO_FAIL, ci="true")

    assert pytest.ExitCode.OK == done.returncode
    assert "fails with CI" not in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc, which only Linux has")
def test_a_process_left_behind_fails_the_run(run: Run) -> None:
    """A process that outlives the run is named and killed, even if its own parent is gone, and the run fails."""
    done = run(LEAVES)

    assert pytest.ExitCode.TESTS_FAILED == done.returncode
    left = re.search(r"left behind, now killed =+\n(\d+): ", done.stdout)
    assert left is not None, done.stdout
    assert not Path(f"/proc/{left.group(1)}/cmdline").exists() or not Path(f"/proc/{left.group(1)}/cmdline").read_text()


def test_a_seed_is_printed_and_replays_the_order(run: Run) -> None:
    """The printed seed gives the same order of tests again."""
    text = "".join(f"def test_{n}():\n    pass\n\n" for n in range(20))
    first = run(text, "-v")
    seed = re.search(r"--randomly-seed=(\d+)", first.stdout)
    assert seed is not None, first.stdout
    second = run(text, "-v", seed.group(0))

    assert re.findall(r"::(test_\d+)", first.stdout) == re.findall(r"::(test_\d+)", second.stdout)
