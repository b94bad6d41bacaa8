"""The commands in a world of real processes: what they write, print and leave with."""

import contextlib
import json
import re
import signal
import sqlite3

import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update
import pytest
from command_world import KEY, World, wait_for

pytestmark = pytest.mark.slow
BOTH = ("127.0.0.1", "127.0.0.2")


def test_the_whole_control_plane_in_one_process(world: World) -> None:
    """`up` publishes, takes out what fails, brings it back, follows an edit of the file, and leaves with 0."""
    process = world.start("up", "--name", "a")
    wait_for(lambda: world.is_settled(*BOTH))
    world.targets.sick.add("127.0.0.2")
    wait_for(lambda: world.is_settled("127.0.0.1"))
    withheld = world.status()["plan"]["withheld"][0]
    world.targets.sick.clear()
    wait_for(lambda: world.is_settled(*BOTH))
    world.configure("127.0.0.1")
    wait_for(lambda: world.is_settled("127.0.0.1"))
    status = world.stop(process, signal.SIGINT)

    expected = (0, "127.0.0.2", "unhealthy: status 503, expected 200 to 399 (prober-a)")
    assert expected == (status, withheld["address"], withheld["reason"])


def test_roles_in_processes_of_their_own(world: World) -> None:
    """Planner, prober, two enactors and janitor as five processes reach the plan, and each leaves with 0 on SIGTERM."""
    roles = ("planner", "prober", "janitor", "enactor", "enactor")
    processes = [world.start(role, "run", "--name", f"{role}-{at}") for at, role in enumerate(roles)]
    wait_for(lambda: world.is_settled(*BOTH))
    writer = re.search(r"by=(\S+)", world.status()["sentinel"][0])
    statuses = [world.stop(process) for process in processes]

    assert writer is not None
    assert ([0] * 5, True) == (statuses, writer.group(1) in {"enactor-3", "enactor-4"})


def test_two_planners_with_two_files_do_not_undo_each_other(world: World) -> None:
    """The one with the older file says so and leaves what the newer one says, until its own is written anew."""
    world.configure("127.0.0.1")
    old = world.folder / "old.toml"
    old.write_text((world.folder / "outlast.toml").read_text())
    world.configure(*BOTH)
    process = world.start("up", "--name", "a")
    wait_for(lambda: world.is_settled(*BOTH))
    generation = world.status()["generation"]
    planner = world.start("planner", "run", "--config", "old.toml", "--name", "planner-b")
    logs = {"b": world.folder / "planner-run.log", "a": world.folder / "up---name.log"}
    wait_for(lambda: "ALARM this planner's file is overtaken" in logs["b"].read_text())
    wait_for(lambda: world.is_settled(*BOTH))
    same = world.status()["generation"]
    old.write_text(old.read_text())
    wait_for(lambda: world.addresses() == ["127.0.0.1"])
    wait_for(lambda: "ALARM this planner's file is overtaken" in logs["a"].read_text())
    strayed, examined = world.run("status"), world.run("doctor")
    followed = world.run("status", "--config", "old.toml")
    words = "the plan of db.example.com is made from another file: that of planner-b at "

    assert generation == same
    assert (1, 0) == (strayed.returncode, followed.returncode)
    assert f"ALARM {words}" in strayed.stdout
    assert words in examined.stdout
    assert [0, 0] == [world.stop(planner), world.stop(process)]


def test_a_registry_that_is_put_back_under_a_running_planner_is_an_alarm(world: World) -> None:
    """The plan heals by itself; the order that was given since the backup is gone, and nobody but a person knows of it."""
    process = world.start("up", "--name", "a")
    wait_for(lambda: world.is_settled(*BOTH))
    file, copy = world.folder / "outlast.db", world.folder / "backup.db"
    with contextlib.closing(sqlite3.connect(file)) as now, contextlib.closing(sqlite3.connect(copy)) as backup:
        now.backup(backup)
    world.run("evacuate", "127.0.0.2", "--apply")
    for beside in ("outlast.db-wal", "outlast.db-shm"):
        (world.folder / beside).unlink(missing_ok=True)
    copy.replace(file)
    log = world.folder / "up---name.log"
    wait_for(lambda: "ALARM the registry is an older one" in log.read_text())
    wait_for(lambda: world.is_settled(*BOTH))

    assert 0 == world.stop(process)


