"""The prober on targets that are names: a scripted DNS says what they resolve to, real HTTP servers answer there."""

import asyncio
from collections.abc import Awaitable, Iterator

import pytest
from command_world import Targets

from outlast.health.detector import Thresholds
from outlast.health.driver import Probed, Prober, ProberOptions, Remark
from outlast.health.lookup import Found, Lookup, Nothing, Silence
from outlast.health.names import KEPT_MAX, PROBED_MAX, Names
from outlast.health.probe import HttpProbe
from outlast.health.signal import Signal, Verdict
from outlast.resolver.lookup import PlainLookup
from outlast.system_clock import SystemClock
from outlast.testing.scripted_dns import Behaviour, ScriptedDns

NAME = "lb-1.example.net."
TIMEOUT = 1.0
"""Seconds for a look-up; where nobody answers it passes whole."""


@pytest.fixture(scope="module")
def targets() -> Iterator[Targets]:
    try:
        made = Targets("127.0.0.1", "127.0.0.2")
    except OSError:
        pytest.skip("127.0.0.2 is not an address of this machine: sudo ifconfig lo0 alias 127.0.0.2")
    yield made
    made.close()


@pytest.fixture
def scripted() -> Iterator[ScriptedDns]:
    with ScriptedDns() as server:
        yield server


def prober(lookup: Lookup, port: int, remarks: list[Remark]) -> Prober:
    return Prober(
        ProberOptions(observer="me", probe=HttpProbe(port=port), thresholds=Thresholds(rise=1, fall=1)),
        lambda: (Probed(NAME, "api.example.com"),),
        lookup=lookup,
        recall=_nothing,
        publish=_drop,
        clock=SystemClock(),
        tell=remarks.append,
    )


async def _nothing() -> tuple[Signal, ...]:
    return ()


async def _drop(_: tuple[Signal, ...]) -> None:
    return None


def test_a_name_is_what_it_resolves_to(targets: Targets, scripted: ScriptedDns) -> None:
    """It is healthy while one address answers, unhealthy when none does, and when it resolves to nothing, with that evidence."""
    remarks: list[Remark] = []
    looking = prober(PlainLookup((scripted.address,), timeout=5.0), targets.port, remarks)

    async def seen() -> tuple[Verdict, str]:
        (signal,) = await looking.round()
        return signal.verdict, signal.evidence

    async def act() -> list[tuple[Verdict, str]]:
        found = []
        scripted.serve(NAME, ["127.0.0.1", "127.0.0.2"], ttl=0)
        found.append(await seen())
        targets.sick.add("127.0.0.1")
        found.append(await seen())
        targets.sick.add("127.0.0.2")
        found.append(await seen())
        targets.sick.clear()
        for behaviour in ("nodata", "nxdomain"):
            scripted.set(NAME, behaviour)
            found.append(await seen())
        scripted.set(NAME, "good")
        scripted.serve(NAME, ["0.0.0.0"], ttl=0)
        found.append(await seen())
        scripted.alias(NAME, "gone.example.net", ttl=0)
        found.append(await seen())
        scripted.serve(NAME, ["127.0.0.2"], ttl=0)
        found.append(await seen())
        return found

    up, no = (Verdict.HEALTHY, ""), Verdict.UNHEALTHY
    status = "status 503, expected 200 to 399"

    assert [
        up,
        up,
        (no, f"127.0.0.1: {status}, 127.0.0.2: {status}"),
        (no, "resolves to nothing: NODATA"),
        (no, "resolves to nothing: NXDOMAIN"),
        (no, "resolves to nothing: 0.0.0.0 and NODATA"),
        (no, "resolves to nothing: NXDOMAIN at the end of its aliases, gone.example.net."),
        up,
    ] == asyncio.run(act())


@pytest.mark.parametrize("behaviour", ["servfail", "silent"])
def test_a_resolver_that_cannot_say_is_no_evidence(
    behaviour: Behaviour, targets: Targets, scripted: ScriptedDns
) -> None:
    """The last signal is not renewed, so that it grows too old; it is told once, and once when it is over."""
    remarks: list[Remark] = []
    looking = prober(PlainLookup((scripted.address,), timeout=TIMEOUT), targets.port, remarks)

    async def act() -> list[tuple[Signal, ...]]:
        scripted.set(NAME, behaviour)
        before = await looking.round()
        scripted.set(NAME, "good")
        scripted.serve(NAME, ["127.0.0.1"], ttl=0)
        first = await looking.round()
        scripted.set(NAME, behaviour)
        second = await looking.round()
        third = await looking.round()
        scripted.set(NAME, "good")
        return [before, first, second, third, await looking.round()]

    before, first, second, third, last = asyncio.run(act())

    assert () == before
    assert (Verdict.HEALTHY, first, first) == (first[0].verdict, second, third)
    assert (Verdict.HEALTHY, True) == (last[0].verdict, last[0].at > first[0].at)
    silence, again = "nobody says what it resolves to", "it is told again what it resolves to"
    assert [silence, again, silence, again] == [it.name for it in remarks if it.name in {silence, again}]
    assert all(it.alarm for it in remarks if it.name == silence)


# ----------------------------------------------------------------------------------------------- how long it is kept


