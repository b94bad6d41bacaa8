"""How fast interleavings are explored, and in how much memory, beside SPIN on the same protocol in the same run.

Three worlds: the race of 2025 as a sketch that both tools are given by hand; a small world of the machines that ship, which
SPIN gets as the tables that the explorer works from; and a larger one for the explorer alone, with its memory. CPU time
of one processor each; SPIN's without the time in which its verifier is compiled, which is told beside it.
"""

import multiprocessing
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.race import promela, race
from outlast.simulator.engine import Engine
from outlast.simulator.explorer import explore
from outlast.simulator.plan_choice import choose
from outlast.simulator.plan_layout import PlanOptions
from outlast.simulator.plan_protocol import plan_protocol
from outlast.simulator.promela import model
from outlast.simulator.protocol import Protocol

MANY = 40
"""Of the usual 300 transactions, so many give the race one plan more."""
LARGE = 300
DIRECTIVES = ("-DSAFETY", "-DNOREDUCE", "-DVECTORSZ=4096")
LIMITS = ("-m1000000", "-w22")
"""Depth and hash table: larger ones would cost SPIN more than these worlds are worth."""


def run(transactions: int, folder: Path) -> dict[str, Any]:
    """Explore each world; return the result as JSON has it."""
    plans = max(3, min(7, transactions // MANY))
    is_large = transactions >= LARGE
    worlds = {
        f"a sketch of the race, 3 enactors, {plans} plans": (race(3, plans), promela(3, plans)),
        "outlast, 2 enactors, 2 plans, a crash" if is_large else "outlast, 1 enactor, 2 plans": _shipped(
            2 if is_large else 1
        ),
    }
    has_peer = bool(shutil.which("spin") and shutil.which("gcc"))
    rows = [_compared(name, *world, folder if has_peer else None) for name, world in worlds.items()]
    alone = _alone("outlast, 3 enactors, 3 plans, a janitor, a crash", 3 if is_large else 2)
    skipped = [] if has_peer else ["SPIN: spin or gcc not found; PEERS=install make bench, or apt install spin gcc"]
    return {"benchmark": "explorer", "worlds": rows, "large": alone, "skipped": skipped}


def lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the result for a person."""
    yield "explorer: states found for each CPU second"
    yield f"  {'world':<46} {'states':>10} {'outlast':>10} {'SPIN':>10} {'its gcc':>9}"
    for item in result["worlds"]:
        spin, gcc = item.get("spin_states_per_second"), item.get("gcc_seconds")
        told = f"{spin:>10,} {gcc:>7.1f} s" if spin is not None else ""
        yield f"  {item['world']:<46} {item['states']:>10,} {item['states_per_second']:>10,} {told}"
    large = result["large"]
    yield f"  {large['world']:<46} {large['states']:>10,} {large['states_per_second']:>10,}"
    yield f"  memory of the last: {large['mb_per_million']:.0f} MB for each million states"
    yield from (f"  left out: {reason}" for reason in result["skipped"])


def _shipped(enactors: int) -> tuple[Protocol, str]:
    # A budget that is never drawn on keeps every move in: what SPIN is given has nothing left out, and no twins.
    budgets = {"crashes": 1, "name-taken": 0} if enactors > 1 else {"name-taken": 0}
    options = PlanOptions(enactors=enactors, plans=2, budgets=budgets, are_named=True)
    protocol = replace(plan_protocol(options), twins=())
    return protocol, model(Engine(protocol), is_checked=False).text


def _compared(name: str, protocol: Protocol, text: str, folder: Path | None) -> dict[str, Any]:
    begun = time.process_time()
    found = explore(protocol)
    seconds = time.process_time() - begun
    row: dict[str, Any] = {
        "world": name,
        "states": len(found.order),
        "states_per_second": int(len(found.order) / seconds),
    }
    if folder is not None:
        stored, spin, gcc = _spin(text, folder)
        if not protocol.budgets and stored != len(found.order):
            raise RuntimeError(f"{name}: {len(found.order)} states, but SPIN finds {stored}")
        row |= {"spin_states": stored, "spin_states_per_second": int(stored / spin), "gcc_seconds": round(gcc, 1)}
    return row


def _spin(text: str, folder: Path) -> tuple[int, float, float]:
    """SPIN's states, and the CPU seconds of the verifier and of its compilation."""
    (folder / "model.pml").write_text(text, encoding="utf-8")
    _timed(("spin", "-a", "model.pml"), folder)
    _, gcc = _timed(("gcc", "-O2", "-w", *DIRECTIVES, "-o", "pan", "pan.c"), folder)
    told, seconds = _timed(("./pan", *LIMITS), folder)
    stored = next(line.split()[0] for line in told.splitlines() if line.endswith("states, stored"))
    return int(stored), seconds, gcc


def _timed(command: tuple[str, ...], folder: Path) -> tuple[str, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=600)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _alone(name: str, plans: int) -> dict[str, Any]:
    # In a process of its own, whose memory is this exploration's and nobody else's.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        states, seconds, peak_mb = pool.apply(_explored, (plans,))
    return {
        "world": name.replace("3 plans", f"{plans} plans"),
        "states": states,
        "states_per_second": int(states / seconds),
        "mb_per_million": round(1e6 * peak_mb / states, 1),
    }


def _explored(plans: int) -> tuple[int, float, float]:
    choice = choose(enactors=3, plans=plans, endpoints=1, has_janitor=True, budgets={"crashes": 1})
    protocol = plan_protocol(choice.options)
    before, begun = _peak_mb(), time.process_time()
    found = explore(protocol, is_thrifty=True)
    return len(found.order), time.process_time() - begun, _peak_mb() - before


def _peak_mb() -> float:
    # Linux: the most of this process alone; what getrusage tells there was inherited from the one that started it.
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
