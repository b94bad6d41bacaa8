"""Groups of clients as real processes, against a real service and a real little name server."""

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from outlast.drill.load.generator import Generator
from outlast.drill.load.options import LoadOptions

pytestmark = pytest.mark.slow

EAST = "east.example.test."
WEST = "west.example.test."

CALL_FIELDS = {
    *("event", "id", "group", "host", "epoch", "kind", "scheduled", "ended", "ok", "latency_ms", "attempts"),
    *("resolved", "connections", "dns_queries", "error", "region", "target", "key"),
}


@pytest.fixture
def start_load(start_child: Callable[..., Any], scripted_dns: Any, scripts: Any, tmp_path: Path) -> Callable[..., Any]:
    """Start a service that is reached through an address map, and a group of clients of it."""

    def start(**more: Any) -> Any:
        service_options = {"region": "east", "database": str(tmp_path / "kv"), "listen": [["127.0.0.1", 0]]}
        service = start_child("service", {**service_options, "connection_age": 0.5})
        address = service.wait_for("ready")[0]["addresses"][0]
        scripted_dns.scripts.setdefault(EAST, scripts.positive("127.0.1.1", ttl=1))
        options = {
            "group": "g",
            "kind": "plain",
            "names": [EAST, WEST],
            "nameserver": scripted_dns.address,
            "port": 1,
            "rate": 40,
            "seed": 7,
            "deadline": 1.0,
            "address_map": {"127.0.1.1": address},
        }
        child = start_child("load", {**options, **more})
        child.wait_for("ready")
        return child

    return start


