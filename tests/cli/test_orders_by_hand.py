"""Orders, plans and the audit log in a world of real processes: what the commands write, print and leave with."""

import asyncio
import json
import re
import signal
import time
import urllib.request

import pytest
from command_world import World, wait_for

from outlast.registry.sqlite import SqliteRegistry
from outlast.traffic.orders import Kind, Order

pytestmark = pytest.mark.slow
BOTH = ("127.0.0.1", "127.0.0.2")
DB = "db.example.com"


def test_a_target_is_evacuated_and_comes_back(running: World) -> None:
    """A dry run says what would change; the order takes the target out and DNS is watched; lifted, it comes back."""
    dry = running.run("evacuate", "127.0.0.2")
    untouched = running.addresses()
    given = running.run("evacuate", "127.0.0.2", "--apply", "--reason", "INC-42", "--json")
    during, shown = running.addresses(), running.run("plan", "show")
    lifted = running.run("evacuate", "127.0.0.2", "--undo", "--apply")
    told = json.loads(given.stdout)

    assert (0, list(BOTH), True) == (dry.returncode, untouched, "This was a dry run" in dry.stdout)
    assert "db.example.com  127.0.0.1 127.0.0.2 -> 127.0.0.1" in dry.stdout.splitlines()
    assert (0, ["127.0.0.1"], True) == (given.returncode, during, 0 < told["slowest_seconds"] < 60)
    assert "standing order: evacuate 127.0.0.2 by " in shown.stdout
    assert (0, list(BOTH)) == (lifted.returncode, running.addresses())


def test_a_floor_is_told(running: World) -> None:
    """A region that is all there is cannot leave: one target stays, and the dry run says why."""
    dry = running.run("evacuate", "east")

    assert (0, True) == (dry.returncode, "  kept, for a floor would be broken without: 127.0.0.1" in dry.stdout)


def test_what_a_floor_keeps_of_an_older_order_is_told(running: World) -> None:
    """Both targets ordered out, one after the other: whichever stays, the dry run says that it was ordered out, too."""
    running.run("evacuate", "127.0.0.1", "--apply")
    dry = running.run("evacuate", "127.0.0.2")
    running.run("evacuate", "127.0.0.1", "--undo", "--apply")
    wait_for(lambda: running.is_settled(*BOTH))

    assert (0, True) == (dry.returncode, "  kept, for a floor would be broken without: 127.0.0." in dry.stdout)


def test_what_a_floor_keeps_is_told_afterwards(running: World) -> None:
    """Everything is ordered out and one stays: the plan, and status, say which, against which order, and for which floor."""
    before = json.loads(running.run("plan", "show", "--json").stdout)["entries"][0]["kept"]
    running.run("evacuate", "127.0.0.1", "--apply", "--reason", "INC-42")
    running.run("evacuate", "127.0.0.2", "--apply", "--reason", "INC-42")
    ((stays,), as_text, as_json) = (
        running.addresses(),
        running.run("plan", "show"),
        running.run("plan", "show", "--json"),
    )
    status, told = running.run("status"), running.run("status", "--json")
    older = running.run("plan", "show", "1", "--json")
    for address in BOTH:
        running.run("evacuate", address, "--undo", "--apply")
    wait_for(lambda: running.is_settled(*BOTH))
    (kept,) = json.loads(as_json.stdout)["entries"][0]["kept"]
    words = f"{stays} is published although ordered out ({kept['order']}): kept by min_addresses, family"

    assert ([], []) == (before, json.loads(older.stdout)["entries"][0]["kept"])
    assert (stays, ["min_addresses", "family"]) == (kept["address"], kept["floors"])
    assert kept["order"].startswith(f"evacuate {stays} by ")
    assert kept["order"].endswith(": INC-42")
    assert f"  {words}" in as_text.stdout.splitlines()
    assert (0, True) == (status.returncode, f"{DB}: {words}" in status.stdout.splitlines())
    assert [f"{DB}: {words}"] == json.loads(told.stdout)["notes"]


