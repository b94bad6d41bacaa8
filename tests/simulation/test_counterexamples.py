"""How earlier drafts of the plan protocol failed, each trace stepped by hand on the shipped machines (C1-C12, D1-D5)."""

import pytest
from protocol_walk import illness
from protocol_world import DB, Fate, Stage, World, content

from outlast.simulator.plan_store import ABSENT
from outlast.traffic.hold_state import Command, Phase
from outlast.traffic.messages import Commit, DeletePlan, DropReports, WriteRecord
from outlast.traffic.ports import Live
from outlast.traffic.sentinel import Standing

OLD, NEW, HAND = "192.0.2.1", "192.0.2.2", "192.0.2.3"


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_c1_an_answered_report_moves_the_generation_though_the_content_stays(stage: Stage) -> None:
    """C1: after break-glass and thaw the planner's answer takes a larger generation, and the reports end."""
    stage.person(Command.BREAK_GLASS, OLD)
    stage.person(Command.THAW)
    stage.settle()
    published = len(stage.world.registry.plans)
    stage.settle()

    assert "" == illness(stage.world, ("p1", DB))
    assert published == len(stage.world.registry.plans)
    assert stage.world.sentinel().gen == stage.world.entry().generation > 2


def test_c1_a_restored_registry_heals_itself(stage: Stage) -> None:
    """C1: a registry put back to an older plan is answered by a generation above every sentinel."""
    copy = stage.world.registry.backup()
    stage.plan(NEW)
    stage.settle(1)
    stage.world.restore_registry(copy)
    stage.settle()

    assert "" == illness(stage.world, ("p1", DB))
    assert stage.world.sentinel().gen == 3


def test_c2_a_report_from_an_enactor_that_was_behind_is_dropped(stage: Stage) -> None:
    """C2: an enactor asleep with plan 1 reports a sentinel that plan 2 explains, and no generation is spent on it."""
    stage.world.begin(stage.e1)
    stage.world.advance(stage.e1)
    stage.plan(NEW)
    stage.world.run(stage.e2)
    stage.world.run(stage.e1)
    reported = len(stage.world.registry.reports)
    stage.world.until(stage.planner, DropReports)
    stage.world.run(stage.planner)

    assert 1 == reported
    assert {} == stage.world.registry.reports
    assert stage.world.entry().generation == 2


def test_c3_an_absent_sentinel_is_recreated_from_what_is_known_now(stage: Stage) -> None:
    """C3: the sleeper with plan 1 reads the registry again after it saw the absence, and writes plan 2."""
    stage.world.begin(stage.e1)
    stage.world.advance(stage.e1)
    stage.plan(NEW)
    stage.world.run(stage.e2)
    stage.world.damage(stage.world.live()._replace(sentinel=()))
    stage.world.run(stage.e1)

    assert 2 == stage.world.sentinel().gen
    assert (NEW,) == stage.world.addresses()


def test_c4_lost_sentinel_and_records_come_back_without_a_person(stage: Stage) -> None:
    """C4: both deleted at once are put back by the next pass."""
    stage.world.damage(ABSENT)
    stage.world.run(stage.e1)

    assert (OLD,) == stage.world.addresses()
    assert "" == illness(stage.world, ("p1", DB))


def test_c5_a_hold_survives_the_loss_of_its_sentinel(stage: Stage) -> None:
    """C5: break-glass, then the sentinel is deleted: it comes back held, with the person's content, above the plan."""
    stage.person(Command.BREAK_GLASS, HAND)
    stage.plan(NEW)
    stage.world.damage(stage.world.live()._replace(sentinel=()))
    stage.world.run(stage.e1)

    assert (Standing.HELD, 3) == (stage.world.sentinel().standing, stage.world.sentinel().gen)
    assert (HAND,) == stage.world.addresses()


def test_c6_freeze_refuses_damaged_records_and_the_repair_lifts_that(stage: Stage) -> None:
    """C6: an empty set is never frozen; after the repair the freeze goes through."""
    stage.world.damage(stage.world.live()._replace(sets=()))
    refused = stage.person(Command.FREEZE)
    stage.world.run(stage.e1)
    done = stage.person(Command.FREEZE)

    assert Phase.REFUSED == refused.state.phase
    assert "repair" in refused.state.why
    assert Phase.DONE == done.state.phase
    assert (OLD,) == stage.world.addresses()


