"""The explorer over the machines that ship: every interleaving of small worlds, and that its reductions hide nothing."""

import re
from dataclasses import replace

import pytest

from outlast.simulator.exploration import Exploration
from outlast.simulator.explorer import explore
from outlast.simulator.plan_choice import choose
from outlast.simulator.plan_guards import GUARDS, machines_without
from outlast.simulator.plan_layout import Layout, PlanOptions
from outlast.simulator.plan_protocol import plan_protocol
from outlast.simulator.plan_troubles import TROUBLES
from outlast.simulator.protocol import Verdict
from outlast.simulator.verification import Limits, Report, verify

UNLIMITED = Limits(cpu_seconds=lambda: 0.0, max_seconds=1.0, max_states=30_000_000)
FAULTS = sorted(TROUBLES.keys() - {"plans", "backups", "thaws"})
PAIRED = {"registry-restored": {"backups": 1}, "freezes": {"thaws": 1}, "break-glasses": {"thaws": 1}}
WAITING = {
    "freezes": {"a hold: outlast thaw"},
    "break-glasses": {"a hold: outlast thaw"},
    "name-taken": {"a name that nobody has claimed: outlast adopt"},
    "retirements": {"a retired name: nothing, or outlast adopt"},
    "realm-taken": {"a foreign realm: its owner, or outlast break-glass --take-over"},
}
"""Which states may wait for a person, and nothing else does."""


def report(enactors: int, plans: int, *, endpoints: int = 1, has_janitor: bool = False, **budgets: int) -> Report:
    named = {name.replace("_", "-"): count for name, count in budgets.items()}
    choice = choose(enactors=enactors, plans=plans, endpoints=endpoints, has_janitor=has_janitor, budgets=named)
    return verify(plan_protocol(choice.options), UNLIMITED)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone_is_survived(fault: str) -> None:
    """Two enactors, two plans, one fault of each kind: no rule is broken, and all recovers but what waits by design."""
    enactors = 1 if fault in PAIRED else 2
    choice = choose(
        enactors=enactors, plans=2, endpoints=1, has_janitor=False, budgets={fault: 1, **PAIRED.get(fault, {})}
    )
    found = verify(plan_protocol(choice.options), UNLIMITED)

    assert (Verdict.PASS, True) == (found.verdict, found.recovers), found.trace
    assert WAITING.get(fault, set()) >= found.waits.keys()


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone_is_survived_by_three_plans(fault: str) -> None:
    """Two enactors, three plans, one endpoint, each fault alone at budget 1."""
    backups = {"backups": 1} if fault == "registry-restored" else {}
    choice = choose(enactors=2, plans=3, endpoints=1, has_janitor=False, budgets={fault: 1, **backups})
    found = verify(plan_protocol(choice.options), UNLIMITED)

    assert (Verdict.PASS, True) == (found.verdict, found.recovers), found.trace
    assert WAITING.get(fault, set()) >= found.waits.keys()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_three_enactors_six_plans() -> None:
    """Three enactors, six plans, two endpoints, two crashes, one lost reply."""
    assert Verdict.PASS == report(3, 6, endpoints=2, crashes=2, lost_replies=1).verdict


@pytest.mark.long
@pytest.mark.timeout(900)
def test_three_enactors_four_plans_and_a_janitor() -> None:
    """Three enactors, four plans, a janitor, one crash; all recovers."""
    found = report(3, 4, has_janitor=True, crashes=1)

    assert (Verdict.PASS, True) == (found.verdict, found.recovers)


@pytest.mark.slow
def test_three_enactors_and_a_janitor_in_small() -> None:
    """Three enactors, two plans, a janitor, one crash, one lost reply; all recovers."""
    found = report(3, 2, has_janitor=True, crashes=1, lost_replies=1)

    assert (Verdict.PASS, True) == (found.verdict, found.recovers)


@pytest.mark.slow
@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_taken_away_is_missed(name: str) -> None:
    """Without this guard the check that its row names refutes the protocol."""
    guard = GUARDS[name]
    machines, lacks = machines_without(frozenset({name}))
    choice = choose(
        enactors=guard.enactors,
        plans=guard.plans,
        endpoints=guard.endpoints,
        has_janitor=guard.has_janitor,
        budgets=guard.budgets,
        machines=machines,
        lacks=lacks,
    )
    found = verify(plan_protocol(choice.options), UNLIMITED, expects_fault=True)

    assert Verdict.FAIL == found.verdict
    assert guard.fault in found.reason