def test_survivors_that_are_too_small_are_told(running: World) -> None:
    """With a load that one target cannot bear the evacuation moves nothing and says why, until all of it is said."""
    running.load = 2
    running.configure(*BOTH)
    given = running.run("evacuate", "127.0.0.2", "--apply")
    kept, shown, status = running.addresses(), running.run("plan", "show"), running.run("status")
    everything = running.run("evacuate", "127.0.0.2", "--all", "--apply")
    moved, standing = running.addresses(), running.run("plan", "show")
    lifted = running.run("evacuate", "127.0.0.2", "--undo", "--apply")
    running.load = 0
    running.configure(*BOTH)
    wait_for(lambda: running.is_settled(*BOTH))
    words = "too little capacity: 127.0.0.2 stay although ordered out, for the rest bears 1 of a load of 2; lifted by"

    assert (0, True, list(BOTH)) == (given.returncode, f"  {words}" in given.stdout, kept)
    assert (True, True) == (f"  ALARM {words}" in shown.stdout, "standing order: evacuate 127.0.0.2" in shown.stdout)
    assert (1, True) == (status.returncode, "ALARM too little capacity" in status.stdout)
    assert (0, ["127.0.0.1"]) == (everything.returncode, moved)
    assert ["standing order: evacuate all of 127.0.0.2"] == [
        line.partition(" by ")[0] for line in standing.stdout.splitlines() if line.startswith("standing")
    ]
    assert 0 == lifted.returncode


def test_an_endpoint_that_does_not_follow_is_told_each_time(running: World) -> None:
    """Frozen, it does not follow the order, and the end of the watch says what lifts that; said again, it is watched again."""
    running.run("freeze", "--all", "--apply")
    first = running.run("evacuate", "127.0.0.2", "--apply", "--wait", "1")
    again = running.run("evacuate", "127.0.0.2", "--apply", "--wait", "1", "--json")
    running.run("thaw", "--all", "--apply")
    running.run("evacuate", "127.0.0.2", "--undo", "--apply")
    wait_for(lambda: running.is_settled(*BOTH))
    late = {"provider": "primary", "endpoint": "db.example.com", "seconds": None}

    assert (1, True) == (first.returncode, f"{DB} at primary: DOES NOT FOLLOW within 1 s: on hold at" in first.stderr)
    assert f", until: outlast thaw {DB} --apply" in first.stderr
    assert (1, [late]) == (again.returncode, json.loads(again.stdout)["arrivals"])


@pytest.mark.parametrize(
    ("arguments", "lifting"),
    [
        (("evacuate", "127.0.0.2"), "evacuate 127.0.0.2"),
        (("evacuate", "127.0.0.2", "--endpoint", DB, "--all"), f"evacuate 127.0.0.2 --endpoint {DB}"),
        (("pin", DB, "127.0.0.1", "--config", "./outlast.toml"), f"pin {DB}"),
        (("pin", DB, "127.0.0.1", "--config", "other.toml"), f"pin {DB} --config other.toml"),
    ],
)
def test_who_stops_watching_hears_that_the_order_stands(
    running: World, arguments: tuple[str, ...], lifting: str
) -> None:
    """Interrupted while it watches, the command says that the order stands, and the command that lifts it; it does."""
    (running.folder / "other.toml").write_text((running.folder / "outlast.toml").read_text())
    running.run("freeze", "--all", "--apply")
    watching = running.start(*arguments, "--apply")
    log = running.folder / f"{'-'.join(arguments[:2])}.log"
    assert watching.stdout is not None
    told = watching.stdout.readline()
    status = running.stop(watching, signal.SIGINT)
    said = log.read_text().splitlines()
    log.unlink()
    standing = running.run("plan", "show").stdout
    command = f"outlast {lifting} --undo --apply"
    running.run("thaw", "--all", "--apply")
    lifted = running.run(*command.split()[1:], "--wait", "0")
    wait_for(lambda: running.is_settled(*BOTH))

    assert ("order: ", 130) == (told[:7], status)
    assert ["outlast: interrupted: the order stands all the same", f"  to lift it: {command}"] == said
    assert (True, 0) == ("standing order" in standing, lifted.returncode), lifted.stderr


