"""How earlier drafts of the plan protocol failed, each trace stepped by hand on the shipped machines (C1-C12, D1-D5)."""

import pytest
from protocol_walk import illness
from protocol_world import ABSENT, DB, Actor, Fate, World, content

from outlast.traffic.hold import Command, Phase
from outlast.traffic.messages import Commit, Conflict, DeletePlan, DropReports, Note, Publish, Tombstone, WriteRecord
from outlast.traffic.ports import Live
from outlast.traffic.sentinel import Standing

OLD, NEW, HAND = "192.0.2.1", "192.0.2.2", "192.0.2.3"


class Stage:
    """One world with the usual actors, and generation 1 (OLD) applied."""

    def __init__(self, *places: tuple[str, str]) -> None:
        self.world = World(*places)
        self.e1, self.e2 = self.world.enactor("e1"), self.world.enactor("e2")
        self.planner = self.world.planner()
        self.plan(OLD)
        self.world.run(self.e1)

    def plan(self, *addresses: str) -> None:
        self.world.configure(*addresses)
        self.world.run(self.planner)

    def person(self, command: Command, *addresses: str) -> Actor:
        return self.world.run(self.world.person(command, content(*addresses) if addresses else None))

    def settle(self, rounds: int = 3) -> None:
        for _ in range(rounds):
            for actor in (self.e1, self.planner, self.e2):
                self.world.run(actor)


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
    assert {} == stage.world.registry.tombstones


def test_c9_the_deletion_is_checked_again_in_its_own_transaction(stage: Stage) -> None:
    """C9: the registry falls back to plan 1 between the reading and the deletion: plan 1 stays."""
    stage.plan(NEW)
    stage.settle(1)
    janitor = stage.world.janitor(keep=1)
    stage.world.run(janitor)
    tombstoned = stage.world.registry.backup()
    stage.world.until(janitor, DeletePlan)
    plans, *rest = tombstoned
    stage.world.restore_registry(({1: plans[1]}, *rest))
    stage.world.run(janitor)

    assert [1] == list(stage.world.registry.plans)


def test_c10_a_hold_is_put_back_though_its_plan_is_deleted(stage: Stage) -> None:
    """C10: frozen at generation 2, plan 2 gone, records deleted: the content comes from the record."""
    stage.plan(NEW)
    stage.world.run(stage.e2)
    stage.plan(HAND)
    stage.person(Command.FREEZE)
    del stage.world.registry.plans[2]
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


# --------------------------------------------------------------------------------------------- found on the way


@pytest.mark.xfail(strict=True, reason="a record written before its commit replaces a committed one of the same n")
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


def test_a_hold_after_the_zone_was_put_back_to_an_older_copy_is_recorded(stage: Stage) -> None:
    """The record is ahead of an old zone; a freeze goes above both, so that it survives the loss of its sentinel."""
    old = stage.world.live()
    for address in (NEW, OLD, NEW):
        stage.plan(address)
        stage.world.run(stage.e1)
    stage.world.damage(old)
    stage.person(Command.FREEZE)
    stage.world.damage(stage.world.live()._replace(sentinel=()))
    stage.world.run(stage.e2)

    assert Standing.HELD == stage.world.sentinel().standing


def test_a_repair_after_the_zone_was_put_back_to_an_older_copy_is_recorded(stage: Stage) -> None:
    """An enactor's write goes above the record too, so that the record follows the sentinel again."""
    old = stage.world.live()
    for address in (NEW, OLD, NEW):
        stage.plan(address)
        stage.world.run(stage.e1)
    stage.world.damage(old)
    stage.world.run(stage.e1)

    assert stage.world.sentinel() == stage.world.registry.records["p1", DB].sentinel
    assert "" == illness(stage.world, ("p1", DB))


