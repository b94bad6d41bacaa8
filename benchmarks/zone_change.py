"""One record in a hundred of a zone changes: outlast side by side with octoDNS, on the same BIND in the same run.

Two zones of that BIND start with the same address records. octoDNS gets them as its documentation recommends: a YAML source,
octodns-bind's Rfc2136Provider as target, `octodns-sync --doit`. outlast gets `outlast.toml` and a process that runs its
planner once, and then its enactor until the last changed name is written. Both are processes that start for this and end afterwards, so
both pay for starting Python and for reading their files; writing those files is outside the measurement. The third way is outlast as it is
used: planner and enactor run already, look ten times a second, and find the file changed; from then to the last name written.

outlast works only on names that it is told to protect: the names that change are its endpoints, with a sentinel beside each,
and the rest of the zone is somebody else's. octoDNS works on zones, and has to look at all of this one. That, and not that
either writes faster, is the difference; were every name of the zone an endpoint, outlast would read each of them at every pass
and be the slower one. Rounds alternate; after each, the address records of every zone are read by AXFR and compared.
"""

import resource
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any, NamedTuple

import dns.query
import dns.rdatatype
import dns.zone
import yaml
from servers.bind import bind, is_installed

from benchmarks.servers import Setup

ROUNDS = 3
ROUNDS_OF = 100
"""Transactions from which on there are so many rounds; with fewer, somebody only looks whether it works: one."""
RECORDS_FOR_EACH_TRANSACTION = 34
"""So that the usual 300 transactions go with a zone of about ten thousand."""
RECORDS_MAX = 10_000
SHARE = 100
TTL = 60
SECONDS_MAX = 600.0
LOOK_EVERY = "100ms"
WORKER = "benchmarks.zone_worker"


class Cost(NamedTuple):
    """Seconds of one run: on the clock, and of CPU of the process itself, without the server."""

    wall: float
    cpu: float


class Way(NamedTuple):
    """One of those compared, its zone, and what makes it bring the zone to the state of a round.

    `carry_out` is told how many names change.
    """

    name: str
    zone: str
    prepare: Callable[[int], None]
    carry_out: Callable[[int], Cost]


