"""`outlast route53`: names prepared, a region left and come back to while Route 53 takes no changes, watched by watches.

The commands talk through boto3 to the strict Route 53 of ours; the watches are processes, each on a machine (a folder) of
its own behind a web server with TLS; the health checkers ask them over the wire.
"""

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from command_world import COMMAND, ENVIRONMENT, wait_for
from route53_world import SECOND, ZONE_ID, HandClock, run
from servers.certificates import Authority
from servers.route53 import route53
from servers.tls_front import TlsFront, tls_front
from zone_world import OPEN, create

from outlast.cli import main
from outlast.provider.memory import CHANGES, MemoryRoute53
from outlast.provider.memory_answers import place_of
from outlast.provider.route53 import Route53Provider
from outlast.provider.route53_failover import FAILURE_THRESHOLD, REQUEST_INTERVAL, Watch
from outlast.provider.route53_watch import asks
from outlast.traffic.content import Content

boto3 = pytest.importorskip("boto3")
pytestmark = pytest.mark.slow

SHOP = f"shop.{OPEN}"
EAST, WEST = ("192.0.2.1",), ("198.51.100.1",)
QUICK = 1000
"""Requests in a second: their pace is tried elsewhere."""


class Machines:
    """Route 53, an operator's machine, and two with a watch; all share a registry."""

    def __init__(self, folder: Path, aws: MemoryRoute53, clock: HandClock, url: str, fronts: list[TlsFront]) -> None:
        self.folder, self.aws, self.clock, self.fronts = folder, aws, clock, fronts
        self.watches: list[subprocess.Popen[str]] = []
        self.url = url
        for name in ("operator", "one", "two"):
            (folder / name).mkdir()
            self.configure(name)

    def configure(self, name: str, *, regional: bool = True, watches: bool = True) -> None:
        """Write one machine's configuration."""
        urls = json.dumps([f"https://127.0.0.1:{front.port}" for front in self.fronts])
        own = {f"{region}.{SHOP}": {region: list(of)} for region, of in (("east", EAST), ("west", WEST))}
        endpoints = own if regional else {SHOP: {"east": list(EAST), "west": list(WEST)}}
        tables = "\n".join(
            f'[endpoint."{endpoint}".targets]\n' + "\n".join(f"{key} = {json.dumps(of)}" for key, of in targets.items())
            for endpoint, targets in endpoints.items()
        )
        (self.folder / name / "outlast.toml").write_text(f"""
            realm = "test"
            [registry]
            kind = "sqlite"
            path = "../plans.db"
            [provider.amazon]
            kind = "route53"
            zones = {{"{OPEN}" = "{ZONE_ID}"}}
            endpoint_url = "{self.url}"
            requests_per_second = {QUICK}
            {f"watches = {urls}" if watches else ""}
            {tables}
        """)

    def start_watch(self, at: int) -> None:
        """Start the watch of one machine, behind its front."""
        folder = self.folder / ("one", "two")[at]
        with (folder / "watch.log").open("a") as log:
            command = [*COMMAND, "route53", "watch", "--listen", "127.0.0.1:0", "--interval", "0.1"]
            process = subprocess.Popen(
                command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.watches.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("http://127.0.0.1:"), (folder / "watch.log").read_text()
        self.fronts[at].behind = int(line.split(":")[2].partition("/")[0])

    def stop_watches(self) -> None:
        """End them all."""
        while self.watches:
            process = self.watches.pop()
            process.terminate()
            assert 0 == process.wait(timeout=10)
            assert process.stdout is not None
            process.stdout.close()

    def check(self) -> None:
        """The health checkers ask as often as they need to believe what they hear."""
        for config in [it for it in self.aws._checks.values() if it["Type"] == "HTTPS"]:
            place, path = Watch(config["FullyQualifiedDomainName"], config["Port"], ""), config["ResourcePath"]
            _, _, name, region = path.split("/")
            heard = run(asks(place._replace(path="/evacuated"), name, region, seconds=5.0))
            self.aws.signal(place_of(config), is_up=heard is True)
        self.clock.nanoseconds += REQUEST_INTERVAL * FAILURE_THRESHOLD * SECOND

    def answers(self) -> set[tuple[str, ...]]:
        return set(self.aws.answers(SHOP, "A"))


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "test")
    for key in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(key, raising=False)
    clock = HandClock()
    aws = MemoryRoute53(clock, {ZONE_ID: OPEN}, per_second=QUICK)
    authority = Authority(tmp_path)
    with ExitStack() as stack:
        served = stack.enter_context(route53(aws))
        fronts = [stack.enter_context(tls_front(authority.sign(name))) for name in ("one", "two")]
        made = Machines(tmp_path, aws, clock, served.url, fronts)
        stack.callback(made.stop_watches)
        provider = Route53Provider(
            name="amazon", zones={OPEN: ZONE_ID}, endpoint_url=served.url, requests_per_second=QUICK
        )
        for region, of in (("east", EAST), ("west", WEST)):
            run(create(provider, f"{region}.{SHOP}", Content.of_addresses(of, ttl=5)))
        yield made