def wait_for_end(child: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    child.process.wait(60)
    return child.events("end")[0], child.events("call")


def test_healthy_world_answers_every_call(start_load: Callable[..., Any]) -> None:
    """Each scheduled call is made from its host at its exact time and answered correctly."""
    end, calls = wait_for_end(start_load(seconds=2))
    calls.sort(key=lambda call: call["id"])
    distances = {round(after["scheduled"] - before["scheduled"], 4) for before, after in itertools.pairwise(calls)}

    assert (80, 80, {0.025}, CALL_FIELDS) == (len(calls), end["ok"], distances, set(calls[0]))
    assert [number % 4 for number in range(80)] == [call["host"] for call in calls]
    assert {"read", "write"} == {call["kind"] for call in calls}


def test_warm_connections_need_no_name(start_load: Callable[..., Any]) -> None:
    """Only calls that open a connection resolve, a few per host and second, and questions are fewer still."""
    _, calls = wait_for_end(start_load(seconds=2))
    resolved = [call for call in calls if call["resolved"]]
    queries = sum(call["dns_queries"] for call in calls)

    assert len(resolved) == sum(call["connections"] for call in calls)
    assert 4 * 3 <= len(resolved) <= 40
    assert 4 * 2 <= queries <= len(resolved)


def test_dead_name_fails_calls_at_their_deadline(
    start_load: Callable[..., Any], scripted_dns: Any, scripts: Any
) -> None:
    """With an empty record each call has one line, written at its deadline, and goes on in the background."""
    scripted_dns.scripts[EAST] = scripts.negative(ttl=1, minimum=1)
    child = start_load(seconds=1.5)
    end, calls = wait_for_end(child)
    after = child.events("after")

    assert (len(calls), len({call["id"] for call in calls}), end["ok"]) == (60, 60, 0)
    assert {("ConnectError", True, 0)} == {(call["error"], call["resolved"], call["connections"]) for call in calls}
    assert all(1000 <= call["latency_ms"] < 3000 and call["attempts"] >= 1 for call in calls)
    assert {call["id"] for call in calls} == {line["id"] for line in after}


def test_plain_recovers_when_the_name_does(start_load: Callable[..., Any], scripted_dns: Any, scripts: Any) -> None:
    """After a repair calls succeed again once the negative answer has expired, and late ones are told of."""
    scripted_dns.scripts[EAST] = scripts.negative(ttl=1, minimum=1)
    child = start_load()
    child.wait_for("call")
    repaired = time.monotonic()
    scripted_dns.scripts[EAST] = scripts.positive("127.0.1.1", ttl=1)
    child.wait_for("after", count=5)
    child.terminate()
    first_ok = min(call["ended"] for call in child.events("call") if call["ok"])

    assert first_ok - repaired < 1 + 1
    assert any(line["answered"] for line in child.events("after"))


def test_two_regions_use_the_second_name(start_load: Callable[..., Any], scripted_dns: Any, scripts: Any) -> None:
    """When the first name is empty every call is answered through the second, with one attempt more."""
    scripted_dns.scripts[EAST] = scripts.negative(ttl=60, minimum=60)
    scripted_dns.scripts[WEST] = scripts.positive("127.0.1.1", ttl=1)
    end, calls = wait_for_end(start_load(seconds=1, kind="plain-two-regions"))

    assert (40, {2}) == (end["ok"], {call["attempts"] for call in calls})


def test_dead_address_is_passed_over(start_load: Callable[..., Any], scripted_dns: Any, scripts: Any) -> None:
    """All addresses of an answer are tried within one attempt."""
    scripted_dns.scripts[EAST] = scripts.positive("127.0.0.1", "127.0.1.1", ttl=1)  # nothing listens on port 1
    end, calls = wait_for_end(start_load(seconds=1))

    assert (40, {1}) == (end["ok"], {call["attempts"] for call in calls})


def test_wrong_answers_do_not_count(
    start_load: Callable[..., Any], start_child: Callable[..., Any], tmp_path: Path
) -> None:
    """A 200 with another value than was written is a failed call and is not tried again."""
    options = {"region": "east", "database": str(tmp_path / "wrong"), "keys": 0, "listen": [["127.0.0.1", 0]]}
    host, port = start_child("service", options).wait_for("ready")[0]["addresses"][0]
    httpx.put(f"http://{host}:{port}/kv/k0", json={"value": "spoilt"}, trust_env=False).raise_for_status()
    _, calls = wait_for_end(start_load(seconds=0.5, keys=1, write_share=0, address_map={"127.0.1.1": [host, port]}))

    assert {(False, "WrongValue", 1)} == {(call["ok"], call["error"], call["attempts"]) for call in calls}


def test_too_many_calls_on_their_way_are_shed(scripted_dns: Any) -> None:
    """Beyond the limit a call is counted as failed at once; the schedule does not wait."""
    scripted_dns.scripts[EAST] = lambda _query, _transport: None
    written: list[tuple[str, Mapping[str, Any]]] = []
    options = LoadOptions(
        group="g",
        kind="plain",
        output="",
        names=(EAST,),
        nameserver=scripted_dns.address,
        port=1,
        rate=50,
        seconds=0.2,
        deadline=0.3,
    )

    async def run() -> None:
        generator = Generator(options, lambda event, fields: written.append((event, fields)), max_outstanding=3)
        await generator.run(asyncio.Event())

    asyncio.run(run())
    errors = Counter(fields["error"] for event, fields in written if event == "call")

    assert Counter({"shed by the load generator": 7, "NoAnswerYet": 3}) == errors
    assert tuple(written[-1][1][total] for total in ("calls", "shed", "ok")) == (10, 7, 0)


def test_calls_at_the_end_are_given_up(start_load: Callable[..., Any], scripted_dns: Any) -> None:
    """SIGTERM ends calls that had no time to reach their deadline; they say so, and none is missing."""
    scripted_dns.scripts[EAST] = lambda _query, _transport: None
    child = start_load(deadline=5)
    time.sleep(0.5)
    child.terminate()
    calls = child.events("call")

    assert {"given up"} == {call["error"] for call in calls}
    assert (len(calls), len(calls)) == (child.events("end")[0]["calls"], child.events("end")[0]["given_up"])


def test_control_file_begins_a_new_act(
    start_load: Callable[..., Any], scripted_dns: Any, scripts: Any, tmp_path: Path
) -> None:
    """New names and a new epoch take over while the schedule goes on; open calls of the old act are given up."""
    scripted_dns.scripts[EAST] = scripts.negative(ttl=60, minimum=60)
    scripted_dns.scripts[WEST] = scripts.positive("127.0.1.1", ttl=1)
    control = tmp_path / "control.json"
    child = start_load(control=str(control))
    child.wait_for("call", count=3)
    (tmp_path / "new.json").write_text(json.dumps({"epoch": 1, "names": [WEST, EAST]}))
    (tmp_path / "new.json").replace(control)
    child.wait_for("directed")
    child.wait_for("call", count=40, epoch=1)
    seconds = child.terminate()
    calls = child.events("call")

    outcomes = {(call["epoch"], call["ok"]) for call in calls if call["error"] != "given up"}
    assert {(0, False), (1, True)} == outcomes
    assert (child.process.returncode, seconds < 1) == (0, True)
    assert set(range(len(calls))) == {call["id"] for call in calls}


def test_wrong_options_end_with_a_message(start_child: Callable[..., Any]) -> None:
    """A child that cannot use its options says so and ends with status 2."""
    child = start_child("load", {"group": "g"})

    assert (child.process.wait(10), child.lines()) == (2, [])


@pytest.mark.long
def test_schedule_holds_through_an_outage(start_load: Callable[..., Any], scripted_dns: Any, scripts: Any) -> None:
    """Sixty calls a second on two empty names for 20 s: the schedule is kept although thousands of attempts fail."""
    scripted_dns.scripts[EAST] = scripted_dns.scripts[WEST] = scripts.negative(ttl=1, minimum=1)
    end, calls = wait_for_end(start_load(seconds=20, rate=60, kind="plain-two-regions", deadline=2.0))

    assert (len(calls), end["shed"]) == (1200, 0)
    # A schedule that is not kept falls further and further behind; a machine that is busy elsewhere delays it for a moment.
    assert end["schedule_lag_p99_ms"] < 1000