def test_who_stops_watching_hears_that_the_order_is_lifted(running: World) -> None:
    """Interrupted after --undo, the command says that the order is gone all the same."""
    running.run("evacuate", "127.0.0.2", "--apply")
    running.run("freeze", "--all", "--apply")
    watching = running.start("evacuate", "127.0.0.2", "--undo", "--apply")
    assert watching.stdout is not None
    told = watching.stdout.readline()
    status = running.stop(watching, signal.SIGINT)
    log = running.folder / "evacuate-127.0.0.2.log"
    said = log.read_text()
    log.unlink()
    running.run("thaw", "--all", "--apply")
    wait_for(lambda: running.is_settled(*BOTH))

    assert ("lift: ", 130) == (told[:6], status)
    assert "outlast: interrupted: the order is lifted all the same\n" == said


def test_an_order_for_a_target_that_is_gone_is_lifted(running: World) -> None:
    """A target that left the configuration while it was ordered out leaves no order behind that nobody can lift."""
    running.run("evacuate", "127.0.0.2", "--apply")
    running.configure("127.0.0.1")
    lifted = running.run("evacuate", "127.0.0.2", "--undo", "--apply")
    shown = running.run("plan", "show")
    running.configure(*BOTH)
    wait_for(lambda: running.is_settled(*BOTH))

    assert (0, False) == (lifted.returncode, "standing order" in shown.stdout), lifted.stderr


@pytest.mark.parametrize(
    ("order", "arguments"),
    [
        (Order(Kind.PIN, "", "gone.example.com", ("192.0.2.9",), "ann", 1, ""), ("pin", "gone.example.com")),
        (
            Order(Kind.EVACUATE, "mars", "gone.example.com", (), "ann", 1, ""),
            ("evacuate", "mars", "--endpoint", "gone.example.com"),
        ),
    ],
    ids=["pin", "evacuate"],
)
def test_an_order_for_an_endpoint_that_is_gone_is_lifted(
    running: World, order: Order, arguments: tuple[str, ...]
) -> None:
    """What stands is lifted by its name alone, though nobody configures the endpoint any more."""
    registry = SqliteRegistry(running.folder / "outlast.db")
    try:
        asyncio.run(registry.give_order(order))
        lifted = running.run(*arguments, "--undo", "--apply")
        standing = asyncio.run(registry.orders())
        asyncio.run(registry.lift_order(order.key))
    finally:
        registry.close()

    assert (0, ()) == (lifted.returncode, standing), lifted.stderr


def test_a_pin_holds_against_health(running: World) -> None:
    """A pinned target stays although it is sick, and the other is out; lifted, health decides again."""
    pinned = running.run("pin", "db.example.com", "127.0.0.2", "--apply")
    running.targets.sick.add("127.0.0.2")
    wait_for(lambda: running.run("plan", "show", "--json").returncode == 0)
    during = running.addresses()
    running.targets.sick.clear()
    lifted = running.run("pin", "db.example.com", "--undo", "--apply")
    wait_for(lambda: running.is_settled(*BOTH))

    assert (0, ["127.0.0.2"], 0) == (pinned.returncode, during, lifted.returncode)
    assert "lift: pin at db.example.com by " in lifted.stdout


