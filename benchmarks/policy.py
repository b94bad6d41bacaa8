"""What one protected call costs when nothing fails, beside a bare call, stamina and httpx; all in the same run.

Each figure is the fastest of several rounds, taken in turns so that a busy minute of the machine meets all of them: the
fastest round is the one that was disturbed least. Only ratios within one run mean something.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import stamina

from outlast.client import protect
from outlast.policy import Breaker, Policy, Retry, transient

ROUNDS = 5
CALLS_PER_TRANSACTION = 50
"""A call costs so much less than what the other benchmarks measure that there are this many times more of them."""
HTTPX_SHARE = 50
"""A request through httpx costs so much more than a call that it is made this many times less often."""


def policy() -> Policy:
    """Return what a service would use: retry, budget and breaker."""
    return Policy("benchmark", retry=Retry(on=transient), breaker=Breaker())


def bare() -> int:
    return 1


async def abare() -> int:
    return 1


def time_calls(call: Callable[[], object], count: int) -> float:
    """Return nanoseconds of processor time for one call."""
    begun = time.process_time_ns()
    for _ in range(count):
        call()
    return (time.process_time_ns() - begun) / count


def time_coroutines(call: Callable[[], Awaitable[object]], count: int) -> float:
    """Return nanoseconds of processor time for one awaited call."""

    async def run() -> float:
        begun = time.process_time_ns()
        for _ in range(count):
            await call()
        return (time.process_time_ns() - begun) / count

    return asyncio.run(run())


def measure(calls: int, rounds: int) -> dict[str, float]:
    """Return the nanoseconds of each candidate by name."""
    stand_in = httpx.MockTransport(lambda _: httpx.Response(200))
    plain = httpx.Client(transport=stand_in, trust_env=False)
    guarded = protect(httpx.Client(transport=stand_in, trust_env=False), policy())
    stamina_sync = stamina.retry(on=OSError)(bare)
    stamina_async = stamina.retry(on=OSError)(abare)
    ours, ours_async = policy()(bare), policy()(abare)
    url, few = "http://service.test/", max(1, calls // HTTPX_SHARE)
    candidates: dict[str, Callable[[], float]] = {
        "bare": lambda: time_calls(bare, calls),
        "outlast": lambda: time_calls(ours, calls),
        "stamina": lambda: time_calls(stamina_sync, calls),
        "bare async": lambda: time_coroutines(abare, calls),
        "outlast async": lambda: time_coroutines(ours_async, calls),
        "stamina async": lambda: time_coroutines(stamina_async, calls),
        "httpx": lambda: time_calls(lambda: plain.get(url), few),
        "httpx protected": lambda: time_calls(lambda: guarded.get(url), few),
    }
    found: dict[str, float] = {}
    with plain, guarded:
        for _ in range(rounds):
            for name, run in candidates.items():
                found[name] = min(run(), found.get(name, float("inf")))
    return found


def ratios(found: dict[str, float]) -> dict[str, float]:
    """Return what the policy adds, in proportion."""
    sync, coroutine = found["outlast"] - found["bare"], found["outlast async"] - found["bare async"]
    return {
        "added, to what stamina adds": sync / (found["stamina"] - found["bare"]),
        "added async, to what stamina adds": coroutine / (found["stamina async"] - found["bare async"]),
        "added by the policy alone, to an httpx GET": sync / found["httpx"],
        "httpx protected, to httpx": found["httpx protected"] / found["httpx"],
    }


def run(transactions: int, folder: Path) -> dict[str, Any]:  # noqa: ARG001  every benchmark is given a folder
    """Measure; return the result as JSON has it, nanoseconds of processor time for each call."""
    calls = transactions * CALLS_PER_TRANSACTION
    found = measure(calls, ROUNDS)
    return {"benchmark": "policy", "calls": calls, "rounds": ROUNDS, "ns": found, "ratios": ratios(found)}


def lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the result for a person."""
    yield f"policy: fastest of {result['rounds']} rounds of {result['calls']} calls, ns of processor time each"
    yield from (f"  {name:<45}{value:>10,.0f}" for name, value in result["ns"].items())
    yield from (f"  {name:<45}{value:>10.3f}" for name, value in result["ratios"].items())
