"""Which of its names an endpoint is an alias of: one row for each way in which the choice falls."""

from typing import Any

import pytest

from outlast.health.signal import NOWHERE, Signal, Verdict
from outlast.traffic.alarms import alarms
from outlast.traffic.content import Content
from outlast.traffic.evidence import SECOND, freshest
from outlast.traffic.guards import UNCONFIGURED
from outlast.traffic.messages import InputsRead, Note, ReadInputs, Tick
from outlast.traffic.orders import Kind, Order
from outlast.traffic.plan import Entry, Plan, Withheld
from outlast.traffic.planner import Options, PlannerState, step
from outlast.traffic.planning import propose
from outlast.traffic.topology import Endpoint, Target, Topology
from outlast.traffic.withholding import STANDBY, UNHEALTHY

A, B, C = "lb-a.east.example.", "lb-b.west.example.", "lb-c.west.example."
UP, DOWN, UNKNOWN = Verdict.HEALTHY, Verdict.UNHEALTHY, Verdict.UNKNOWN
REGIONS = {A: "east", B: "west", C: "west"}
EAST_OUT = Order(Kind.EVACUATE, "east", "", (), "ann", 1, "INC-42")


def endpoint(*names: str, **options: Any) -> Endpoint:
    targets = tuple(Target(address=name, region=REGIONS.get(name, "east")) for name in names or (A, B, C))
    return Endpoint(**{"name": "api.example", "targets": targets, "soak": 10.0, **options})


def entry(*targets: str, **withheld: str) -> Entry:
    out = tuple(Withheld({"a": A, "b": B, "c": C}[name], reason, 1) for name, reason in sorted(withheld.items()))
    return Entry(endpoint="api.example", generation=1, content=Content.of_targets(targets, ttl=5), withheld=out)


@pytest.fixture
def seen(signal: Any) -> Any:
    """Signals for A, B and C in words: `up`, `soaking`, `down`, `empty`, or `-` for none; `!` if it never worked."""

    def of(words: str) -> list[Signal]:
        found = []
        for name, word in zip((A, B, C), words.split(), strict=True):
            verdict = UP if word.startswith(("up", "soaking")) else DOWN
            for_ = 5 if word.startswith("soaking") else 60
            item = signal(name, verdict, for_=for_, worked=not word.endswith("!"))
            evidence = f"{NOWHERE}: NXDOMAIN" if word.startswith("empty") else "192.0.2.1: timeout"
            found += [] if word == "-" else [item._replace(evidence="" if verdict is UP else evidence)]
        return found

    return of


def planned(
    of: Endpoint, previous: Entry | None, signals: list[Signal], wall: int, *orders: Order
) -> tuple[tuple[str, ...], dict[str, str]]:
    """What is published, and the reason for each name that is not."""
    evidence = freshest(signals, wall=wall, max_age=30 * SECOND)
    content, withheld = propose(of, previous=previous, records=(), evidence=evidence, wall=wall, orders=orders)
    return content.targets, {item.address: item.reason for item in withheld}


ROWS = [
    # published, what is seen of A, B and C, what is published next
    (A, "up up up", A, "all is well: it stays"),
    (B, "up up up", B, "the first is well again: nobody goes back"),
    (A, "- - -", A, "nothing is heard: it stays"),
    (A, "- up up", A, "nothing is heard of the published one: no evidence, no move"),
    (A, "down up up", B, "it fails: the first fit one as configured"),
    (A, "down down up", C, "it fails: the first that is fit"),
    (C, "up up down", A, "the order of the configuration counts, not that of the alphabet after the published one"),
    (A, "empty up up", B, "it leads nowhere: the first fit one"),
    (A, "down soaking up", C, "one that is fit goes before one that soaks"),
    (A, "down soaking down", B, "none is fit: one that is healthy cuts its soak short"),
    (A, "down down down", A, "all fail: fail open, it stays"),
    (A, "down - -", A, "of the others nothing is heard: it stays"),
    (A, "down down! -", A, "the others never worked"),
    (A, "empty down -", B, "it leads nowhere: one that fails but leads somewhere"),
    (A, "empty empty down", C, "likewise"),
    (A, "empty down! -", A, "but not one that never worked"),
    (A, "empty - -", A, "nor one of which nothing is heard"),
    (A, "empty empty empty", A, "none leads anywhere: it stays"),
    (A, "down empty -", A, "nothing moves to where there is nothing"),
    (A, "up empty empty", A, "all others are gone: it stays"),
]


