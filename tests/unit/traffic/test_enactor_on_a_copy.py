"""An enactor whose registry is away: it mends what is fenced, from its copy, and waits where nothing fences."""

import pytest

from outlast.traffic import messages as m
from outlast.traffic.content import Content
from outlast.traffic.enactor import EnactorState, Phase, step
from outlast.traffic.plan import Entry
from outlast.traffic.ports import Known, Live, Record, Transaction
from outlast.traffic.sentinel import Sentinel, Standing

DB = "db.example.com"
EAST = Content.of_addresses(["192.0.2.1"], ttl=5)
WEST = Content.of_addresses(["198.51.100.1"], ttl=5)
START = EnactorState("one", "shop", "p", DB)
COPY = Known(
    3,
    Entry(endpoint=DB, generation=3, content=EAST),
    Record("p", DB, Sentinel("shop", 7, 3, EAST.digest, Standing.LIVE, "one"), EAST),
    is_copy=True,
)


def seen(gen: int, content: Content, *, standing: Standing = Standing.LIVE, n: int = 7) -> Sentinel:
    return Sentinel("shop", n, gen, content.digest, standing, "two")


def decided(live: Live) -> tuple[EnactorState, m.Effects]:
    """What it does about what stands there, having told that it works from a copy."""
    state, _ = step(START, m.Tick())
    state, told = step(state, m.KnownRead(COPY))
    assert m.Note("registry unavailable", "going on with the copy of what it said last", alarm=True) == told[0]
    return step(state, m.LiveRead(live))


def test_damaged_records_are_put_back() -> None:
    """Records that are not what the sentinel names are replaced, with the sentinel as prerequisite."""
    sentinel = seen(3, EAST)
    live = Live((sentinel.text,), WEST.sets)
    state, effects = decided(live)
    commit = m.Commit(Transaction("p", DB, live, sentinel._replace(n=8, by="one"), EAST))

    assert (Phase.COMMIT, commit) == (state.phase, effects[-1])


def test_the_record_of_a_repair_waits_for_the_registry() -> None:
    """What was committed stays committed though the registry does not hear of it; the pass ends."""
    state, _ = decided(Live((seen(3, EAST).text,), WEST.sets))
    state, effects = step(state, m.Committed())
    assert isinstance(effects[-1], m.WriteRecord)
    state, effects = step(state, m.RegistryDown("away"))

    assert (START, (m.Note("registry unavailable", "away", alarm=True),)) == (state, effects)


@pytest.mark.parametrize("sentinel", [(), ("something else",)])
def test_an_absent_sentinel_is_waited_for(sentinel: tuple[str, ...]) -> None:
    """Nothing fences a creation, and a hold may have been recorded since the copy: it is not recreated from one."""
    state, effects = decided(Live(sentinel, ()))
    assert (m.ReadKnown("p", DB),) == effects
    state, effects = step(state, m.KnownRead(COPY))

    assert START == state
    assert m.Note("registry unavailable", "the sentinel is absent: waiting for it", alarm=True) == effects[0]


def test_an_absent_sentinel_is_recreated_once_the_registry_answers() -> None:
    """The second reading counts: if it comes from the registry, the pass goes on as it does otherwise."""
    state, _ = decided(Live((), ()))
    state, effects = step(state, m.KnownRead(COPY._replace(is_copy=False)))

    assert Phase.COMMIT == state.phase
    assert isinstance(effects[-1], m.Commit)


def test_a_newer_generation_is_never_gone_back_on() -> None:
    """Whoever is ahead of the copy is left alone: intact, there is only a report."""
    state, effects = decided(Live((seen(9, WEST).text,), WEST.sets))

    assert (Phase.REPORT, m.ReportAhead) == (state.phase, type(effects[-1]))


def test_what_the_copy_cannot_know_is_not_mended() -> None:
    """Damage under a newer generation, whose content the copy does not hold, is not mended with older content."""
    _, effects = decided(Live((seen(9, WEST).text,), EAST.sets))

    assert not any(isinstance(effect, m.Commit) for effect in effects)


def test_a_hold_is_put_back_exactly() -> None:
    """Under a hold only the content that the hold names is put back, and the hold is kept."""
    held = seen(9, EAST, standing=Standing.HELD, n=20)
    _, effects = decided(Live((held.text,), WEST.sets))
    commit = effects[-1]

    assert isinstance(commit, m.Commit)
    assert (held._replace(n=21, by="one"), EAST) == (commit.transaction.sentinel, commit.transaction.content)
