"""A hold at a provider of tier T3 is not lost to an enactor that writes in the same moment: on a real PowerDNS."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from servers.powerdns import API_KEY
from servers.relay import HttpRelay
from zone_world import OPEN, TIMEOUT, Place, addresses, fresh

from outlast.cli.hold import Hand, Unguarded, drive_all, pace_of
from outlast.config.parse import load
from outlast.config.run import run_enactor
from outlast.config.settings import Settings
from outlast.config.turns import HAND, lease_of
from outlast.errors import Unavailable
from outlast.registry.memory import MemoryRegistry
from outlast.traffic.content import Content
from outlast.traffic.hold_state import Command, HoldState, Phase
from outlast.traffic.lease import NOBODY
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.ports import Lease
from outlast.traffic.sentinel import Sentinel, Standing, parse

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def weak(yard: Any) -> Place:
    """PowerDNS by its HTTP API."""
    place = yard.place("powerdns-api")
    assert isinstance(place, Place)
    return place


class Scene:
    """One endpoint at PowerDNS, an enactor that reaches it through a relay, and a person who does not."""

    def __init__(self, place: Place, folder: Path, port: int) -> None:
        self.endpoint, self.place = fresh(), place
        (folder / "api.key").write_text(API_KEY)
        (folder / "outlast.toml").write_text(f"""
            realm = "test"
            [registry]
            kind = "sqlite"
            path = "unused.db"
            [provider.p]
            kind = "powerdns"
            address = "{place.address}"
            port = {place.port}
            zones = ["{OPEN}"]
            url = "http://127.0.0.1:{port}"
            key_secret_file = "api.key"
            timeout = "10s"
            [enactor]
            interval = "100ms"
            stand_back = "0s"
            [endpoint."{self.endpoint}".targets]
            east = ["192.0.2.1"]
        """)
        self.settings: Settings = load(folder / "outlast.toml")
        self.registry = Registry()

    async def publish(self, generation: int, content: Content) -> None:
        entry = Entry(endpoint=self.endpoint, generation=generation, content=content)
        plan = Plan(realm="test", generation=generation, entries=(entry,))
        assert await self.registry.publish(plan, after=generation - 1)

    async def sentinel(self) -> Sentinel | None:
        seen = parse((await self.place.provider().read(self.endpoint)).sentinel)
        return seen if isinstance(seen, Sentinel) else None

    async def until(self, gen: int) -> None:
        """Wait until the endpoint has that generation."""
        while True:
            seen = await self.sentinel()
            if seen is not None and seen.gen >= gen:
                return
            await asyncio.sleep(0.05)

    async def act(self, command: Command, content: Content | None = None) -> tuple[HoldState, Unguarded]:
        """What a person's command does."""
        state = HoldState(command, f"{command}/ann", "test", "p", self.endpoint, content=content)
        hand = Hand(
            registry=self.registry, providers={"p": self.place.provider()}, apply=True, pace=pace_of(self.settings)
        )
        ((end,), unguarded) = await drive_all((state,), hand)
        return end, unguarded


class Registry(MemoryRegistry):
    """A registry that can be away for leases."""

    is_away = False

    async def lease(self, name: str) -> Lease | None:
        if self.is_away:
            raise Unavailable("the registry is away")
        return await super().lease(name)


@contextlib.asynccontextmanager
async def playing(place: Place, folder: Path) -> AsyncIterator[tuple[Scene, HttpRelay]]:
    """A scene in which the first plan was applied, and the enactor goes on."""
    async with (
        asyncio.timeout(4 * TIMEOUT),
        HttpRelay(place.address, int(place.url.rpartition(":")[2])).running() as relay,
    ):
        scene = Scene(place, folder, relay.port)
        await scene.publish(1, addresses("192.0.2.1"))
        given_back = Lease(lease_of("p"), NOBODY, 1, 0)  # so that nobody waits for it
        assert await scene.registry.swap_lease(given_back, seen=None)
        stop = asyncio.Event()
        role = run_enactor(scene.settings, name="a", registry=scene.registry, stop=stop, tell=lambda _: None)
        running = asyncio.create_task(role)
        try:
            await scene.until(1)
            yield scene, relay
        finally:
            stop.set()
            relay.release()
            await running


async def taken_by_hand(scene: Scene) -> None:
    while True:
        row = await scene.registry.lease(lease_of("p"))
        if row is not None and row.holder.startswith(HAND):
            return
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("command", "content", "gen"),
    [
        pytest.param(Command.FREEZE, None, 2, id="freeze"),
        pytest.param(Command.BREAK_GLASS, addresses("192.0.2.7"), 3, id="break-glass"),
    ],
)
def test_a_hold_set_while_an_enactor_writes_stands(
    weak: Place, tmp_path: Path, command: Command, content: Content | None, gen: int
) -> None:
    """The enactor's PATCH is on its way when the person comes: the hand waits for it to land, and is not undone."""

    async def play() -> tuple[bool, HoldState, Unguarded, Sentinel | None]:
        async with playing(weak, tmp_path) as (scene, relay):
            relay.hold()
            relay.held.clear()
            await scene.publish(2, addresses("192.0.2.1", "192.0.2.2"))
            await relay.held.wait()
            acting = asyncio.create_task(scene.act(command, content))
            await taken_by_hand(scene)
            await asyncio.sleep(1.0)  # the enactor makes several passes
            early = acting.done()
            relay.release()
            end, unguarded = await acting
            await asyncio.sleep(1.0)
            return early, end, unguarded, await scene.sentinel()

    early, end, unguarded, seen = asyncio.run(play())

    assert (False, Phase.DONE, {}) == (early, end.phase, unguarded)
    assert seen is not None
    assert (Standing.HELD, gen, f"{command}/ann") == (seen.standing, seen.gen, seen.by)


def test_enactors_go_on_after_a_hand(weak: Place, tmp_path: Path) -> None:
    """Frozen and thawed, the endpoint follows the next plan at once: the lease was given back."""

    async def play() -> Sentinel | None:
        async with playing(weak, tmp_path) as (scene, _):
            await scene.act(Command.FREEZE)
            await scene.act(Command.THAW)
            await scene.publish(2, addresses("192.0.2.1", "192.0.2.2"))
            await scene.until(2)
            return await scene.sentinel()

    seen = asyncio.run(play())

    assert seen is not None
    assert (Standing.LIVE, 2) == (seen.standing, seen.gen)


def test_with_the_registry_away_a_hold_is_set_and_said_to_be_unguarded(weak: Place, tmp_path: Path) -> None:
    """A person goes on without the registry, at once, and is told what nobody guards."""

    async def play() -> tuple[HoldState, Unguarded, Sentinel | None]:
        async with playing(weak, tmp_path) as (scene, _):
            scene.registry.is_away = True
            end, unguarded = await scene.act(Command.FREEZE)
            return end, unguarded, await scene.sentinel()

    end, unguarded, seen = asyncio.run(play())

    assert (Phase.DONE, True) == (end.phase, "the registry is away" in unguarded["p"])
    assert seen is not None
    assert Standing.HELD is seen.standing
