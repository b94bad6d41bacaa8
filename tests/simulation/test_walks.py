"""Random walks through the plan protocol: safe under faults, healthy again without them, and the same for the same seed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from protocol_walk import walk

WALK = Path(__file__).parents[1] / "protocol_walk.py"


@pytest.mark.slow
def test_short_walks_are_safe_and_converge() -> None:
    """Three hundred walks break no rule, and almost none needs an excuse."""
    excused = sum(bool(walk(seed).world.checker.excused) for seed in range(300))

    assert 30 > excused


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", range(1_000, 11_000, 1_000))
def test_many_walks_are_safe_and_converge(first: int) -> None:
    """Ten thousand walks break no rule."""
    excused = sum(bool(walk(seed).world.checker.excused) for seed in range(first, first + 1_000))

    assert 100 > excused


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_the_same_seed_walks_the_same_way(hash_seed: str) -> None:
    """The trace does not depend on the process or its PYTHONHASHSEED."""
    replay = [sys.executable, str(WALK), "11"]
    done = subprocess.run(
        replay, env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
    )

    assert walk(11).trace_hash == done.stdout.strip()


def test_different_seeds_walk_differently() -> None:
    """The hash tells traces apart."""
    assert 20 == len({walk(seed).trace_hash for seed in range(20)})
