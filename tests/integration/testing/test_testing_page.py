"""The examples of docs/TESTING.md run as they stand, in a run of their own, with the plugin."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "TESTING.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_users_test_passes(tmp_path: Path) -> None:
    """The page's tests pass when they are pasted into a file."""
    (tmp_path / "test_pasted.py").write_text(EXAMPLES[0])
    # From a checkout nothing is installed that would bring the fixture; where it is, this one merely stands before it.
    # Naming the plugin with -p as well would register it twice, which pytest refuses.
    (tmp_path / "conftest.py").write_text("from outlast.testing.pytest_plugin import outlast_dns\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_the_script_runs() -> None:
    """The example without pytest prints where the server listens."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EXAMPLES[1]], capture_output=True, text=True, timeout=30, check=False
    )

    assert 0 == done.returncode, done.stderr
    assert re.fullmatch(r"127\.0\.0\.1:\d+\n", done.stdout)
