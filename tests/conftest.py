"""Rules of every test run, on top of those in pyproject.toml (warnings are errors, random order, a time limit per test).

- A skip is one visible line with its reason. With `CI=true` every skip, of a test or of a whole module, fails the run.
- No process of ours is left at the end: those that are, are named and killed, and the run fails (where /proc exists).
- The order of the tests and the state of `random` follow one seed, printed in the first lines of a run. The same run
  again: `make test ARGS="--randomly-seed=N"`, or `--randomly-seed=last`; in the order of the files: `ARGS="-p no:randomly"`.
  A test that draws chance of its own prints its seed and the command that replays it.
- A failing test alone: `make test ARGS="tests/unit/…/test_x.py::test_y --randomly-seed=N"`.
"""

import contextlib
import os
import signal
import time
import uuid
from pathlib import Path

import pytest

PROC = Path("/proc")
MARK = "OUTLAST_TEST_RUN"
"""Environment variable by which a process is known for ours even after the one that started it is gone."""
GRACE_SECONDS = 2.0
"""What is on its way out may still finish; a process that was told to end needs well under a second."""

SKIPPED = pytest.StashKey[list[str]]()
LEFT_BEHIND = pytest.StashKey[list[str]]()
RUN = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    # A run in the background is started with Ctrl-C ignored, and so would be all that it starts: tests press it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[SKIPPED] = []
    config.stash[LEFT_BEHIND] = []
    config.stash[RUN] = uuid.uuid4().hex
    # A run inside a test of a run adds its mark, so that both recognise its processes.
    os.environ[MARK] = f"{os.environ.get(MARK, '')} {config.stash[RUN]}".strip()


# -------------------------------------------------------------------------------------------------------------- skips


class Skips:
    """Remembers what was skipped; registered for one run."""

    def __init__(self, found: list[str]) -> None:
        self._found = found

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        # An expected failure is reported as skipped too, with the reason in `wasxfail`.
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self._found.append(f"{report.nodeid}: {reason}")


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.pluginmanager.register(Skips(session.config.stash[SKIPPED]))


# ---------------------------------------------------------------------------------------------------------- processes


def processes_of(mark: str) -> dict[int, str]:
    """Return the command lines of our living children and of all processes with `mark` in their environment, by pid."""
    listed = "".join(path.read_text() for path in PROC.glob("self/task/*/children"))
    children = {int(pid) for pid in listed.split()}
    found = {}
    for folder in PROC.glob("[0-9]*"):
        pid = int(folder.name)
        try:
            is_ours = pid in children or mark.encode() in (folder / "environ").read_bytes()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue  # gone meanwhile, or somebody else's
        if is_ours and command and pid != os.getpid():  # a zombie has no command line any more
            found[pid] = command
    return found


def wait_until_gone(mark: str) -> dict[int, str]:
    """Return what still lives after the grace period, as a rule nothing."""
    end = time.monotonic() + GRACE_SECONDS
    while (alive := processes_of(mark)) and time.monotonic() < end:
        time.sleep(0.05)
    return alive


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    stash = session.config.stash
    for pid, command in wait_until_gone(stash[RUN]).items():
        stash[LEFT_BEHIND].append(f"{pid}: {command}")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if stash[LEFT_BEHIND] or (os.environ.get("CI") == "true" and stash[SKIPPED]):
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    skipped = config.stash[SKIPPED] if os.environ.get("CI") == "true" else []
    for title, lines in (
        ("skipped, which fails with CI=true", skipped),
        ("processes left behind, now killed", config.stash[LEFT_BEHIND]),
    ):
        if lines:
            terminalreporter.section(title, red=True)
            for line in lines:
                terminalreporter.line(line)
