"""The pure parts of the octoDNS provider: stages of a plan, what is passed on of errors, threads that are given up."""

import asyncio
import dataclasses
import http.client
import threading
from typing import Any

import botocore.exceptions
import httpx
import pytest
from octodns.record import Record
from octodns.zone import Zone
from octodns_api import Api

from outlast.errors import InvalidConfig, Unavailable
from outlast.provider.answers import Owners
from outlast.provider.blocking import THREADS_MAX, Gate, Threads
from outlast.provider.octodns import OctodnsProvider
from outlast.provider.octodns_zone import live
from outlast.traffic.content import Content, RecordSet
from outlast.traffic.ports import Live, Outcome, Reply, Transaction
from outlast.traffic.sentinel import Sentinel, Standing

A1, A2 = RecordSet("A", 5, ("192.0.2.1",)), RecordSet("A", 5, ("192.0.2.2",))
AAAA = RecordSet("AAAA", 5, ("2001:db8::1",))
CNAME = RecordSet("CNAME", 5, ("lb.example.net.",))
DB = "db.example.test"
DYNAMIC = {"pools": {"one": {"values": [{"value": "192.0.2.1"}]}}, "rules": [{"pool": "one"}]}


def put(name: str, data: dict[str, Any]) -> None:
    Api.zone.add_record(Record.new(Api.zone, name, data, lenient=True), lenient=True)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> OctodnsProvider:
    monkeypatch.setattr(Api, "zone", Zone("example.test.", []))
    monkeypatch.setattr(Api, "done", ())
    put("mail", {"type": "MX", "ttl": 5, "values": [{"preference": 1, "exchange": "mx.example.net."}]})
    return OctodnsProvider(
        name="p",
        zones=("example.test",),
        class_path="octodns_api.Api",
        options={"token": "hush-hush"},
        secrets=("hush-hush",),
        timeout=5.0,
    )


def write(seen: Live, *sets: RecordSet, n: int = 1) -> Transaction:
    content = Content(sets)
    return Transaction("p", DB, seen, Sentinel("test", n, n, content.digest, Standing.LIVE, "one"), content)


def commit(provider: OctodnsProvider, *sets: RecordSet, n: int = 1) -> Reply:
    async def act() -> Reply:
        return await provider.commit(write(await provider.read(DB), *sets, n=n))

    return asyncio.run(act())


@pytest.mark.parametrize(
    ("before", "after", "done"),
    [
        ((A1,), (A2,), ["Update TXT", "Update A"]),
        ((A1,), (AAAA,), ["Create AAAA", "Update TXT", "Delete A"]),
        ((A1, AAAA), (A2,), ["Update TXT", "Update A", "Delete AAAA"]),
        ((A1,), (CNAME,), ["Delete A", "Create CNAME", "Update TXT"]),
        ((CNAME,), (A1,), ["Delete CNAME", "Create A", "Update TXT"]),
    ],
)
def test_what_goes_goes_last(
    provider: OctodnsProvider, before: tuple[RecordSet, ...], after: tuple[RecordSet, ...], done: list[str]
) -> None:
    """Between families additions come first, so that a provider without transactions never leaves a name empty."""
    commit(provider, *before)
    Api.done = ()
    reply = commit(provider, *after, n=2)

    assert (Reply(Outcome.COMMITTED), done) == (reply, list(Api.done))


def test_who_asks_at_the_same_time_shares_a_reading(provider: OctodnsProvider) -> None:
    """A zone is fetched once for forty endpoints; one with a dynamic record is told so, and the others are read."""
    names = [f"n{number}.example.test" for number in range(40)]
    for number in range(40):
        record = {"type": "A", "ttl": 5, "values": [f"192.0.2.{number}"]}
        put(f"n{number}", record if number else {**record, "dynamic": DYNAMIC})
    Api.fetched = 0

    async def act() -> list[Any]:
        return list(await asyncio.gather(*(provider.read(name) for name in names), return_exceptions=True))

    first, *others = asyncio.run(act())

    assert isinstance(first, Unavailable)
    assert "dynamic" in first.message
    assert [(f"192.0.2.{number}",) for number in range(1, 40)] == [live.sets[0].values for live in others]
    assert 1 == Api.fetched


