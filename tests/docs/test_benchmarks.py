"""`make bench` measures something: both servers answer the same transactions, and the figures are in the JSON file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from servers.bind import is_installed

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_benchmarks_run(tmp_path: Path) -> None:
    """A short run measures every server that is installed and says in one line which is not."""
    file = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--transactions", "5", "--json", str(file)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(file.read_text())

    assert (2 if is_installed() else 1) == len(result["servers"])
    assert all(item["wall_p50_us"] > 0 for item in result["servers"])
    assert (0 if is_installed() else 1) == done.stdout.count("left out: BIND 9")
    assert is_installed() == ("wall p50, embedded to BIND 9" in done.stdout)
