"""`outlast verify --walks`: random walks through worlds that are too large to exhaust, each decided by its seed."""

import math
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from outlast.cli.output import put, put_json
from outlast.simulator.menus import Ground
from outlast.simulator.protocol import Protocol, Verdict
from outlast.simulator.walks import Walk, replayed, shrunk, walk
from outlast.uncollected import uncollected

STEPS = 400
GROUND_WALKS = 200
"""Walks after which what was learned is forgotten, so that memory stays small: 200 MB for each process."""
TELL_EVERY = 5.0


class Block(NamedTuple):
    """What became of seeds in a row: the last walk, or the first that failed, its seed, and how many were walked."""

    seed: int
    walks: int
    last: Walk


class Wanted(NamedTuple):
    """Which walks: their seeds, in how many processes, whether health must be back after each, and when to stop.

    `max_seconds` are the clock's, for several processes walk; `None`: until all are walked. `question` is the command line
    without what a replay says itself.
    """

    seeds: range
    jobs: int
    asks_recovery: bool
    max_seconds: float | None
    question: str
    as_json: bool


class _Task(NamedTuple):
    """What the processes that are forked find: what is walked through, how, and until when."""

    protocol: Protocol
    converges: bool
    until: float


def run_walks(protocol: Protocol, wanted: Wanted) -> Verdict:
    """Walk with these seeds; the first that fails is shortened, told, and can be replayed by its command."""
    began = told = time.monotonic()
    until = math.inf if wanted.max_seconds is None else began + wanted.max_seconds
    walked, last = 0, Walk("", (), "")
    for block in _walked(_Task(protocol, wanted.asks_recovery, until), wanted.seeds, wanted.jobs):
        walked, last = walked + block.walks, block.last if block.walks else last
        if time.monotonic() - told >= TELL_EVERY:
            told = time.monotonic()
            sys.stderr.write(f"{walked:,} walks\n")
        if last.fault:
            _tell(Ground(protocol), last, f"{wanted.question} --walks 1 --seed {block.seed}", wanted)
            return Verdict.FAIL
    if walked < len(wanted.seeds):
        return _given_up(walked, wanted)
    if wanted.as_json:
        told_as = {"verdict": "PASS", "walks": walked, "seed": wanted.seeds.start}
        put_json(
            {**told_as, "recovers": True if wanted.asks_recovery else None, "trace_hash": last.trace_hash, "trace": []}
        )
    else:
        recovers = ", and health is back after each" if wanted.asks_recovery else ""
        put(f"PASS: {walked:,} walks break no rule{recovers}; the last one's hash is {last.trace_hash}")
    return Verdict.PASS


def _given_up(walked: int, wanted: Wanted) -> Verdict:
    # Not the first so many: every process walks seeds of its own, and all stop at once.
    reason = f"{wanted.max_seconds:g} s were over after {walked:,} of {len(wanted.seeds):,} walks, none with a fault"
    if wanted.as_json:
        put_json(
            {"verdict": "UNDETERMINED", "reason": reason, "walks": walked, "seed": wanted.seeds.start, "trace": []}
        )
    else:
        put(f"UNDETERMINED: {reason}")
    return Verdict.UNDETERMINED


def _walked(task: _Task, seeds: range, jobs: int) -> Iterator[Block]:
    size = min(GROUND_WALKS, max(1, len(seeds) // (jobs * 4)))
    blocks = [seeds[first : first + size] for first in range(0, len(seeds), size)]
    _task[:] = [task]
    if jobs == 1:
        yield from map(_walk_all, blocks)
        return
    # Forked, because a protocol is made of functions: it cannot be sent, only be there already.
    with multiprocessing.get_context("fork").Pool(min(jobs, len(blocks))) as pool:
        yield from pool.imap(_walk_all, blocks)


_task: list[_Task] = []
"""Where the processes that are forked find it."""


@uncollected()
def _walk_all(seeds: Sequence[int]) -> Block:
    task = _task[0]
    ground, block = Ground(task.protocol), Block(0, 0, Walk("", (), ""))
    for walks, seed in enumerate(seeds, 1):
        if time.monotonic() >= task.until:
            break
        chance = Random(seed)  # noqa: S311 - a seed that can be repeated is the point
        block = Block(seed, walks, walk(ground, chance.randrange, steps=STEPS, converges=task.converges))
        if block.last.fault:
            break
    return block


def _tell(ground: Ground, failed: Walk, replay: str, wanted: Wanted) -> None:
    shorter = shrunk(ground, failed, converges=wanted.asks_recovery)
    lines = replayed(ground, shorter.choices, converges=wanted.asks_recovery, is_told=True).lines
    if wanted.as_json:
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