def test_c7_a_retired_name_is_not_repaired(stage: Stage) -> None:
    """C7: an enactor that slept over the retirement is refused, and later passes keep their hands off."""
    stage.world.damage(stage.world.live()._replace(sets=()))
    stage.world.until(stage.e1, Commit)
    stage.world.retire()
    stage.world.run(stage.e1)
    stage.settle()

    assert () == stage.world.addresses()
    assert Standing.RETIRED == stage.world.sentinel().standing


def test_c8_the_newest_plan_is_never_deleted_though_no_sentinel_names_it(stage: Stage) -> None:
    """C8: plan 2 is published and not applied; the janitor leaves it, with nothing but its own judgement in the way."""
    stage.plan(NEW)
    janitor = stage.world.janitor(keep=1)
    stage.world.run(janitor, passes=4)

    assert [1, 2] == sorted(stage.world.registry.plans)
    assert {} == dict(stage.world.registry.shelf.tombstones)


def test_c9_the_deletion_is_checked_again_in_its_own_transaction(stage: Stage) -> None:
    """C9: the registry falls back to plan 1 between the reading and the deletion: plan 1 stays."""
    stage.plan(NEW)
    stage.settle(1)
    janitor = stage.world.janitor(keep=1)
    stage.world.run(janitor)
    tombstoned = stage.world.registry.backup()
    stage.world.until(janitor, DeletePlan)
    only_first = tombstoned.shelf._replace(plans=tombstoned.shelf.plans[:1])
    stage.world.restore_registry(tombstoned._replace(shelf=only_first))
    stage.world.run(janitor)

    assert [1] == list(stage.world.registry.plans)


def test_c10_a_hold_is_put_back_though_its_plan_is_deleted(stage: Stage) -> None:
    """C10: frozen at generation 2, plan 2 gone, records deleted: the content comes from the record."""
    stage.plan(NEW)
    stage.world.run(stage.e2)
    stage.plan(HAND)
    stage.person(Command.FREEZE)
    stage.world.registry.forget_plan(2)
    stage.world.damage(stage.world.live()._replace(sets=()))
    stage.world.run(stage.e1)

    assert (NEW,) == stage.world.addresses()
    assert Standing.HELD == stage.world.sentinel().standing


def test_c11_a_slow_enactors_record_does_not_replace_the_holds(stage: Stage) -> None:
    """C11: freeze has recorded n = 3, then the slow enactor records n = 2: the hold survives the loss of its sentinel."""
    stage.plan(NEW)
    stage.world.until(stage.e1, Commit)
    stage.world.advance(stage.e1)
    freeze = stage.world.person(Command.FREEZE)
    stage.world.until(freeze, Commit)
    stage.world.run(stage.e1)
    stage.world.run(freeze)
    stage.world.damage(stage.world.live()._replace(sentinel=()))
    stage.world.run(stage.e2)

    assert Standing.HELD == stage.world.sentinel().standing


def test_c12_a_creation_that_dies_unrecorded_is_still_ours() -> None:
    """C12: the creation lands, its enactor dies, the sentinel is deleted: the claim says whose name it is."""
    world = World()
    world.configure(OLD)
    world.run(world.planner())
    e1 = world.enactor("e1")
    world.until(e1, Commit)
    world.advance(e1, Fate.CRASH_AFTER)
    world.damage(world.live()._replace(sentinel=()))
    e2 = world.run(world.enactor("e2"))

    assert not e2.told("unclaimed name")
    assert "" == illness(world, ("p1", DB))


def test_d1_records_deleted_under_an_intact_sentinel_are_repaired(stage: Stage) -> None:
    """D1: equal generation and digest are no reason to skip while the records differ."""
    stage.world.damage(stage.world.live()._replace(sets=()))
    stage.world.run(stage.e1)

    assert (OLD,) == stage.world.addresses()
    assert 2 == stage.world.sentinel().n


