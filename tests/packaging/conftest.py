"""Builds the project once, and makes empty environments to install it into."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"
PINS = ROOT / "requirements.lock"


class Environment:
    """An environment with nothing in it but what is asked for, at the pinned versions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._call(str(UV), "venv", "--quiet", "--offline", "--python", sys.executable, str(folder))
        self.programs = folder / "bin"

    def install(self, requirement: str) -> None:
        """Install from what setup fetched; only if that is gone, from where setup fetched it."""
        command = ("pip", "install", "--quiet", "--python", str(self.programs / "python"), "--constraint", str(PINS))
        done = self.run(str(UV), *command, "--offline", requirement)
        if done.returncode != 0:
            self._call(str(UV), *command, requirement)

    def packages(self) -> dict[str, str]:
        """Return the version of each installed package."""
        done = self._call(str(UV), "pip", "list", "--python", str(self.programs / "python"), "--format=json")
        return {item["name"]: item["version"] for item in json.loads(done.stdout)}

    def conflicts(self) -> str:
        """Return what is missing or does not fit, in words; empty if all is well."""
        done = self.run(str(UV), "pip", "check", "--quiet", "--python", str(self.programs / "python"))
        return done.stderr if done.returncode else ""

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the environment's programs in its folder, out of reach of the sources."""
        environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
        return subprocess.run(
            [str(self.programs / program) if "/" not in program else program, *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def _call(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        self.folder.mkdir(parents=True, exist_ok=True)
        done = self.run(program, *arguments)
        assert done.returncode == 0, done.stderr
        return done


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a source distribution and of the wheel that was built from it, without a network."""
    folder = tmp_path_factory.mktemp("distributions")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    """The wheel."""
    (found,) = distributions.glob("outlast-*.whl")
    return found


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Callable[[str], Environment]:
    """Return the environment of an extra (empty: none), made when it is first asked for."""
    made: dict[str, Environment] = {}

    def environment(extra: str) -> Environment:
        if extra not in made:
            made[extra] = Environment(tmp_path_factory.mktemp("environment") / "venv")
            made[extra].install(f"outlast[{extra}] @ {wheel.as_uri()}" if extra else f"outlast @ {wheel.as_uri()}")
        return made[extra]

    return environment


@pytest.fixture
def empty(tmp_path: Path) -> Environment:
    """An environment of this test's own, with nothing in it."""
    return Environment(tmp_path / "venv")
