"""The ladder below the cache, fed with events: whom it asks, whom it believes, what it answers."""

import random

import pytest

from outlast.resolver.machine import step
from outlast.resolver.messages import (
    Ask,
    AskSentinel,
    Effect,
    Event,
    Finish,
    Heard,
    Probed,
    SentinelHeard,
    Started,
    Verdict,
    Verify,
    Wake,
    Woken,
)
from outlast.resolver.question import Mode, Question, Timing
from outlast.resolver.reading import Family, Kind, Reading
from outlast.resolver.state import Phase, State

MS = 1_000_000
TIMING = Timing(
    hedge=150 * MS,
    timeout=1000 * MS,
    patience=1800 * MS,
    deadline=5000 * MS,
    settle=50 * MS,
    sentinel=300 * MS,
    verify=500 * MS,
    tries=2,
    recheck=3000 * MS,
)
GOOD = Reading(Kind.POSITIVE, ("192.0.2.1",), 5, "192.0.2.1")
V6 = Reading(Kind.POSITIVE, ("2001:db8::1",), 60, "2001:db8::1")
NULL = Reading(Kind.POSITIVE, ("0.0.0.0",), 5, "0.0.0.0")
NODATA = Reading(Kind.NODATA, ttl=60, words="NODATA")
NXDOMAIN = Reading(Kind.NXDOMAIN, ttl=60, words="NXDOMAIN")
SERVFAIL = Reading(Kind.FAILED, words="SERVFAIL")


def question(mode: Mode, *, upstreams: int = 1, check: str = "", families: tuple[Family, ...] = ("A",)) -> Question:
    is_strict, is_protected = mode is Mode.STRICT, mode is Mode.PROTECT
    return Question(
        name="db.example.com",
        families=families,
        mode=mode,
        upstreams=tuple(f"127.0.0.{n + 1}:53" for n in range(upstreams)),
        stale=() if is_strict else ("192.0.2.9",),
        tiers=(("192.0.2.9", "192.0.2.8"), ("192.0.2.7",)) if is_protected else (),
        check=check,
        timing=TIMING,
    )


def run(asked: Question, *events: Event) -> tuple[State, list[Effect]]:
    """Feed events after `Started`; return the last state and every effect but wishes to be woken."""
    state = State(asked)
    effects: list[Effect] = []
    for event in (Started(), *events):
        state, some = step(state, event)
        effects += [effect for effect in some if not isinstance(effect, Wake)]
    return state, effects


def verdict(asked: Question, *events: Event) -> Verdict:
    _, effects = run(asked, *events)
    assert isinstance(effects[-1], Finish), effects
    return effects[-1].verdict


def heard(reading: Reading, *, at: int = 1, upstream: int = 0, family: Family = "A") -> Heard:
    return Heard(at * MS, upstream, family, reading)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_positive_answer_is_the_answer(mode: Mode) -> None:
    """Whatever the mode, addresses from an upstream are answered for their TTL."""
    got = verdict(question(mode), heard(GOOD))

    assert ("upstream", ("192.0.2.1",), 5, None) == (got.source, got.addresses, got.ttl, got.ede)


@pytest.mark.parametrize(
    ("mode", "reading", "source", "kind", "ede"),
    [
        (Mode.STRICT, NODATA, None, Kind.NODATA, None),
        (Mode.STRICT, NXDOMAIN, None, Kind.NXDOMAIN, None),
        (Mode.STRICT, SERVFAIL, None, Kind.FAILED, None),
        (Mode.STRICT, NULL, "upstream", Kind.POSITIVE, None),
        (Mode.STALE, NODATA, None, Kind.NODATA, None),
        (Mode.STALE, NXDOMAIN, None, Kind.NXDOMAIN, None),
        (Mode.STALE, SERVFAIL, "stale", Kind.POSITIVE, 3),
        (Mode.STALE, NULL, "upstream", Kind.POSITIVE, None),
        (Mode.PROTECT, SERVFAIL, "stale", Kind.POSITIVE, 3),
    ],
)
def test_what_one_reading_is_worth(
    mode: Mode, reading: Reading, source: str | None, kind: Kind, ede: int | None
) -> None:
    """Negative answers are the truth unless the name is protected; failures give way to stale unless it is strict."""
    got = verdict(question(mode), heard(reading))

    assert (source, kind, ede) == (got.source, got.kind, got.ede)