def test_the_log_is_one_line_for_each_notice(settled_world: World) -> None:
    """A role's log has time, role, place and words in each line, alarms are marked, and nothing is said twice."""
    lines = (settled_world.folder / "up---name.log").read_text().splitlines()
    pattern = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+-a .+")

    assert [] == [line for line in lines if not pattern.fullmatch(line)]
    assert 1 == sum("enactor-a db.example.com@primary enacted gen=" in line for line in lines)


def test_the_json_of_status(settled_world: World) -> None:
    """The keys of `status --json` are a contract, and so is what they hold once all is settled."""
    whole = json.loads(settled_world.run("status", "--json").stdout)
    line = whole["endpoints"][0]

    assert {"realm", "file", "ok", "alarms", "notes", "endpoints"} == set(whole)
    assert {
        "endpoint", "provider", "tier", "agreement", "words", "sentinel", "sets", "generation", "plan", "record",
        "secondaries",
    } == set(line)  # fmt: skip
    assert ("in step", True, [["A", 5, list(BOTH)]], 1) == (
        line["agreement"],
        whole["ok"],
        line["sets"],
        line["plan"]["gen"],
    )


def test_the_table_of_status(settled_world: World) -> None:
    """Without `--json` a table says the same."""
    done = settled_world.run("status")

    assert (0, True) == (done.returncode, "in step" in done.stdout and "A 127.0.0.1 127.0.0.2 (ttl 5)" in done.stdout)


def test_nothing_planned_needs_attention(world: World) -> None:
    """Before any planner ran, status says so and leaves with 1."""
    assert ("unplanned", 1) == (world.status()["agreement"], world.status()["exit"])


def test_could_not_tell(world: World) -> None:
    """Without the provider, status leaves with 3."""
    world.max_signal_age = "1h"
    world.configure(*BOTH)
    world.settle()
    world.stop(world.nameserver)

    assert ("unknown", 3) == (world.status()["agreement"], world.status()["exit"])


def test_freeze_and_thaw(world: World) -> None:
    """A dry run writes nothing; a freeze holds against an enactor with a newer plan; thaw lets it follow."""
    world.settle()
    before = world.status()["sentinel"]
    dry = world.run("freeze", "db.example.com")
    after_dry = world.status()["sentinel"]
    froze = world.run("freeze", "--all", "--apply", "--reason", "INC-42", "--json")
    held = world.status()
    world.configure("127.0.0.1")
    up = world.start("up", "--name", "a")
    wait_for(lambda: world.status()["generation"] == 2)
    during = world.addresses()
    thawed = world.run("thaw", "db.example.com", "--apply")
    wait_for(lambda: world.is_settled("127.0.0.1"))
    world.stop(up)
    answer = json.loads(froze.stdout)

    assert (0, before, True) == (dry.returncode, after_dry, "This was a dry run" in dry.stdout)
    assert (0, "INC-42", "written", True) == (
        froze.returncode,
        answer["reason"],
        answer["places"][0]["outcome"],
        answer["applied"],
    )
    assert ("held", 1, list(BOTH), 0) == (held["agreement"], held["exit"], during, thawed.returncode)


