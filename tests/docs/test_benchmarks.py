"""`make bench` measures something: each benchmark has figures for all that it compares, and they are in the JSON file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from servers import knot
from servers.bind import is_installed

ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.timeout(240)
def test_the_benchmarks_run(tmp_path: Path) -> None:
    """A short run measures policy and spool beside their peers, and every server that is installed; one line says which is not."""
    file = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--transactions", "5", "--json", str(file)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT / "src")])},
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    policy, spool, result, traffic, zone_change, failover, explorer = json.loads(file.read_text())

    assert {"bare", "outlast", "stamina", "httpx", "httpx protected"} <= set(policy["ns"])
    assert all(value > 0 for value in policy["ns"].values())
    assert {"sqlite3, 32 threads", "outlast, 32 threads"} <= set(spool["candidates"])
    assert all(item["puts_per_second"] > 0 for item in spool["candidates"].values())
    assert {0} == {race["fenced"]["lost"] for race in traffic["races"]}
    assert all(race[way]["accepted_per_second"] > 0 for race in traffic["races"] for way in ("fenced", "blind"))
    assert (2500, 100) == (traffic["planning"]["records"], traffic["planning"]["changed"])
    assert all(item["states_per_second"] > 0 for item in (*explorer["worlds"], explorer["large"]))
    assert 20_000 < explorer["large"]["states"]
    assert bool(explorer["skipped"]) == ("spin_states" not in explorer["worlds"][0])
    assert (170, 1) == (zone_change["records"], zone_change["changed"])
    assert ({"octoDNS", "outlast", "outlast, running"} if is_installed() else set()) == set(zone_change["ways"])
    assert all(item["wall_s"] > 0 and item["cpu_s"] > 0 for item in zone_change["ways"].values())
    assert is_installed() + knot.is_installed() == len(failover["servers"])
    assert all(
        1000 * failover["interval_s"] < item["p50_ms"] <= item["p99_ms"] for item in failover["servers"].values()
    )
    assert (2 if is_installed() else 1) == len(result["servers"])
    assert all(item["wall_p50_us"] > 0 for item in result["servers"])
    assert (0 if is_installed() else 2) == done.stdout.count("left out: BIND 9")
    assert is_installed() == ("wall p50, embedded to BIND 9" in done.stdout)