def test_going_back_to_an_older_plan(running: World) -> None:
    """The history lists what differs; a rollback writes it as a newer generation and holds it; thaw lets go."""
    running.run("evacuate", "127.0.0.2", "--apply")
    running.run("evacuate", "127.0.0.2", "--undo", "--apply")
    plans = json.loads(running.run("plan", "history", "--json").stdout)
    latest, before = plans[0]["generation"], plans[1]["generation"]
    differing = running.run("plan", "diff", str(before))
    back = running.run("plan", "rollback", str(before), "db.example.com", "--apply", "--reason", "INC-43", "--json")
    held, place = running.status(), json.loads(back.stdout)["places"][0]
    logged = json.loads(running.run("audit", "--last", "1", "--json").stdout)[0]
    thawed = running.run("thaw", "--all", "--apply")
    wait_for(lambda: running.is_settled(*BOTH))

    assert f"plan {before} -> plan {latest}" in differing.stdout
    assert "db.example.com  +127.0.0.2" in differing.stdout.splitlines()
    assert (0, "written", "held", ["127.0.0.1"]) == (
        back.returncode,
        place["outcome"],
        held["agreement"],
        held["sets"][0][2],
    )
    assert 0 == thawed.returncode
    assert f" gen={latest + 1} " in place["writes"]["sentinel"]
    assert ("rollback", True) == (json.loads(back.stdout)["command"], " st=held by=rollback/" in held["sentinel"][0])
    assert ("rollback", "plan rollback", "INC-43") == (logged["by"].partition("/")[0], logged["what"], logged["why"])
    assert held["words"].startswith("held by rollback/")


def test_the_audit_log_tells_who_why_and_what(running: World) -> None:
    """What was applied is there with its reason; what was only tried is not."""
    running.run("freeze", "--all", "--apply", "--reason", "INC-44")
    running.run("thaw", "--all")
    running.run("thaw", "--all", "--apply", "--reason", "over")
    lines = json.loads(running.run("audit", "--json").stdout)
    text = running.run("audit", "--last", "1").stdout

    assert [("thaw", "over", "written"), ("freeze", "INC-44", "written")] == [
        (line["what"].partition("/")[0], line["why"], line["outcome"]) for line in lines[:2]
    ]
    assert {"at", "by", "what", "subject", "why", "outcome"} == set(lines[0])
    assert "thaw db.example.com@primary: written (over)" in text


def test_metrics_follow(running: World) -> None:
    """The exporter serves what is there, sees a freeze, and says when the registry is gone."""
    exporter = running.start("exporter", "run", "--listen", "127.0.0.1:0", "--interval", "0.1")
    assert exporter.stdout is not None
    address = exporter.stdout.readline().strip()

    def metrics() -> dict[str, float]:
        with urllib.request.urlopen(address, timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return {key: float(value) for key, _, value in (it.rpartition(" ") for it in lines if not it.startswith("#"))}

    place = '{endpoint="db.example.com",provider="primary"}'
    agreement = 'outlast_agreement{agreement="%s",endpoint="db.example.com",provider="primary"}'
    wait_for(lambda: metrics().get(agreement % "in step") == 1)
    sound = metrics()
    running.run("freeze", "--all", "--apply")
    wait_for(lambda: metrics().get(f"outlast_held{place}") == 1)
    running.run("thaw", "--all", "--apply")
    wait_for(lambda: metrics()[f"outlast_held{place}"] == 0)
    later = metrics()
    status = running.stop(exporter)

    assert (0, 1.0, 2.0) == (status, sound["outlast_registry_up"], sound[f"outlast_addresses{place}"])
    assert (0.0, 0.0, 0.0) == (
        sound['outlast_divergence{endpoint="db.example.com"}'],
        sound[f"outlast_not_frozen{place}"],
        sound["outlast_ahead"],
    )
    written = f"outlast_last_enactment_timestamp_seconds{place}"
    assert sound[written] < later[written] <= time.time()


def test_metrics_are_for_this_machine_alone(running: World) -> None:
    """Any address that others can reach is refused, and so is a port that is taken."""
    opened = running.run("exporter", "run", "--listen", "0.0.0.0:0")
    taken = running.run("exporter", "run", "--listen", f"127.0.0.1:{running.targets.port}")

    assert (2, True) == (opened.returncode, "metrics are served on loopback only" in opened.stderr)
    assert (1, True) == (taken.returncode, "name another port" in taken.stderr)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("plan", "show", "4711"), "outlast: plan 4711 is not kept\n"),
        (("evacuate", "east", "--undo"), "outlast: no such order stands\n"),
    ],
)
def test_what_cannot_be_is_refused_with_the_fix(running: World, arguments: tuple[str, ...], line: str) -> None:
    """Status 1, one line with the fault and one with the fix."""
    done = running.run(*arguments)

    assert 1 == done.returncode
    assert done.stderr.startswith(line)