class Stepped:
    """A clock that stands still until it is moved, in seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> int:
        return int(self.seconds * 1e9)

    def wall(self) -> int:
        return self.now()


def counting(found: Found | Nothing | Silence) -> tuple[Lookup, list[str]]:
    asked: list[str] = []

    async def lookup(name: str) -> Found | Nothing | Silence:
        asked.append(name)
        return found

    return lookup, asked


@pytest.mark.parametrize(
    ("found", "times"),
    [
        (Found(("127.0.0.1",), 0), (1, 2, 3, 4)),
        (Found(("127.0.0.1",), 5), (1, 1, 2, 3)),
        (Found(("127.0.0.1",), 10 * KEPT_MAX), (1, 1, 1, 2)),
        (Nothing("NXDOMAIN"), (1, 2, 3, 4)),
        (Silence("SERVFAIL"), (1, 2, 3, 4)),
    ],
    ids=["TTL 0", "TTL 5", "a long TTL", "nothing", "silence"],
)
def test_an_answer_is_kept_for_its_ttl(
    found: Found | Nothing | Silence, times: tuple[int, ...], targets: Targets
) -> None:
    """As clients keep it, up to a limit; what says that there is nothing is asked for on each look."""
    lookup, asked = counting(found)
    clock = Stepped()
    names = Names(lookup, clock=clock, room=asyncio.Semaphore(4))

    async def act() -> tuple[int, ...]:
        counts = []
        for at in (0.0, 4.999, 5.0, KEPT_MAX):
            clock.seconds = at
            await names.look(HttpProbe(port=targets.port), NAME, host="api.example.com")
            counts.append(len(asked))
        return tuple(counts)

    assert times == asyncio.run(act())


def test_a_name_that_is_no_target_any_more_is_forgotten(targets: Targets) -> None:
    """What is kept is bounded by what is configured."""
    lookup, asked = counting(Found(("127.0.0.1",), 60))
    names = Names(lookup, clock=Stepped(), room=asyncio.Semaphore(4))

    async def act() -> None:
        for keep in ({NAME}, set[str](), {NAME}):
            names.keep(keep)
            await names.look(HttpProbe(port=targets.port), NAME, host="api.example.com")

    asyncio.run(act())

    assert (2, "<names: 1 kept>") == (len(asked), repr(names))


def test_only_so_many_addresses_are_probed() -> None:
    """Of a large answer the first few are probed, and fewer are told."""
    lookup, _ = counting(Found(tuple(f"192.0.2.{n}" for n in range(1, 30)), 60))
    dialled: list[str] = []

    def dial(address: str, _: int) -> tuple[str, int]:
        dialled.append(address)
        return "127.0.0.1", 1  # nobody listens there

    names = Names(lookup, clock=Stepped(), room=asyncio.Semaphore(4), dial=dial)
    words = asyncio.run(_look(names))

    assert PROBED_MAX == len(dialled)
    assert words.startswith("192.0.2.1: connection refused, 192.0.2.2: ")
    assert words.endswith(f" and {PROBED_MAX - 3} more")


async def _look(names: Names) -> str:
    found = await names.look(HttpProbe(), NAME, host="api.example.com")
    assert isinstance(found, str)
    return found


# ------------------------------------------------------------------------------------------------------- whom to ask


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("nxdomain", "good", Found(("127.0.0.1",), 7)),
        ("servfail", "good", Found(("127.0.0.1",), 7)),
        ("silent", "good", Found(("127.0.0.1",), 7)),
        ("good", "nxdomain", Found(("127.0.0.1",), 7)),
        ("nxdomain", "servfail", Nothing("NXDOMAIN")),
        ("servfail", "nodata", Nothing("NODATA")),
        ("servfail", "servfail", None),
    ],
)
def test_a_positive_answer_of_any_upstream_wins(
    first: Behaviour, second: Behaviour, expected: Found | Nothing | None
) -> None:
    """One upstream rescues; that there is nothing needs one that knows and none that knows better."""
    with ScriptedDns() as one, ScriptedDns() as two:
        for server, behaviour in ((one, first), (two, second)):
            server.serve(NAME, ["127.0.0.1"], ttl=7)
            server.set(NAME, behaviour)
        lookup = PlainLookup((one.address, two.address), timeout=2.0)
        found = asyncio.run(_await(lookup(NAME)))

    assert (expected or Silence(f"{two.address}: SERVFAIL")) == found


async def _await(waited: Awaitable[Found | Nothing | Silence]) -> Found | Nothing | Silence:
    return await waited


def test_families_are_one_answer(scripted: ScriptedDns) -> None:
    """Both families count, sorted and in their one form."""
    scripted.serve(NAME, ["192.0.2.2", "192.0.2.1", "2001:DB8::1"], ttl=3)
    found = asyncio.run(_await(PlainLookup((scripted.address,), timeout=5.0)(NAME)))

    assert Found(("192.0.2.1", "192.0.2.2", "2001:db8::1"), 3) == found


def test_a_closed_port_is_silence() -> None:
    """An error of the network says nothing of the name."""
    assert isinstance(asyncio.run(_await(PlainLookup(("127.0.0.1:1",), timeout=0.5)(NAME))), Silence)
