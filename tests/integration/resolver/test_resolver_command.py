"""`outlast resolver ask` and `forget`: what they print and how they end."""

import json
from pathlib import Path
from typing import Any

import pytest

from outlast.cli import resolver as command
from outlast.errors import InvalidConfig, ResolutionFailed
from outlast.testing.scripted_dns import ScriptedDns

NAME = "db.example.com"


def config(folder: Path, dns: ScriptedDns, *, store: str = 'store = "known"') -> Path:
    path = folder / "outlast.toml"
    path.write_text(
        f'[resolver]\nupstreams = ["{dns.address}"]\n{store}\n'
        f'[resolver.names."*.example.com"]\nmode = "protect"\nverify = "none"\n'
    )
    return path


def run(*arguments: Any) -> int:
    """Run a command as the command line does, but for how errors are printed."""
    try:
        status = command.app([str(argument) for argument in arguments], standalone_mode=False)
    except SystemExit as error:
        status = error.code
    return status or 0


def test_addresses_with_their_origin(dns: ScriptedDns, capsys: pytest.CaptureFixture[str]) -> None:
    """The addresses come first, a line each, then source, age and reason."""
    status = run("ask", NAME, "--upstream", dns.address)

    assert 0 == status
    assert ["127.0.0.1", f"upstream, 0.0 s old: {dns.address} answered"] == capsys.readouterr().out.splitlines()


def test_json_is_a_contract(dns: ScriptedDns, capsys: pytest.CaptureFixture[str]) -> None:
    """The fields of an answer, and of a failure, have names that stay."""
    run("ask", NAME, "--upstream", dns.address, "--json")
    answer = json.loads(capsys.readouterr().out)
    status = run("ask", "gone.example.com", "--upstream", dns.address, "--json")
    failure = json.loads(capsys.readouterr().out)

    assert ["name", "addresses", "source", "age", "reason", "ede"] == list(answer)
    assert (1, ["name", "addresses", "reason", "trail"]) == (status, list(failure))


def test_a_failure_shows_what_was_tried(dns: ScriptedDns, capsys: pytest.CaptureFixture[str]) -> None:
    """The trail goes to stderr, before the error that ends the command."""
    with pytest.raises(ResolutionFailed, match="NXDOMAIN"):
        run("ask", "gone.example.com", "--upstream", dns.address)

    assert f"{dns.address} A: NXDOMAIN" in capsys.readouterr().err


def test_the_store_is_shared_and_can_forget(
    dns: ScriptedDns, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What one run learnt, the next answers in an outage, until it is told to forget."""
    path = config(tmp_path, dns)
    run("ask", NAME, "-c", path)
    dns.set(NAME, "nodata")
    run("ask", NAME, "-c", path)
    during = capsys.readouterr().out
    run("forget", NAME, "-c", path)
    run("forget", NAME, "-c", path)

    assert "last-known-good" in during
    assert [f"{NAME} is forgotten", f"{NAME} was not known"] == capsys.readouterr().out.splitlines()
    with pytest.raises(ResolutionFailed, match="NODATA"):
        run("ask", NAME, "-c", path)


def test_what_cannot_be_done_says_what_lifts_it(dns: ScriptedDns, tmp_path: Path) -> None:
    """No file, no store, or a wrong upstream are refused in words."""
    with pytest.raises(InvalidConfig, match="there is no such file"):
        run("ask", NAME, "-c", tmp_path / "missing.toml")
    with pytest.raises(InvalidConfig, match="not ADDRESS:PORT"):
        run("ask", NAME, "--upstream", "dns.example.com")
    with pytest.raises(InvalidConfig, match="names no store"):
        run("forget", NAME, "-c", config(tmp_path, dns, store=""))
