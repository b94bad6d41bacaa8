"""One transaction of an enactor, a read and a fenced commit, on the embedded name server and on BIND 9 in the same run.

Both are processes of their own on loopback with one zone that is kept on disk before a change is acknowledged, and both
get the same transactions one after the other from the same provider adapter. What is compared is the server: its CPU
time, and the wall time that the enactor waits. Rounds alternate, so that a busy machine is busy for both.
"""

import asyncio
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from servers.bind import is_installed

from benchmarks.servers import ZONE, Server, Setup, provider_at, start_bind, start_embedded
from outlast.provider.rfc2136 import Rfc2136Provider
from outlast.traffic.content import Content
from outlast.traffic.ports import Outcome, Transaction
from outlast.traffic.sentinel import Sentinel, Standing

ROUNDS = 5
WARM_UP = 20
"""Transactions before the first that counts: both servers load code and fill caches with the first ones."""
ENDPOINT = f"db.{ZONE}"


class Sample(NamedTuple):
    """One server's share of the run; times in seconds."""

    walls: tuple[float, ...]
    server_cpu: float | None
    client_cpu: float


def run(transactions: int, folder: Path) -> dict[str, Any]:
    """Run `transactions` on each server that is installed; return the result as JSON has it, times in microseconds."""
    setup = Setup.make(folder)
    with ExitStack() as stack:
        servers = [stack.enter_context(start_embedded(setup))]
        has_peer = is_installed()
        if has_peer:
            servers.append(stack.enter_context(start_bind(setup)))
        samples = asyncio.run(_measure(servers, setup, transactions))
    results = [_result(server, sample) for server, sample in zip(servers, samples, strict=True)]
    skipped = [] if has_peer else ["BIND 9: named not found; PEERS=install make bench, or apt install bind9"]
    return {"benchmark": "updates", "transactions": transactions, "servers": results, "skipped": skipped} | _ratios(
        results
    )


def lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the result for a person."""
    yield f"updates: {result['transactions']} transactions of an enactor (read, fenced commit), microseconds each"
    yield f"  {'server':<18} {'wall p50':>9} {'wall p99':>9} {'server CPU':>11} {'client CPU':>11}"
    for item in result["servers"]:
        cpu = "not known" if item["server_cpu_us"] is None else f"{item['server_cpu_us']:.0f}"
        yield (
            f"  {item['server']:<18} {item['wall_p50_us']:>9.0f} {item['wall_p99_us']:>9.0f} {cpu:>11} "
            f"{item['client_cpu_us']:>11.0f}"
        )
    for key, words in (("wall_ratio", "wall p50"), ("server_cpu_ratio", "server CPU")):
        if result.get(key) is not None:
            yield f"  {words}, embedded to BIND 9: {result[key]:.2f}"
    yield from (f"  left out: {reason}" for reason in result["skipped"])


async def _measure(servers: list[Server], setup: Setup, transactions: int) -> list[Sample]:
    sessions = [_Session(server, setup) for server in servers]
    for session in sessions:
        await session.go_on(WARM_UP)
        session.forget()
    for number in range(ROUNDS):
        share = transactions * (number + 1) // ROUNDS - transactions * number // ROUNDS
        for session in sessions:
            await session.go_on(share)
    return [session.sample() for session in sessions]


class _Session:
    """One enactor at one server."""

    def __init__(self, server: Server, setup: Setup) -> None:
        self._server = server
        self._provider = provider_at(server, setup, Rfc2136Provider)
        self._writes = 0
        self.forget()

    def forget(self) -> None:
        """Begin to count anew."""
        self._walls: list[float] = []
        self._client_cpu = 0.0
        self._server_cpu_before = self._server.cpu_seconds()

    async def go_on(self, count: int) -> None:
        """Carry out that many transactions more."""
        before = time.process_time()
        for _ in range(count):
            began = time.perf_counter()
            await self._transact()
            self._walls.append(time.perf_counter() - began)
        self._client_cpu += time.process_time() - before

    async def _transact(self) -> None:
        self._writes += 1
        addresses = tuple(f"192.0.2.{1 + (self._writes + offset) % 250}" for offset in range(4))
        content = Content.of_addresses(addresses, ttl=5)
        sentinel = Sentinel("bench", self._writes, self._writes, content.digest, Standing.LIVE, "bench")
        seen = await self._provider.read(ENDPOINT)
        reply = await self._provider.commit(Transaction(self._server.name, ENDPOINT, seen, sentinel, content))
        if reply.outcome is not Outcome.COMMITTED:
            raise RuntimeError(f"{self._server.name}: {reply.outcome}: {reply.detail}")

    def sample(self) -> Sample:
        """Return what was counted."""
        now, before = self._server.cpu_seconds(), self._server_cpu_before
        return Sample(tuple(self._walls), None if now is None or before is None else now - before, self._client_cpu)


def _result(server: Server, sample: Sample) -> dict[str, Any]:
    count = len(sample.walls)
    walls = sorted(sample.walls)
    return {
        "server": server.name,
        "wall_p50_us": round(1e6 * statistics.median(walls), 1),
        "wall_p99_us": round(1e6 * walls[min(count - 1, count * 99 // 100)], 1),
        "server_cpu_us": None if sample.server_cpu is None else round(1e6 * sample.server_cpu / count, 1),
        "client_cpu_us": round(1e6 * sample.client_cpu / count, 1),
        "cpus": os.cpu_count(),
    }


def _ratios(results: list[dict[str, Any]]) -> dict[str, float | None]:
    if len(results) < 2:
        return {"wall_ratio": None, "server_cpu_ratio": None}
    ours, theirs = results
    known = ours["server_cpu_us"] is not None and theirs["server_cpu_us"]
    return {
        "wall_ratio": round(ours["wall_p50_us"] / theirs["wall_p50_us"], 3),
        "server_cpu_ratio": round(ours["server_cpu_us"] / theirs["server_cpu_us"], 3) if known else None,
    }
