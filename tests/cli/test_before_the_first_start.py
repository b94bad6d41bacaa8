"""Where no role has run yet there is no registry: what reads makes none, says so, and does what can be done without."""

import json

import pytest
from command_world import World

pytestmark = pytest.mark.slow
DB = "db.example.com"
MISSING = "outlast: outlast.toml: [registry] path: no registry yet, there is no file outlast.db"
FIX = "  outlast up, or outlast planner run, makes it; if one runs, its file is another"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("status",), 1),
        (("doctor",), 1),
        (("audit",), 1),
        (("plan", "show"), 1),
        (("plan", "diff", "1"), 1),
        (("plan", "history"), 1),
        (("plan", "rollback", "1", DB, "--apply"), 1),
        (("evacuate", "127.0.0.1"), 0),
        (("pin", DB, "127.0.0.1"), 0),
        (("freeze", DB), 1),
        (("thaw", DB), 1),
        (("adopt", DB), 1),
        (("retire", DB), 1),
        (("break-glass", DB, "--address", "127.0.0.1"), 0),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, tuple) else "",
)
def test_what_reads_leaves_no_file(fresh_world: World, arguments: tuple[str, ...], status: int) -> None:
    """Neither a look nor a dry run makes a registry."""
    done = fresh_world.run(*arguments)

    assert (status, False) == (done.returncode, "Traceback" in done.stderr), done.stdout + done.stderr
    assert [] == list(fresh_world.folder.glob("outlast.db*"))


@pytest.mark.parametrize("arguments", [("audit",), ("plan", "show"), ("plan", "diff", "1"), ("plan", "history")])
def test_what_only_the_registry_knows_is_missing(fresh_world: World, arguments: tuple[str, ...]) -> None:
    """Whoever asks for plans or deeds hears which file is missing, where it is named, and what makes it."""
    done = fresh_world.run(*arguments)

    assert ("", [MISSING, FIX]) == (done.stdout, done.stderr.splitlines())


def test_status_says_what_dns_answers(fresh_world: World) -> None:
    """Status works before the first start, and says beside it that there is no registry."""
    done = fresh_world.run("status", "--json")
    told = json.loads(done.stdout)["endpoints"][0]

    assert ([MISSING, FIX], 0, None) == (done.stderr.splitlines(), told["generation"], told["record"])


def test_doctor_finds_that_there_is_none(fresh_world: World) -> None:
    """A missing registry is a finding with its fix."""
    findings = json.loads(fresh_world.run("doctor", "--json").stdout)["findings"]
    found = [(it["level"], it["there"], it["fix"]) for it in findings if it["check"] == "registry"]

    assert [("warn", MISSING.removeprefix("outlast: "), FIX.strip())] == found


def test_what_applies_makes_it(world: World) -> None:
    """An order that is really given makes the registry, for the planner to find it there."""
    done = world.run("evacuate", "127.0.0.1", "--apply", "--wait", "0")
    shown = world.run("audit")

    assert (0, True) == (done.returncode, "evacuate 127.0.0.1: ordered" in shown.stdout), done.stderr
