"""From a change of health to the authoritative answer: `outlast up` on BIND 9 and on Knot DNS, with the same signal.

A target that answers HTTP begins to answer 503. `outlast up`, a process with prober, planner, enactor and janitor, notices,
plans and writes to both servers, each of which is asked by UDP every two milliseconds until it answers without the target.
Then the target recovers, comes back, and it all begins anew. What the figure is made of is told: where it can, in the
configured intervals, and as measured from the roles' own log, whose clock is this machine's.
"""

import http.server
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import dns.exception
import dns.message
import dns.query
import dns.rdatatype
from servers import bind, knot

from benchmarks.servers import ZONE, ZONE_TEXT, Setup

WELL, SICK = "127.0.0.1", "127.0.0.2"
NAME = f"db.{ZONE}"
INTERVAL, FALL = 0.1, 3
POLL = 0.002
SAMPLES_MAX = 100
SECONDS_MAX = 60.0
STOP_SECONDS = 10.0


class Primary(NamedTuple):
    """One of the servers."""

    name: str
    port: int


def run(transactions: int, folder: Path) -> dict[str, Any]:
    """Measure as many changes as a third of the transactions, at most a hundred; return the result as JSON has it."""
    samples = max(2, min(SAMPLES_MAX, transactions // 3))
    setup = Setup.make(folder)
    words: dict[str, Any] = {
        "zones": {ZONE: ZONE_TEXT},
        "closed": (),
        "key": setup.key_name,
        "secret": setup.key_secret,
    }
    with ExitStack() as stack:
        primaries = []
        for name, kind, start in (("BIND 9", bind, bind.bind), ("Knot DNS", knot, knot.knot)):
            if kind.is_installed():
                own = folder / name.split()[0].lower()
                own.mkdir()
                primaries.append(Primary(name, stack.enter_context(start(own, **words)).port))
        result = {"benchmark": "failover", "samples": samples, "interval_s": INTERVAL, "fall": FALL}
        if not primaries:
            return {**result, "servers": {}, "stages_ms": {}}
        targets = stack.enter_context(_targets())
        log = stack.enter_context(_up(setup, primaries, targets.port))
        return result | _measure(primaries, targets, log, samples)


def lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the result for a person."""
    yield f"failover: from a target's first 503 to an answer without it, {result['samples']} times, milliseconds"
    if not result["servers"]:
        yield "  left out: neither named nor knotd found; PEERS=install make bench, or apt install bind9 knot"
        return
    yield f"  {'server':<18} {'p50':>7} {'p99':>7} {'max':>7}"
    for name, item in result["servers"].items():
        yield f"  {name:<18} {item['p50_ms']:>7.0f} {item['p99_ms']:>7.0f} {item['max_ms']:>7.0f}"
    told = ", ".join(f"{name} {value:.0f}" for name, value in result["stages_ms"].items())
    yield f"  made of (medians): {told}"
    yield (
        f"  by configuration: {result['fall']} failed probes every {1000 * result['interval_s']:.0f} ms, then up to an interval "
        f"of {1000 * result['interval_s']:.0f} ms each until the planner and the enactor look"
    )


# ------------------------------------------------------------------------------------------------------------ the world


class _Targets:
    """Two HTTP servers on one port, one of which can be made sick."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.is_sick = False


@contextmanager
def _targets() -> Iterator[_Targets]:
    targets = _Targets(0)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503 if targets.is_sick and self.connection.getsockname()[0] == SICK else 200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    servers = []
    for address in (WELL, SICK):
        servers.append(http.server.ThreadingHTTPServer((address, targets.port), Handler))
        targets.port = servers[-1].server_address[1]
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield targets
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


@contextmanager
def _up(setup: Setup, primaries: list[Primary], target_port: int) -> Iterator[Path]:
    interval = f'interval = "{1000 * INTERVAL:.0f}ms"'
    providers = "".join(
        f'[provider.{primary.name.split()[0].lower()}]\nkind = "rfc2136"\naddress = "127.0.0.1"\nport = {primary.port}\n'
        f'zones = ["{ZONE}"]\nkey_secret_file = "{setup.key_file}"\n'
        for primary in primaries
    )
    path, log = setup.folder / "outlast.toml", setup.folder / "up.log"
    path.write_text(
        f'realm = "bench"\n[registry]\nkind = "sqlite"\npath = "outlast.db"\n{providers}'
        f'[health]\nport = {target_port}\n{interval}\ntimeout = "1s"\nfall = {FALL}\nrise = 1\nflap_window = "0s"\n'
        f"[planner]\n{interval}\n[enactor]\n{interval}\n"
        f'[endpoint."{NAME}"]\nttl = "5s"\nsoak = "0s"\nvelocity_window = "0s"\ntargets = {{r = ["{WELL}", "{SICK}"]}}\n'
    )
    command = [sys.executable, "-m", "outlast.cli", "up", "--name", "bench", "--config", str(path)]
    with log.open("w") as file:
        process = subprocess.Popen(command, stderr=file, stdout=file, env={**os.environ, "NO_COLOR": "1"})
    try:
        yield log
    finally:
        process.terminate()
        process.wait(timeout=STOP_SECONDS)


# ---------------------------------------------------------------------------------------------------------- measurement


def _measure(primaries: list[Primary], targets: _Targets, log: Path, samples: int) -> dict[str, Any]:
    waits: dict[str, list[float]] = {primary.name: [] for primary in primaries}
    stages: dict[str, list[float]] = {}
    with ThreadPoolExecutor(len(primaries)) as pool:
        both, one = ((f, partial(_wait, addresses=f)) for f in ((WELL, SICK), (WELL,)))
        list(pool.map(both[1], primaries))
        for number in range(samples):
            # Not in step with the probes: over the samples every phase between them is met.
            time.sleep(INTERVAL * (1 + number % 10 / 10))
            mark, wall, begun = log.stat().st_size, time.time(), time.perf_counter()
            targets.is_sick = True
            ends = list(pool.map(one[1], primaries))
            for primary, end in zip(primaries, ends, strict=True):
                waits[primary.name].append(end - begun)
            last = wall
            for stage, at in _stages(log, mark, wall + max(ends) - begun):
                stages.setdefault(stage, []).append(at - last)
                last = at
            targets.is_sick = False
            list(pool.map(both[1], primaries))
    return {
        "servers": {name: _summary(found) for name, found in waits.items()},
        "stages_ms": {stage: round(1000 * statistics.median(found), 1) for stage, found in stages.items()},
    }


def _summary(seconds: list[float]) -> dict[str, float]:
    found, count = sorted(seconds), len(seconds)
    return {
        "p50_ms": round(1000 * statistics.median(found), 1),
        "p99_ms": round(1000 * found[min(count - 1, count * 99 // 100)], 1),
        "max_ms": round(1000 * found[-1], 1),
    }


def _wait(primary: Primary, *, addresses: tuple[str, ...]) -> float:
    query = dns.message.make_query(NAME, dns.rdatatype.A)
    deadline = time.perf_counter() + SECONDS_MAX
    while True:
        found: list[str] = []
        with suppress(dns.exception.Timeout):
            answer = dns.query.udp(query, "127.0.0.1", port=primary.port, timeout=1.0)
            found = sorted(rdata.to_text() for rrset in answer.answer for rdata in rrset)
        now = time.perf_counter()
        if found == list(addresses):
            return now
        if now > deadline:
            raise RuntimeError(f"{primary.name}: {NAME} does not answer {', '.join(addresses)} after {SECONDS_MAX:g} s")
        time.sleep(POLL)


def _stages(log: Path, mark: int, answered: float) -> Iterator[tuple[str, float]]:
    # The log's first line of each kind since the mark; it has milliseconds.
    kinds: tuple[tuple[str, Callable[[str], bool]], ...] = (
        ("probed", lambda line: " unhealthy" in line),
        ("planned", lambda line: " published " in line),
    )
    with log.open() as file:
        file.seek(mark)
        said = file.read().splitlines()
    for stage, is_it in kinds:
        at = next((line.split()[0] for line in said if is_it(line)), None)
        if at is not None:
            yield stage, datetime.fromisoformat(at).timestamp()
    yield "written and answered", answered
