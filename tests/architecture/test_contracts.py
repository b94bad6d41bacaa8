"""The import contracts in pyproject.toml: they hold, they can fail, and no room or module escapes them unnamed."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "outlast"
LINTER = Path(sys.executable).parent / "lint-imports"

SETTINGS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract for contract in SETTINGS["contracts"]}

DOING = {
    "audit": {"key_files", "keys", "name_facts", "prove", "secondary_facts", "zone_facts"},
    "client": {"boto", "boto_seams", "dialer", "dialing", "httpx_client", "httpx_seams", "protecting"},
    "data": {
        *("calls", "deliver", "desk", "drain", "lock", "log_check", "queue", "region", "reserve"),
        *("shipper", "spool", "spool_format", "sqlite_file", "store", "work", "writer"),
    },
    "health": {"driver", "names", "probe"},
    "incidents": {"driver", "roles", "store", "trace"},
    "policy": {"attempts", "driver", "keyed", "locks", "policy", "timing"},
    "simulator": set(),
    "resolver": {"driver", "errand", "lookup", "probe", "resolver", "store", "upstream"},
    "telemetry": {"prometheus"},
    "traffic": {"driver", "sightings"},
}
"""Of each room that decides, the modules that do things; every other one decides, and is in the purity contract."""
PROGRAM = {"__init__", "__main__", "command"}
"""Modules that only offer what others hold, or are where a process begins."""
DATA_PLANE = {"client", "data", "health", "listener", "policy", "resolver", "server"}
CONTROL_PLANE = {"provider", "registry", "traffic"}

VIOLATIONS = {
    "a line may import the lines below it": ("a_new_room/__init__.py", ""),
    "what decides does nothing": ("clock.py", "import time"),
    "the data plane never needs the control plane": ("health/signal.py", "import outlast.traffic.plan"),
    "only drill and verify can reach the hazard automation": (
        "cli/up.py",
        "import outlast.incidents.plan",
    ),
    "what an extra brings is needed by its own modules alone": ("errors.py", "import httpx"),
    "what the commands need is needed by commands and drill alone": ("loop.py", "import typer"),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the linter on the package in `folder`, which precedes the installed one on the path."""
    command = [str(LINTER), "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def rooms() -> set[str]:
    """Return the names of the folders and modules directly in the package."""
    return {path.stem for path in PACKAGE.iterdir() if (path / "__init__.py").is_file() or path.suffix == ".py"}


@pytest.mark.slow
def test_the_contracts_hold() -> None:
    """Every import of the package obeys the contracts."""
    done = lint(PACKAGE.parent)

    assert 0 == done.returncode, done.stdout


@pytest.mark.slow
def test_each_contract_can_fail(tmp_path: Path) -> None:
    """One forbidden import for each contract, or a room placed nowhere, breaks that contract."""
    shutil.copytree(PACKAGE, tmp_path / "outlast", ignore=shutil.ignore_patterns("__pycache__"))
    for place, line in VIOLATIONS.values():
        file = tmp_path / "outlast" / place
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{line}\n{file.read_text() if file.exists() else ''}")
    done = lint(tmp_path)

    assert set(VIOLATIONS) == set(re.findall(r"^(.+) BROKEN", done.stdout, re.MULTILINE)), done.stdout
    assert {contract["name"] for contract in CONTRACTS.values()} == set(VIOLATIONS)


def test_the_layers_are_exhaustive() -> None:
    """A new room is refused until it is placed, and every room that is built is placed without parentheses."""
    layers = re.findall(r"(\()?\b(\w+)\b", " ".join(CONTRACTS["layers"]["layers"]))

    assert CONTRACTS["layers"]["exhaustive"]
    assert set() == {name for parenthesis, name in layers if parenthesis} & rooms()


@pytest.mark.parametrize("room", sorted(DOING))
def test_every_module_decides_or_is_named_for_what_it_does(room: str) -> None:
    """A module of a deciding room is in the purity contract, or is named here as one that does things."""
    modules = {path.stem for path in (PACKAGE / room).glob("*.py")} - PROGRAM
    pure = {name.rpartition(".")[2] for name in CONTRACTS["purity"]["source_modules"] if f".{room}." in name}

    assert modules - DOING[room] == pure
    assert set() == DOING[room] - modules


def test_modules_that_do_things_are_out_of_reach() -> None:
    """The purity contract forbids every module of a deciding room that does things."""
    doing = {f"outlast.{room}.{name}" for room, names in DOING.items() for name in names}

    assert set() == doing - set(CONTRACTS["purity"]["forbidden_modules"])


def test_static_stability_covers_every_room() -> None:
    """The contract names each room of the data plane that is built, and forbids each of the control plane."""
    contract = CONTRACTS["static-stability"]

    assert {f"outlast.{room}" for room in DATA_PLANE & rooms()} == set(contract["source_modules"])
    assert {f"outlast.{room}" for room in CONTROL_PLANE & rooms()} == set(contract["forbidden_modules"])
