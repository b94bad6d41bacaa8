"""SPIN explores the same tables by its own means: as many states and moves, the same verdict, and its trail is a trace of ours."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from outlast.incidents.exploration import HazardOptions, hazard_protocol
from outlast.simulator.engine import Engine
from outlast.simulator.plan_layout import PlanOptions
from outlast.simulator.plan_protocol import plan_protocol
from outlast.simulator.promela import Model, all_states, model
from outlast.simulator.protocol import Protocol

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("spin") and shutil.which("gcc")), reason="spin and gcc are not installed"),
]

# A budget that is never drawn on keeps every move in: where strangers may do damage, none is silent.
LOUD = {"name-taken": 0}


def hazard(enactors: int, plans: int, *, crashes: int = 0, keep: int = 2, mended: str = "") -> Protocol:
    options = HazardOptions(
        enactors=enactors, plans=plans, crashes=crashes, keep=keep, mended=frozenset({mended} - {""})
    )
    return replace(hazard_protocol(options), twins=())


def plans(enactors: int, plans: int, **budgets: int) -> Protocol:
    named = {name.replace("_", "-"): count for name, count in budgets.items()} | LOUD
    return replace(plan_protocol(PlanOptions(enactors=enactors, plans=plans, budgets=named, are_named=True)), twins=())


WORLDS = {
    "aws-2025 1/2": hazard(1, 2),
    "aws-2025 1/3, a crash": hazard(1, 3, crashes=1),
    "aws-2025 2/1": hazard(2, 1),
    "aws-2025 2/2, nothing kept": hazard(2, 2, keep=1),
    "aws-2025 2/2, nothing kept, clean-up mended": hazard(2, 2, keep=1, mended="blind-clean-up"),
    "outlast 1/2": plans(1, 2),
    "outlast 1/3, a crash": plans(1, 3, crashes=1),
    "outlast 2/2": plans(2, 2),
    "outlast 2/2, a crash": plans(2, 2, crashes=1),
    "outlast 1/2, sentinel lost": plans(1, 2, sentinel_lost=1),
    "outlast 1/2, a lost reply": plans(1, 2, lost_replies=1),
}


def spin(folder: Path, made: Model) -> tuple[int, int, int]:
    """Run SPIN on a model: states stored, transitions, errors."""
    (folder / "model.pml").write_text(made.text)
    subprocess.run(["spin", "-a", "model.pml"], cwd=folder, check=True, capture_output=True, timeout=60)
    build = ["gcc", "-O0", "-w", "-DSAFETY", "-DNOREDUCE", "-DVECTORSZ=4096", "-o", "pan", "pan.c"]
    subprocess.run(build, cwd=folder, check=True, capture_output=True, timeout=100)
    done = subprocess.run(["./pan", "-m1000000"], cwd=folder, capture_output=True, text=True, check=False, timeout=60)

    def told(pattern: str) -> int:
        found = re.search(pattern, done.stdout)
        assert found is not None, done.stdout
        return int(found[1])

    return told(r"(\d+) states, stored"), told(r"(\d+) transitions"), told(r"errors: (\d+)")


LARGE = ("aws-2025 2/2, nothing kept", "aws-2025 2/2, nothing kept, clean-up mended", "outlast 2/2, a crash")
"""Their tables are long, and take gcc its time."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] if name in LARGE else []) for name in WORLDS]
)
def test_spin_counts_the_same(tmp_path: Path, name: str) -> None:
    """As many states, and as many moves (SPIN counts one more, for the start)."""
    engine = Engine(WORLDS[name])
    states, moves = all_states(engine)
    stored, transitions, errors = spin(tmp_path, model(engine, is_checked=False))

    assert (len(states), moves, 0) == (stored, transitions - 1, errors)


@pytest.mark.parametrize(
    ("name", "errors"),
    [
        pytest.param("aws-2025 2/2, nothing kept", 1, marks=pytest.mark.long),
        pytest.param("aws-2025 2/2, nothing kept, clean-up mended", 0, marks=pytest.mark.long),
        ("outlast 2/2, a crash", 0),
    ],
)
def test_spin_comes_to_the_same_verdict(tmp_path: Path, name: str, errors: int) -> None:
    """SPIN refutes what is refuted here, and nothing else."""
    _, _, found = spin(tmp_path, model(Engine(WORLDS[name]), is_checked=True))

    assert errors == found


@pytest.mark.long
def test_spins_trail_is_a_trace_of_the_shipped_machines(tmp_path: Path) -> None:
    """The way to the error that SPIN prints, made by the shipped machines, ends in a state that breaks the rule."""
    engine = Engine(WORLDS["aws-2025 2/2, nothing kept"])
    made = model(engine, is_checked=True)
    spin(tmp_path, made)
    trail = subprocess.run(
        ["spin", "-t", "model.pml"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    state = engine.initial
    for number in re.findall(r"step (\d+)", trail.stdout):
        step = made.steps[int(number)]
        free, drawing, _, _ = engine.tables[step.agent].entry(state)
        assert step.change in (*free, *(change for _, change in drawing))
        state += step.change

    assert engine.fault(state).startswith("never empty")
