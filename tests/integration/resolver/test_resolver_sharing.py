"""One resolver for many threads and loops: shared questions, cancellation, pins, limits, what it says of itself."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from outlast.errors import InvalidConfig, ResolutionFailed
from outlast.resolver import Answer, Protect, Resolver
from outlast.testing.scripted_dns import ScriptedDns

NAME = "db.example.com"


def test_threads_share_a_question(dns: ScriptedDns) -> None:
    """Thirty threads that ask at once cause one question, and all get its answer."""
    dns.set(NAME, "slow")
    made = Resolver(upstreams=[dns.address], families=("A",))
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda _: made.resolve(NAME), range(30)))

    assert {("127.0.0.1",)} == {answer.addresses for answer in answers}
    assert ("A",) == dns.queries(NAME)
    assert 1 == made.stats().upstream
    assert made.stats().shared


@pytest.mark.parametrize("is_async", [False, True], ids=["threads", "tasks"])
def test_a_crowd_does_not_storm_a_silent_upstream(dns: ScriptedDns, *, is_async: bool) -> None:
    """Of a hundred who wait in vain, only one at a time asks again, however short their patience."""
    dns.set(NAME, "silent")
    made = Resolver(upstreams=[dns.address], families=("A",), patience=0.1, timeout=1.0, deadline=1.0)

    async def many() -> list[Answer | BaseException]:
        return await asyncio.gather(*(made.aresolve(NAME) for _ in range(100)), return_exceptions=True)

    if is_async:
        failed = sum(isinstance(result, ResolutionFailed) for result in asyncio.run(many()))
    else:
        with ThreadPoolExecutor(100) as pool:
            results = [pool.submit(made.resolve, NAME) for _ in range(100)]
            failed = sum(isinstance(result.exception(), ResolutionFailed) for result in results)

    assert 100 == failed
    assert len(dns.queries(NAME)) < 50


@pytest.mark.parametrize("is_waiting", [False, True], ids=["after", "beside"])
def test_a_caller_in_a_hurry_spoils_it_for_nobody(dns: ScriptedDns, *, is_waiting: bool) -> None:
    """That an upstream did not answer within milliseconds is told to who asked for that, not to those who have the time."""
    dns.set(NAME, "silent")
    made = Resolver(upstreams=[dns.address], families=("A",), timeout=0.2)

    async def scene() -> Answer:
        hurried = asyncio.create_task(made.aresolve(NAME, deadline=0.03))
        await asyncio.sleep(0)
        patient = asyncio.create_task(made.aresolve(NAME)) if is_waiting else None
        with pytest.raises(ResolutionFailed):
            await hurried
        dns.set(NAME, "good")
        return await (patient or made.aresolve(NAME))

    assert "upstream" == asyncio.run(scene()).source


def test_a_caller_in_a_hurry_makes_nobody_elses_answer_old(dns: ScriptedDns, clock: Any) -> None:
    """What it is told from memory is not kept for those who can wait for news."""
    made = Resolver(clock=clock, upstreams=[dns.address], families=("A",))
    made.resolve(NAME)
    clock.let_pass(3)
    dns.set(NAME, "silent")
    hurried = made.resolve(NAME, deadline=0.02)
    dns.set(NAME, "good")

    assert ("stale", "upstream") == (hurried.source, made.resolve(NAME).source)


def test_loops_and_threads_share_a_resolver(dns: ScriptedDns) -> None:
    """Two loops in two threads and a blocking caller use one resolver."""
    dns.set(NAME, "slow")
    made = Resolver(upstreams=[dns.address], families=("A",))

    async def many() -> list[Answer]:
        return await asyncio.gather(*(made.aresolve(NAME) for _ in range(10)))

    with ThreadPoolExecutor(3) as pool:
        loops = [pool.submit(lambda: asyncio.run(many())) for _ in range(2)]
        alone = pool.submit(made.resolve, NAME)
        answers = [alone.result(), *(answer for future in loops for answer in future.result())]

    assert 21 == len(answers)
    assert {("127.0.0.1",)} == {answer.addresses for answer in answers}


def test_cancelling_one_caller_harms_no_other(dns: ScriptedDns) -> None:
    """If the caller that carries a question out is cancelled, another carries it out again."""
    dns.set(NAME, "slow")
    made = Resolver(upstreams=[dns.address], families=("A",))

    async def scene() -> Answer:
        first = asyncio.create_task(made.aresolve(NAME))
        second = asyncio.create_task(made.aresolve(NAME))
        await asyncio.sleep(0.05)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        return await second

    answer = asyncio.run(scene())

    assert ("127.0.0.1",) == answer.addresses
    assert ("A", "A") == dns.queries(NAME)


def test_a_hanging_loop_does_not_hold_others_up(dns: ScriptedDns) -> None:
    """Who waits for a question that a blocked loop carries out goes on alone after a while."""
    dns.set(NAME, "slow")
    made = Resolver(upstreams=[dns.address], families=("A",), patience=0.3)
    release = threading.Event()

    async def hang() -> None:
        task = asyncio.create_task(made.aresolve(NAME))
        await asyncio.sleep(0.02)
        release.wait(5)  # blocks the loop, as a careless program does
        await task

    thread = threading.Thread(target=lambda: asyncio.run(hang()))
    thread.start()
    time.sleep(0.1)
    answer = made.resolve(NAME)
    release.set()
    thread.join()

    assert ("127.0.0.1",) == answer.addresses


def test_a_deadline_is_kept(dns: ScriptedDns) -> None:
    """A call's own deadline is what it takes at most, and something older is answered within it."""
    dns.set("new.example.com", "silent")
    made = Resolver(upstreams=[dns.address], names={"*": Protect(verify="none")})
    began = time.monotonic()
    with pytest.raises(ResolutionFailed, match="no answer from"):
        made.resolve("new.example.com", deadline=0.2)

    assert 0.15 < time.monotonic() - began < 3.0
    with pytest.raises(InvalidConfig):
        made.resolve(NAME, deadline=float("nan"))


