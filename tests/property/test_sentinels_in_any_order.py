"""Whoever reads many sentinels decides the same in whatever order, and in however many parts, the answers come."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from outlast.traffic import janitor, planner
from outlast.traffic import messages as m
from outlast.traffic.content import Content
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.ports import AheadReport, Place, PlanInfo, Record
from outlast.traffic.sentinel import Sentinel, Standing
from outlast.traffic.topology import Endpoint, Target, Topology

REALM = "test"
NAMES = ("a.example", "b.example", "c.example")
PLACES = tuple(Place(provider, name) for name in NAMES for provider in ("p1", "p2"))
CONTENT = Content.of_addresses(("192.0.2.1",), ttl=5)
LATEST = 5

texts = st.one_of(
    st.none(),
    st.just(()),
    st.just(("no sentinel",)),
    st.builds(
        lambda realm, gen, digest: (Sentinel(realm, 1, gen, digest, Standing.LIVE, "w").text,),
        st.sampled_from((REALM, "stranger")),
        st.integers(1, 9),
        st.sampled_from((CONTENT.digest, "0" * 32)),
    ),
)
sightings = st.tuples(*(st.builds(m.Sighting, st.just(place), texts, st.just("away")) for place in PLACES))


@st.composite
def parts(draw: st.DrawFn, of: Sequence[m.Sighting]) -> list[tuple[m.Sighting, ...]]:
    """The same in another order, in one part or several."""
    mixed = draw(st.permutations(of))
    cuts = sorted(draw(st.sets(st.integers(1, len(mixed) - 1))))
    return [tuple(mixed[a:b]) for a, b in zip([0, *cuts], [*cuts, len(mixed)], strict=True)]


def told(step: Any, state: Any, answers: list[tuple[m.Sighting, ...]]) -> tuple[Any, m.Effects]:
    """The machine after all those answers, unless its pass ended before."""
    effects: m.Effects = ()
    for answer in answers:
        state, effects = step(state, m.SentinelsRead(answer))
        if not any(isinstance(effect, m.ReadSentinels) for effect in effects):
            break
    return state, effects


def reading_planner() -> planner.PlannerState:
    entries = tuple(Entry(endpoint=name, generation=LATEST, content=CONTENT) for name in NAMES)
    plan = Plan(realm=REALM, generation=LATEST, entries=entries)
    targets = (Target(address="192.0.2.1", region="east"),)
    endpoints = tuple(Endpoint(name=name, targets=targets, ttl=5, probed=False) for name in NAMES)
    reports = tuple(AheadReport("p1", name, 1, "0" * 32) for name in NAMES)
    options = planner.Options(me="p", realm=REALM, places=PLACES, max_signal_age=1)
    state, _ = planner.step(planner.PlannerState(options), m.Tick())
    inputs = m.InputsRead(Topology(realm=REALM, endpoints=endpoints), plan, LATEST, (), reports, (), 1)
    state, effects = planner.step(state, inputs)
    assert effects == (m.ReadSentinels(PLACES),)
    return state


def reading_janitor() -> janitor.JanitorState:
    sentinel = Sentinel(REALM, 1, 1, CONTENT.digest, Standing.LIVE, "w")
    records = tuple(Record(place.provider, place.endpoint, sentinel, CONTENT) for place in PLACES)
    plans = tuple(PlanInfo(generation, 1, 2 if generation < 3 else 0) for generation in range(9, 0, -1))
    state, _ = janitor.step(janitor.JanitorState(janitor.Options(keep=1, grace=1, wait=1)), m.Tick())
    state, effects = janitor.step(state, m.PlansListed(plans, records, 100))
    assert {*PLACES} == {place for effect in effects if isinstance(effect, m.ReadSentinels) for place in effect.places}
    return state


@given(sightings, st.data())
def test_the_planner_publishes_the_same(seen: tuple[m.Sighting, ...], data: st.DataObject) -> None:
    """One answer about all places, or many: the same state, the same plan, the same reports dropped."""
    assert told(planner.step, reading_planner(), [seen]) == told(
        planner.step, reading_planner(), data.draw(parts(seen))
    )


@given(sightings, st.data())
def test_the_janitor_retires_the_same(seen: tuple[m.Sighting, ...], data: st.DataObject) -> None:
    """It deletes and tombstones the same plans; if a primary was away, nothing, whenever it hears of that."""
    state, effects = told(janitor.step, reading_janitor(), [seen])
    other, others = told(janitor.step, reading_janitor(), data.draw(parts(seen)))

    assert (state, [_essence(effect) for effect in effects]) == (other, [_essence(effect) for effect in others])
    assert (state.phase is janitor.Phase.IDLE) >= any(sighting.texts is None for sighting in seen)


def _essence(effect: m.Effect) -> object:
    return effect.name if isinstance(effect, m.Note) else effect


@given(sightings)
def test_a_planner_asks_again_for_what_was_not_answered(seen: tuple[m.Sighting, ...]) -> None:
    """What is left is asked for, and nothing else."""
    state = reading_planner()
    for at in range(len(seen) - 1):
        state, effects = planner.step(state, m.SentinelsRead((seen[at],)))
        assert effects == (m.ReadSentinels(PLACES[at + 1 :]),)
