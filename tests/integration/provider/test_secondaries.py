"""Read-back by serial on real zone transfers: BIND and Knot as secondaries of a BIND."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

import dns.exception
import pytest
from patience import wait_for
from servers.bind import bind, bind_secondary
from servers.knot import knot_secondary
from servers.peers import demand
from servers.process import free_port
from zone_world import CLOSED, KEY, OPEN, PLACES, SECRET, ZONES, Place, create, fresh

from outlast.errors import Unavailable
from outlast.provider.secondaries import ReadBack, Server, is_at_least, read_back


class World(NamedTuple):
    """A primary, two secondaries that soon ask it for changes, and one that will not ask within the hour."""

    primary: Place
    quick: tuple[Server, ...]
    slow: Server

    def read_back(self, *secondaries: Server) -> tuple[ReadBack, ...]:
        primary = Server(self.primary.address, self.primary.port)
        return asyncio.run(read_back(OPEN, primary=primary, secondaries=secondaries, seconds=10.0))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    demand("bind")
    demand("knot")
    with ExitStack() as stack:
        start, folder = stack.enter_context, tmp_path_factory.mktemp
        first = start(bind(folder("primary"), zones=ZONES, closed=(CLOSED,), key=KEY, secret=SECRET))
        running = (
            start(bind_secondary(folder("quick"), zone=OPEN, primary_port=first.port, refresh=1)),
            start(knot_secondary(folder("knot"), zone=OPEN, primary_port=first.port, refresh=2)),
            start(bind_secondary(folder("slow"), zone=OPEN, primary_port=first.port, refresh=3600)),
        )
        bind_quick, knot_quick, slow = (Server(server.address, server.port) for server in running)
        world = World(PLACES["bind"]._replace(address=first.address, port=first.port), (bind_quick, knot_quick), slow)
        # The first transfer.
        wait_for(lambda: all(item.is_current for item in world.read_back(*world.quick, world.slow)))
        yield world


def test_who_has_a_commit_and_who_has_not_is_told(world: World) -> None:
    """After a commit the secondaries that transferred it are current, and one that did not is behind, with serials."""
    before = world.primary.serial()
    asyncio.run(create(world.primary.provider(), fresh()))
    after = world.primary.serial()
    wait_for(lambda: all(item.is_current for item in world.read_back(*world.quick)))
    *quick, slow = world.read_back(*world.quick, world.slow)

    assert [ReadBack(server, after, is_current=True, detail="") for server in world.quick] == quick
    assert (False, f"serial {slow.serial}, and the primary has {after}") == (slow.is_current, slow.detail)
    assert slow.serial is not None
    assert slow.serial <= before < after


def test_who_says_nothing_useful_is_told(world: World) -> None:
    """A dead address and a server without the zone are not current, each with its reason, and hold up nobody."""
    dead = Server("127.0.0.1", free_port())
    primary = Server(world.primary.address, world.primary.port)
    without = asyncio.run(read_back(CLOSED, primary=primary, secondaries=(dead, world.slow, primary), seconds=10.0))

    assert [(None, False), (None, False), (1, True)] == [(item.serial, item.is_current) for item in without]
    assert [f"127.0.0.1:{dead.port}: connection refused", f"127.0.0.1:{world.slow.port}: REFUSED", ""] == [
        item.detail for item in without
    ]


def test_without_the_primary_nothing_is_told(world: World) -> None:
    """There is nothing to compare with if the primary is silent."""
    with pytest.raises(Unavailable, match="connection refused"):
        asyncio.run(read_back(OPEN, primary=Server("127.0.0.1", free_port()), secondaries=(world.slow,)))


@pytest.mark.parametrize(
    ("serial", "wanted", "expected"),
    [
        (5, 5, True),
        (6, 5, True),
        (5, 6, False),
        (0, 2**32 - 1, True),
        (2**32 - 1, 0, False),
        (2**31 - 1, 0, True),
        (2**31, 0, False),
        (0, 2**31, False),
        (2**31 + 1, 0, False),
    ],
)
def test_serials_go_round(serial: int, wanted: int, *, expected: bool) -> None:
    """Serials are compared on a circle; half-way round is undefined, and then nobody is called current."""
    assert expected == is_at_least(serial, wanted)


def test_a_zone_is_a_name() -> None:
    """What is no domain name is not asked for."""
    with pytest.raises(dns.exception.DNSException):
        asyncio.run(read_back("a..b", primary=Server("127.0.0.1"), secondaries=()))
