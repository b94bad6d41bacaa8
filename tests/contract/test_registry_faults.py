"""What every registry promises when several use it, when its server is restarted, stands still or is put back in time."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest
from registry_places import DB, Place, leases_of, plan, record

from outlast.errors import Unavailable
from outlast.health.signal import Signal, Verdict
from outlast.traffic.ports import AheadReport, Known, Lease, PlanInfo, Registry

pytestmark = pytest.mark.slow

SHARED = ["sqlite", "postgres", "etcd", "s3"]
SERVED = ["postgres", "etcd", "s3"]
PATIENCE = 0.5
"""Seconds that a call of these tests waits for a server that stands still."""
SLACK = 4.0
"""Seconds that a busy machine may add."""
YEAR = 365 * 86_400 * 10**9


_WRITER = """
import asyncio, json, sys
from registry_places import DB, connect, plan, record

async def main(words, me):
    registry = connect(words)
    wins = 0
    for at in range(5):
        after = (await registry.known("p", DB)).generation
        wins += await registry.publish(plan(after + 1, reason=f"{me} {at}"), after=after)
        await registry.write_record(record(at, endpoint=f"{me}.example.com"))
        await registry.write_record(record(2 * at + (me == "b"), endpoint="both.example.com"))
    registry.close()
    return wins

