"""The desk's decisions, with a clock of our own."""

import sqlite3
from collections.abc import Iterator

import pytest

from outlast.data.desk import Desk, DrainOptions, Unclaimed
from outlast.data.ramp import SECOND, Permit, RampOptions
from outlast.data.records import New
from outlast.data.spool import Spool
from outlast.data.spool_format import FORMAT, Limits


class StoppedClock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.instant = SECOND

    def now(self) -> int:
        return self.instant

    def wall(self) -> int:
        return self.instant


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def spool() -> Iterator[Spool]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    for statement in FORMAT.schema.split(";"):
        db.execute(statement)
    yield Spool(db, Limits())
    db.close()


def desk(clock: StoppedClock) -> Desk:
    options = DrainOptions(ramp=RampOptions(start=10, factor=1, ceiling=10))
    return Desk(options, is_outage=lambda _, error: isinstance(error, OSError), clock=clock)


def turn(desk: Desk) -> Permit:
    permit = desk.turn()
    assert isinstance(permit, Permit)
    return permit


def test_what_nobody_takes_is_looked_at_ever_less_often(spool: Spool, clock: StoppedClock) -> None:
    """A thousand messages of a function that is gone cost a bounded number of looks, and no permit."""
    worker = desk(clock)
    looks = []
    for _ in range(1000):
        spool.put(New(body=b""), now=1, wall=1)
    for _ in range(100):
        while message := worker.take(spool):
            looks.append(clock.instant)
            worker.settle(turn(worker), message, Unclaimed("old"))(spool)
        clock.instant += SECOND
    stats = spool.stats(now=1, wall=1)

    assert 1000 <= len(looks) <= 1000 + 100 * 100
    assert 200 >= sum(at > clock.instant - 2 * SECOND for at in looks)
    assert "no function is registered as old" == worker.last_failure
    assert (1000, 0) == (stats.depth, stats.dead)


@pytest.mark.parametrize(("error", "attempts"), [(OSError(), 1), (ValueError(), 2), (SystemExit(), 2)], ids=repr)
def test_an_outage_counts_no_attempt(spool: Spool, clock: StoppedClock, error: BaseException, attempts: int) -> None:
    """What says that nobody could be reached is not the message's fault; anything else is."""
    worker = desk(clock)
    spool.put(New(body=b""), now=1, wall=1)
    message = worker.take(spool)
    assert message is not None
    worker.settle(turn(worker), message, error)(spool)
    clock.instant += SECOND
    again = worker.take(spool)
    assert again is not None

    assert attempts == again.attempts


def test_a_gate_that_is_shut_or_fails_gives_no_turn(clock: StoppedClock) -> None:
    """Either way there is a wait instead of a permit, and a failure is told."""
    answers = iter([False])
    worker = Desk(DrainOptions(gate=lambda: next(answers)), is_outage=lambda _, __: False, clock=clock)

    assert [0.1, 0.1] == [worker.turn(), worker.turn()]
    assert "gate: StopIteration()" == worker.last_failure
