"""A Ctrl-C while a command still imported its libraries ended it with a traceback instead of status 130."""

import subprocess
import sys

import pytest

CODE = """
import signal, sys

class Keys:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Keys())
from outlast.cli import main
main(["--version"])
"""


@pytest.mark.parametrize("module", ["outlast.cli.stdout", "outlast.interrupts", "typer"])
def test_an_interrupt_while_starting_has_a_status_and_no_traceback(module: str) -> None:
    """It ends as one does that comes later: status 130, and nothing is printed."""
    done = subprocess.run([sys.executable, "-c", CODE, module], capture_output=True, text=True, check=False)

    assert (130, "", "") == (done.returncode, done.stdout, done.stderr)
