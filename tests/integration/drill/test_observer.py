"""The outside witness as a real process."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

NAME = "db.example.test"
OTHER = "other.example.test"
SENTINEL = "v=1 realm=x n=1 gen=1 plan=abc st=live by=e1"


@pytest.fixture
def start_observer(start_child: Callable[..., Any], scripted_dns: Any, scripts: Any) -> Callable[..., Any]:
    """Start an observer of a name that has two addresses and a sentinel."""
    scripted_dns.scripts[f"{NAME}."] = scripts.positive("127.0.1.2", "127.0.1.1")
    scripted_dns.scripts[f"_outlast.{NAME}."] = scripts.positive(text=SENTINEL)

    def start(**more: Any) -> Any:
        child = start_child("observer", {"names": [NAME], "nameserver": scripted_dns.address, **more})
        child.wait_for("ready")
        return child

    return start


def facts(line: dict[str, Any]) -> tuple[Any, ...]:
    return (line["rcode"], tuple(line["addresses"]), line["sentinel_rcode"], line["sentinel"])


def test_samples_by_turns_over_both_transports(start_observer: Callable[..., Any]) -> None:
    """A hundred samples a second, half of each transport, all saying the same; SIGTERM ends it within a second."""
    child = start_observer()
    samples = child.wait_for("sample", count=100)
    span = max(sample["t"] for sample in samples) - min(sample["t"] for sample in samples)
    seconds = child.terminate()

    assert {("NOERROR", ("127.0.1.1", "127.0.1.2"), "NOERROR", SENTINEL)} == {facts(sample) for sample in samples}
    assert abs(sum(sample["transport"] == "udp" for sample in samples) - len(samples) / 2) <= 5
    assert 50 <= len(samples) / span <= 110
    assert (child.process.returncode, seconds < 1, child.events("end")[0]["timeouts"]) == (0, True, 0)


@pytest.mark.parametrize("rcode", ["NOERROR", "NXDOMAIN", "SERVFAIL"])
def test_absence_is_seen(start_observer: Callable[..., Any], scripted_dns: Any, scripts: Any, rcode: str) -> None:
    """An answer without addresses is a sample with its rcode and an empty list."""
    child = start_observer()
    child.wait_for("sample", count=4)
    scripted_dns.scripts[f"{NAME}."] = scripts.negative(rcode)
    changed = time.monotonic()
    samples = child.wait_for("sample", count=len(child.events("sample")) + 30)

    seen = {facts(sample) for sample in samples if sample["t"] > changed}
    assert {(rcode, (), "NOERROR", SENTINEL)} == seen


def test_silence_is_a_sample(start_observer: Callable[..., Any], scripted_dns: Any) -> None:
    """What is not answered in time is written as TIMEOUT, once, with what else is known."""
    scripted_dns.scripts[f"{NAME}."] = lambda _query, _transport: None
    child = start_observer(timeout=0.2)
    samples = child.wait_for("sample", count=20)

    assert {("TIMEOUT", (), "NOERROR", SENTINEL)} == {facts(sample) for sample in samples}
    assert len(samples) == len({sample["t"] for sample in samples})


def test_absent_server_is_silence_and_its_return_is_noticed(
    start_observer: Callable[..., Any], scripted_dns: Any, tmp_path: Path
) -> None:
    """Refused datagrams and connections are timeouts; a server that comes later is used on both transports."""
    control = tmp_path / "control.json"
    child = start_observer(nameserver=["127.0.0.1", 1], timeout=0.2, control=str(control))
    child.wait_for("sample", count=10)
    control.write_text(json.dumps({"epoch": 1, "nameserver": scripted_dns.address}))
    end = time.monotonic() + 10
    while {"udp", "tcp"} - {line["transport"] for line in child.events("sample") if line["rcode"] == "NOERROR"}:
        assert time.monotonic() < end
        time.sleep(0.05)

    before = {line["rcode"] for line in child.events("sample") if line["epoch"] == 0}
    assert {"TIMEOUT"} == before


def test_lost_connection_loses_no_sample(start_observer: Callable[..., Any], scripted_dns: Any, scripts: Any) -> None:
    """A server that closes its connection instead of answering is asked again on a new one."""
    answer = scripts.positive("127.0.1.1")
    closed: list[float] = []

    def close_once_in_a_while(query: Any, transport: str) -> Any:
        if transport == "tcp" and (not closed or time.monotonic() - closed[-1] > 0.2):
            closed.append(time.monotonic())
            raise ConnectionAbortedError
        return answer(query, transport)

    scripted_dns.scripts[f"{NAME}."] = close_once_in_a_while
    child = start_observer()
    samples = child.wait_for("sample", count=100)

    assert len(closed) >= 3
    assert {"NOERROR"} == {sample["rcode"] for sample in samples}


def test_names_take_turns_and_can_be_switched(
    start_observer: Callable[..., Any], scripted_dns: Any, scripts: Any, tmp_path: Path
) -> None:
    """Each name is asked over both transports; a control file replaces the names and sets the epoch."""
    scripted_dns.scripts[f"{OTHER}."] = scripts.positive("127.0.2.1")
    control = tmp_path / "control.json"
    child = start_observer(names=[NAME, OTHER], control=str(control))
    child.wait_for("sample", count=20)
    control.write_text(json.dumps({"epoch": 5, "names": [OTHER]}))
    end = time.monotonic() + 5
    while not any(line["epoch"] == 5 for line in child.events("sample")):
        assert time.monotonic() < end
        time.sleep(0.05)

    asked = {(line["epoch"], line["name"], line["transport"]) for line in child.wait_for("sample", count=40)}
    expected = {(0, name, transport) for name in (NAME, OTHER) for transport in ("udp", "tcp")}
    assert expected <= asked
    assert {OTHER} == {name for epoch, name, _ in asked if epoch == 5}