@pytest.mark.parametrize(("reading", "ede"), [(NODATA, 3), (NXDOMAIN, 19), (NULL, 3)])
def test_a_protected_name_keeps_its_addresses(reading: Reading, ede: int) -> None:
    """A denial of a protected name, or 0.0.0.0, makes last-known-good the answer if the sentinel does not say retired."""
    got = verdict(question(Mode.PROTECT), heard(reading), SentinelHeard(2 * MS, is_retired=False))

    assert ("last-known-good", ("192.0.2.9", "192.0.2.8"), ede) == (got.source, got.addresses, got.ede)


def test_a_retired_name_is_let_go() -> None:
    """A sentinel that says retired makes the denial the answer."""
    got = verdict(question(Mode.PROTECT), heard(NODATA), SentinelHeard(2 * MS, is_retired=True))

    assert (None, Kind.NODATA, True) == (got.source, got.kind, got.is_retired)


def test_a_silent_sentinel_says_nothing() -> None:
    """Without an answer for the sentinel the addresses are kept."""
    got = verdict(question(Mode.PROTECT), heard(NODATA), Woken(302 * MS))

    assert "last-known-good" == got.source


def test_another_upstream_rescues() -> None:
    """The second upstream is asked at once when the first denies a protected name, and its addresses win."""
    _, effects = run(question(Mode.PROTECT, upstreams=2), heard(NODATA), heard(GOOD, upstream=1, at=2))

    assert [Ask(0), Ask(1)] == effects[:2]
    assert isinstance(effects[2], Finish)
    assert ("upstream", ("192.0.2.1",)) == (effects[2].verdict.source, effects[2].verdict.addresses)


def test_another_upstream_never_condemns() -> None:
    """Two upstreams that deny a protected name count no more than one."""
    asked = question(Mode.PROTECT, upstreams=2)
    got = verdict(asked, heard(NODATA), heard(NXDOMAIN, upstream=1), SentinelHeard(2 * MS, is_retired=False))

    assert "last-known-good" == got.source


def test_a_denial_ends_the_question_of_an_unprotected_name() -> None:
    """Nobody else is asked after a negative answer that is believed."""
    _, effects = run(question(Mode.STALE, upstreams=2), heard(NODATA))

    assert [Ask] == [type(effect) for effect in effects[:-1]]


def test_silence_is_hedged() -> None:
    """The next upstream is asked after the hedging delay, and the first one again only after its timeout."""
    state, effects = run(question(Mode.STRICT, upstreams=2), Woken(150 * MS), Woken(1150 * MS))

    assert [Ask(0), Ask(1), Ask(0)] == effects
    assert Phase.ASKING == state.phase


def test_patience_ends_with_something_older() -> None:
    """Who can be given a stale answer waits for the patience, and who cannot waits on."""
    events = (Woken(1000 * MS), Woken(1800 * MS))
    got = verdict(question(Mode.STALE), *events)
    state, _ = run(question(Mode.STRICT), *events)

    assert ("stale", True) == (got.source, got.is_silent)
    assert Phase.ASKING == state.phase


def test_silence_of_all_is_a_failure() -> None:
    """A silent upstream is asked twice and has until the deadline; the trail names who was silent."""
    events = (Woken(1000 * MS), Woken(2000 * MS), Woken(5000 * MS))
    _, effects = run(question(Mode.STRICT), *events)
    got = verdict(question(Mode.STRICT), *events)

    assert [Ask(0), Ask(0)] == effects[:-1]
    assert (Kind.FAILED, None) == (got.kind, got.source)
    assert "silent until 5000 ms" in got.trail[0]


def test_one_empty_family_is_honoured() -> None:
    """NODATA of one family beside addresses of the other is what the name has, in every mode."""
    asked = question(Mode.PROTECT, families=("A", "AAAA"))
    got = verdict(asked, heard(NODATA), heard(V6, family="AAAA"))

    assert ("upstream", ("2001:db8::1",)) == (got.source, got.addresses)


def test_the_slower_family_is_not_waited_for_long() -> None:
    """Addresses of one family are answered when the other has had its time."""
    asked = question(Mode.STALE, families=("A", "AAAA"))
    got = verdict(asked, heard(GOOD), Woken(51 * MS))

    assert ("upstream", ("192.0.2.1",)) == (got.source, got.addresses)


def test_a_failure_beside_nodata_is_a_failure() -> None:
    """If one family fails, the emptiness of the other proves nothing."""
    asked = question(Mode.STALE, families=("A", "AAAA"))
    got = verdict(asked, heard(NODATA), heard(SERVFAIL, family="AAAA"))

    assert "stale" == got.source


