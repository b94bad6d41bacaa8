"""What changed nothing is in the audit log as what it is: whoever looks for the cause of a change passes it over."""

import json

import pytest
from command_world import World, wait_for

pytestmark = pytest.mark.slow
BOTH = ("127.0.0.1", "127.0.0.2")
DB = "db.example.com"


def outcome(world: World) -> str:
    """What the newest line of the log says came of it."""
    (line,) = json.loads(world.run("audit", "--last", "1", "--json").stdout)
    return str(line["outcome"])


def test_a_hold_that_is_there_already(running: World) -> None:
    """Frozen twice, the second time is no deed; nor is a thaw of what is live."""
    outcomes = []
    for command in ("freeze", "freeze", "thaw", "thaw"):
        running.run(command, DB, "--apply")
        outcomes.append(outcome(running))

    assert ["written", "nothing changed: it is held already"] == outcomes[:2]
    assert ["written", "nothing changed: it is live already"] == outcomes[2:]


def test_an_order_that_stands_already(running: World) -> None:
    """Given again, it is no deed, and who gave it first stays in the log; given with another reach, it is one."""
    outcomes = []
    for words in (("--reason", "INC-1"), ("--reason", "INC-2"), ("--all",), ("--undo",)):
        running.run("evacuate", "127.0.0.2", *words, "--apply")
        outcomes.append(outcome(running))
    wait_for(lambda: running.is_settled(*BOTH))
    first, second, more, lifted = outcomes

    assert ("ordered", "lifted") == (first, lifted)
    assert second.startswith("nothing changed: it stood already: evacuate 127.0.0.2 by ")
    assert second.endswith(": INC-1")
    assert "ordered; no endpoint changes for it" == more


def test_an_order_that_a_pin_keeps_from_everything(running: World) -> None:
    """An order that stands and moves nothing is told so."""
    running.run("pin", DB, *BOTH, "--apply")
    pinned = outcome(running)
    running.run("evacuate", "127.0.0.2", "--apply")
    kept = outcome(running)
    running.run("evacuate", "127.0.0.2", "--undo", "--apply")
    lifted = outcome(running)
    running.run("pin", DB, "127.0.0.1", "--apply")
    moved = outcome(running)
    running.run("pin", DB, "--undo", "--apply")
    wait_for(lambda: running.is_settled(*BOTH))

    assert ["ordered; no endpoint changes for it"] * 2 == [pinned, kept]
    assert ["lifted; no endpoint changes for it", "ordered"] == [lifted, moved]