Call = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def call(machines: Machines, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run `outlast route53 …` at a machine, by default the operator's."""

    def called(*arguments: str, at: str = "operator", first: str = "route53") -> "subprocess.CompletedProcess[str]":
        monkeypatch.chdir(machines.folder / at)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([first, *arguments])
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), out, err)

    return called


def test_a_region_is_left_and_come_back_to_while_route53_takes_no_changes(machines: Machines, call: Call) -> None:
    """Prepared by a command, then left and returned to by commands: the answers move there and back without a change."""
    prepared = call("prepare", SHOP, "--apply", "--reason", "ahead")
    machines.start_watch(0)
    machines.start_watch(1)
    machines.check()
    before, asked = machines.answers(), len(machines.aws.asked)
    machines.aws.down = CHANGES
    dry = call("leave", "east")
    machines.check()
    after_dry = machines.answers()
    left = call("leave", "east", "--apply", "--reason", "INC-42", "--json")
    machines.check()
    during = machines.answers()
    back = call("return", "east", "--apply")
    machines.check()
    logged = [line.split("  ")[2] for line in call("--last", "5", first="audit").stdout.splitlines()]

    assert (0, 0, 0, 0) == (prepared.returncode, dry.returncode, left.returncode, back.returncode), left.stdout
    assert ({EAST, WEST}, {EAST, WEST}, {WEST}, {EAST, WEST}) == (before, after_dry, during, machines.answers())
    assert asked == len(machines.aws.asked)
    assert [True, True] == [watch["left"] for watch in json.loads(left.stdout)["watches"]]
    assert [
        f"route53 return east of {SHOP}: said",
        f"route53 leave east of {SHOP}: said (INC-42)",
        f"route53 prepare {SHOP}@amazon: committed (ahead)",
    ] == logged


def test_a_region_is_left_with_the_registry_down_too(machines: Machines, call: Call) -> None:
    """What is said at the watches' own machines moves the answers; what they knew they know after a restart."""
    call("prepare", SHOP, "--apply")
    call("leave", "west", "--apply", "--wait", "0")
    machines.start_watch(0)
    machines.start_watch(1)
    wait_for(lambda: all((machines.folder / name / "watch.left").exists() for name in ("one", "two")))
    machines.stop_watches()
    (machines.folder / "plans.db").rename(machines.folder / "kept.db")
    (machines.folder / "plans.db").mkdir()  # a registry that cannot be used
    machines.start_watch(0)
    machines.start_watch(1)
    machines.check()
    restarted = machines.answers()
    refused = call("leave", "east", "--apply")
    back = [call("return", "west", "--here", "--apply", at=name) for name in ("one", "two")]
    left = [call("leave", "east", "--here", "--apply", at=name) for name in ("one", "two")]
    wait_for(lambda: run(asks(Watch("127.0.0.1", machines.fronts[1].port), SHOP, "east", seconds=5.0)) is True)
    wait_for(lambda: run(asks(Watch("127.0.0.1", machines.fronts[0].port), SHOP, "east", seconds=5.0)) is True)
    machines.check()

    assert ({EAST}, {WEST}) == (restarted, machines.answers())
    assert (1, True) == (refused.returncode, "outlast route53 leave east --here --apply" in refused.stderr)
    assert [0] * 4 == [done.returncode for done in (*back, *left)]
    assert "not in the audit log" in left[0].stderr


def test_the_last_region_is_not_left(machines: Machines, call: Call) -> None:
    """Leaving the second of two would bring the first one back; it is refused, and says what lifts that."""
    call("leave", "east", "--apply", "--wait", "0")
    done = call("leave", "west", "--apply", "--wait", "0")
    call("return", "east", "--apply", "--wait", "0")
    again = call("leave", "west", "--apply", "--wait", "0")

    assert (1, True, 0) == (done.returncode, "return to east first" in done.stderr, again.returncode)


def test_what_was_so_already_is_no_deed(call: Call) -> None:
    """Said or prepared again, nothing changes, and the audit log says so."""
    for words in (("prepare", SHOP), ("leave", "east"), ("return", "east")):
        for _ in range(2):
            call(*words, "--apply", *(("--wait", "0") if words[0] != "prepare" else ()))
    logged = json.loads(call("--json", first="audit").stdout)

    assert [
        ("route53 prepare", "committed"),
        ("route53 prepare", "nothing changed: already prepared"),
        ("route53 leave", "said"),
        ("route53 leave", "nothing changed: it was left already"),
        ("route53 return", "said"),
        ("route53 return", "nothing changed: it was not left"),
    ] == [(deed["what"], deed["outcome"]) for deed in reversed(logged)]


def test_a_watch_that_does_not_hear_is_told(machines: Machines, call: Call) -> None:
    """With one of two watches silent a region is not left: each is named, and the status says so."""
    machines.start_watch(0)
    left = call("leave", "east", "--apply", "--wait", "1")

    assert (1, True) == (left.returncode, f"NOT HEARD: {SHOP}: 2 of its watches must say so" in left.stdout)
    assert f"  https://127.0.0.1:{machines.fronts[0].port}/evacuated: left" in left.stdout.splitlines()


