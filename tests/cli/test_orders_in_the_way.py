"""What keeps an endpoint from following an order is named with the command that lifts it: a pin, or a hold."""

import asyncio
import contextlib
import json
import shlex
import signal
from typing import Any

import pytest
from command_world import World, wait_for

from outlast.health.signal import Verdict
from outlast.registry.sqlite import SqliteRegistry

pytestmark = pytest.mark.slow
BOTH = ("127.0.0.1", "127.0.0.2")
DB = "db.example.com"
UNPIN = f"outlast pin {DB} --undo --apply"
THAW = f"outlast thaw {DB} --apply"


def in_the_way(text: str) -> list[tuple[str, str, str]]:
    """What the JSON of an order names in the way of its one endpoint, with what lifts it."""
    (endpoint,) = json.loads(text)["endpoints"]
    return [(it["what"], it["provider"], it["lifted_by"]) for it in endpoint["in_the_way"]]


def test_a_pin_in_the_way_is_named(running: World) -> None:
    """Where a pin keeps what shall leave, dry run and order say so, and the command they name lets it follow."""
    running.run("pin", DB, "127.0.0.2", "--apply", "--reason", "probes lie")
    dry, as_json = running.run("evacuate", "127.0.0.2"), running.run("evacuate", "127.0.0.2", "--json")
    done = running.run("evacuate", "127.0.0.2", "--apply")
    before = running.addresses()
    lifted = running.run(*shlex.split(UNPIN)[1:])
    after = running.addresses()
    running.run("evacuate", "127.0.0.2", "--undo", "--apply")
    (named,) = [line for line in dry.stdout.splitlines() if "does not follow" in line]

    assert (1, 1, 1, 0) == (dry.returncode, as_json.returncode, done.returncode, lifted.returncode)
    assert named.startswith(f"  does not follow: standing order 'pin 127.0.0.2 at {DB} by ")
    assert named.endswith(f": probes lie', until: {UNPIN}")
    assert [("pin", "", UNPIN)] == in_the_way(as_json.stdout)
    assert named in done.stdout.splitlines()
    assert f"{DB} at primary: DOES NOT FOLLOW: {named.partition(': ')[2]}\n" == done.stderr
    assert (["127.0.0.2"], ["127.0.0.1"]) == (before, after)


def test_a_pin_that_keeps_it_out_is_in_nobodys_way(running: World) -> None:
    """What the pin leaves out already has left; lifting the evacuation, the pin is what keeps it out."""
    running.run("pin", DB, "127.0.0.1", "--apply")
    done = running.run("evacuate", "127.0.0.2", "--apply", "--json")
    undone = running.run("evacuate", "127.0.0.2", "--undo", "--apply", "--json")
    running.run("pin", DB, "--undo", "--apply")
    wait_for(lambda: running.is_settled(*BOTH))
    told: dict[str, Any] = json.loads(undone.stdout)

    assert (0, []) == (done.returncode, json.loads(done.stdout)["endpoints"])
    assert (1, [("pin", "", UNPIN)]) == (undone.returncode, in_the_way(undone.stdout))
    assert [{"provider": "primary", "endpoint": DB, "seconds": None}] == told["arrivals"]


@pytest.mark.parametrize("order", [("evacuate", "127.0.0.2"), ("pin", DB, "127.0.0.1")], ids=lambda it: it[0])
def test_a_held_endpoint_that_answers_so_already_does_not_follow(running: World, order: tuple[str, ...]) -> None:
    """What a hand wrote may happen to be what the order wants: nothing follows there all the same, and that is said."""
    running.run("break-glass", DB, "--address", "127.0.0.1", "--apply")
    dry = running.run(*order)
    done = running.run(*order, "--apply")
    again = running.run(*order, "--apply", "--json")
    running.run(*shlex.split(THAW)[1:])
    running.run(*order[:2], "--undo", "--apply")
    wait_for(lambda: running.is_settled(*BOTH))
    (named,) = [line for line in dry.stdout.splitlines() if "does not follow" in line]

    assert (1, 1, 1) == (dry.returncode, done.returncode, again.returncode)
    assert named.startswith("  does not follow: on hold at primary by break-glass/")
    assert named.endswith(f", until: {THAW}")
    told = f"{DB} at primary: answers so already, and DOES NOT FOLLOW: {named.partition(': ')[2]}\n"
    assert told == done.stderr
    assert [("hold", "primary", THAW)] == in_the_way(again.stdout)
    assert ([{"provider": "primary", "endpoint": DB}], None) == (
        json.loads(again.stdout)["held"],
        json.loads(again.stdout)["slowest_seconds"],
    )


def test_another_configuration_is_in_the_command_that_lifts(running: World) -> None:
    """The command can be pasted as it stands: it names the configuration that was named."""
    (running.folder / "other.toml").write_text((running.folder / "outlast.toml").read_text())
    running.run("freeze", DB, "--apply")
    dry = running.run("pin", DB, "127.0.0.1", "--config", "other.toml", "--json")
    ((_, _, command),) = in_the_way(dry.stdout)
    thawed = running.run(*shlex.split(command)[1:])
    free = running.run("pin", DB, "127.0.0.1", "--config", "other.toml", "--json")

    assert f"outlast thaw {DB} --config other.toml --apply" == command
    assert (1, 0, 0, []) == (dry.returncode, thawed.returncode, free.returncode, in_the_way(free.stdout))


def verdict(world: World, address: str) -> Verdict:
    """What the prober says of a target."""
    with contextlib.closing(SqliteRegistry(world.folder / "outlast.db")) as registry:
        signals = asyncio.run(registry.signals())
    return next(it.verdict for it in signals if it.target == address)


def test_health_that_changes_after_an_order_is_not_waited_against(world: World) -> None:
    """What the plan has made of it counts: a target that was sick when the order was given is back before DNS follows."""
    roles = {role: world.start(role, "run", "--name", f"{role}-a") for role in ("planner", "prober", "enactor")}
    wait_for(lambda: world.is_settled(*BOTH))
    world.run("pin", DB, "127.0.0.2", "--apply")
    world.targets.sick.add("127.0.0.2")
    wait_for(lambda: verdict(world, "127.0.0.2") is Verdict.UNHEALTHY)
    roles["planner"].send_signal(signal.SIGSTOP)
    lifting = world.start("pin", DB, "--undo", "--apply", "--wait", "40")
    assert lifting.stdout is not None
    told = [lifting.stdout.readline(), lifting.stdout.readline()]
    world.targets.sick.clear()
    wait_for(lambda: verdict(world, "127.0.0.2") is Verdict.HEALTHY)
    roles["planner"].send_signal(signal.SIGCONT)
    status = lifting.wait(timeout=30)
    lifting.stdout.close()
    for process in roles.values():
        world.stop(process)

    assert (f"{DB}  127.0.0.2 -> 127.0.0.1\n", 0) == (told[1], status)
    assert list(BOTH) == world.addresses()
