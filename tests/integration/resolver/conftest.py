"""What the resolver's tests share: scripted upstreams, and the machine's clocks with time that can be let pass."""

import time
from collections.abc import Iterator

import pytest

from outlast.testing.scripted_dns import ScriptedDns

NAME = "db.example.com"
DELAY = 0.3
"""Seconds that `slow` means; between the patience and the deadline of the tests that use it."""


class Clock:
    """The machine's clocks, ahead by what a test let pass: what a cache would wait for takes no time."""

    def __init__(self) -> None:
        self._ahead = 0

    def now(self) -> int:
        return time.monotonic_ns() + self._ahead

    def wall(self) -> int:
        return time.time_ns() + self._ahead

    def let_pass(self, seconds: float) -> None:
        self._ahead += int(seconds * 1e9)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dns() -> Iterator[ScriptedDns]:
    with ScriptedDns(delay=DELAY) as server:
        server.serve(NAME, ["127.0.0.1"], ttl=2)
        yield server


@pytest.fixture
def second() -> Iterator[ScriptedDns]:
    with ScriptedDns(delay=DELAY) as server:
        server.serve(NAME, ["127.0.0.1"], ttl=2)
        yield server
