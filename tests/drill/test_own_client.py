"""A user's function in the process that calls it: what it is given, how it resolves names, blocking or not."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outlast.drill.load.own_kind import rule_of
from outlast.resolver.options import Protect, ResolverOptions, Rule, Stale, Strict
from outlast.testing import ScriptedDns

NAME = "db.east.test"
SYNC = """
import socket

def buy(base_url, deadline):
    place = base_url.removeprefix("http://").split(":")
    with socket.create_connection((place[0], int(place[1])), timeout=deadline) as connection:
        assert connection.recv(2) == b"ok"
"""
ASYNC = """
import asyncio

async def buy(base_urls, resolver):
    host, port = base_urls[0].removeprefix("http://").split(":")
    assert "127.0.0.1" in (await resolver.aresolve(host)).addresses
    reader, writer = await asyncio.open_connection(host, int(port))
    assert await reader.read(2) == b"ok"
    writer.close()
"""
ELSEWHERE = """
import socket

def buy(**offered):
    assert set(offered) == {"base_url", "base_urls", "resolver", "deadline"}
    socket.getaddrinfo("db.example.com", 80)
"""


@pytest.fixture
def port() -> Iterator[int]:
    """A service that says `ok` to whoever connects."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    if not connection.send(b"ok"):
                        return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def calls(folder: Path, source: str, *, port: int, config: str | None = None) -> list[dict[str, Any]]:
    """The lines of the calls that a group made in a second, with DNS that knows one name."""
    (folder / "shop.py").write_text(source)
    if config is not None:
        (folder / "outlast.toml").write_text(config)
    told = {"client": "shop:buy", "folder": str(folder), "config": str(folder / "outlast.toml") if config else None}
    (folder / "own.json").write_text(json.dumps(told))
    with ScriptedDns() as dns:
        dns.serve(NAME, ["127.0.0.1"], ttl=1)
        options = {
            "group": "buy",
            "kind": "own",
            "output": str(folder / "buy.jsonl"),
            "names": [NAME],
            "regions": ["us-east-1"],
            "nameserver": ["127.0.0.1", dns.port],
            "port": port,
            "seconds": 1.0,
            "write_share": 0.0,
            "folder": str(folder),
        }
        (folder / "buy.json").write_text(json.dumps(options))
        command = [sys.executable, "-m", "outlast.drill.load", str(folder / "buy.json")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stderr is not None
                said = process.stderr.read()
                assert 0 == process.wait(30), said
            finally:
                process.kill()
    lines = [json.loads(line) for line in (folder / "buy.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == "call"]


@pytest.mark.slow
@pytest.mark.parametrize("source", [SYNC, ASYNC], ids=["def", "async def"])
def test_a_function_is_answered_by_the_drills_names(tmp_path: Path, port: int, source: str) -> None:
    """Blocking or not, through its own libraries: every call is answered, and known to have resolved."""
    made = calls(tmp_path, source, port=port)

    assert 20 == len(made)
    assert [] == [call["error"] for call in made if not (call["ok"] and call["resolved"])]


@pytest.mark.slow
def test_names_of_anywhere_else_do_not_resolve(tmp_path: Path, port: int) -> None:
    """Nobody outside of the drill is asked for, let alone called; a function that takes everything is given everything."""
    made = calls(tmp_path, ELSEWHERE, port=port)

    assert {"gaierror"} == {call["error"] for call in made}


@pytest.mark.slow
def test_a_configuration_gives_the_resolver_its_rule(tmp_path: Path, port: int) -> None:
    """Its own upstreams, which nobody answers, are not asked."""
    config = '[resolver]\nupstreams = ["127.0.0.1:1"]\n[resolver.names."*.shop.example"]\nmode = "protect"\nverify = "tls:443"\n'
    made = calls(tmp_path, ASYNC, port=port, config=config)

    assert [] == [call["error"] for call in made if not call["ok"]]


def test_the_rule_is_the_first_that_protects() -> None:
    """Otherwise it is the default: the drill's names fit no pattern of the user's."""
    guarded = Protect(verify="tls:443", keep="2h")
    names: dict[str, Rule] = {"a.example": Strict(), "*.b.example": guarded, "c.example": Protect(verify="none")}

    assert guarded == rule_of(ResolverOptions(names=names))
    assert Stale() == rule_of(ResolverOptions(names={"a.example": Strict()}))
