"""A name that nobody knows is a wrong command line: status 2, as every help says, and the nearest name that there is."""

from pathlib import Path

import pytest
from command_world import Run

from outlast.cli.names import SHOWN_MAX, listed

TYPO = "db.exmaple.com"
UNKNOWN = f"outlast: no such endpoint in outlast.toml: {TYPO}; did you mean 'db.example.com'?"
THERE = "  there are: db.example.com"
REGIONS = "  regions: us-east-1, us-west-2"
TARGETS = "  targets: 192.0.2.1, 192.0.2.2, 198.51.100.1"
STANDING = "  outlast plan show lists those that do"


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (("status", TYPO), [UNKNOWN, THERE]),
        (("freeze", TYPO), [UNKNOWN, THERE]),
        (("thaw", TYPO, "--apply"), [UNKNOWN, THERE]),
        (("adopt", TYPO), [UNKNOWN, THERE]),
        (("retire", TYPO), [UNKNOWN, THERE]),
        (("plan", "rollback", "1", TYPO), [UNKNOWN, THERE]),
        (("pin", TYPO, "192.0.2.1"), [UNKNOWN, THERE]),
        (("evacuate", "us-east-1", "--endpoint", TYPO), [UNKNOWN, THERE]),
        (("freeze",), ["outlast: name the endpoints, or say --all", "  outlast status lists them"]),
        (("freeze", "--all", "x"), ["outlast: name the endpoints, or say --all", "  outlast status lists them"]),
        (("plan", "rollback", "1"), ["outlast: name the endpoints, or say --all", "  outlast status lists them"]),
        (("evacuate", "mars"), ["outlast: no region and no target 'mars' in outlast.toml", REGIONS]),
        (
            ("evacuate", "us-eest-1"),
            ["outlast: no region and no target 'us-eest-1' in outlast.toml; did you mean 'us-east-1'?", REGIONS],
        ),
        (
            ("evacuate", "us-eest-1", "--undo"),
            [
                "outlast: no such order stands, and 'us-eest-1' is not in outlast.toml; did you mean 'us-east-1'?",
                STANDING,
            ],
        ),
        (("pin", "db.example.com"), ["outlast: name the targets, or say --undo", TARGETS]),
        (
            ("pin", "db.example.com", "192.0.2.22"),
            [
                "outlast: no target of db.example.com: 192.0.2.22; did you mean '192.0.2.2'?",
                f"{TARGETS}; for others use break-glass",
            ],
        ),
        (
            ("break-glass", "db.example.con", "--address", "192.0.2.7"),
            [
                "outlast: no provider in outlast.toml has a zone for db.example.con; did you mean 'db.example.com'?",
                "  or name --server, --zone, --key-file",
            ],
        ),
        (
            ("route53", "leave", "us-east-1"),
            ["outlast: no name is over us-east-1 and another region in outlast.toml", "  names: none"],
        ),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, tuple) else "",
)
def test_an_unknown_name(run: Run, arguments: tuple[str, ...], lines: list[str]) -> None:
    """Each command leaves with 2, and says what it does not know, what was perhaps meant, and what there is."""
    run("init")
    done = run(*arguments)

    assert (2, "", lines) == (done.returncode, done.stdout, done.stderr.splitlines())


@pytest.mark.parametrize("arguments", [("evacuate", "us-east-1", "--undo"), ("pin", "db.example.com", "--undo")])
def test_a_known_name_without_an_order(run: Run, arguments: tuple[str, ...]) -> None:
    """What is spelt right and does not stand is no wrong command line: status 1."""
    run("init")
    done = run(*arguments)

    assert (1, ["outlast: no such order stands", STANDING]) == (done.returncode, done.stderr.splitlines())


@pytest.mark.parametrize(("arguments", "status"), [(("thaw", TYPO), 1), (("status", TYPO), 3)])
def test_a_name_that_the_registry_alone_may_know(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], status: int
) -> None:
    """With the registry out of reach nobody can tell that such a name is wrong, and nobody says so."""
    run("init")
    (tmp_path / "outlast.db").mkdir()
    done = run(*arguments)
    words = f"outlast: {TYPO} is not in outlast.toml, and the registry was not reached: "

    assert (status, words) == (done.returncode, done.stderr[: len(words)])


def test_many_names_are_not_all_listed() -> None:
    """As many as a person reads, and how many more."""
    names = [f"n{number}" for number in range(SHOWN_MAX + 2)]

    assert (", ".join(names[:SHOWN_MAX]), True) == (listed(names[:SHOWN_MAX]), listed(names).endswith("n19 and 2 more"))