def test_addresses_are_checked() -> None:
    """Only addresses that pass the check are answered, without waiting for slow ones for long."""
    asked = question(Mode.PROTECT, check="tcp:443")
    state, effects = run(asked, heard(NODATA), SentinelHeard(2 * MS, is_retired=False))
    got = verdict(
        asked,
        heard(NODATA),
        SentinelHeard(2 * MS, is_retired=False),
        Probed(3 * MS, "192.0.2.8", ""),
        Woken(54 * MS),
    )

    assert [AskSentinel(0), Verify(("192.0.2.9", "192.0.2.8"))] == effects[1:]
    assert Phase.VERIFYING == state.phase
    assert ("last-known-good", ("192.0.2.8",)) == (got.source, got.addresses)


def test_groups_are_tried_in_order() -> None:
    """If no address of a group passes, the next group is checked, and after the last the denial is the answer."""
    checked = (
        heard(NODATA),
        SentinelHeard(2 * MS, is_retired=False),
        Probed(3 * MS, "192.0.2.9", "refused"),
        Probed(3 * MS, "192.0.2.8", "refused"),
    )
    asked = question(Mode.PROTECT, check="tcp:443")
    _, effects = run(asked, *checked)
    got = verdict(asked, *checked, Woken(503 * MS))

    assert Verify(("192.0.2.7",)) == effects[-1]
    assert (None, Kind.NODATA) == (got.source, got.kind)
    assert "no last-known-good address passed tcp:443" in got.reason


@pytest.mark.parametrize("phase", [Phase.SENTINEL, Phase.VERIFYING])
def test_a_late_positive_answer_wins(phase: Phase) -> None:
    """Addresses that arrive while older ones are being considered are answered instead."""
    asked = question(Mode.PROTECT, upstreams=2, check="tcp:443")
    before: list[Event] = [heard(NODATA), Woken(1800 * MS)]
    if phase is Phase.VERIFYING:
        before.append(SentinelHeard(1801 * MS, is_retired=False))
    got = verdict(asked, *before, heard(GOOD, upstream=1, at=1802))

    assert "upstream" == got.source


def test_a_late_retirement_is_honoured() -> None:
    """A sentinel that arrives while addresses are being checked still ends the name."""
    asked = question(Mode.PROTECT, check="tcp:443")
    got = verdict(asked, heard(NODATA), Woken(302 * MS), SentinelHeard(303 * MS, is_retired=True))

    assert got.is_retired


def test_illegal_events_change_nothing() -> None:
    """An event that a phase cannot get is refused."""
    legal: dict[Phase, set[type]] = {
        Phase.READY: {Started},
        Phase.ASKING: {Heard, Woken},
        Phase.SENTINEL: {Heard, SentinelHeard, Woken},
        Phase.VERIFYING: {Heard, SentinelHeard, Probed, Woken},
        Phase.DONE: set(),
    }
    events = (Started(), heard(GOOD), SentinelHeard(0, is_retired=False), Probed(0, "192.0.2.9", ""), Woken(0))
    for phase in Phase:
        for event in events:
            if type(event) not in legal[phase]:
                with pytest.raises(AssertionError, match="cannot get"):
                    step(State(question(Mode.PROTECT), phase=phase), event)


@pytest.mark.parametrize("seed", random.Random(7).sample(range(10**6), 25))
def test_every_resolution_ends(seed: int) -> None:
    """Whatever arrives in whatever order, a resolution ends soon after its deadline, and a protected name keeps an answer.

    A failure names its seed as the test's parameter, which replays it.
    """
    chance = random.Random(seed)
    for _ in range(40):
        asked = question(
            Mode.PROTECT, upstreams=chance.randint(1, 3), check=chance.choice(["", "tcp:443"]), families=("A", "AAAA")
        )
        state, at, due = State(asked), 0, 0
        pending: list[Event] = [Started()]
        end: Finish | None = None
        while end is None:
            if not pending:
                at = due
            state, effects = step(state, pending.pop(0) if pending else Woken(at))
            for effect in effects:
                match effect:
                    case Finish():
                        end = effect
                    case Wake(after):
                        due = at + after
                    case Ask(upstream):
                        pending += replies(chance, at, upstream)
                    case AskSentinel():
                        pending += [SentinelHeard(at, is_retired=False)] * chance.randint(0, 1)
                    case Verify(addresses):
                        pending += [Probed(at, item, chance.choice(["", "no"])) for item in addresses]

        assert at <= TIMING.deadline + TIMING.sentinel + 3 * TIMING.verify, seed
        assert end.verdict.source is not None or asked.check, seed


def replies(chance: random.Random, at: int, upstream: int) -> list[Event]:
    families: tuple[Family, ...] = ("A", "AAAA")
    readings = [GOOD, NULL, NODATA, NXDOMAIN, SERVFAIL, None]
    return [Heard(at, upstream, family, it) for family in families if (it := chance.choice(readings)) is not None]
