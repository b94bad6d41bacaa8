"""The real command as a process, alone or in a small world."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_world import Run, Targets, World, wait_for

from outlast.cli import main


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in an empty folder, in this process: for what neither waits nor serves."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        capsys.readouterr()
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        assert ended.value.code is None or isinstance(ended.value.code, int)
        return subprocess.CompletedProcess(arguments, ended.value.code or 0, out, err)

    return call


@contextmanager
def a_world(folder: Path, *, max_signal_age: str = "5s") -> Iterator[World]:
    """A world that is gone afterwards, whatever happened."""
    try:
        targets = Targets("127.0.0.1", "127.0.0.2")
    except OSError:
        pytest.skip("127.0.0.2 is not an address of this machine: sudo ifconfig lo0 alias 127.0.0.2")
    made = World(folder, targets)
    made.max_signal_age = max_signal_age
    try:
        made.open()
        yield made
    finally:
        made.close()
        targets.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world of a test's own."""
    with a_world(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def settled_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world whose plan has been applied and whose roles have stopped; for tests that only look."""
    with a_world(tmp_path_factory.mktemp("settled"), max_signal_age="1h") as made:
        made.settle()
        yield made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A settled world whose control plane goes on."""
    with a_world(tmp_path_factory.mktemp("running")) as made:
        made.start("up", "--name", "a")
        wait_for(lambda: made.is_settled("127.0.0.1", "127.0.0.2"))
        yield made


@pytest.fixture(scope="module")
def fresh_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in which no role has run yet; for tests that only look."""
    with a_world(tmp_path_factory.mktemp("fresh")) as made:
        yield made
