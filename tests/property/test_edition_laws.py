"""Two planners with two files: whatever differs, health and orders included, they come to rest."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from outlast.health.signal import Signal, Verdict
from outlast.traffic import messages as m
from outlast.traffic.edition import with_edition
from outlast.traffic.evidence import SECOND
from outlast.traffic.orders import Kind, Order
from outlast.traffic.plan import Plan
from outlast.traffic.planner import Options, PlannerState, step
from outlast.traffic.topology import Endpoint, Target, Topology

WALL = 1_000_000 * SECOND
POOL = [f"192.0.2.{last}" for last in range(1, 7)]
NAMES = ["api.example", "db.example", "new.example"]
PASSES = 12
REST = 4
"""Passes at the end, two of each planner, in which nobody publishes."""


@st.composite
def endpoints(draw: st.DrawFn, name: str) -> Endpoint:
    addresses = draw(st.lists(st.sampled_from(POOL), min_size=1, max_size=5, unique=True))
    return Endpoint(
        name=name,
        targets=tuple(
            Target(
                address=it, region=draw(st.sampled_from(["east", "west"])), capacity=draw(st.sampled_from([1.0, 2.0]))
            )
            for it in addresses
        ),
        ttl=draw(st.sampled_from([5, 9])),
        soak=draw(st.sampled_from([0.0, 10.0, 100.0])),
        fail_open_below=draw(st.sampled_from([0.1, 0.5])),
        max_leave=draw(st.sampled_from([0.2, 0.5, 1.0])),
        velocity_window=draw(st.sampled_from([1.0, 60.0, 600.0])),
        load=draw(st.sampled_from([0.0, 0.0, 3.0])),
        probed=draw(st.sampled_from([True, True, True, False])),
    )


@st.composite
def files(draw: st.DrawFn) -> tuple[Topology, Topology]:
    """An older file and a newer one; each endpoint is in one of them, in both, or another in each."""
    old, new = [], []
    for name in NAMES:
        one = draw(endpoints(name))
        if draw(st.booleans()):
            old.append(one)
        if draw(st.booleans()):
            new.append(draw(st.sampled_from([one, draw(endpoints(name)), replace(one, soak=one.soak + 1)])))
    bakes = st.sampled_from([0.0, 0.0, 30.0])
    older, newer = (Topology(realm="test", endpoints=tuple(it), bake=draw(bakes)) for it in (old, new))
    return with_edition(older, 10 * SECOND, by="a"), with_edition(newer, 20 * SECOND, by="b")


signals = st.lists(
    st.builds(
        Signal,
        st.sampled_from(POOL),
        st.sampled_from(["east/o1", "west/o2", "north/o3"]),
        st.sampled_from(Verdict),
        st.sampled_from([1, 20, 200]).map(lambda age: WALL - age * SECOND),
        st.just(WALL),
        st.booleans(),
    ),
    max_size=24,
).map(tuple)

orders = st.sampled_from(
    [
        (),
        (),
        (Order(Kind.EVACUATE, "east", "", (), "ann", 1, ""),),
        (Order(Kind.EVACUATE_ALL, "west", "", (), "ann", 1, ""),),
        (Order(Kind.EVACUATE, POOL[1], "", (), "ann", 1, ""),),
        (Order(Kind.PIN, "", "db.example", (POOL[2],), "ann", 1, ""),),
    ]
)


def _pass(me: str, inputs: m.InputsRead) -> Plan | None:
    state, _ = step(PlannerState(Options(me, "test", (), 600 * SECOND)), m.Tick())
    _, effects = step(state, inputs)
    return next((effect.plan for effect in effects if isinstance(effect, m.Publish)), None)


@given(files(), signals, orders, st.lists(st.sampled_from([0, 1]), min_size=PASSES, max_size=PASSES))
def test_two_planners_with_two_files_come_to_rest(
    both: tuple[Topology, Topology], seen: tuple[Signal, ...], ordered: tuple[Order, ...], turns: list[int]
) -> None:
    """Whoever is first, after a while nobody publishes any more, and the plan follows the newer file."""
    plan: Plan | None = None
    published = []
    for turn in [*turns, *[0, 1] * 2, *[0, 1] * (REST // 2)]:
        inputs = m.InputsRead(both[turn], plan, 0, (), (), seen, WALL, ordered)
        new = _pass("ab"[turn], inputs)
        published.append(new is not None)
        plan = new if new is not None else plan

    assert not any(published[-REST:])
    if plan is not None and both[1].endpoints:
        assert both[1].digests == {entry.endpoint: entry.configured for entry in plan.entries}
