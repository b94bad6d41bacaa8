"""The public names of the package and of its rooms, pinned: a change here is a change for users."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import outlast

PUBLIC = {
    "outlast": (
        "Answer Breaker Budget BudgetExhausted CircuitOpen Content DeadlineExceeded Delivered Endpoint Entry "
        "InvalidConfig OutlastError Parked Plan Policy Protect Queue Refused Regions Rejected ResolutionFailed "
        "Resolver Retry Stale Strict Target Topology Unavailable UnsafePlan __version__ explain protect remaining "
        "transient"
    ),
    "outlast.traffic": (
        "Content Endpoint Entry Known Live Outcome Plan Provider Record Registry Reply Sentinel Standing Target Topology "
        "Transaction"
    ),
    "outlast.health": "Detector Signal Thresholds Verdict",
    "outlast.listener": "Handler Listener ListenerOptions Peer Statistics Transport",
    "outlast.nameserver": "Nameserver ServerOptions UpdateKey ZoneOptions serve",
    "outlast.config": "Settings load",
    "outlast.policy": (
        "Attempt Attempts Breaker Budget BudgetStats CircuitState CircuitStats Keyed Policy PolicyStats Retry Stop "
        "remaining transient"
    ),
    "outlast.client": "Applied Choice Explanation Found Missing RegionStats Regions Resolves explain protect",
    "outlast.resolver": "Answer Protect ResolutionFailed Resolver ResolverOptions Stale Strict",
    "outlast.data": (
        "Batch Change Conflict Dead DedupMismatch Delivered DrainOptions KeyTaken Lag LeaseLost Message Origin "
        "Parked Queue QueueFull RampOptions Receipt RegionStore Shipper ShipperOptions Stats StoreTarget Target TooLate"
    ),
    "outlast.simulator": (
        "Agent Check Exploration Health Line Move Protocol Recovery Verdict explore recover trace_to"
    ),
    "outlast.testing": "ScriptedDns",
}

CHEAP = {"importlib", "outlast", "warnings"}
"""`importlib` is what loads the rest; on some versions it brings `warnings`."""
HEAVY = {"asyncio", "dns", "logging", "socket", "sqlite3", "ssl", "subprocess"}


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter loads for a statement."""
    code = f"import sys\nbefore = set(sys.modules)\n{statement}\nprint(*{{n.split('.')[0] for n in set(sys.modules) - before}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    return set(done.stdout.split())


@pytest.mark.parametrize("room", sorted(PUBLIC))
def test_the_public_names_are_pinned(room: str) -> None:
    """Each room offers the names listed here, sorted, and no other, and each of them can be had."""
    module = importlib.import_module(room)

    assert PUBLIC[room].split() == module.__all__
    assert [] == [name for name in module.__all__ if not hasattr(module, name)]


def test_checkers_and_interpreter_see_the_same_names() -> None:
    """The names that type checkers read, those that are loaded lazily and `__all__` are the same, from the same places."""
    tree = ast.parse(Path(outlast.__file__).read_text())
    imports = [node for block in tree.body if isinstance(block, ast.If) for node in block.body]
    declared = {alias.name: node.module for node in imports if isinstance(node, ast.ImportFrom) for alias in node.names}

    assert declared == outlast._HOMES
    assert {*declared, "__version__"} == set(outlast.__all__)


def test_a_name_that_is_not_public_is_refused() -> None:
    """An unknown name raises AttributeError with the name in it, as any module does."""
    with pytest.raises(AttributeError, match="'Plam'"):
        getattr(outlast, "Plam")  # noqa: B009  a plain access would be refused by the type checker, as it should


def test_names_are_listed_before_they_are_loaded() -> None:
    """`dir(outlast)` shows every public name, loaded or not."""
    assert set(outlast.__all__) <= set(dir(outlast))


def test_the_root_loads_nothing() -> None:
    """`import outlast` loads next to nothing, not even the typing module."""
    assert set() == loaded_by("import outlast") - CHEAP


def test_values_load_no_machinery() -> None:
    """A topology or a plan can be had without an event loop, sockets or DNS."""
    assert set() == loaded_by("from outlast import Plan, Topology") & HEAVY


def test_a_policy_loads_no_neighbour() -> None:
    """A policy is had without DNS, a database or any client's library: each piece can be adopted alone."""
    assert set() == loaded_by("from outlast import Policy, Retry, protect, transient") & {"dns", "httpx", "sqlite3"}


def test_the_test_plugin_loads_no_dns() -> None:
    """The plugin is in every run of whoever has outlast installed; until a test asks for its fixture, it loads no DNS."""
    assert set() == loaded_by("import outlast.testing.pytest_plugin") & {"dns"}