def test_d2_a_freeze_refuses_the_enactor_that_had_already_decided(stage: Stage) -> None:
    """D2: the freeze stands in the provider's transaction, so a commit that was decided before it conflicts."""
    stage.plan(NEW)
    stage.world.until(stage.e1, Commit)
    stage.person(Command.FREEZE)
    stage.world.run(stage.e1)

    assert stage.e1.told("conflict")
    assert (OLD,) == stage.world.addresses()


def test_d3_equal_records_still_move_the_sentinel(stage: Stage) -> None:
    """D3: plan 3 says what stands already; writing it anyway refuses the sleeper that holds plan 2."""
    stage.plan(NEW)
    stage.world.until(stage.e1, Commit)
    stage.plan(OLD)
    stage.world.run(stage.e2)
    stage.world.run(stage.e1)

    assert stage.e1.told("conflict")
    assert (3, (OLD,)) == (stage.world.sentinel().gen, stage.world.addresses())


def test_d4_records_changed_by_hand_refuse_the_transaction() -> None:
    """D4: what was read is a prerequisite set by set, and whole sets replace it: nothing is left without an address."""
    stage = Stage()
    stage.plan(OLD, NEW)
    stage.world.run(stage.e1)
    stage.plan(NEW)
    stage.world.until(stage.e1, Commit)
    stage.world.damage(stage.world.live()._replace(sets=content(OLD).sets))
    stage.world.run(stage.e1)
    after_refusal = stage.world.addresses()
    stage.world.run(stage.e1)

    assert stage.e1.told("conflict")
    assert (OLD,) == after_refusal
    assert (NEW,) == stage.world.addresses()


def test_d5_one_bad_endpoint_does_not_stick_the_others() -> None:
    """D5: each endpoint has a transaction of its own: a foreign name beside it hinders nobody."""
    world = World(("p1", "a.example"), ("p1", "b.example"))
    foreign = Live(("v=1 realm=other n=9 gen=9 plan=" + "0" * 32 + " st=live by=x",), content(HAND).sets)
    world.damage(foreign, ("p1", "a.example"))
    world.configure(OLD)
    world.run(world.planner())
    bad = world.run(world.enactor("e1", endpoint="a.example"))
    world.run(world.enactor("e1", endpoint="b.example"))

    assert bad.told("foreign realm")
    assert foreign == world.live(("p1", "a.example"))
    assert (OLD,) == world.addresses(("p1", "b.example"))


def test_c13_a_slow_thaw_does_not_replace_the_record_of_a_hold(stage: Stage) -> None:
    """C13: thaw has read n = 2, break-glass writes n = 3, thaw records its own n = 3 and loses: the hold must survive."""
    stage.person(Command.FREEZE)
    thaw = stage.world.person(Command.THAW)
    stage.world.until(thaw, WriteRecord)
    stage.person(Command.BREAK_GLASS, HAND)
    stage.world.advance(thaw)
    stage.world.damage(stage.world.live()._replace(sentinel=()))
    stage.world.run(stage.e1)

    assert (Standing.HELD, (HAND,)) == (stage.world.sentinel().standing, stage.world.addresses())


def test_c14_a_late_record_from_before_a_loss_does_not_replace_a_hold_from_after_it(stage: Stage) -> None:
    """C14: E1 commits n = 2 and sleeps; sentinel deleted; break-glass writes its own n = 2; E1 records; deleted again."""
    stage.plan(NEW)
    stage.world.until(stage.e1, Commit)
    stage.world.advance(stage.e1)
    stage.world.damage(stage.world.live()._replace(sentinel=()))
    stage.person(Command.BREAK_GLASS, HAND)
    held = stage.world.sentinel()
    stage.world.run(stage.e1)
    stage.world.damage(stage.world.live()._replace(sentinel=()))
    stage.world.run(stage.e2)

    assert (2, Standing.HELD) == (held.n, held.standing)
    assert (Standing.HELD, (HAND,)) == (stage.world.sentinel().standing, stage.world.addresses())
