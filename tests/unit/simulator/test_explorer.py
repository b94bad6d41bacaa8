"""The explorer on protocols small enough to count by hand: it knows nothing of DNS."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from outlast.simulator import Agent, Check, Health, Move, Protocol, Verdict, explore, recover, trace_to
from outlast.simulator.engine import Engine
from outlast.simulator.numbering import Numbering
from outlast.simulator.plan_layout import PlanOptions
from outlast.simulator.plan_protocol import plan_protocol
from outlast.simulator.promela import all_states
from outlast.simulator.protocol import Values

LIMIT = 3


def lock_protocol(count: int = 2, *, is_checked_late: bool = False, has_twins: bool = True) -> Protocol:
    """Workers share a lock (part 0: who has it, -1 nobody); careless ones look first and take it later."""

    def worker(number: int) -> Agent:
        def moves(values: Values) -> Iterator[Move]:
            own, holder = values
            if own == "idle" and holder == "free":
                yield Move(("seen" if is_checked_late else "in", holder if is_checked_late else "held"), "looks")
            elif own == "seen":
                yield Move(("in", "held"), "takes it unseen")
            elif own == "in":
                yield Move(("idle", "free"), "leaves")

        return Agent(name=f"w{number}", part=number + 1, footprint=lambda _: (0,), moves=moves)

    def together(values: Values) -> str:
        return "two are in" if sum(value == "in" for value in values) > 1 else ""

    workers = tuple(range(1, count + 1))
    return Protocol(
        name="lock",
        parts=("lock", *(f"w{number}" for number in range(count))),
        initial=("free", *(["idle"] * count)),
        agents=tuple(worker(number) for number in range(count)),
        checks=(Check(name="one at a time", parts=workers, fault=together),),
        health_parts=(0,),
        health=lambda values: Health(is_fine=values[0] in {"free", "held"}),
        twins=workers if has_twins else (),
        answer=lambda values: str(values[0]),
    )


def counter(*, ends_at: int = LIMIT, crashes: int = 1, trap: bool = False) -> Protocol:
    """One machine counts up and begins anew at the end; a crash sets it back to 0, or traps it."""

    def moves(values: Values) -> Iterator[Move]:
        (own,) = values
        if own >= 0:
            yield Move(((own + 1) % (ends_at + 1),), "counts")
            if own:
                yield Move((-1 if trap else 0,), "crash", "crashes")

    def health(values: Values) -> Health:
        return Health(is_fine=values[0] == 0)

    return Protocol(
        name="counter",
        parts=("count",),
        initial=(0,),
        agents=(Agent(name="counter", part=0, footprint=lambda _: (), moves=moves),),
        budgets={"crashes": crashes},
        health_parts=(0,),
        health=health,
    )


def test_every_state_is_found_once() -> None:
    """The lock of two has a free state and one for each holder; with twins those two are one."""
    apart, alike = explore(lock_protocol(has_twins=False)), explore(lock_protocol())

    assert (Verdict.PASS, 3, 4) == (apart.verdict, len(apart.order), apart.transitions)
    assert (Verdict.PASS, 2) == (alike.verdict, len(alike.order))


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("has_twins", [True, False])
def test_the_shortest_trace_is_told(count: int, *, has_twins: bool) -> None:
    """Two look, two take: four steps, whoever they are, and each line says who did what and what is seen after it."""
    found = explore(lock_protocol(count, is_checked_late=True, has_twins=has_twins))
    lines = trace_to(found, found.faulty_at)

    assert (Verdict.FAIL, "one at a time: two are in") == (found.verdict, found.fault)
    assert ["looks", "looks", "takes it unseen", "takes it unseen"] == sorted(
        line.step.split(": ")[1] for line in lines
    )
    assert 2 == len({line.actor for line in lines})
    assert "held" == lines[-1].answer


@pytest.mark.parametrize("is_thrifty", [True, False])
def test_thrift_and_breadth_come_to_the_same(*, is_thrifty: bool) -> None:
    """A fault is found by the same shortest trace, a proof is one, whatever the order."""
    careless = explore(lock_protocol(3, is_checked_late=True), is_thrifty=is_thrifty)

    assert 4 == len(trace_to(careless, careless.faulty_at))
    assert Verdict.PASS == explore(counter(), is_thrifty=is_thrifty).verdict


def test_a_move_that_breaks_a_rule_is_the_last_line() -> None:
    """A rule about a transition is broken by the move, which the trace ends with."""

    def moves(values: Values) -> Iterator[Move]:
        (own,) = values
        yield Move((own + 1,), own + 1, broken="too far" if own + 1 == LIMIT else "")

    agent = Agent(name="runner", part=0, footprint=lambda _: (), moves=moves)
    found = explore(Protocol(name="run", parts=("at",), initial=(0,), agents=(agent,)))

    assert (Verdict.FAIL, "too far", True) == (found.verdict, found.fault, found.by_move)
    assert ["runner: 1", "runner: 2", "runner: 3"] == [line.step for line in trace_to(found, found.faulty_at)]


def test_what_is_ended_early_is_undetermined() -> None:
    """A pulse that says no leaves the verdict open."""
    assert Verdict.UNDETERMINED == explore(counter(), lambda _: False).verdict


def test_a_budget_is_spent() -> None:
    """With a crash the counter is set back once; richer states make the poorer ones superfluous."""
    assert 4 == len(explore(counter(crashes=0)).order)
    assert 4 == len(explore(counter(crashes=2), is_thrifty=True).order)


def test_health_rests_where_no_own_move_leaves_it() -> None:
    """A counter that goes round leaves 0 again: it is healthy for a moment, and settles nowhere."""
    recovery = recover(explore(counter()))

    assert (0, 4) == (recovery.settled, len(recovery.stuck))


def test_a_trap_is_an_unrecoverable_region() -> None:
    """What no own move leads out of is listed, by the shortest way in; all else recovers."""
    found = explore(replace(counter(trap=True), health=lambda values: Health(is_fine=values[0] >= 0)))
    recovery = recover(found)

    assert [-1] == [found.engine.packing.value(found.order[index], 0) for index in recovery.stuck]
    assert ["counter: counts", "counter: crash"] == [line.step for line in trace_to(found, recovery.stuck[0])]
    assert not recovery.is_complete


def test_waiting_for_a_person_is_no_trap() -> None:
    """A state that waits by design counts as healthy and is listed with its command."""

    def health(values: Values) -> Health:
        return Health(is_fine=True, waits="ask somebody" if values[0] < 0 else "")

    recovery = recover(explore(replace(counter(trap=True), health=health)))

    assert recovery.is_complete
    assert {"ask somebody": 1} == recovery.waits


def test_a_silent_move_goes_first() -> None:
    """Where an agent has a silent move nothing else is tried before it, and nothing is missed."""

    def quiet(*, is_silent: bool) -> Protocol:
        def moves(values: Values) -> Iterator[Move]:
            (own,) = values
            if own < LIMIT:
                yield Move((own + 1,), own, is_silent=is_silent)

        agents = tuple(Agent(name=f"a{part}", part=part, footprint=lambda _: (), moves=moves) for part in (0, 1))
        return Protocol(name="quiet", parts=("a", "b"), initial=(0, 0), agents=agents)

    def end(protocol: Protocol) -> tuple[int, Any]:
        found = explore(protocol)
        return len(found.order), found.engine.packing.unpack(found.order[-1])

    assert ((LIMIT + 1) ** 2, (LIMIT, LIMIT)) == end(quiet(is_silent=False))
    assert (2 * LIMIT + 1, (LIMIT, LIMIT)) == end(quiet(is_silent=True))


def test_a_part_may_have_more_values_than_its_field() -> None:
    """A field that is full is made wider, more than once, also beyond one word; numbers and twins stay what they were."""
    many = 600

    def moves(values: Values) -> Iterator[Move]:
        (own,) = values
        yield from (Move((own + far,), far) for far in (1, 2, many // 2) if own + far < many)

    agents = tuple(Agent(name=f"w{part}", part=part, footprint=lambda _: (), moves=moves) for part in (0, 1))
    one = Protocol(name="wide", parts=("a",), initial=(0,), agents=agents[:1])
    two = Protocol(name="wide", parts=("a", "b"), initial=(0, many - 40), agents=agents, twins=(0, 1))
    found, twins = explore(one), explore(two)

    assert set(range(many)) == {value for state in found.order for value in found.engine.packing.unpack(state)}
    pairs = {frozenset(twins.engine.packing.unpack(state)) for state in twins.order}
    assert {frozenset((a, b)) for a in range(many) for b in range(many - 40, many)} == pairs


WORLDS: dict[str, tuple[dict[str, int], bool]] = {
    "nothing, named": ({}, True),
    "nothing": ({}, False),
    "a crash, named": ({"crashes": 1}, True),
    "two crashes": ({"crashes": 2}, False),
    "a lost reply": ({"lost-replies": 1}, False),
    "damage, named": ({"records-lost": 1}, True),
}
"""Budgets, and whether each enactor signs with its name."""


@pytest.mark.parametrize("world", WORLDS)
def test_batches_find_what_a_plain_loop_finds(world: str) -> None:
    """As many states, budgets aside, as a loop over one state at a time; with twins, those and their other faces."""
    budgets, are_named = WORLDS[world]
    options = PlanOptions(enactors=2, plans=2, budgets=budgets, are_named=are_named, is_planner_atomic=not budgets)
    protocol = plan_protocol(options)
    apart = replace(protocol, twins=())
    engine = Engine(apart)
    plain = {engine.packing.unpack(state) for state in all_states(engine)[0]}
    for is_thrifty in (True, False):
        found = explore(apart, is_thrifty=is_thrifty)
        assert plain == {found.engine.packing.unpack(state) for state in found.order}
        assert len(plain) == len(found.cores)

    twins = explore(protocol)
    orders = list(permutations(range(2)))
    symmetry, packing = twins.engine.symmetry, twins.engine.packing
    assert plain == {packing.unpack(symmetry.rearranged(state, order)) for state in twins.order for order in orders}


def test_a_numbering_knows_every_row() -> None:
    """Rows that share hashes, come twice in one call or come again have one number each, in as wide a row as you like."""
    chance = np.random.default_rng(2025)
    for width in (1, 2, 3):
        numbering, known = Numbering(width), dict[tuple[int, ...], int]()
        for _ in range(20):
            rows = chance.integers(0, 9, (700, width), dtype=np.uint64) << np.uint64(61)
            rows[:, 0] += chance.integers(0, 300, 700, dtype=np.uint64)
            for row, number in zip(rows.tolist(), numbering.find_or_add(rows).tolist(), strict=True):
                assert known.setdefault(tuple(row), number) == number
        assert sorted(known.values()) == list(range(len(numbering)))
        assert all(tuple(row) in known for row in numbering.rows.tolist())
