"""The servers that come with packages of their own: without them a test is left out, visibly, and in CI it fails."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import pytest
from servers import bind, knot, powerdns


class Peer(NamedTuple):
    """A server, and what to install for it."""

    program: str
    packages: str
    is_installed: Callable[[], bool]
    start: Callable[..., AbstractContextManager[Any]]


PEERS = {
    "bind": Peer("named", "bind9", bind.is_installed, bind.bind),
    "knot": Peer("knotd", "knot", knot.is_installed, knot.knot),
    "powerdns": Peer("pdns_server", "pdns-server pdns-backend-sqlite3", powerdns.is_installed, powerdns.powerdns),
}


def demand(name: str) -> None:
    """Skip the test if the server is not installed; with `CI=true` fail it."""
    peer = PEERS[name]
    if peer.is_installed():
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{peer.program} not found, and CI=true leaves nothing out: apt install {peer.packages}")
    pytest.skip(f"{peer.program} not found: PEERS=install make test, or apt install {peer.packages}")
