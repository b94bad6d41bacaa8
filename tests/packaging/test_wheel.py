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


@pytest.mark.parametrize("command", ["drill", "verify"])
def test_the_commands_say_what_they_need(environments: Environments, command: str) -> None:
    """With `outlast[cli]` alone, the drill and the explorer say what to install, and their status is not 0."""
    done = environments("cli").run("outlast", command)

    assert 0 != done.returncode
    assert f"pip install 'outlast[{command}]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_explorer_works(environments: Environments) -> None:
    """`outlast[verify]` brings what the explorer needs, and nothing of the drill's."""
    environment = environments("verify")
    done = environment.run("outlast", "verify", "--enactors", "1", "--plans", "2")

    assert 0 == done.returncode, done.stderr
    assert done.stdout.startswith("PASS: ")
    assert {"starlette", "httpx"}.isdisjoint(environment.packages())


def test_the_drill_works(environments: Environments) -> None:
    """`outlast[drill]` brings what the drill needs."""
    done = environments("drill").run("outlast", "drill", "list")

    assert 0 == done.returncode, done.stderr
    assert "us-east-1-2025" in done.stdout


def test_an_httpx_client_can_be_protected(environments: Environments) -> None:
    """`outlast[httpx]` brings what `protect` needs for a client of httpx, and no command."""
    code = "import httpx, outlast; print(outlast.explain(outlast.protect(httpx.Client(), outlast.Policy('orders'))))"
    environment = environments("httpx")
    done = environment.run("python", "-W", "error", "-c", code)

    assert 0 == done.returncode, done.stderr
    assert "protected by policy orders" in done.stdout
    assert {"typer", "boto3"}.isdisjoint(environment.packages())


def test_a_botocore_client_can_be_protected(environments: Environments) -> None:
    """`outlast[boto]` brings boto3, and with it the module that makes a client for each region."""
    code = "import boto3, outlast.client.boto_seams as seams; print(seams.build_config().retries)"
    done = environments("boto").run("python", "-c", code)

    assert 0 == done.returncode, done.stderr
    assert "'total_max_attempts': 1" in done.stdout


def test_a_registry_in_postgres_can_be_named(environments: Environments) -> None:
    """`outlast[postgres]` brings the client with libpq, and the registry says in words that nobody is there."""
    code = (
        "import asyncio, outlast.registry.postgres as it\n"
        "asyncio.run(it.PostgresRegistry('postgresql://me@127.0.0.1:1/plans').floor())"
    )
    done = environments("postgres").run("python", "-c", code)

    assert 0 != done.returncode
    assert "Unavailable: registry postgres 127.0.0.1:1 plans: " in done.stderr


def test_pytest_finds_the_plugin(empty: Any, wheel: Path) -> None:
    """Where outlast and pytest are installed, `outlast_dns` is there without a word; `-p no:outlast` takes it away."""
    empty.install(f"outlast @ {wheel.as_uri()}")
    empty.install("pytest")
    (empty.folder / "test_it.py").write_text("def test_it(outlast_dns):\n    assert outlast_dns.port\n")
    command = ("python", "-m", "pytest", "-q", "-W", "error", "--rootdir=.", "test_it.py")
    found, taken_away = empty.run(*command), empty.run(*command, "-p", "no:outlast")

    assert (0, 1) == (found.returncode, taken_away.returncode), found.stdout + found.stderr
    assert "fixture 'outlast_dns' not found" in taken_away.stdout


@pytest.mark.parametrize("extra", ["", "boto", "cli", "drill", "httpx", "postgres", "verify"])
def test_what_is_installed_fits_together(environments: Environments, extra: str) -> None:
    """In no environment does a package miss another, or have it at a version that it refuses."""
    assert "" == environments(extra).conflicts()