def test_a_hold_that_was_recorded_and_lost_its_race_does_not_come_back(stage: Stage) -> None:
    """A freeze recorded itself, lost to an enactor and died: the next pass records what stands there."""
    stage.plan(NEW)
    freeze = stage.world.person(Command.FREEZE)
    stage.world.until(freeze, WriteRecord)
    stage.world.run(stage.e1)
    stage.world.advance(freeze)
    stage.world.advance(freeze, Fate.CRASH_BEFORE)
    stage.world.run(stage.e1)
    stage.world.damage(stage.world.live()._replace(sentinel=()))
    stage.world.run(stage.e2)

    assert (Standing.LIVE, (NEW,)) == (stage.world.sentinel().standing, stage.world.addresses())


def test_a_creation_that_was_overtaken_is_given_up() -> None:
    """The claim is refused because a newer record is there: the sleeper does not create, even on an empty name."""
    world = World()
    planner, e1, e2 = world.planner(), world.enactor("e1"), world.enactor("e2")
    world.configure(OLD)
    world.run(planner)
    world.until(e1, WriteRecord)
    world.configure(NEW)
    world.run(planner)
    world.run(e2)
    world.damage(ABSENT)
    world.run(e1)

    assert ABSENT == world.live()
    assert e1.told("conflict")


def test_a_lost_reply_is_read_and_compared(stage: Stage) -> None:
    """Rule (j): what landed is recorded, what did not is left to the next pass; nothing is sent twice in one pass."""
    stage.plan(NEW)
    stage.world.until(stage.e1, Commit)
    stage.world.advance(stage.e1, Fate.LOST)
    stage.world.run(stage.e1)
    stage.plan(OLD)
    stage.world.until(stage.e2, Commit)
    stage.world.advance(stage.e2, Fate.LATE)
    stage.world.run(stage.e2)

    assert stage.e1.told("enacted")
    assert stage.e2.told("did not land")
    assert stage.world.sentinel() == stage.world.registry.records["p1", DB].sentinel


def test_a_second_delivery_is_refused(stage: Stage) -> None:
    """The same transaction delivered twice changes the primary once."""
    stage.plan(NEW)
    stage.world.until(stage.e1, Commit)
    stage.world.advance(stage.e1, Fate.TWICE)

    assert Conflict("NXRRSET") == stage.world.deliver()


def test_two_planners_cannot_both_publish(stage: Stage) -> None:
    """The slower one loses the compare and swap and starts anew."""
    other = stage.world.planner("other")
    stage.world.configure(NEW)
    stage.world.until(other, Publish)
    stage.world.run(stage.planner)
    stage.world.run(other)

    assert other.told("lost the race to publish")
    assert [1, 2] == sorted(stage.world.registry.plans)


def test_the_janitor_retires_what_nothing_names(stage: Stage) -> None:
    """Plan 1 gets a tombstone, waits, is read again and goes; the pass after has nothing to do."""
    stage.plan(NEW)
    stage.settle(1)
    janitor = stage.world.janitor(keep=1)
    stage.world.until(janitor, Tombstone)
    stage.world.run(janitor, passes=3)

    assert [2] == list(stage.world.registry.plans)
    assert Note("plan deleted") in janitor.notes


def test_a_person_is_needed_for_an_unclaimed_name() -> None:
    """Records that stand there without sentinel and record are alarmed about and left alone; break-glass asks too."""
    world = World()
    world.damage(Live((), content(HAND).sets))
    world.configure(OLD)
    world.run(world.planner())
    e1 = world.run(world.enactor("e1"))
    refused = world.run(world.person(Command.BREAK_GLASS, content(OLD)))

    assert e1.told("unclaimed name")
    assert "--take-over" in refused.state.why
    assert (HAND,) == world.addresses()


def test_a_hold_whose_content_is_lost_waits_for_break_glass(stage: Stage) -> None:
    """Records and record both gone under a hold: an alarm names break-glass, and break-glass lifts it."""
    stage.person(Command.BREAK_GLASS, HAND)
    stage.world.restore_registry(None)
    stage.plan(OLD)
    stage.world.damage(stage.world.live()._replace(sets=()))
    stage.world.run(stage.e1)
    stage.person(Command.BREAK_GLASS, OLD)

    assert stage.e1.told("held content is lost")
    assert (OLD,) == stage.world.addresses()