def test_a_retired_name_is_left_alone(world: World) -> None:
    """A dry run writes nothing; what is retired keeps its records, stands so in DNS, and follows no plan any more."""
    world.settle()
    before = world.status()["sentinel"]
    dry = world.run("retire", "db.example.com")
    after_dry = world.status()["sentinel"]
    done = world.run("retire", "db.example.com", "--apply", "--reason", "moved", "--json")
    world.configure("127.0.0.1")
    up = world.start("up", "--name", "a")
    wait_for(lambda: (plan := world.status()["plan"]) is not None and plan["gen"] == 2)
    refused = world.run("thaw", "db.example.com", "--apply")
    there = world.status()
    world.stop(up)

    assert (0, before, 0) == (dry.returncode, after_dry, done.returncode)
    assert ("written", "moved") == (json.loads(done.stdout)["places"][0]["outcome"], json.loads(done.stdout)["reason"])
    assert ("retired", list(BOTH)) == (there["agreement"], world.addresses())
    assert (1, True) == (refused.returncode, "it is retired: nothing writes to it any more" in refused.stdout)


def test_a_name_with_records_is_adopted(world: World) -> None:
    """Somebody else's records are left alone until a person adopts the name; then they follow the plan."""
    name, algorithm, secret = KEY.split(":")
    update = dns.update.UpdateMessage("example.com", keyring=dns.tsig.Key(name, secret, algorithm))
    update.add("db", 60, "A", "192.0.2.66")
    assert dns.rcode.NOERROR == dns.query.tcp(update, "127.0.0.1", port=world.port, timeout=2).rcode()
    up = world.start("up", "--name", "a")
    wait_for(lambda: world.status()["plan"] is not None)
    wait_for(lambda: "ALARM unclaimed name" in (world.folder / "up---name.log").read_text())
    alone = world.status()
    dry = world.run("adopt", "db.example.com")
    done = world.run("adopt", "db.example.com", "--apply", "--json")
    wait_for(lambda: world.is_settled(*BOTH))
    again = world.run("adopt", "db.example.com", "--apply")
    world.stop(up)

    assert ("unclaimed", [["A", 60, ["192.0.2.66"]]]) == (alone["agreement"], alone["sets"])
    assert (0, 0, "written") == (dry.returncode, done.returncode, json.loads(done.stdout)["places"][0]["outcome"])
    assert "This was a dry run" in dry.stdout
    assert (0, True) == (again.returncode, "it is ours already" in again.stdout)


def test_what_doctor_says(settled_world: World) -> None:
    """It reads, proves on a scratch name only if told to, and names every fix; a primary that is away is said."""
    done = settled_world.run("doctor", "--json")
    proved = settled_world.run("doctor", "--prove-cas")
    refused = settled_world.run("doctor", "--resolver", "9.9.9.9:dns")
    told = json.loads(done.stdout)
    checks = {item["check"]: item for item in told["findings"]}

    zone = {"negative TTL", "SOA expire", "delegation", "DNSSEC"}
    assert {"registry", "tier", "key", "writer", "record TTL", *zone} == set(checks)
    assert (0, True) == (done.returncode, told["ok"]), done.stdout
    assert ("ok", "ours, last written by enactor-a") == (checks["writer"]["level"], checks["writer"]["there"])
    assert all(item["fix"] for item in told["findings"] if item["level"] != "ok")
    assert (
        "ok      compare and swap  outlast-prove-cas.example.com at primary: a stale write was refused" in proved.stdout
    )
    assert (2, True) == (refused.returncode, "--resolver 9.9.9.9:dns: write a server as ADDRESS" in refused.stderr)


def test_a_provider_that_was_not_frozen(world: World) -> None:
    """Freeze lists a provider it could not reach as NOT FROZEN and leaves with 1."""
    world.settle()
    world.stop(world.nameserver)
    done = world.run("freeze", "--all", "--apply")

    assert (1, True) == (done.returncode, "NOT FROZEN: db.example.com at primary" in done.stdout.splitlines())


