"""Break-glass read the registry, then the primary; a sentinel lost between the two let the generation fall.

Found by `outlast verify --enactors 1 --plans 2 --crashes 0 --fault break-glasses --fault sentinel-lost`.
"""

import pytest
from protocol_world import Stage

from outlast.traffic.hold_state import Command
from outlast.traffic.messages import ReadLive, WriteRecord
from outlast.traffic.sentinel import Standing

OLD, NEW, HAND = "192.0.2.1", "192.0.2.2", "192.0.2.3"


@pytest.mark.parametrize("command", [Command.BREAK_GLASS, Command.ROLLBACK])
def test_break_glass_after_a_lost_sentinel_goes_above_what_was_there(command: Command) -> None:
    """Plan 3 is applied, not recorded, and its sentinel lost, while a person holds plan 1: that writes 4, not 2."""
    stage = Stage()
    person = stage.world.person(command, stage.world.entry().content)
    stage.world.until(person, ReadLive)
    for address in (NEW, OLD):
        stage.plan(address)
    stage.world.until(stage.e1, WriteRecord)
    stage.world.damage(stage.world.live()._replace(sentinel=()))
    stage.world.run(person)

    assert (Standing.HELD, 4) == (stage.world.sentinel().standing, stage.world.sentinel().gen)
