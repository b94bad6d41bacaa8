"""`outlast verify --walks`: random walks through worlds that are too large to exhaust, each decided by its seed."""

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


def run_walks(protocol: Protocol, seeds: range, *, jobs: int, question: str, as_json: bool) -> Verdict:
    """Walk with these seeds; the first that fails is shortened, told, and can be replayed by its command."""
    told, walked, last = time.monotonic(), 0, Walk("", (), "")
    for block in _walked(protocol, seeds, jobs):
        walked, last = walked + block.walks, block.last
        if time.monotonic() - told >= TELL_EVERY:
            told = time.monotonic()
            sys.stderr.write(f"{walked:,} walks\n")
        if last.fault:
            _tell(Ground(protocol), last, f"{question} --walks 1 --seed {block.seed}", as_json=as_json)
            return Verdict.FAIL
    if as_json:
        put_json({"verdict": "PASS", "walks": walked, "seed": seeds.start, "trace_hash": last.trace_hash, "trace": []})
    else:
        put(
            f"PASS: {walked:,} walks break no rule, and health is back after each; the last one's hash is {last.trace_hash}"
        )
    return Verdict.PASS


def _walked(protocol: Protocol, seeds: range, jobs: int) -> Iterator[Block]:
    size = min(GROUND_WALKS, max(1, len(seeds) // (jobs * 4)))
    blocks = [seeds[first : first + size] for first in range(0, len(seeds), size)]
    _world[:] = [protocol]
    if jobs == 1:
        yield from map(_walk_all, blocks)
        return
    # Forked, because a protocol is made of functions: it cannot be sent, only be there already.
    with multiprocessing.get_context("fork").Pool(min(jobs, len(blocks))) as pool:
        yield from pool.imap(_walk_all, blocks)


_world: list[Protocol] = []
"""What is walked through, where the processes that are forked find it."""


@uncollected()
def _walk_all(seeds: Sequence[int]) -> Block:
    ground, block = Ground(_world[0]), Block(0, 0, Walk("", (), ""))
    for walks, seed in enumerate(seeds, 1):
        chance = Random(seed)  # noqa: S311 - a seed that can be repeated is the point
        block = Block(seed, walks, walk(ground, chance.randrange, steps=STEPS))
        if block.last.fault:
            break
    return block


def _tell(ground: Ground, failed: Walk, replay: str, *, as_json: bool) -> None:
    shorter = shrunk(ground, failed)
    lines = replayed(ground, shorter.choices, is_told=True).lines
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
