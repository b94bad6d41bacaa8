"""What the exporter says beyond each place: who is silent, what nobody follows, what is not in the file."""

import asyncio
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from command_world import World, wait_for

from outlast.config import wire
from outlast.config.parse import load
from outlast.health.signal import Signal, Verdict

pytestmark = pytest.mark.slow
BOTH = ("127.0.0.1", "127.0.0.2")
DB = "db.example.com"
SECOND = 10**9
OLDEST = "outlast_oldest_signal_timestamp_seconds"


class Metrics:
    """What an exporter serves."""

    def __init__(self, address: str) -> None:
        self._address = address

    def __getitem__(self, name: str) -> float | None:
        with urllib.request.urlopen(self._address, timeout=5) as answer:
            lines = [line.split(" ") for line in answer.read().decode().splitlines()]
        return next((float(value) for key, value in (it for it in lines if len(it) == 2) if key == name), None)


@contextmanager
def exported(world: World) -> Iterator[Metrics]:
    """An exporter that looks often, after its first look."""
    exporter = world.start("exporter", "run", "--listen", "127.0.0.1:0", "--interval", "0.1")
    assert exporter.stdout is not None
    metrics = Metrics(exporter.stdout.readline().strip())
    wait_for(lambda: metrics["outlast_registry_up"] == 1)
    yield metrics
    world.stop(exporter)


def settled_for(world: World, age: str) -> None:
    """Let it settle and stop, with signals that are good for so long."""
    world.max_signal_age = age
    world.configure(*BOTH)
    world.settle()


def heard(world: World, *signals: tuple[str, str, float]) -> None:
    """Put signals into the registry: target, observer, seconds since 1970."""
    registry = wire.registry(load(world.folder / "outlast.toml"))
    told = (Signal(target, by, Verdict.HEALTHY, 1, int(at * SECOND)) for target, by, at in signals)
    asyncio.run(registry.put_signals(tuple(told)))


def test_silent_probers_are_counted(world: World) -> None:
    """The gauge is 0 while somebody speaks, and 1 once nobody has for `max_signal_age`."""
    settled_for(world, "4s")
    heard(world, ("127.0.0.1", "prober-a", time.time() + 60))
    with exported(world) as metrics:
        spoken = metrics["outlast_probers_silent"]
        heard(world, *((target, "prober-a", time.time() - 5) for target in BOTH))
        wait_for(lambda: metrics["outlast_probers_silent"] == 1)

    assert 0 == spoken


def test_orders_that_nobody_follows_are_counted(world: World) -> None:
    """Endpoints whose plan does not show an order are counted until the planner follows, or the order is lifted."""
    settled_for(world, "1h")
    with exported(world) as metrics:
        before = metrics["outlast_orders_not_followed"]
        world.run("evacuate", "127.0.0.2", "--apply", "--wait", "0")
        wait_for(lambda: metrics["outlast_orders_not_followed"] == 1)
        standing = metrics["outlast_orders"]
        world.run("evacuate", "127.0.0.2", "--undo", "--apply", "--wait", "0")
        wait_for(lambda: metrics["outlast_orders_not_followed"] == 0)

    assert (0, 1) == (before, standing)


def test_names_that_are_not_in_the_file_are_counted(world: World) -> None:
    """A name taken out of the file and not retired is counted, from the look after the edit."""
    settled_for(world, "1h")
    path = world.folder / "outlast.toml"
    with exported(world) as metrics:
        before = metrics["outlast_unlisted"]
        path.write_text(path.read_text().replace(f'"{DB}"', '"new.example.com"'))
        wait_for(lambda: metrics["outlast_unlisted"] == 1)

    assert 0 == before


def test_the_oldest_signal_is_of_a_target_in_the_file(world: World) -> None:
    """Signals of a target that was taken out of the file stay in the registry, and are not the oldest for ever."""
    settled_for(world, "1h")
    long_ago, lately = time.time() - 3600, time.time() - 30
    heard(world, ("192.0.2.9", "prober-a", long_ago), ("127.0.0.1", "prober-a", lately))
    with exported(world) as metrics:
        oldest = metrics[OLDEST]

    assert pytest.approx(lately, abs=1) == oldest


def test_a_prober_that_is_called_otherwise_now_is_not_missed(world: World) -> None:
    """Of a place the newest signal of a target counts, whatever its prober is called; another place's is not covered by it."""
    settled_for(world, "1h")
    now, lately, long_ago = time.time() + 60, time.time() - 30, time.time() - 3600
    heard(world, *((it, "east/new", now) for it in BOTH), ("127.0.0.1", "east/old", long_ago))
    with exported(world) as metrics:
        renamed = metrics[OLDEST]
        heard(world, ("127.0.0.1", "west/only", lately))
        wait_for(lambda: metrics[OLDEST] == pytest.approx(lately, abs=1))

    assert renamed is not None
    assert renamed > lately
