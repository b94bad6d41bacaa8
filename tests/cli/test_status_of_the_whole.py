"""What status says beyond each place: a control plane that is silent, orders that nobody follows, names not in the file."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_world import World, wait_for

pytestmark = pytest.mark.slow
BOTH = ("127.0.0.1", "127.0.0.2")
DB = "db.example.com"
NOPE = "nope.example.com"
STRANGE = f"outlast: {NOPE} is no endpoint of outlast.toml; did you mean '{DB}'?"
UNLISTED = "not in outlast.toml, and still ours: put it back, or let it go with: outlast retire "


def told(world: World) -> dict[str, Any]:
    """All that status says."""
    found: dict[str, Any] = json.loads(world.run("status", "--json").stdout)
    return found


def edited(world: World, change: Callable[[str], str]) -> None:
    """Change the configuration."""
    path: Path = world.folder / "outlast.toml"
    path.write_text(change(path.read_text()))


def settled_for(world: World, age: str) -> None:
    """Let it settle and stop, with signals that are good for so long."""
    world.max_signal_age = age
    world.configure(*BOTH)
    world.settle()


def test_silent_probers_need_attention(world: World) -> None:
    """With no signal that is young enough, status says for how long, and leaves with 1; so does doctor.

    Where nothing is probed status is green.
    """
    settled_for(world, "2s")
    time.sleep(2.5)
    silent, text, doctor = told(world), world.run("status"), world.run("doctor", "--json")
    edited(world, lambda it: it.replace("load = 0", "load = 0\nprobed = false"))
    world.settle()
    time.sleep(2.5)
    unprobed = world.run("status")

    assert (False, "in step") == (silent["ok"], silent["endpoints"][0]["agreement"])
    assert 1 == len(silent["alarms"])
    assert silent["alarms"][0].startswith("no prober has said anything for ")
    assert silent["alarms"][0].endswith(" s; is outlast up running?")
    assert (1, True) == (text.returncode, "ALARM no prober has said anything for " in text.stdout)
    ((level, subject, words),) = _found(doctor, "probers")
    assert ("FAIL", "shop", True) == (level, subject, words.startswith("no prober has said anything for "))
    assert 0 == unprobed.returncode, unprobed.stdout


@pytest.mark.parametrize(
    ("given", "words"),
    [(("evacuate", "127.0.0.2"), "evacuate 127.0.0.2 by "), (("pin", DB, "127.0.0.1"), f"pin 127.0.0.1 at {DB} by ")],
)
def test_an_order_that_nobody_follows_needs_attention(world: World, given: tuple[str, ...], words: str) -> None:
    """An order that the plan does not show is told with its endpoint, by doctor too; once the planner follows, both are green."""
    settled_for(world, "1h")
    world.run(*given, "--apply", "--wait", "0")
    late, doctor = told(world), world.run("doctor", "--json")
    up = world.start("up", "--name", "a")
    wait_for(lambda: world.is_settled("127.0.0.1"))
    followed, well = told(world), world.run("doctor", "--json")
    world.stop(up)
    world.run(*given[:2], "--undo", "--apply", "--wait", "0")
    lifted = told(world)["alarms"]

    assert (False, 1, "in step") == (late["ok"], len(late["alarms"]), late["endpoints"][0]["agreement"])
    assert late["alarms"][0].startswith(f"the plan of {DB} does not follow the order '{words}"), late["alarms"]
    assert [("FAIL", DB, late["alarms"][0].partition("; ")[0])] == _found(doctor, "order")
    assert (1, 0, []) == (doctor.returncode, well.returncode, _found(well, "order"))
    assert (True, []) == (followed["ok"], followed["alarms"])
    assert [f"an order at {DB} is lifted, and the plan still leaves out 127.0.0.2; is outlast up running?"] == lifted


def test_an_order_that_a_floor_keeps_is_followed(world: World) -> None:
    """Where all that there is was ordered out, the floor keeps a target: the planner has done what can be done."""
    settled_for(world, "1h")
    up = world.start("up", "--name", "a")
    world.run("evacuate", "east", "--apply")
    wait_for(lambda: len(world.addresses()) == 1 and world.status()["exit"] == 0)
    kept = told(world)
    world.stop(up)

    assert (True, []) == (kept["ok"], kept["alarms"])


def test_an_endpoint_taken_out_of_the_file_is_told(world: World) -> None:
    """What was taken out of the file and not retired is a row of status and a finding of doctor, until it is retired."""
    settled_for(world, "1h")
    edited(world, lambda it: it.replace(f'"{DB}"', '"new.example.com"'))
    up = world.start("up", "--name", "a")
    wait_for(lambda: _agrees(world, "new.example.com"))
    left, text = told(world), world.run("status")
    alone = world.run("status", DB)
    findings = _found(world.run("doctor", "--json"), "unlisted")
    retired = world.run("retire", DB, "--apply")
    after = told(world)
    world.stop(up)
    row = {it["endpoint"]: it for it in left["endpoints"]}[DB]

    assert (False, "unlisted", f"{UNLISTED}{DB}") == (left["ok"], row["agreement"], row["words"])
    assert (1, 1, True) == (text.returncode, alone.returncode, "unlisted" in alone.stdout)
    assert [("warn", f"{DB} at primary")] == [it[:2] for it in findings]
    assert (0, True, ["new.example.com"]) == (
        retired.returncode,
        after["ok"],
        [it["endpoint"] for it in after["endpoints"]],
    )


def test_all_is_also_what_is_no_longer_in_the_file(world: World) -> None:
    """`--all` freezes and thaws what enactors still mend; the dry run tells it, and not once it is retired."""
    settled_for(world, "1h")
    edited(world, lambda it: it.replace(f'"{DB}"', '"new.example.com"'))
    up = world.start("up", "--name", "a")
    wait_for(lambda: _agrees(world, "new.example.com"))
    world.stop(up)
    dry, as_json = world.run("freeze", "--all"), world.run("freeze", "--all", "--json")
    frozen = world.run("freeze", "--all", "--apply")
    held = {it["endpoint"]: it["agreement"] for it in told(world)["endpoints"]}
    thawed = world.run("thaw", "--all", "--apply")
    world.run("retire", DB, "--apply")
    after = world.run("freeze", "--all")

    assert [0] * 5 == [it.returncode for it in (dry, as_json, frozen, thawed, after)], frozen.stdout
    lines = dry.stdout.splitlines()
    assert "  unlisted: not in the configuration, and still ours" == lines[lines.index(f"{DB} at primary") + 1]
    assert 1 == dry.stdout.count("unlisted")
    assert {("new.example.com", False), (DB, True)} == {
        (it["endpoint"], it["unlisted"]) for it in json.loads(as_json.stdout)["places"]
    }
    assert {"new.example.com": "held", DB: "held"} == held
    assert (True, False) == (f"{DB} at primary" in thawed.stdout, f"{DB} at primary" in after.stdout)


def test_all_says_when_it_does_not_know_all(world: World) -> None:
    """With the registry out of reach all of the file is frozen; that there may be more is said, and it is not called done."""
    settled_for(world, "1h")
    (world.folder / "outlast.db").rename(world.folder / "kept.db")
    (world.folder / "outlast.db").mkdir()
    text = world.run("freeze", "--all", "--apply")
    again = world.run("freeze", "--all", "--apply", "--json")
    named = world.run("freeze", DB, "--apply")
    words = "NOT FROZEN: what is ours and not in the configuration, if there is any; the registry was not reached: "

    assert (1, 1, 0) == (text.returncode, again.returncode, named.returncode)
    assert 1 == sum(line.startswith(words) for line in text.stdout.splitlines())
    assert "st=held" in world.run("status", DB, "--json").stdout
    assert (False, True) == ((found := json.loads(again.stdout))["ok"], bool(found["others_unread"]))


def test_a_mistyped_break_glass_is_told_and_undone(world: World) -> None:
    """Break-glass says that the name is no endpoint and does it; status lists it, thaw and retire take the name."""
    given = ("break-glass", NOPE, "--address", "192.0.2.7")
    dry, done = world.run(*given), world.run(*given, "--apply")
    listed = {it["endpoint"]: it for it in told(world)["endpoints"]}
    thawed = world.run("thaw", NOPE, "--apply")
    retired = world.run("retire", NOPE, "--apply")
    after = {it["endpoint"] for it in told(world)["endpoints"]}
    right = world.run("break-glass", DB, "--address", "192.0.2.7")

    assert [(0, True), (0, True)] == [(it.returncode, STRANGE in it.stderr.splitlines()) for it in (dry, done)]
    assert ("held", True) == (listed[NOPE]["agreement"], listed[NOPE]["words"].endswith(f"{UNLISTED}{NOPE}"))
    assert (0, 0, {DB}) == (thawed.returncode, retired.returncode, after)
    assert "is no endpoint of" not in right.stderr


def test_a_name_that_nobody_knows_is_refused(settled_world: World) -> None:
    """What neither the file nor the registry has is a wrong name."""
    done = settled_world.run("thaw", NOPE)

    assert (2, True) == (done.returncode, f"no such endpoint in outlast.toml: {NOPE}" in done.stderr)


def _agrees(world: World, name: str) -> bool:
    return (name, "in step") in {(it["endpoint"], it["agreement"]) for it in told(world)["endpoints"]}


def _found(doctor: "subprocess.CompletedProcess[str]", check: str) -> list[tuple[str, str, str]]:
    findings = json.loads(doctor.stdout)["findings"]
    return [(it["level"], it["subject"], it["there"]) for it in findings if it["check"] == check]