TOO_LARGE = {"record-order"}
"""Found missing in a world that passes its first thirty million states with the guard, and has more."""


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in GUARDS if name not in TOO_LARGE])
def test_with_every_guard_the_same_world_passes(name: str) -> None:
    """What is found missing is the guard's doing: with all of them, the same world breaks no rule and recovers."""
    guard = GUARDS[name]
    choice = choose(
        enactors=guard.enactors,
        plans=guard.plans,
        endpoints=guard.endpoints,
        has_janitor=guard.has_janitor,
        budgets=guard.budgets,
    )
    found = verify(plan_protocol(choice.options), UNLIMITED)

    assert (Verdict.PASS, True) == (found.verdict, found.recovers), found.trace


# --------------------------------------------------------------------------------- what the reductions rest on


def answers(found: Exploration, part: int = 0) -> set[str]:
    """What stands at a primary in any state, apart from who wrote it."""
    packing = found.engine.packing
    return {re.sub(r" by=\S+?'", "'", repr(packing.value(state, part))) for state in found.order}


def standings(found: Exploration) -> set[str]:
    """Which writes, generations and standings are seen, whatever the content."""
    return {text for answer in answers(found) for text in re.findall(r"n=\d+ gen=\d+|st=\w+", answer)}


SMALL = PlanOptions(enactors=2, plans=3, budgets={"crashes": 1}, are_named=True)
LOSSY = replace(SMALL, budgets={"crashes": 1, "lost-replies": 1})


@pytest.mark.slow
def test_enactors_that_sign_alike_hide_nothing() -> None:
    """With enactors that sign alike, DNS is seen in just the same states, in fewer of the world's."""
    full, alike = explore(plan_protocol(SMALL)), explore(plan_protocol(replace(SMALL, are_named=False)))

    assert (full.verdict, answers(full)) == (alike.verdict, answers(alike))
    assert len(alike.order) < len(full.order)


@pytest.mark.slow
@pytest.mark.parametrize("are_named", [True, False])
def test_a_planner_in_one_move_hides_nothing(*, are_named: bool) -> None:
    """With the planner's pass as one move every sentinel is seen that was; only no configuration is passed over."""
    atomic_options = replace(SMALL, is_planner_atomic=True, are_named=are_named)
    full, atomic = explore(plan_protocol(SMALL)), explore(plan_protocol(atomic_options))

    assert full.verdict == atomic.verdict
    assert standings(full) == standings(atomic)
    assert answers(atomic) <= answers(full)
    assert len(atomic.order) < len(full.order)


@pytest.mark.long
def test_enactors_that_sign_alike_hide_nothing_when_replies_are_lost() -> None:
    """A reply that was lost may be anybody's: DNS is seen in just the same states."""
    full, alike = explore(plan_protocol(LOSSY)), explore(plan_protocol(replace(LOSSY, are_named=False)))

    assert (full.verdict, answers(full)) == (alike.verdict, answers(alike))


@pytest.mark.long
def test_a_planner_in_one_move_only_skips_no_generation() -> None:
    """A publication that never arrives skips a generation, which only changes what later ones are called."""
    full, atomic = explore(plan_protocol(LOSSY)), explore(plan_protocol(replace(LOSSY, is_planner_atomic=True)))
    skipped = {text.replace("gen=4", "gen=3") for text in standings(full) if "gen=4" in text}

    assert Verdict.PASS == full.verdict == atomic.verdict
    assert answers(atomic) < answers(full)
    assert skipped <= standings(atomic)


@pytest.mark.long
def test_silence_hides_nothing() -> None:
    """A budget that is never drawn on switches the silent moves off; DNS is seen in just the same states."""
    loud = replace(LOSSY, budgets={**LOSSY.budgets, "name-taken": 0})
    silent, all_moves = explore(plan_protocol(LOSSY)), explore(plan_protocol(loud))

    assert (all_moves.verdict, answers(all_moves)) == (silent.verdict, answers(silent))
    assert len(silent.order) < len(all_moves.order)


@pytest.mark.slow
def test_endpoints_are_independent() -> None:
    """Two endpoints explored together show each primary in just the states that it has when explored alone."""
    together = PlanOptions(enactors=1, plans=2, endpoints=2, coupled=2, budgets={"crashes": 1}, is_planner_atomic=True)
    alone = replace(together, coupled=1)
    both, one = explore(plan_protocol(together)), explore(plan_protocol(alone))
    second = Layout(together).dns[1]

    assert Verdict.PASS == both.verdict == one.verdict
    assert answers(one) == answers(both)
    assert {text.replace("a.example", "b.example") for text in answers(one)} == answers(both, second)


@pytest.mark.slow
def test_providers_are_independent() -> None:
    """With two providers, one of them away once, each primary is seen in just the states of a world with one."""
    two = PlanOptions(enactors=1, plans=2, providers=2, budgets={"providers-away": 1}, is_planner_atomic=True)
    both, one = explore(plan_protocol(two)), explore(plan_protocol(replace(two, providers=1)))

    assert Verdict.PASS == both.verdict == one.verdict
    assert answers(one) == answers(both) == answers(both, Layout(two).dns[1])