@pytest.mark.parametrize(("published", "words", "chosen", "why"), ROWS, ids=[row[3] for row in ROWS])
def test_one_name_is_chosen(published: str, words: str, chosen: str, why: str, seen: Any, wall: int) -> None:
    """Exactly one is published, and each other name has its reason."""
    by_name = dict(zip("abc", words.split(), strict=True))
    others = {
        name: "newcomer: not yet probed" if word.endswith("!") else f"{STANDBY}before"
        for name, word in by_name.items()
        if name != published[3]
    }
    found, withheld = planned(endpoint(), entry(published, **others), seen(words), wall)

    assert ((chosen,), {A, B, C} - {chosen}) == (found, set(withheld)), why


def test_reasons_say_what_each_name_is(seen: Any, wall: int) -> None:
    """The one that left keeps its evidence, what is fit stands by, and what is not fit says why."""
    words = "empty up soaking"
    found = planned(endpoint(), entry(A, b=f"{STANDBY}{A} is published"), seen(words), wall)

    assert (B,) == found[0]
    assert f"{UNHEALTHY}{NOWHERE}: NXDOMAIN (o1)" == found[1][A]
    assert "newcomer: must be healthy for 10 s" == found[1][C]
    assert f"{STANDBY}{B} is published" == planned(endpoint(), entry(B), seen("up up up"), wall)[1][A]


@pytest.mark.parametrize(
    ("words", "chosen"),
    [("- - -", A), ("down up up", A), ("empty up up", B), ("empty empty up", C), ("empty empty empty", A)],
)
def test_the_first_plan_takes_the_first_that_leads_somewhere(words: str, chosen: str, seen: Any, wall: int) -> None:
    """Without a previous plan health is not asked, as with addresses; that there is nothing counts all the same."""
    assert (chosen,) == planned(endpoint(), None, seen(words), wall)[0]


@pytest.mark.parametrize(("empty_for", "chosen"), [(("o1",), A), (("o1", "o2"), B)])
def test_one_observer_that_sees_more_wins(empty_for: tuple[str, ...], chosen: str, signal: Any, wall: int) -> None:
    """A name is empty when every observer says so; if one reached an address, it merely fails."""
    views = [
        signal(A, DOWN)._replace(observer=it, evidence=NOWHERE if it in empty_for else "192.0.2.1: timeout")
        for it in ("o1", "o2")
    ]
    assert (chosen,) == planned(endpoint(A, B), entry(A, b=f"{STANDBY}x"), [*views, signal(B, DOWN)], wall)[0]


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        ("up up up", B),
        ("up down down", B),
        ("up - -", B),
        ("up empty down", C),
        ("up empty empty", A),
        ("empty empty empty", A),
    ],
)
def test_an_evacuation_passes_everything_but_emptiness(words: str, chosen: str, seen: Any, wall: int) -> None:
    """The region is left for a name that fails, or is not heard of, and never for one that leads nowhere."""
    before = entry(A, b=f"{STANDBY}x", c=f"{STANDBY}x")

    assert (chosen,) == planned(endpoint(), before, seen(words), wall, EAST_OUT)[0]


def test_even_what_is_evacuated_goes_before_what_leads_nowhere(seen: Any, wall: int) -> None:
    """Where all else is empty, an evacuated name that leads somewhere is kept or moved to."""
    west_out = EAST_OUT._replace(subject="west")
    before = entry(B, a=f"{STANDBY}x", c=f"{STANDBY}x")

    assert (C,) == planned(endpoint(), before, seen("empty empty down"), wall, west_out)[0]


def test_nobody_comes_back_when_an_order_is_lifted(seen: Any, wall: int) -> None:
    """The published name stays while it is fit; the other stands by at once."""
    left = entry(B, a="ordered: evacuate east by ann", c=f"{STANDBY}x")
    found = planned(endpoint(), left, seen("up up up"), wall)

    assert ((B,), f"{STANDBY}{B} is published") == (found[0], found[1][A])


def test_a_region_that_fails_for_others_is_left_in_one_step(signal: Any, wall: int) -> None:
    """Two places outside see the east fail and the west well: the name of the west is published."""
    views = [
        signal(name, DOWN if name == A else UP)._replace(observer=f"{place}/o")
        for name in (A, B)
        for place in ("north", "south")
    ]
    found = planned(endpoint(A, B), entry(A, b=f"{STANDBY}x"), views, wall)

    assert ((B,), True) == (found[0], found[1][A].startswith("evacuated: east fails for north/o, south/o"))


