"""Random walks over the explorer's protocols: repeatable by their seed, made shorter when they fail, and they do find faults."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from outlast.simulator.menus import Ground
from outlast.simulator.plan_guards import GUARDS, machines_without
from outlast.simulator.plan_layout import Machines, PlanOptions
from outlast.simulator.plan_protocol import plan_protocol
from outlast.simulator.protocol import Protocol
from outlast.simulator.walks import Walk, replayed, shrunk, walk

BUDGETS = {"crashes": 3, "lost-replies": 3, "delayed": 2, "duplicated": 2, "records-lost": 2, "sentinel-lost": 1}
STEPS = 300
COMMAND = "import sys; sys.path.insert(0, 'tests/simulation'); import test_walks_of_the_explorer as t; print(t.walked(7).trace_hash)"


def world(without: str = "") -> Protocol:
    machines, lacks = machines_without(frozenset({without} - {""}))
    options = PlanOptions(
        enactors=3,
        plans=4,
        has_janitor=True,
        budgets=BUDGETS,
        machines=machines or Machines(),
        lacks=lacks,
        are_named=True,
    )
    return plan_protocol(options)


def walked(seed: int, ground: Ground | None = None) -> Walk:
    """The walk of that seed."""
    return walk(ground or Ground(world()), Random(seed).randrange, steps=STEPS)


@pytest.mark.slow
def test_walks_break_no_rule_and_health_comes_back() -> None:
    """A thousand schedules of three enactors, four plans, a janitor and faults; replay one with its seed."""
    ground = Ground(world())

    assert [] == [seed for seed in range(1_000) if walked(seed, ground).fault]


def test_a_seed_is_a_trace() -> None:
    """The same seed gives the same trace in ten runs, whatever was walked before; other seeds give others."""
    ground = Ground(world())
    walked(1, ground)

    assert {walked(7).trace_hash} == {walked(7, ground).trace_hash for _ in range(10)}
    assert 20 == len({walked(seed, ground).trace_hash for seed in range(20)})


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_is_a_trace_in_any_process(hash_seed: str) -> None:
    """The trace does not depend on the process or its PYTHONHASHSEED."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run([sys.executable, "-c", COMMAND], env=environment, capture_output=True, text=True, check=True)

    assert walked(7).trace_hash == done.stdout.strip()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["prerequisites", "recheck", "counting", "naming", "repair"])
def test_walks_find_what_is_missing(name: str) -> None:
    """Without a guard some walk of a few hundred fails, and shrinking keeps the fault in fewer choices."""
    ground = Ground(world(name))
    failed = next(found for seed in range(500) if (found := walked(seed, ground)).fault)
    shorter = shrunk(ground, failed)
    lines = replayed(ground, shorter.choices, is_told=True).lines

    assert failed.fault == shorter.fault
    assert len(shorter.choices) < len(failed.choices)
    assert lines
    assert name in GUARDS


@pytest.mark.long
@pytest.mark.timeout(600)
def test_schedules_of_a_large_world() -> None:
    """Five enactors, twenty plans, eight endpoints, two providers: 2,000 of the 100,000 seeds that `make verify` walks."""
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    command = next(line for line in makefile.splitlines() if "--walks 100000" in line)
    words = shlex.split(command.replace("--walks 100000", "--walks 2000").partition(" ")[2])
    done = subprocess.run([sys.executable, "-m", "outlast.cli", *words], capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stdout
    assert done.stdout.startswith("PASS: 2,000 walks")
