"""The built wheel works in an empty environment, with each extra bringing what it says and no more."""

import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]
Environments = Callable[[str], Any]


def test_the_wheel_holds_the_package_alone(wheel: Path) -> None:
    """The wheel holds every module, the mark that types are given and the licence, and nothing from beside the package."""
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src").rglob("*.py")}

    assert modules | {"outlast/py.typed"} == {name for name in names if name.startswith("outlast/")}
    assert {"outlast"} == {name.split("/")[0].partition("-")[0] for name in names}
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_the_source_distribution_holds_what_a_packager_needs(distributions: Path) -> None:
    """The source distribution holds licence, changes, security policy and tests."""
    (path,) = distributions.glob("outlast-*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"LICENSE", "CHANGELOG.md", "SECURITY.md", "README.md", "tests/conftest.py"} <= names


def test_plain_brings_dnspython_only(environments: Environments) -> None:
    """`pip install outlast` brings dnspython and nothing else."""
    assert {"outlast", "dnspython"} == set(environments("").packages())


def test_plain_can_be_imported(environments: Environments) -> None:
    """Every public name can be had from the plain installation."""
    code = "import outlast; print(*sorted(name for name in outlast.__all__ if hasattr(outlast, name)))"
    done = environments("").run("python", "-c", code)

    assert "" == done.stderr
    assert "Plan" in done.stdout.split()


def test_plain_says_what_the_commands_need(environments: Environments) -> None:
    """Without the extra, the command says in one line what to install, and its status is not 0."""
    done = environments("").run("outlast")

    assert 0 != done.returncode
    assert "outlast: the commands are not installed; pip install 'outlast[cli]'\n" == done.stderr


def test_plain_runs_the_hazard_roles(environments: Environments) -> None:
    """`python -m outlast.incidents` needs no extra."""
    done = environments("").run("python", "-m", "outlast.incidents", "--help")

    assert 0 == done.returncode, done.stderr
    assert "Hazard mode" in done.stdout


def test_the_commands_work(environments: Environments) -> None:
    """`outlast[cli]` brings the commands: help, and a configuration to start from."""
    environment = environments("cli")
    helped = environment.run("outlast", "--help")
    written = environment.run("outlast", "init", "first.toml")

    assert (0, 0) == (helped.returncode, written.returncode), helped.stderr + written.stderr
    assert (environment.folder / "first.toml").stat().st_size > 0


def test_the_commands_say_what_the_drill_needs(environments: Environments) -> None:
    """With `outlast[cli]` alone, the drill says what to install, and its status is not 0."""
    done = environments("cli").run("outlast", "drill")

    assert 0 != done.returncode
    assert "pip install 'outlast[drill]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_drill_works(environments: Environments) -> None:
    """`outlast[drill]` brings what the drill needs."""
    done = environments("drill").run("outlast", "drill", "list")

    assert 0 == done.returncode, done.stderr
    assert "us-east-1-2025" in done.stdout


@pytest.mark.parametrize("extra", ["", "cli", "drill"])
def test_what_is_installed_fits_together(environments: Environments, extra: str) -> None:
    """In no environment does a package miss another, or have it at a version that it refuses."""
    assert "" == environments(extra).conflicts()