def test_an_endpoint_on_hold_is_named_beforehand(world: World) -> None:
    """A dry run says where nobody will follow: by the sentinel, by the record where none is read, and not once thawed."""

    def held(*arguments: str) -> list[str]:
        done = world.run(*arguments, "--json")
        told = json.loads(done.stdout)
        assert (1 if told["held"] else 0) == done.returncode, done.stderr
        assert all(it["endpoint"] == DB for it in told["held"])
        return [it["provider"] for it in told["held"]]

    world.settle()
    free = held("evacuate", "127.0.0.2")
    world.run("freeze", DB, "--apply")
    shown = world.run("evacuate", "127.0.0.2").stdout.splitlines()
    frozen = (
        held("evacuate", "127.0.0.2"),
        held("pin", DB, "127.0.0.1"),
        held("evacuate", "127.0.0.2", "--endpoint", DB),
    )
    apart = world.folder / "apart"
    apart.mkdir()
    for file in world.folder.glob("outlast.db*"):
        file.rename(apart / file.name)
    by_sentinel = held("evacuate", "127.0.0.2")
    world.run("thaw", DB, "--apply")
    for file in world.folder.glob("outlast.db*"):
        file.unlink()
    for file in apart.iterdir():
        file.rename(world.folder / file.name)
    thawed = held("evacuate", "127.0.0.2")
    world.stop(world.nameserver)
    by_record = held("evacuate", "127.0.0.2")
    applied = held("evacuate", "127.0.0.2", "--apply", "--wait", "0")

    words = re.compile(rf"  does not follow: on hold at primary by freeze/\S+, until: outlast thaw {DB} --apply")
    assert 1 == len([line for line in shown if words.fullmatch(line)]), shown
    assert ([], (["primary"],) * 3) == (free, frozen)
    assert (["primary"], [], ["primary"], ["primary"]) == (by_sentinel, thawed, by_record, applied)


def test_going_back_with_all_leaves_what_only_one_side_has(world: World) -> None:
    """An endpoint that is newer than the plan stays as it is, and so does one that is no longer configured: both are told."""
    file = world.folder / "outlast.toml"
    old = file.read_text()
    process = world.start("up", "--name", "a")
    wait_for(lambda: world.is_settled(*BOTH))
    before = world.status()["generation"]
    file.write_text(f'{old}\n[endpoint."new.example.com".targets]\neast = ["127.0.0.1"]\n')
    shown = ("plan", "show", "--json")
    wait_for(lambda: "new.example.com" in world.run(*shown).stdout)
    after = json.loads(world.run(*shown).stdout)["generation"]
    newer = world.run("plan", "rollback", str(before), "--all")
    file.write_text(old)
    gone = world.run("plan", "rollback", str(after), "--all")
    world.stop(process)

    assert [(0, True), (0, True)] == [(it.returncode, "db.example.com" in it.stdout) for it in (newer, gone)]
    assert f"new.example.com: left as it is, plan {before} does not have it" in newer.stderr
    assert "new.example.com: left as it is, the configuration does not have it" in gone.stderr
    assert "new.example.com" not in newer.stdout + gone.stdout