def test_preparing_is_shown_first_and_done_once(machines: Machines, call: Call) -> None:
    """A dry run prints checks and sets and writes nothing; done again it changes nothing."""
    dry = call("prepare", SHOP)
    after_dry = machines.answers(), len(machines.aws._checks)
    done = call("prepare", SHOP, "--apply", "--json")
    checks, batches = len(machines.aws._checks), machines.aws.asked.count("change_resource_record_sets")
    again = call("prepare", SHOP, "--apply")

    assert (0, (set(), 0)) == (dry.returncode, after_dry)
    assert f"  comes   A east: weight 1, alias to east.{SHOP}." in dry.stdout.splitlines()
    assert "This was a dry run" in dry.stdout
    assert ("committed", 6) == (json.loads(done.stdout)["outcome"], len(json.loads(done.stdout)["health_checks"]))
    assert (0, True) == (again.returncode, "already prepared" in again.stdout)
    assert checks == len(machines.aws._checks)
    assert batches == machines.aws.asked.count("change_resource_record_sets")


def test_other_watches_are_taken_over(machines: Machines, call: Call) -> None:
    """After a change of `watches` preparing again exchanges the health checks, in one batch, and the answers stay."""
    call("prepare", SHOP, "--apply")
    machines.fronts.pop()
    machines.configure("operator")
    done = call("prepare", SHOP, "--apply")
    checks = {it["HealthCheckId"] for it in machines.aws.sets(ZONE_ID) if "HealthCheckId" in it}

    assert (0, {EAST, WEST}) == (done.returncode, machines.answers())
    assert {1} == {len(machines.aws._checks[it]["ChildHealthChecks"]) for it in checks}


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ({"regional": False}, 2, f'[endpoint."east.{SHOP}".targets]'),
        ({"watches": False}, 2, "[provider.amazon] watches is missing"),
    ],
)
def test_what_is_missing_is_named(
    machines: Machines, call: Call, options: dict[str, Any], status: int, words: str
) -> None:
    """Regional endpoints are spelt out to be pasted; watches have an example."""
    machines.configure("operator", **options)
    done = call("prepare", SHOP)

    assert (status, True) == (done.returncode, words in done.stderr), done.stderr


def test_a_name_in_nobodys_zone(call: Call) -> None:
    """A name that is not at Route 53, and a region that no prepared name has, are refused with what there is."""
    away = call("prepare", "shop.example.net")
    nowhere = call("leave", "north")

    assert (2, True) == (away.returncode, "no provider in outlast.toml has shop.example.net at Route 53" in away.stderr)
    assert (2, True) == (nowhere.returncode, f"names: {SHOP} (east west)" in nowhere.stderr)


def test_doctor_lists_what_would_need_a_change(machines: Machines, call: Call) -> None:
    """A name above regional endpoints that is not prepared is a finding with the command; prepared, it is fine."""

    def found() -> list[dict[str, Any]]:
        told = json.loads(call("--json", first="doctor").stdout)["findings"]
        return [item for item in told if item["check"].startswith("region shift")]

    (before,) = found()
    call("prepare", SHOP, "--apply")
    (after,) = found()

    assert ("warn", f"prepare it, or have a second provider: outlast route53 prepare {SHOP}") == (
        before["level"],
        before["fix"],
    )
    assert ("ok", f"{SHOP} at amazon") == (after["level"], after["subject"])


def test_a_watch_hears_loopback_only(call: Call) -> None:
    """It has neither a certificate nor an access list, so it does not listen for other machines."""
    done = call("watch", "--listen", "192.0.2.1:8053")
    wrong = call("watch", "--listen", "nowhere")

    assert (2, True) == (done.returncode, "a watch listens on loopback only" in done.stderr)
    assert (2, True) == (wrong.returncode, "write ADDRESS:PORT" in wrong.stderr)


def test_a_damaged_file_of_a_watch_is_named(machines: Machines, call: Call) -> None:
    """A watch does not start on what it cannot read, and says which file and what to do."""
    (machines.folder / "one" / "watch.left-here").write_text("{")
    done = call("watch", "--listen", "127.0.0.1:0", at="one")

    assert (2, True) == (done.returncode, "watch.left-here: damaged" in done.stderr)


async def _raw(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    return answer.partition(b"\r\n")[0]


def test_nothing_but_what_is_left_gets_a_yes(machines: Machines) -> None:
    """Other methods, paths, regions, names and noise are never answered with 2xx or 3xx."""
    machines.start_watch(0)
    port = machines.fronts[0].behind
    heads = [
        f"GET /evacuated/{SHOP}/east", f"POST /evacuated/{SHOP}/east", "GET /", "GET /evacuated/", "nonsense",
        f"GET /evacuated/{SHOP}/east/more", "GET " + 9000 * "x",
    ]  # fmt: skip
    statuses = [run(_raw(port, f"{head} HTTP/1.1\r\n\r\n".encode())) for head in heads]

    assert {b"HTTP/1.1 404 Not Found", b"HTTP/1.1 400 Bad Request"} == set(statuses)
