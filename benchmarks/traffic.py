"""What fencing costs and saves, and what planning costs.

Races: three enactors write one endpoint as fast as they can, each on what it has just read, on every real server that is
installed. With the fence a writer that was overtaken is refused; the peer is the same writers without it. A lost update
is an accepted write that nobody had read when the next one was accepted.

Planning: one pass of the planner over many endpoints, all new, then with a few of them changed. There is no peer; the
figure to look at is how the second depends on how many changed.
"""

import asyncio
import itertools
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from servers.bind import is_installed
from servers.knot import knot
from servers.process import find_program

from benchmarks.servers import ZONE, Server, Setup, provider_at, start_bind, start_embedded
from outlast.provider.rfc2136 import Rfc2136Provider
from outlast.registry.limits import admit
from outlast.traffic.content import Content
from outlast.traffic.drafting import next_entries
from outlast.traffic.edition import with_edition
from outlast.traffic.messages import InputsRead
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.ports import Outcome, Transaction
from outlast.traffic.sentinel import Sentinel, Standing, parse
from outlast.traffic.topology import Endpoint, Target, Topology

WRITERS = 3
ENDPOINTS_FOR_EACH_TRANSACTION = 100
"""So that the usual 300 transactions go with 30,000 endpoints."""
CHANGED = 100
ADDRESSES = 5


class Blind(Rfc2136Provider):
    """The same provider without prerequisites."""

    def _prerequisites(self, message: Any, transaction: Transaction) -> None:
        """Demand nothing."""


class Race(NamedTuple):
    """What became of the writers' transactions."""

    accepted: int
    refused: int
    lost: int
    seconds: float


def run(transactions: int, folder: Path) -> dict[str, Any]:
    """Race on each server that is installed, and plan; return the result as JSON has it."""
    setup = Setup.make(folder)
    with ExitStack() as stack:
        servers = [stack.enter_context(start_embedded(setup))]
        if is_installed():
            servers.append(stack.enter_context(start_bind(setup)))
        if find_program("knotd") is not None:
            own = folder / "knot"
            own.mkdir()
            text = f"$ORIGIN {ZONE}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 5\n@ NS ns\nns A 127.0.0.1\n"
            running = stack.enter_context(
                knot(own, zones={ZONE: text}, closed=(), key=setup.key_name, secret=setup.key_secret)
            )
            servers.append(Server(name="Knot DNS", address=running.address, port=running.port, pid=running.pid))
        races = [_raced(server, setup, transactions) for server in servers]
    return {"benchmark": "traffic", "races": races, "planning": _planned(transactions)}


def lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the result for a person."""
    yield f"traffic: {WRITERS} enactors at one endpoint"
    yield f"  {'server':<18} {'':<9} {'accepted/s':>11} {'refused':>9} {'lost':>6}"
    for item, way in itertools.product(result["races"], ("fenced", "blind")):
        race = item[way]
        yield (
            f"  {item['server']:<18} {way:<9} {race['accepted_per_second']:>11.0f} {race['refused_share']:>9.0%} {race['lost']:>6}"
        )
    plan = result["planning"]
    yield f"traffic: planning {plan['endpoints']:,} endpoints with {plan['records']:,} records"
    yield f"  all new {plan['all_new_s']:.2f} s, {plan['changed']} changed {plan['few_changed_s']:.2f} s, none {plan['none_changed_s']:.2f} s"
    yield f"  as text {plan['text_mb']:.1f} MB, written and read back in {plan['text_s']:.2f} s, after a change in {plan['changed_text_s']:.2f} s; peak memory {plan['peak_mb']:.0f} MB"


def _raced(server: Server, setup: Setup, transactions: int) -> dict[str, Any]:
    found: dict[str, Any] = {"server": server.name}
    for way, kind in (("fenced", Rfc2136Provider), ("blind", Blind)):
        race = asyncio.run(_race(provider_at(server, setup, kind), f"{way}.{ZONE}", transactions))
        found[way] = {
            "accepted_per_second": round(race.accepted / race.seconds, 1),
            "refused_share": round(race.refused / (race.accepted + race.refused), 3),
            "lost": race.lost,
        }
    return found


async def _race(provider: Rfc2136Provider, endpoint: str, transactions: int) -> Race:
    left = itertools.count()
    bases: list[int] = []
    refused = 0

    async def write(name: str) -> None:
        nonlocal refused
        while next(left) < transactions:
            seen = await provider.read(endpoint)
            there = parse(seen.sentinel)
            base = there.n if isinstance(there, Sentinel) else 0
            content = Content.of_addresses((f"192.0.2.{1 + base % 250}",), ttl=5)
            sentinel = Sentinel("bench", base + 1, base + 1, content.digest, Standing.LIVE, name)
            reply = await provider.commit(Transaction(provider.name, endpoint, seen, sentinel, content))
            if reply.outcome is Outcome.COMMITTED:
                bases.append(base)
            elif reply.outcome is Outcome.CONFLICT:
                refused += 1
            else:
                raise RuntimeError(f"{provider.name}: {reply.outcome}: {reply.detail}")

    begun = time.perf_counter()
    await asyncio.gather(*(write(f"e{number}") for number in range(WRITERS)))
    return Race(len(bases), refused, len(bases) - len(set(bases)), time.perf_counter() - begun)


def _planned(transactions: int) -> dict[str, Any]:
    count = max(CHANGED, transactions * ENDPOINTS_FOR_EACH_TRANSACTION)
    topology = with_edition(_topology(count, changed=0), 1)
    inputs = InputsRead(topology, None, 0, (), (), (), wall=time.time_ns())
    entries, all_new = _timed(inputs)
    plan = Plan(realm="bench", generation=1, entries=tuple(sorted(entries, key=lambda entry: entry.endpoint)))
    _, none = _timed(inputs._replace(plan=plan))
    # As the roles read an edited file.
    edited = with_edition(_topology(count, changed=CHANGED).sharing(topology), 2, known=topology)
    few, some = _timed(inputs._replace(plan=plan, topology=edited))
    if len(few) != CHANGED:
        raise RuntimeError(f"{len(few)} entries changed, not {CHANGED}")
    begun = time.process_time()
    text = plan.to_json()
    if Plan.from_json(text) != plan:
        raise RuntimeError("the plan does not read back")
    text_s = time.process_time() - begun
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "endpoints": count,
        "records": count * ADDRESSES,
        "changed": CHANGED,
        "all_new_s": all_new,
        "few_changed_s": some,
        "none_changed_s": none,
        "text_s": text_s,
        "changed_text_s": _changed_text(Plan.from_json(text), few),
        "text_mb": len(text) / 1e6,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6,
    }


def _changed_text(read: Plan, few: tuple[Entry, ...]) -> float:
    """Seconds to admit a plan that differs in a few entries from one that was read, its lines known from a change before."""
    changed = {entry.endpoint: replace(entry, generation=2) for entry in few}
    entries = tuple(changed.get(entry.endpoint, entry) for entry in read.entries)
    plan = Plan(realm="bench", generation=2, entries=entries)
    admit(read, known=read)
    begun = time.process_time()
    admit(plan, known=read)
    return time.process_time() - begun


def _topology(count: int, *, changed: int) -> Topology:
    def targets(number: int) -> tuple[Target, ...]:
        shift = 100 if number < changed else 0
        base = f"10.{number >> 16 & 255}.{number >> 8 & 255}"
        return tuple(
            Target(address=f"{base}.{1 + shift + place}", region=f"r{place % 2}") for place in range(ADDRESSES)
        )

    names = (f"e{number}.{ZONE}" for number in range(count))
    return Topology(
        realm="bench",
        endpoints=tuple(
            Endpoint(name=name, targets=targets(number), probed=False) for number, name in enumerate(names)
        ),
    )


def _timed(inputs: InputsRead) -> tuple[Any, float]:
    begun = time.process_time()
    return next_entries(inputs, 10**9), time.process_time() - begun