@pytest.mark.parametrize("words", ["up up up", "up empty up", "empty empty empty", "up down up"])
def test_a_pin_goes_before_health(words: str, seen: Any, wall: int) -> None:
    """A person may pin a name that fails, or that a resolver says is gone: the resolver may be wrong."""
    pin = Order(Kind.PIN, "", "api.example", (B,), "ann", 1, "")

    assert (B,) == planned(endpoint(), entry(A), seen(words), wall, pin)[0]


def test_without_probes_the_configuration_decides(seen: Any, wall: int) -> None:
    """With `probed = false` nobody is asked, and an edit is followed at once."""
    of = endpoint(probed=False)

    assert (A,) == planned(of, entry(A), seen("empty up up"), wall)[0]
    assert (A,) == planned(of, entry("lb-old.example."), seen("- - -"), wall)[0]


@pytest.mark.parametrize("old", [("lb-old.example.",), ("192.0.2.1", "192.0.2.2")], ids=["a name", "addresses"])
@pytest.mark.parametrize(
    ("words", "chosen"), [("- - -", None), ("soaking down -", None), ("empty down up", C), ("up up up", A)]
)
def test_an_edit_waits_for_a_fit_name(
    old: tuple[str, ...], words: str, chosen: str | None, seen: Any, wall: int
) -> None:
    """What was published before the edit stays until one of the new names is fit; then it goes as not configured."""
    found = planned(endpoint(), entry(*old), seen(words), wall)

    assert (old if chosen is None else (chosen,)) == found[0]
    assert (set() if chosen is None else {UNCONFIGURED}) == {found[1][it] for it in old if it in found[1]}


def test_a_name_gives_way_to_addresses_at_once(wall: int) -> None:
    """An edit from a name to addresses publishes an address of them, and the name goes as not configured."""
    of = Endpoint(name="api.example", targets=(Target(address="192.0.2.1", region="east"),))

    assert (("192.0.2.1",), {A: UNCONFIGURED}) == planned(of, entry(A), [], wall)


def test_a_swap_has_a_date_that_lasts(seen: Any, wall: int) -> None:
    """The withheld name keeps since when it is out, while the words of its evidence change."""
    evidence = freshest(seen("empty up up"), wall=wall, max_age=30 * SECOND)
    content, withheld = propose(endpoint(), previous=entry(A), records=(), evidence=evidence, wall=wall)
    later = Entry(endpoint="api.example", generation=2, content=content, withheld=withheld)
    evidence = freshest(seen("down up up"), wall=wall, max_age=30 * SECOND)
    _, after = propose(endpoint(), previous=later, records=(), evidence=evidence, wall=wall + 9 * SECOND)

    assert [wall] == [item.since for item in after if item.address == A]


# ------------------------------------------------------------------------------------------------------------- alarms


def _inputs(of: Endpoint, previous: Entry, signals: list[Signal], wall: int) -> InputsRead:
    plan = Plan(realm="r", generation=1, entries=(previous,))
    return InputsRead(Topology(realm="r", endpoints=(of,)), plan, 1, (), (), tuple(signals), wall)


def test_a_published_name_that_leads_nowhere_is_an_alarm(seen: Any, wall: int) -> None:
    """The planner says so on every pass on which it stays, and not where another follows."""
    gone = _inputs(endpoint(A, B), entry(A), seen("empty empty -"), wall)
    state, effects = step(PlannerState(Options("p", "r", (), 30 * SECOND)), Tick())
    _, told = step(state, gone)

    assert (ReadInputs(),) == effects
    alarm = next(it for it in told if isinstance(it, Note) and it.alarm)
    assert "published name resolves to nothing" == alarm.name
    assert alarm.detail.startswith(f"api.example: {A} {NOWHERE}, says o1; it stays until another target is fit")
    assert () == alarms(_inputs(endpoint(A, B), entry(A), seen("down empty -"), wall), (), 30 * SECOND)
    moved = entry(B)
    assert () == alarms(_inputs(endpoint(A, B), entry(A), seen("empty up -"), wall), (moved,), 30 * SECOND)


def test_waiting_after_an_edit_is_told(seen: Any, wall: int) -> None:
    """It is no alarm; it says what would lift it, and what is seen of each new name."""
    inputs = _inputs(endpoint(A, B), entry("192.0.2.1"), seen("empty - -"), wall)
    words = (
        f"api.example: 192.0.2.1 stays until a name is fit, or pinned; {A}: {NOWHERE}: NXDOMAIN (o1); "
        f"{B}: nothing is heard of it yet"
    )

    assert (Note("the older configuration is still published", words),) == alarms(inputs, (), 30 * SECOND)
