"""Power cuts: whatever the disk had not been told to keep may be gone, torn or half there."""

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from power_world import Cut, Recorder, Sync, cuts, library

from outlast.data.changes import Batch, Change, Origin
from outlast.data.queue import Queue
from outlast.data.records import Sync as Durability
from outlast.data.refusal import LeaseLost
from outlast.data.region import RegionStore

PRODUCERS = 6


@pytest.fixture(autouse=True)
def _needs_the_library() -> None:
    try:
        library()
    except (OSError, AttributeError) as error:
        pytest.skip(f"this Python's SQLite cannot be listened to: {error}")


class Load(NamedTuple):
    """How much is done before it is looked at."""

    sessions: int
    puts: int
    sync: Durability = "fsync"


def record(path: Path, load: Load) -> Recorder:
    """Put, deliver and remove with many threads, close, and do it again; return all that the disk was told."""
    recorder = Recorder()
    for session in range(load.sessions):
        with recorder.recording(), Queue(path, reserve_bytes=0, sync=load.sync) as queue:
            producers = [
                threading.Thread(target=produce, args=(queue, recorder, f"{session}.{n}", load.puts))
                for n in range(PRODUCERS)
            ]
            for thread in producers:
                thread.start()
            while any(thread.is_alive() for thread in producers):
                consume(queue, recorder)
    return recorder


def produce(queue: Queue, recorder: Recorder, name: str, count: int) -> None:
    for n in range(count):
        body = f"{name}.{n}".encode()
        key = name if n % 3 == 0 else None
        parked = queue.put(body * (1 + n % 40), key=key, dedup=f"{name}.{n}" if n % 4 == 0 else None)
        recorder.tell("kept", parked.id)


def consume(queue: Queue, recorder: Recorder) -> None:
    for message in queue.lease(3):
        recorder.tell("trying", message.id)
        try:
            queue.ack(message.receipt)
        except LeaseLost:
            continue
        recorder.tell("removed", message.id)


def broken_promises(folder: Path, cut: Cut) -> Iterator[str]:
    """Open what the cut left and yield each promise that does not hold."""
    folder.mkdir()
    for name, content in cut.files.items():
        (folder / name).write_bytes(content)
    told = {what: {told.message for told in cut.told if told.what == what} for what in ("kept", "trying", "removed")}
    with Queue(folder / "spool", reserve_bytes=0, sync="os") as queue:
        left = set()
        while messages := queue.lease(500):
            left |= {message.id for message in messages}
            for message in messages:
                queue.ack(message.receipt)
        stats = queue.stats()
    yield from (f"{message} is lost" for message in told["kept"] - told["trying"] - left)
    yield from (f"{message} came back" for message in told["removed"] & left)
    if (stats.depth, stats.bytes) != (0, 0):
        yield f"the books do not balance: {stats}"


def outcome(tmp_path: Path, load: Load, *, count: int, seed: int) -> tuple[list[str], Recorder]:
    """Record one run and cut it at `count` places; return the promises broken, each with what replays it."""
    folder = tmp_path / "recorded"
    folder.mkdir()
    recorder = record(folder / "spool", load)
    chance = random.Random(seed)
    places = sorted(chance.choices(range(1, len(recorder.log)), k=count))
    broken: list[str] = []
    for number, cut in enumerate(cuts(recorder.log, places, chance)):
        broken += [f"cut {number} at {cut.at}: {what}" for what in broken_promises(tmp_path / str(number), cut)]
    return broken, recorder


@pytest.mark.slow
def test_a_power_cut_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """After each of 20 cuts every acknowledged put is there and no acknowledged removal is undone."""
    broken, recorder = outcome(tmp_path, Load(sessions=2, puts=25), count=20, seed=1)

    assert [] == broken
    assert any(isinstance(step, Sync) for step in recorder.log)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(10))
def test_many_power_cuts_lose_nothing_acknowledged(tmp_path: Path, seed: int) -> None:
    """The same with enough load for checkpoints in the middle; the seed, in the test's name, chooses the places."""
    broken, _ = outcome(tmp_path, Load(sessions=3, puts=80), count=60, seed=seed)

    assert [] == broken


@pytest.mark.slow
def test_a_power_cut_loses_no_write_of_a_region(tmp_path: Path) -> None:
    """What a region store acknowledged, its own and another's, is there after each of 20 cuts."""
    recorder, chance = Recorder(), random.Random(3)
    with recorder.recording(), RegionStore(tmp_path / "east", "east") as store:
        for n in range(150):
            sequence = store.put(f"k{n}", "x" * (n % 50 * 20))
            recorder.tell("written", f"k{sequence - 1}")
            change = Change(sequence=n + 1, key=f"w{n}", value="x", at=1)
            recorder.tell("applied", str(store.apply(Batch(origin=Origin("west", "m"), changes=(change,)))))
    places = sorted(chance.choices(range(1, len(recorder.log)), k=20))
    missing = []
    for cut in cuts(recorder.log, places, chance):
        folder = tmp_path / str(cut.at)
        folder.mkdir(exist_ok=True)
        for name, content in cut.files.items():
            (folder / name).write_bytes(content)
        with RegionStore(folder / "east", "east") as store:
            missing += [told.message for told in cut.told if told.what == "written" and store.get(told.message) is None]
            applied = max((int(told.message) for told in cut.told if told.what == "applied"), default=0)
            position = store.apply(Batch(origin=Origin("west", "m"), changes=()))
            missing += [f"{position} of {applied} applied"] * (position < applied)

    assert [] == missing
    assert any(isinstance(step, Sync) for step in recorder.log)


def test_the_simulation_can_tell(tmp_path: Path) -> None:
    """With `sync="os"`, which promises nothing about the power, the same cuts do lose messages."""
    broken, _ = outcome(tmp_path, Load(sessions=1, puts=25, sync="os"), count=20, seed=1)

    assert any("is lost" in what for what in broken)