print(asyncio.run(main(json.loads(sys.argv[1]), sys.argv[2])))
"""


@pytest.mark.parametrize("registry_at", SHARED, indirect=True)
def test_two_processes_lose_nothing(registry_at: Place) -> None:
    """Processes that begin on an empty registry and write in a race: each win is one generation, each record the newest."""
    code = f"import sys; sys.path.append({str(Path(__file__).parents[1])!r})\n{_WRITER}"
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(registry_at), me], stdout=subprocess.PIPE, text=True)
        for me in ("a", "b")
    ]
    wins = [int(process.communicate(timeout=90)[0]) for process in running]
    registry = registry_at.connect()

    async def ask() -> tuple[object, ...]:
        plans = [info.generation for info in await registry.plans()]
        return await registry.floor(), plans, [(it.endpoint, it.sentinel.n) for it in await registry.records()]

    floor = sum(wins)
    expected = (
        floor,
        list(range(floor, 0, -1)),
        [("a.example.com", 4), ("b.example.com", 4), ("both.example.com", 9)],
    )
    assert expected == asyncio.run(ask())


@pytest.mark.parametrize("registry_at", SHARED, indirect=True)
def test_two_connections_race_for_each_generation(registry_at: Place) -> None:
    """Of planners on two connections exactly one publishes each generation, and both then know the same plan."""
    one, two = registry_at.connect(), registry_at.connect()

    async def ask() -> list[object]:
        found: list[object] = []
        for after in range(5):
            mine, yours = plan(after + 1, reason="one"), plan(after + 1, reason="two")
            wins = await asyncio.gather(one.publish(mine, after=after), two.publish(yours, after=after))
            found.append((sum(wins), [mine if wins[0] else yours] * 2))
            found.append((1, [await one.latest_plan(), await two.latest_plan()]))
        return found

    found = asyncio.run(ask())
    assert found[1::2] == found[::2]


@pytest.mark.parametrize("registry_at", SHARED, indirect=True)
def test_of_those_who_want_a_lease_one_gets_each_token(registry_at: Place) -> None:
    """On two connections every change of hands has one winner, and both see the same one."""
    leases = [leases_of(registry_at.connect()) for _ in range(2)]

    async def change(token: int, seen: Lease | None) -> Lease:
        wanted = [Lease("p", f"{me}", token, 0) for me in range(2)]
        won = await asyncio.gather(*(it.swap_lease(want, seen=seen) for it, want in zip(leases, wanted, strict=True)))
        assert 1 == sum(won)
        return wanted[won.index(True)]

    async def ask() -> tuple[object, ...]:
        held = None
        for token in range(1, 5):
            held = await change(token, held)
        return held, await leases[0].lease("p"), await leases[1].lease("p")

    held, *kept = asyncio.run(ask())
    assert [held, held] == kept


@pytest.mark.parametrize("registry_at", SHARED, indirect=True)
def test_what_was_acknowledged_outlives_a_restart(registry_at: Place) -> None:
    """After a restart of the server everything is there, and a connection from before goes on where it was."""
    registry = registry_at.connect()
    signal = Signal("t", "here", Verdict.HEALTHY, 1, 2, ever_healthy=True, evidence="200")
    report = AheadReport("p", DB, 4, "4" * 32)
    lease = Lease("p", "one", 7, 3)

    async def ask() -> tuple[object, ...]:
        assert await registry.publish(plan(1), after=0)
        assert await registry.write_record(record(3))
        await registry.put_signals((signal,))
        await registry.report(report)
        await registry.tombstone(1, at=7)
        assert await leases_of(registry).swap_lease(lease, seen=None)
        await asyncio.to_thread(registry_at.server.restart)
        kept = await registry.known("p", DB), await registry.signals(), await registry.reports(), await registry.plans()
        return (
            *kept,
            await leases_of(registry).lease("p"),
            await registry.publish(plan(2), after=1),
            await registry.floor(),
        )

    expected = Known(1, plan(1).entries[0], record(3)), (signal,), (report,), (PlanInfo(1, 1, 7),), lease, True, 2
    assert expected == asyncio.run(ask())


@pytest.mark.parametrize("registry_at", SERVED, indirect=True)
def test_a_server_that_stands_still_is_an_error_in_time(registry_at: Place) -> None:
    """With the server stopped reads and writes end in `Unavailable` within the timeout; with it back, all goes on."""
    registry = registry_at.connect(timeout=PATIENCE)
    patient = registry_at.connect()

    async def ask() -> tuple[list[float], list[str]]:
        assert await patient.publish(plan(1), after=0)
        await patient.known("p", DB)
        await refusals(registry)
        registry_at.server.pause()
        try:
            return await refusals(registry)
        finally:
            registry_at.server.resume()

    async def go_on() -> tuple[object, ...]:
        generation = (await patient.known("p", DB)).generation
        return generation, await patient.publish(plan(2), after=1), await patient.write_record(record(9))

    took, words = asyncio.run(ask())
    assert 2 == len(words)
    assert all("registry" in said and "(" in said for said in words)
    assert max(took) < 3 * PATIENCE + SLACK
    assert (1, True, True) == asyncio.run(go_on())


async def refusals(registry: Registry) -> tuple[list[float], list[str]]:
    """How long a read and a write take, and what they say if they are refused."""
    took, words = [], []
    for work in (registry.known("p", DB), registry.write_record(record(5))):
        begun = time.monotonic()
        try:
            await work
        except Unavailable as error:
            words.append(str(error))
        took.append(time.monotonic() - begun)
    return took, words


@pytest.mark.parametrize("registry_at", SHARED, indirect=True)
def test_a_restored_backup_is_seen_and_gone_on_from(registry_at: Place, tmp_path: Path) -> None:
    """After a restore nothing of the lost future answers, not even for an equal generation, and publishing goes on."""
    registry, other = registry_at.connect(), registry_at.connect()
    copy = tmp_path / "copy"

    async def ask() -> tuple[object, ...]:
        assert await registry.publish(plan(1), after=0)
        assert await registry.write_record(record(3))
        registry_at.close()
        await asyncio.to_thread(registry_at.server.save, copy)
        assert await registry.publish(plan(2, reason="lost"), after=1)
        assert await registry.write_record(record(8, gen=2))
        lost = await registry.known("p", DB)
        registry_at.close()
        await asyncio.to_thread(registry_at.server.restore, copy)
        back = await registry.known("p", DB), await registry.floor(), await registry.plan(2)
        late = await registry.publish(plan(3), after=2)
        again = await other.publish(plan(2, reason="another"), after=1)
        return lost.generation, *back, late, again, await registry.latest_plan(), await registry.write_record(record(4))

    expected = (
        2, Known(1, plan(1).entries[0], record(3)), 1, None, False, True, plan(2, reason="another"), True,
    )  # fmt: skip
    assert expected == asyncio.run(ask())


@pytest.mark.parametrize("registry_at", ["memory", *SHARED], indirect=True)
def test_no_registry_asks_the_clock(registry_at: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wall clock that jumps by a year to and fro changes nothing: all times are those that the caller gives."""
    registry = registry_at.connect()
    real = time.time

    async def ask() -> tuple[object, ...]:
        found: list[object] = []
        for at, jump in enumerate((0, YEAR, -YEAR, 0)):
            monkeypatch.setattr(time, "time", lambda jump=jump: real() + jump / 1e9)
            monkeypatch.setattr(time, "time_ns", lambda jump=jump: int(real() * 1e9) + jump)
            found.append(await registry.publish(plan(at + 1), after=at))
            await registry.put_signals((Signal("t", f"o{at}", Verdict.HEALTHY, 1, 4 - at),))
        await registry.tombstone(1, at=7)
        found.append(await registry.delete_plan(1, keep=1, tombstoned_before=7))
        found.append(await registry.delete_plan(1, keep=1, tombstoned_before=8))
        return *found, [signal.at for signal in await registry.signals()]

    assert (True, True, True, True, False, True, [4, 3, 2, 1]) == asyncio.run(ask())