def test_pins_win(dns: ScriptedDns) -> None:
    """A pinned name is answered as configured, whatever upstreams say, also after it was purged."""
    made = Resolver(upstreams=[dns.address], pins={NAME: ["127.0.0.7"]})
    before = made.resolve(NAME)
    made.purge(NAME)

    assert Answer(NAME, ("127.0.0.7",), "pin", 0.0, "pinned", None) == before == made.resolve(f"{NAME}.".upper())
    assert () == dns.queries(NAME)


def test_the_cache_is_bounded(dns: ScriptedDns) -> None:
    """However many names are asked for, only so many are kept, and the protected one is kept longest."""
    made = Resolver(upstreams=[dns.address], max_names=10, families=("A",), names={NAME: Protect(verify="none")})
    for name in (NAME, *(f"n{number}.example.com" for number in range(30))):
        dns.serve(name, ["127.0.0.1"])
        made.resolve(name)

    assert (11, 10) == (made.stats().cached, made.stats().known)
    assert NAME in made._book.known


def test_a_damaged_store_stops_nothing(dns: ScriptedDns, tmp_path: Path) -> None:
    """A resolver on a damaged file resolves, says what is wrong, and keeps what it learns from now on."""
    path = tmp_path / "known"
    path.write_bytes(b"not what it should be")
    with Resolver(upstreams=[dns.address], store=path) as made:
        fault = made.stats().store_fault
        source = made.resolve(NAME).source

    assert "is set aside" in fault
    assert "upstream" == source
    assert 1 == Resolver(upstreams=[dns.address], store=path).stats().known


def test_what_it_says_of_itself(dns: ScriptedDns, clock: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Counts, a line to read, and one line of log when a name is first answered from memory and when it heals."""
    made = Resolver(clock=clock, upstreams=[dns.address], names={NAME: Protect(verify="none")})
    made.resolve(NAME)
    dns.set(NAME, "nodata")
    for _ in range(3):
        clock.let_pass(4)
        made.resolve(NAME)
    line = repr(made)
    dns.set(NAME, "good")
    clock.let_pass(4)
    made.resolve(NAME)

    assert (2, 3) == (made.stats().upstream, made.stats().last_known_good)
    assert "1 known, 1 degraded" in line
    assert ["answering last-known-good", "no longer answered from memory"] == [
        record.getMessage().split(": ")[1] for record in caplog.records
    ]
