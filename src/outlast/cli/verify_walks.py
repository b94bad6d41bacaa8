"""`outlast verify --walks`: random walks through worlds that are too large to exhaust, each decided by its seed."""

import sys
import time
from random import Random

from outlast.cli.output import put, put_json
from outlast.simulator.engine import Engine
from outlast.simulator.protocol import Protocol, Verdict
from outlast.simulator.walks import Walk, replayed, shrunk, walk

STEPS = 400
ENGINE_WALKS = 200
"""Walks after which what was learned is forgotten, so that memory stays small."""
TELL_EVERY = 5.0


def run_walks(protocol: Protocol, count: int, seed: int, *, question: str, as_json: bool) -> Verdict:
    """Walk with the seeds from `seed` on; the first that fails is shortened, told, and can be replayed by its command."""
    engine, told = Engine(protocol), time.monotonic()
    done = Walk("", (), "")
    for number in range(count):
        if number and number % ENGINE_WALKS == 0:
            engine = Engine(protocol)
        if time.monotonic() - told >= TELL_EVERY:
            told = time.monotonic()
            sys.stderr.write(f"{number:,} walks\n")
        chance = Random(seed + number)  # noqa: S311 - a seed that can be repeated is the point
        done = walk(engine, chance.randrange, steps=STEPS)
        if done.fault:
            _tell(engine, done, f"{question} --walks 1 --seed {seed + number}", as_json=as_json)
            return Verdict.FAIL
    if as_json:
        put_json({"verdict": "PASS", "walks": count, "seed": seed, "trace_hash": done.trace_hash, "trace": []})
    else:
        put(
            f"PASS: {count:,} walks break no rule, and health is back after each; the last one's hash is {done.trace_hash}"
        )
    return Verdict.PASS


def _tell(engine: Engine, failed: Walk, replay: str, *, as_json: bool) -> None:
    shorter = shrunk(engine, failed)
    lines = replayed(engine, shorter.choices, is_told=True).lines
    if as_json:
        trace = [line._asdict() for line in lines]
        put_json(
            {
                "verdict": "FAIL",
                "reason": failed.fault,
                "replay": replay,
                "trace_hash": failed.trace_hash,
                "trace": trace,
            }
        )
        return
    put(f"FAIL: {failed.fault}")
    put(f"replay: {replay}")
    for number, line in enumerate(lines, 1):
        put(f"{number:3} {line.actor:9} {line.step}   DNS: {line.answer}")