def test_a_zone_that_does_not_come_holds_up_no_other(
    provider: OctodnsProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reads another zone of the provider has it before the first one has come."""
    opened = threading.Event()
    monkeypatch.setattr(Api, "slow", ("slow.test.", opened))
    put("db", {"type": "A", "ttl": 5, "values": ["192.0.2.7"]})
    both = dataclasses.replace(provider, zones=("example.test", "slow.test"))

    async def act() -> list[Live]:
        slow = asyncio.create_task(both.read("db.slow.test"))
        quick = [await both.read(DB), await both.read(DB)]
        opened.set()
        await slow
        return quick

    first, second = asyncio.run(act())

    assert first == second
    assert ("192.0.2.7",) == first.sets[0].values


@pytest.mark.parametrize("at", [1, 2, 3])
def test_wherever_it_fails_an_address_is_left(provider: OctodnsProvider, at: int) -> None:
    """Every way of stopping half way through a change of family leaves an address, and the words no secret."""
    commit(provider, A1)
    Api.done, Api.fails_at = (), at
    try:
        reply = commit(provider, AAAA, n=2)
    finally:
        Api.fails_at = 0
    left = asyncio.run(provider.read(DB))

    assert (Outcome.FAILED if at == 1 else Outcome.LOST, "RuntimeError: quota of token …") == reply
    assert left.sets
    assert Reply(Outcome.COMMITTED) == commit(provider, AAAA, n=3)


@pytest.mark.parametrize("error", [TimeoutError("read timed out"), ConnectionResetError("reset"), EOFError()])
def test_silence_is_never_a_refusal(
    provider: OctodnsProvider, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A change that got no answer may land yet, although what is read now is as it was."""
    commit(provider, A1)
    monkeypatch.setattr(Api, "error", error)
    monkeypatch.setattr(Api, "fails_at", len(Api.done) + 1)

    assert Outcome.LOST is commit(provider, A2, n=2).outcome


def test_a_minimum_ttl_is_told(provider: OctodnsProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that raises TTLs would be repaired for ever: the words say which TTL to configure."""
    monkeypatch.setattr(Api, "min_ttl", 120)
    reply = commit(provider, A1)

    assert (
        Reply(Outcome.LOST, "it keeps another TTL than it is told (A 120 s): set the endpoint's ttl to that") == reply
    )


def test_a_change_beyond_the_endpoint_is_refused(provider: OctodnsProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a provider adds to a plan by itself: another name's record in it, and nothing is carried out."""
    monkeypatch.setattr(Api, "extra", True)
    reply = commit(provider, A1)

    assert Reply(Outcome.FAILED, "octoDNS would change more than the endpoint: mail.example.test. MX") == reply
    assert () == Api.done


def test_a_reader_changes_nothing(provider: OctodnsProvider) -> None:
    """Planner and janitor have a provider that refuses."""
    object.__setattr__(provider, "is_reader", True)

    assert Reply(Outcome.FAILED, "a reader changes nothing") == commit(provider, A1)
    assert () == Api.done


def test_a_semicolon_is_one(provider: OctodnsProvider) -> None:
    """A TXT record is read as it is on the wire; octoDNS's own way of writing it stays inside."""
    put("_outlast.db", {"type": "TXT", "ttl": 5, "values": ["v=9\\; strange"]})

    assert ("v=9; strange",) == asyncio.run(provider.read(DB)).sentinel


def test_a_dynamic_record_is_somebody_elses(provider: OctodnsProvider) -> None:
    """Who gets which address is decided there already: it is neither read nor overwritten."""
    zone = Zone("example.test.", [])
    data = {"type": "A", "ttl": 5, "value": "192.0.2.1", "dynamic": DYNAMIC}
    zone.add_record(Record.new(zone, "db", data))

    with pytest.raises(Unavailable, match=r"db\.example\.test\. A is a dynamic record of octoDNS"):
        live(Owners.of(DB), zone)


def test_all_faults_of_the_options_are_told_at_once() -> None:
    """Each wrong option is named; none of their values is repeated."""
    with pytest.raises(InvalidConfig) as caught:
        OctodnsProvider(
            name="p",
            zones=("a..b",),
            class_path="octodns_bind.Rfc2136Provider",
            options={"key_secret": "hush"},
            timeout=60.1,
        )

    assert ["settings", "zones", "timeout"] == [fault.split(": ")[1] for fault in caught.value.faults]
    assert "hush" not in str(caught.value)


# -------------------------------------------------------------------------------------------------------------- threads


def test_a_closed_gate_lets_nobody_through() -> None:
    """Whoever closes it learns whether somebody went before."""
    open_gate, closed = Gate(), Gate()

    assert (True, True) == (open_gate.enter(), open_gate.close())
    assert (False, False, False) == (closed.close(), closed.enter(), closed.close())


def test_threads_that_do_not_come_back_are_counted() -> None:
    """So many calls may hang; one more is refused at once, and after they came back it is not."""
    wake, threads = threading.Event(), Threads("p")

    async def hang() -> None:
        with pytest.raises(TimeoutError):
            await threads.run(wake.wait, seconds=0.01)

    async def act() -> int:
        await asyncio.gather(*(hang() for _ in range(THREADS_MAX)))
        with pytest.raises(Unavailable, match="p: 32 calls have not come back"):
            await threads.run(lambda: 1, seconds=1.0)
        wake.set()
        for thread in threading.enumerate():
            if thread.name.startswith("outlast-blocking-p"):
                await asyncio.to_thread(thread.join, 5.0)
        return await threads.run(lambda: 2, seconds=5.0)

    assert 2 == asyncio.run(act())


def test_a_library_that_ends_the_process_ends_its_call() -> None:
    """`sys.exit` in a thread is an error of that call."""

    def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(RuntimeError, match="SystemExit: 3"):
        asyncio.run(Threads("p").run(leave, seconds=5.0))


class _Answer:
    def __init__(self, status_code: int) -> None:
        self.status_code = status_code


def _refused(status: int) -> botocore.exceptions.ClientError:
    said = {"Error": {"Code": "Said", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(said, "ChangeResourceRecordSets")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (botocore.exceptions.ConnectionClosedError(endpoint_url="https://api.example"), Outcome.LOST),
        (_refused(503), Outcome.LOST),
        (_refused(400), Outcome.FAILED),
        (http.client.IncompleteRead(b"x"), Outcome.LOST),
        (http.client.BadStatusLine(""), Outcome.LOST),
        (httpx.ReadTimeout("timed out"), Outcome.LOST),
        (ValueError("no such zone"), Outcome.FAILED),
    ],
)
def test_what_may_be_a_lost_reply_is_no_refusal(
    provider: OctodnsProvider, monkeypatch: pytest.MonkeyPatch, error: Exception, outcome: Outcome
) -> None:
    """Each library has its own errors for a connection that broke; taken for a refusal, a late change would surprise."""
    monkeypatch.setattr(Api, "fails_at", 1)
    monkeypatch.setattr(Api, "error", error)

    assert outcome is commit(provider, A1).outcome


@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        (("q7/Zk+9w==secret",), "401 for https://api.example/dns?token=q7%2FZk%2B9w%3D%3Dsecret"),
        (("prod", "prod-8f2e77aa41"), "bad key prod-8f2e77aa41"),
        (("two'quotes\\",), f"bad key {'two' + chr(39) + 'quotes' + chr(92)!r}"),
    ],
    ids=["in a URL", "one begins another", "quoted"],
)
def test_secrets_are_found_in_any_form(
    provider: OctodnsProvider, monkeypatch: pytest.MonkeyPatch, secrets: tuple[str, ...], said: str
) -> None:
    """What is passed on of an error has no secret, however the library wrote it."""
    monkeypatch.setattr(Api, "fails_at", 1)
    monkeypatch.setattr(Api, "error", RuntimeError(said))
    detail = commit(dataclasses.replace(provider, secrets=secrets), A1).detail

    assert "…" in detail
    assert not any(part in detail for part in ("q7", "8f2e", "quotes"))


def test_a_thread_that_cannot_be_started_takes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a limit of the machine's each call says so, and once it is lifted calls are made again."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def act() -> tuple[set[str], int]:
        threads, said = Threads("p"), set()
        with monkeypatch.context() as limited:
            limited.setattr(threading.Thread, "start", refuse)
            for _ in range(THREADS_MAX + 1):
                with pytest.raises(Unavailable, match="can't start new thread") as caught:
                    await threads.run(lambda: 1, seconds=5)
                said.add(caught.value.hint)
        return said, await threads.run(lambda: 1, seconds=5)

    assert ({"raise this process's limit of threads"}, 1) == asyncio.run(act())
