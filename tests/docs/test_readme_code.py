"""The Python of the README runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_code_of_the_readme_runs(tmp_path: Path) -> None:
    """Pasted into a file, it ends well and says what is applied to the client."""
    blocks = PYTHON.findall(README.read_text(encoding="utf-8"))
    (tmp_path / "pasted.py").write_text("\n".join(blocks), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "pasted.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert "regions: east (https://east.shop.example), then west" in done.stdout
