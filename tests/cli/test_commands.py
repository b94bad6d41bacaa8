"""What every command owes a person at a terminal, without any world around it."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from command_world import Run

COMMANDS = [
    (),
    ("init",),
    ("up",),
    ("status",),
    ("freeze",),
    ("thaw",),
    ("retire",),
    ("adopt",),
    ("break-glass",),
    ("planner", "run"),
    ("enactor", "run"),
    ("janitor", "run"),
    ("prober", "run"),
    ("nameserver", "serve"),
    ("drill",),
]
LONG = "x" * 49


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_an_example_and_exit_statuses(run: Run, command: tuple[str, ...]) -> None:
    """Every help shows lines to paste that begin with the command itself, and says what the exit status means."""
    done = run(*command, "--help")
    example = f"  {' '.join(('outlast', *command))}"

    assert (0, True, True) == (done.returncode, example in done.stdout, "Exit status: 0" in done.stdout)


def test_version(run: Run) -> None:
    """`--version` prints name and version."""
    assert "outlast 0.1.0\n" == run("--version").stdout


def test_starting_needs_neither_dns_nor_adapters() -> None:
    """What `--help` and break-glass import contains neither a DNS library, nor SQLite, nor a table printer."""
    code = "import sys, outlast.cli.app; print(sorted({'dns', 'sqlite3', 'rich', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]\n" == done.stdout


def test_without_the_extra(tmp_path: Path) -> None:
    """Where the command line's libraries are missing, one line says what to install."""
    (tmp_path / "typer.py").write_text("raise ModuleNotFoundError('no typer', name='typer')\n")
    done = subprocess.run(
        [sys.executable, "-m", "outlast.cli"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (1, "outlast: the commands are not installed; pip install 'outlast[cli]'\n") == (
        done.returncode,
        done.stderr,
    )


def test_init_writes_once(run: Run, tmp_path: Path) -> None:
    """`init` writes a file, refuses to overwrite it, and does so when told to."""
    first = run("init").returncode
    (tmp_path / "outlast.toml").write_text("mine")
    second = run("init")
    kept = (tmp_path / "outlast.toml").read_text()
    third = run("init", "--force").returncode

    expected = (0, 1, "outlast: outlast.toml is there already\n  add --force to overwrite it\n", "mine", 0)
    assert expected == (first, second.returncode, second.stderr, kept, third)


@pytest.mark.parametrize(
    "command",
    [
        ("up",),
        ("status",),
        ("freeze", "--all"),
        ("thaw", "--all"),
        ("planner", "run"),
        ("enactor", "run"),
        ("janitor", "run"),
        ("prober", "run"),
        ("break-glass", "db.example.com", "--address", "192.0.2.1"),
    ],
    ids=" ".join,
)
def test_a_missing_configuration(run: Run, command: tuple[str, ...]) -> None:
    """Without a configuration every command says how to get one, with status 2 and no traceback."""
    done = run(*command)

    expected = (2, "outlast: outlast.toml: there is no such file; write one with: outlast init\n")
    assert expected == (done.returncode, done.stderr)


def test_every_fault_is_a_line(run: Run, tmp_path: Path) -> None:
    """All faults of a configuration are printed, one in each line."""
    (tmp_path / "o.toml").write_text("relam = 1\n")
    done = run("status", OUTLAST_CONFIG="o.toml")
    lines = done.stderr.splitlines()

    assert (2, True) == (done.returncode, len(lines) > 3)
    assert all(line.startswith("outlast: o.toml: ") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("enactor", "run", "--name", LONG),
            f"outlast: --name {LONG}: write up to 48 letters, digits, dots, dashes or underscores in quotes",
        ),
        (
            ("up", "--name", LONG),
            f"outlast: --name {LONG}: write up to 48 letters, digits, dots, dashes or underscores in quotes",
        ),
    ],
)
def test_wrong_arguments(run: Run, arguments: tuple[str, ...], line: str) -> None:
    """A wrong argument is named, with what to write instead."""
    run("init")
    done = run(*arguments)

    assert (2, line) == (done.returncode, done.stderr.splitlines()[0])


