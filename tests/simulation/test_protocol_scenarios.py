"""Scenarios of the plan protocol that no earlier draft failed in: found on the way, or claimed by the design."""

import pytest
from protocol_walk import illness
from protocol_world import DB, Fate, Stage, World, content

from outlast.simulator.plan_store import ABSENT
from outlast.traffic.hold_state import Command, Phase
from outlast.traffic.messages import Commit, Conflict, Note, Publish, Tombstone, WriteRecord
from outlast.traffic.ports import Live
from outlast.traffic.sentinel import Standing

OLD, NEW, HAND = "192.0.2.1", "192.0.2.2", "192.0.2.3"


@pytest.fixture
def stage() -> Stage:
    return Stage()


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


@pytest.mark.parametrize(("fate", "is_recorded"), [(Fate.NOW, True), (Fate.DOWN, False)])
def test_a_hold_is_known_to_the_registry_only_if_its_record_was_taken(
    stage: Stage, fate: Fate, *, is_recorded: bool
) -> None:
    """The registry answered before, but fails the record: the freeze is written, and lives in the sentinel alone."""
    freeze = stage.world.person(Command.FREEZE)
    stage.world.until(freeze, WriteRecord)
    stage.world.advance(freeze, fate)
    stage.world.run(freeze)

    assert (Phase.DONE, is_recorded) == (freeze.state.phase, freeze.state.known is not None)
    assert Standing.HELD == stage.world.sentinel().standing


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


@pytest.mark.parametrize(
    ("command", "fix"),
    [(Command.BREAK_GLASS, "; add --take-over if"), (Command.ROLLBACK, "; use break-glass --take-over if")],
)
def test_a_person_is_needed_for_an_unclaimed_name(command: Command, fix: str) -> None:
    """Records that stand there without sentinel and record are alarmed about and left alone; who writes by hand is asked too."""
    world = World()
    world.damage(Live((), content(HAND).sets))
    world.configure(OLD)
    world.run(world.planner())
    e1 = world.run(world.enactor("e1"))
    refused = world.run(world.person(command, content(OLD)))

    assert e1.told("unclaimed name")
    assert fix in refused.state.why
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