def run(transactions: int, folder: Path) -> dict[str, Any]:
    """Measure each way; return the result as JSON has it."""
    count = min(RECORDS_MAX, RECORDS_FOR_EACH_TRANSACTION * transactions)
    changed = max(1, count // SHARE)
    rounds = ROUNDS if transactions >= ROUNDS_OF else 1
    if not is_installed():
        return {
            "benchmark": "zone_change",
            "records": count,
            "changed": changed,
            "rounds": 0,
            "ways": {},
            "skipped": "named not found",
        }
    costs = _measured(folder, count, changed, rounds)
    medians = {name: Cost(*map(statistics.median, zip(*found, strict=True))) for name, found in costs.items()}
    first = next(iter(medians.values()))
    return {
        "benchmark": "zone_change",
        "records": count,
        "changed": changed,
        "rounds": rounds,
        "ways": {
            name: {
                "wall_s": round(cost.wall, 3),
                "cpu_s": round(cost.cpu, 3),
                "wall_times_faster": round(first.wall / cost.wall, 2),
                "cpu_times_less": round(first.cpu / cost.cpu, 2),
            }
            for name, cost in medians.items()
        },
        "skipped": "",
    }


def _measured(folder: Path, count: int, changed: int, rounds: int) -> dict[str, list[Cost]]:
    setup = Setup.make(folder)
    zones = {"octodns.test": 0, "outlast.test": changed, "running.test": changed}
    texts = {zone: _zone_text(zone, count, without=own) for zone, own in zones.items()}
    own = folder / "bind"
    own.mkdir()
    with (
        bind(own, zones=texts, closed=(), key=setup.key_name, secret=setup.key_secret) as server,
        ExitStack() as running,
    ):
        ways = (
            _octodns("octoDNS", "octodns.test", setup, server.port, count=count, changed=changed),
            _outlast("outlast", "outlast.test", setup, server.port, changed=changed),
            _running("outlast, running", "running.test", setup, server.port, changed=changed, until=running),
        )
        costs: dict[str, list[Cost]] = {way.name: [] for way in ways}
        for number in range(rounds + 1):  # the first makes all names, and is not counted
            for way in ways:
                way.prepare(number)
                cost = way.carry_out(changed)
                costs[way.name] += [cost] if number else []
                _verify(way, server.port, count, changed, number)
    return costs


def lines(result: dict[str, Any]) -> Iterator[str]:
    """Yield the result for a person."""
    yield f"zone_change: {result['changed']} of {result['records']:,} address records of a zone on BIND 9, median of {result['rounds']} runs"
    if result["skipped"]:
        yield f"  left out: BIND 9: {result['skipped']}; PEERS=install make bench, or apt install bind9"
        return
    yield f"  {'':<18} {'wall s':>8} {'CPU s':>8} {'times faster':>13} {'times less CPU':>15}"
    for name, item in result["ways"].items():
        yield (
            f"  {name:<18} {item['wall_s']:>8.2f} {item['cpu_s']:>8.2f} {item['wall_times_faster']:>13.1f} "
            f"{item['cpu_times_less']:>15.1f}"
        )
    yield "  outlast knows the names that change, octoDNS the whole zone; each a process from its start to its end; the server's CPU is not counted; end states compared by AXFR"


# ---------------------------------------------------------------------------------------------------------- zones, runs


def _address(number: int, changed: int, round_number: int) -> str:
    version = round_number if number < changed else 0
    return f"10.{version}.{number >> 8 & 255}.{number & 255}"


def _zone_text(zone: str, count: int, *, without: int) -> str:
    head = f"$ORIGIN {zone}.\n$TTL {TTL}\n@ SOA ns hostmaster 1 3600 600 86400 5\n@ NS ns\nns A 127.0.0.1\n"
    return head + "".join(f"h{number} A {_address(number, 0, 0)}\n" for number in range(without, count))


def _processed(*command: str) -> Cost:
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _verify(way: Way, port: int, count: int, changed: int, round_number: int) -> None:
    zone = dns.zone.from_xfr(dns.query.xfr("127.0.0.1", way.zone, port=port, lifetime=60.0))
    found = {str(name): rdata.to_text() for name, _, rdata in zone.iterate_rdatas(dns.rdatatype.A) if str(name) != "ns"}
    expected = {f"h{number}": _address(number, changed, round_number) for number in range(count)}
    if found != expected:
        wrong = sum(found.get(name) != address for name, address in expected.items())
        raise RuntimeError(
            f"{way.name}: {wrong} of {count} records are not as they should be after round {round_number}"
        )


def _octodns(name: str, zone: str, setup: Setup, port: int, *, count: int, changed: int) -> Way:
    folder = setup.folder / zone
    (folder / "config").mkdir(parents=True)
    target = {"class": "octodns_bind.Rfc2136Provider", "host": "127.0.0.1", "port": port, "key_name": setup.key_name}
    target |= {"key_secret": setup.key_secret, "key_algorithm": "hmac-sha256"}
    source = {"class": "octodns.provider.yaml.YamlProvider", "directory": str(folder / "config"), "default_ttl": TTL}
    # The file is sorted by number, not as octoDNS would have it; it need not hold it against us.
    source |= {"enforce_order": False}
    configuration = {
        "providers": {"config": source, "bind": target},
        "zones": {f"{zone}.": {"sources": ["config"], "targets": ["bind"]}},
    }
    path = folder / "production.yaml"
    path.write_text(yaml.safe_dump(configuration))

    def prepare(round_number: int) -> None:
        records: dict[str, Any] = {
            f"h{number}": {"type": "A", "value": _address(number, changed, round_number)} for number in range(count)
        }
        records[""] = {"type": "NS", "value": f"ns.{zone}."}
        records["ns"] = {"type": "A", "value": "127.0.0.1"}
        (folder / "config" / f"{zone}.yaml").write_text(yaml.safe_dump(records))

    tool = Path(sys.executable).with_name("octodns-sync")
    return Way(name, zone, prepare, lambda _: _processed(str(tool), "--quiet", "--doit", "--config-file", str(path)))


def _outlast(name: str, zone: str, setup: Setup, port: int, *, changed: int) -> Way:
    path = setup.folder / zone / "outlast.toml"
    path.parent.mkdir()

    def prepare(round_number: int) -> None:
        path.write_text(_configuration(zone, setup, port, round_number, changed))

    return Way(name, zone, prepare, lambda count: _processed(sys.executable, "-m", WORKER, str(path), str(count)))


def _running(name: str, zone: str, setup: Setup, port: int, *, changed: int, until: ExitStack) -> Way:
    path = setup.folder / zone / "outlast.toml"
    path.parent.mkdir()
    coming = path.with_name("coming.toml")
    roles: list[subprocess.Popen[str]] = []

    def prepare(round_number: int) -> None:
        coming.write_text(_configuration(zone, setup, port, round_number, changed))

    def carry_out(count: int) -> Cost:
        if not roles:
            coming.replace(path)
            command = [sys.executable, "-m", WORKER, str(path), str(count), "--stay"]
            process = subprocess.Popen(command, text=True, stdin=PIPE, stdout=PIPE, bufsize=1)
            roles.append(until.enter_context(_ended(process)))
            return _answered(name, process, time.perf_counter())
        roles[0].send_signal(signal.SIGCONT)
        assert roles[0].stdin is not None
        roles[0].stdin.write("\n")
        begun = time.perf_counter()
        coming.replace(path)
        return _answered(name, roles[0], begun)

    return Way(name, zone, prepare, carry_out)


def _answered(name: str, process: "subprocess.Popen[str]", begun: float) -> Cost:
    assert process.stdout is not None
    line = process.stdout.readline()
    wall = time.perf_counter() - begun
    if not line:
        raise RuntimeError(f"{name}: the roles ended")
    process.send_signal(signal.SIGSTOP)  # their looking must not cost the other ways anything
    return Cost(wall, float(line))


@contextmanager
def _ended(process: "subprocess.Popen[str]") -> Iterator["subprocess.Popen[str]"]:
    """The process, which ends when its standard input does."""
    with process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=SECONDS_MAX)


def _configuration(zone: str, setup: Setup, port: int, round_number: int, count: int) -> str:
    head = (
        f'realm = "bench"\n[registry]\nkind = "sqlite"\npath = "outlast.db"\n[provider.bind]\nkind = "rfc2136"\n'
        f'address = "127.0.0.1"\nport = {port}\nzones = ["{zone}"]\nkey_secret_file = "{setup.key_file}"\ntimeout = "30s"\n'
        f'[planner]\ninterval = "{LOOK_EVERY}"\n[enactor]\ninterval = "{LOOK_EVERY}"\n'
    )
    return head + "".join(
        f'[endpoint."h{number}.{zone}"]\nttl = {TTL}\nprobed = false\nvelocity_window = "0s"\nsoak = "0s"\n'
        f'targets = {{r = ["{_address(number, count, round_number)}"]}}\n'
        for number in range(count)
    )