def test_status_into_a_pipe_breaks_nothing(run: Run, tmp_path: Path) -> None:
    """Where stdout is no terminal an endpoint is one line, however long, so that grep finds it and all of it."""
    run("init")
    (tmp_path / "tsig.key").write_text("b3V0bGFzdCBjb250cmFjdCB0ZXN0cyBvbmx5ISEhISE=")
    unreached = 'key_name = "outlast."\naddress = "127.0.0.1"\nport = 1\ntimeout = "50ms"'
    file = tmp_path / "outlast.toml"
    file.write_text(file.read_text().replace('address = "192.0.2.53"', unreached, 1))
    done = run("status", COLUMNS="40")
    found = [line for line in done.stdout.splitlines() if "db.example.com" in line]

    assert (3, 1, 3) == (done.returncode, len(found), len(done.stdout.splitlines())), done.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--address", "localhost"), "outlast: --address localhost: not an IPv4 or IPv6 address"),
        (("--ttl", "5"), "outlast: write either --address, once or more, or --cname"),
        (("--address", "192.0.2.1", "--cname", "lb.example.net"), "outlast: write either --address, once or more, or"),
        (("--cname", "lb"), "outlast: --cname lb: not a host name: write the whole name, with its domain"),
        (("--cname", "DB.example.com."), "outlast: --cname DB.example.com.: that is the endpoint itself"),
        (
            ("--server", "x", "--zone", "example.com", "--key-file", "k:hmac-sha256:eA=="),
            "outlast: --server x: write an IP",
        ),
        (("--server", "127.0.0.1"), "outlast: --zone is missing: --server, --zone and --key-file go together"),
        (
            ("--server", "127.0.0.1", "--zone", "example.com", "--key-file", "none.key"),
            "outlast: none.key: the key file cannot be read: No such file or directory",
        ),
    ],
)
def test_wrong_break_glass(run: Run, arguments: tuple[str, ...], line: str) -> None:
    """Break-glass names what is wrong with its options, without looking for a configuration that it does not need."""
    run("init")
    given = arguments if {"--address", "--cname", "--ttl"} & set(arguments) else ("--address", "192.0.2.1", *arguments)
    done = run("break-glass", "db.example.com", *given)

    assert (2, line) == (done.returncode, done.stderr[: len(line)])


@pytest.mark.parametrize(
    ("resolver", "fix"),
    [
        ("nope", "write an IP address such as 192.0.2.53; a name would need the DNS that is down"),
        ("1.2", "write an IP address such as 192.0.2.53; a name would need the DNS that is down"),
        ("nope:53", "write an IP address such as 192.0.2.53; a name would need the DNS that is down"),
        ("192.0.2.1:0", "write a server as ADDRESS:PORT, or ADDRESS for port 53"),
        ("[::1]:65536", "write a server as ADDRESS:PORT, or ADDRESS for port 53"),
        (":53", "write a server as ADDRESS:PORT, or ADDRESS for port 53"),
    ],
)
def test_wrong_resolver_of_doctor(run: Run, resolver: str, fix: str) -> None:
    """A resolver that is no address is one line with the option and what to write, before anything is looked at."""
    run("init")
    done = run("doctor", "--resolver", resolver)

    assert (2, "", f"outlast: --resolver {resolver}: {fix}\n") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--listen", "5353"), "outlast: --listen 5353: write ADDRESS:PORT such as 127.0.0.1:5353 or [::1]:5353"),
        (("--zone-file", "b=x"), "outlast: --zone-file b=x: write a=FILE, with a zone that --zone names"),
        (("--allow", "here"), "outlast: --allow: 'here' does not appear to be an IPv4 or IPv6 network"),
        (("--key-file", "k:hmac-md5:eA=="), "outlast: the key: algorithm 'hmac-md5': write one of hmac-sha1"),
    ],
)
def test_wrong_nameserver(run: Run, arguments: tuple[str, ...], line: str) -> None:
    """The name server names what is wrong with its options."""
    done = run("nameserver", "serve", "--zone", "a", *arguments)

    assert (2, line) == (done.returncode, done.stderr[: len(line)])


def test_a_taken_port(run: Run) -> None:
    """A port that somebody else has is a line and a hint, with status 1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("nameserver", "serve", "--zone", "a", "--listen", f"127.0.0.1:{port}")

    expected = f"outlast: cannot listen on 127.0.0.1 port {port}: Address already in use\n"
    assert (1, expected, False) == (
        done.returncode,
        done.stderr.splitlines(keepends=True)[0],
        "Traceback" in done.stderr,
    )


def test_doctor_refuses_a_registry_that_needs_what_it_repairs(run: Run, tmp_path: Path) -> None:
    """A registry under a name that the plan keeps alive is gone when it is needed: the circle is printed, with the fix."""
    run("init")
    file = tmp_path / "outlast.toml"
    text = file.read_text().replace(
        'path = "outlast.db"', 'path = "outlast.db"\ndepends_on = ["files.example.net", "db.example.com"]', 1
    )
    file.write_text(text.replace('key_secret_file = "tsig.key"', 'key_secret_file = "tsig.key"\ntimeout = "50ms"', 1))
    (tmp_path / "tsig.key").write_text("b3V0bGFzdCBjb250cmFjdCB0ZXN0cyBvbmx5ISEhISE=")
    file.write_text(
        file.read_text().replace('address = "192.0.2.53"', 'address = "127.0.0.1"\nport = 1\nkey_name = "outlast."', 1)
    )
    done = run("doctor", "--json")
    circles = [
        item
        for item in json.loads(done.stdout)["findings"]
        if "db.example.com" in item["there"] and item["level"] == "FAIL"
    ]

    assert 1 == done.returncode
    assert ["registry"] == [item["check"].split()[0] for item in circles], done.stdout
    assert all(item["fix"] for item in circles)