def test_break_glass_with_nothing_else(world: World) -> None:
    """With address, zone and key alone, break-glass writes and holds; its dry run does not."""
    world.settle()
    (world.folder / "outlast.toml").unlink()
    (world.folder / "outlast.db").unlink()
    given = (
        "break-glass", "db.example.com", "--address", "192.0.2.7", "--ttl", "9", "--json", "--server", "127.0.0.1",
        "--port", str(world.port), "--zone", "example.com", "--key-file", KEY,
    )  # fmt: skip
    dry = json.loads(world.run(*given).stdout)["places"][0]
    after_dry = world.addresses()
    done = world.run(*given, "--apply")
    written = json.loads(done.stdout)["places"][0]

    assert ("dry run", list(BOTH), 0, "written", ["192.0.2.7"]) == (
        dry["outcome"],
        after_dry,
        done.returncode,
        written["outcome"],
        world.addresses(),
    )
    assert dry["writes"] == written["writes"]
    assert (True, True, False) == (
        " gen=2 " in written["writes"]["sentinel"],
        " st=held by=break-glass/" in written["writes"]["sentinel"],
        written["registry"],
    )


def test_break_glass_on_a_name_without_a_sentinel(world: World) -> None:
    """Where no sentinel says the realm, break-glass asks for it; given, it creates the name."""
    given = (
        "break-glass", "new.example.com", "--address", "192.0.2.7", "--apply", "--server", "127.0.0.1",
        "--port", str(world.port), "--zone", "example.com", "--key-file", KEY,
    )  # fmt: skip
    asked = world.run(*given)
    done = world.run(*given, "--realm", "shop")

    assert (1, True, 0) == (asked.returncode, "--realm" in asked.stderr, done.returncode)


def test_a_configured_break_glass_is_recorded(world: World) -> None:
    """With a configuration the hold is in the record too, so that an enactor puts a lost sentinel back as held."""
    done = world.run("break-glass", "db.example.com", "--address", "192.0.2.7", "--apply")
    status = world.status()

    assert (0, "held", [["A", 5, ["192.0.2.7"]]]) == (done.returncode, status["agreement"], status["record"]["sets"])


def test_the_janitor_holds_no_key(world: World) -> None:
    """Without the key's file the janitor runs, because it holds no credential that can change DNS; an enactor does not."""
    (world.folder / "tsig.key").unlink()
    janitor = world.start("janitor", "run", "--name", "j")
    log = world.folder / "janitor-run.log"
    wait_for(lambda: "started" in log.read_text())
    refused = world.run("enactor", "run", "--name", "e")

    assert (0, 2) == (world.stop(janitor), refused.returncode)
    assert "the key file cannot be read: No such file or directory" in refused.stderr


def test_taking_over_an_alias(world: World) -> None:
    """Without --take-over break-glass refuses a name that is not ours; with it an alias is replaced by addresses."""
    server = world.start(
        "nameserver", "serve", "--zone", "example.org", "--key-file", KEY, "--listen", "127.0.0.1:0", "--route53-aliases"
    )  # fmt: skip
    assert server.stdout is not None
    port = int(server.stdout.readline().rsplit(":", 1)[1])
    name, algorithm, secret = KEY.split(":")
    update = dns.update.UpdateMessage("example.org", keyring=dns.tsig.Key(name, secret, algorithm))
    update.add("tree", 5, "A", "192.0.2.1")
    alias = dns.name.from_text("tree.example.org").to_digestable().hex()
    update.add("db", 5, dns.rdatatype.from_text("TYPE65280"), rf"\# {len(alias) // 2} {alias}")
    assert dns.rcode.NOERROR == dns.query.tcp(update, "127.0.0.1", port=port, timeout=2).rcode()
    given = (
        "break-glass", "db.example.org", "--address", "192.0.2.7", "--apply", "--server", "127.0.0.1",
        "--port", str(port), "--zone", "example.org", "--key-file", KEY, "--realm", "shop",
    )  # fmt: skip
    refused = world.run(*given)
    done = world.run(*given, "--take-over", "--json")
    place = json.loads(done.stdout)["places"][0]

    assert (1, True) == (refused.returncode, "add --take-over" in refused.stdout)
    assert (0, [["TYPE65280"], ["A"]]) == (
        done.returncode,
        [[item[0] for item in place[key]["sets"]] for key in ("there", "writes")],
    )
