"""The copy of what a registry said last: what it answers when the registry does not, and what it never does."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from outlast.errors import Unavailable
from outlast.registry import memory
from outlast.registry.copy_file import HEAD, Copy, Unusable, read_copy, write_copy
from outlast.registry.memory import MemoryRegistry
from outlast.registry.remembered import REST_SECONDS, RememberedRegistry
from outlast.traffic.content import Content
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.ports import AheadReport, Known, Record
from outlast.traffic.sentinel import Sentinel, Standing

DB = "db.example.com"
EAST = Content.of_addresses(["192.0.2.1"], ttl=5)
WEST = Content.of_addresses(["198.51.100.1"], ttl=5)


class Away(MemoryRegistry):
    """A registry that can be switched off, and counts what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.is_down = False
        self.asked = 0

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("_") or not callable(found):
            return found

        async def ask(*args: Any, **options: Any) -> Any:
            self.asked += 1
            if self.is_down:
                raise Unavailable("registry away", hint="wait")
            return await found(*args, **options)

        return ask


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 0

    def now(self) -> int:
        return self.at

    def wall(self) -> int:
        return 0

    def pass_by(self, seconds: float) -> None:
        self.at += int(seconds * 1e9)


class World:
    """A registry with one plan and one record, and what remembers it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.registry = Away()
        self.clock = Hands()
        self.faults: list[str] = []
        self.node = self.restarted()

    def restarted(self) -> RememberedRegistry:
        """The same node, begun anew."""
        return RememberedRegistry(self.registry, self.path, realm="shop", clock=self.clock, on_fault=self.faults.append)

    async def look(self) -> None:
        """What an enactor reads at the beginning of each pass."""
        await self.registry.publish(plan(3), after=0)
        await self.registry.write_record(record(7))
        await self.node.latest_plan()
        await self.node.records()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "enactor.copy")


def plan(generation: int, content: Content = EAST, *, realm: str = "shop") -> Plan:
    entry = Entry(endpoint=DB, generation=generation, content=content)
    return Plan(realm=realm, generation=generation, entries=(entry,))


def record(n: int, content: Content = EAST, *, standing: Standing = Standing.LIVE) -> Record:
    return Record("p", DB, Sentinel("shop", n, 3, content.digest, standing, "one"), content)


def test_while_the_registry_answers_nothing_is_a_copy(world: World) -> None:
    """What the registry says is handed on as it is."""

    async def ask() -> Known:
        await world.look()
        return await world.node.known("p", DB)

    assert Known(3, plan(3).entries[0], record(7)) == asyncio.run(ask())


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_copy_answers_when_the_registry_does_not(world: World, *, is_restarted: bool) -> None:
    """Plan, records and knowledge come from the copy, marked as one, also after a restart of the node."""

    async def ask() -> tuple[object, ...]:
        await world.look()
        world.registry.is_down = True
        node = world.restarted() if is_restarted else world.node
        return await node.latest_plan(), await node.records(), await node.known("p", DB), await node.known("q", DB)

    entry = plan(3).entries[0]
    expected = plan(3), (record(7),), Known(3, entry, record(7), is_copy=True), Known(3, entry, None, is_copy=True)
    assert expected == asyncio.run(ask())


def test_without_a_copy_it_is_as_without_this(world: World) -> None:
    """Who never heard of anything says that the registry is away."""
    world.registry.is_down = True
    for call in (
        world.node.latest_plan,
        world.node.records,
        lambda: world.node.known("p", DB),
        lambda: world.node.find_content(DB, EAST.digest),
    ):
        with pytest.raises(Unavailable, match=r"registry away \(wait\)"):
            asyncio.run(call())


def test_an_unknown_endpoint_is_not_answered_from_the_copy(world: World) -> None:
    """Of a name that the copy does not hold nothing is claimed, not even that nothing is planned."""

    async def ask() -> None:
        await world.look()
        world.registry.is_down = True
        await world.node.known("p", "other.example.com")

    with pytest.raises(Unavailable):
        asyncio.run(ask())


def test_a_write_fails_softly_and_is_kept_here(world: World) -> None:
    """A record that the registry did not get is an error, and its content is found again by its digest."""

    async def ask() -> tuple[object, ...]:
        await world.look()
        world.registry.is_down = True
        with pytest.raises(Unavailable):
            await world.node.write_record(record(8, WEST, standing=Standing.HELD))
        with pytest.raises(Unavailable):
            await world.node.write_record(record(6))
        found = await world.node.find_content(DB, WEST.digest)
        world.registry.is_down = False
        return found, (await world.node.known("p", DB)).record, await world.registry.records()

    kept = record(8, WEST, standing=Standing.HELD)
    assert (WEST, kept, (record(7),)) == asyncio.run(ask())


def test_it_neither_plans_nor_reports_from_the_copy(world: World) -> None:
    """Whatever is not an enactor's reading fails while the registry is away."""

    async def refused(node: RememberedRegistry) -> list[bool]:
        found = []
        for call in (
            node.publish(plan(9), after=3), node.floor(), node.plan(3), node.plans(), node.signals(), node.reports(),
            node.report(AheadReport("p", DB, 9, "9" * 32)), node.drop_reports(()), node.put_signals(()),
            node.tombstone(3, at=1), node.delete_plan(3, keep=1, tombstoned_before=2),
        ):  # fmt: skip
            try:
                await call
            except Unavailable:
                found.append(True)
        return found

    async def ask() -> list[bool]:
        await world.look()
        world.registry.is_down = True
        return await refused(world.node)

    assert [True] * 11 == asyncio.run(ask())


def test_with_the_registry_there_everything_passes_through(world: World) -> None:
    """It is a registry like any other while the one below answers."""

    async def ask() -> tuple[object, ...]:
        node = world.node
        published = await node.publish(plan(3), after=0), await node.publish(plan(4), after=3)
        await node.tombstone(3, at=1)
        await node.report(AheadReport("p", DB, 9, "9" * 32))
        await node.put_signals(())
        reports = await node.reports()
        await node.drop_reports(reports)
        deleted = await node.delete_plan(3, keep=1, tombstoned_before=2)
        return (
            *published, await node.floor(), await node.plan(4), [it.generation for it in await node.plans()], reports,
            await node.reports(), await node.signals(), deleted, await node.write_record(record(1)), await node.records(),
            await node.find_content(DB, EAST.digest),
        )  # fmt: skip

    reports = (AheadReport("p", DB, 9, "9" * 32),)
    expected = (True, True, 4, plan(4), [4], reports, (), (), True, True, (record(1),), EAST)
    assert expected == asyncio.run(ask())


def test_a_registry_that_is_away_is_asked_once_a_second(world: World) -> None:
    """The others answer from the copy at once; when the rest is over it is asked again, and believed."""

    async def ask() -> tuple[object, ...]:
        await world.look()
        world.registry.is_down = True
        await world.node.known("p", DB)
        before = world.registry.asked
        await world.node.known("p", DB)
        world.clock.pass_by(REST_SECONDS - 0.001)
        world.registry.is_down = False
        still = (await world.node.known("p", DB)).is_copy, world.registry.asked - before
        world.clock.pass_by(0.001)
        return *still, (await world.node.known("p", DB)).is_copy

    assert (True, 0, False) == asyncio.run(ask())


def test_no_more_ask_at_a_time_than_it_bears(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of fifty who ask at once two are let through; when it turns out to be away, those who waited do not ask it any more."""
    monkeypatch.setattr(memory, "AT_ONCE", 2)
    node, going, most = world.restarted(), 0, 0

    async def known(provider: str, endpoint: str) -> Known:
        nonlocal going, most
        going, world.registry.asked = going + 1, world.registry.asked + 1
        most = max(most, going)
        await asyncio.sleep(0)
        going -= 1
        if world.registry.is_down:
            raise Unavailable("registry away")
        return Known(3, None, None)

    async def ask() -> tuple[int, int]:
        await world.look()
        await node.latest_plan()
        monkeypatch.setattr(world.registry, "known", known, raising=False)
        await asyncio.gather(*(node.known("p", DB) for _ in range(50)))
        world.registry.is_down, world.registry.asked = True, 0
        copies = await asyncio.gather(*(node.known("p", DB) for _ in range(50)))
        return world.registry.asked, sum(copy.is_copy for copy in copies)

    asked, copies = asyncio.run(ask())

    assert 2 == most
    assert asked <= 4
    assert 50 == copies


def test_a_registry_that_lost_everything_does_not_take_the_copy_along(world: World) -> None:
    """An empty registry is answered as empty, but what was known before stays for when it is away."""

    async def ask() -> tuple[object, ...]:
        await world.look()
        world.registry._shelf = MemoryRegistry()._shelf
        world.registry._plans = {}
        empty = await world.node.latest_plan(), await world.node.records()
        world.registry.is_down = True
        return *empty, await world.node.latest_plan(), await world.node.records()

    assert (None, (), plan(3), (record(7),)) == asyncio.run(ask())


def test_the_file_is_written_only_when_something_changed(world: World) -> None:
    """A pass that read what was read before writes nothing, and one that could not write tries again."""

    async def ask() -> list[int]:
        await world.look()
        first = world.path.stat().st_ino
        await world.look()
        same = world.path.stat().st_ino
        await world.registry.publish(plan(4, WEST), after=3)
        await world.node.latest_plan()
        return [first == same, same == world.path.stat().st_ino]

    assert [True, False] == asyncio.run(ask())


def test_a_disk_that_refuses_is_told_once_and_stops_nothing(world: World) -> None:
    """Where no file can be written the fault is told once, the node goes on, and it is told when it is over."""
    world.path.mkdir()

    async def ask() -> list[str]:
        await world.look()
        await world.look()
        told = list(world.faults)
        world.path.rmdir()
        await world.look()
        return told

    told = asyncio.run(ask())
    assert [f"{world.path} cannot be read: Is a directory", f"{world.path} cannot be written: Is a directory"] == told
    assert "" == world.faults[-1]
    assert plan(3) == read_copy(world.path, realm="shop").plan


def test_the_file_is_private_and_read_back_whole(world: World) -> None:
    """Mode 0600, nothing left beside it, and everything in it again."""
    copy = Copy(plan(3), {("p", DB): record(7)})
    write_copy(world.path, copy, realm="shop")

    assert (0o600, [world.path], copy) == (
        world.path.stat().st_mode & 0o777,
        list(world.path.parent.iterdir()),
        read_copy(world.path, realm="shop"),
    )


def test_a_copy_of_another_realm_holds_nothing(world: World) -> None:
    """A file that another set-up left there is not used."""
    write_copy(world.path, Copy(plan(3), {}), realm="other")

    assert Copy(None, {}) == read_copy(world.path, realm="shop")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda path: path.write_bytes(path.read_bytes().replace(b"192.0.2.1", b"192.0.2.9")), "its checksum is wrong"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "its checksum is wrong"),
        (lambda path: path.write_bytes(b""), "its checksum is wrong"),
        (lambda path: path.write_bytes(signed(b'{"realm": "shop"}')), "is damaged: 'plan'"),
        (lambda path: path.write_bytes(signed(b'{"realm": "shop", "plan": "{}", "records": []}')), "is damaged"),
        (lambda path: path.chmod(0o620), "may be written by others: chmod 600"),
    ],
)
def test_a_file_that_is_not_to_be_trusted_is_not_used(world: World, harm: Any, words: str) -> None:
    """Damage and a file that others may write are told, and the next reading of the registry replaces it."""
    write_copy(world.path, Copy(plan(3), {}), realm="shop")
    harm(world.path)
    with pytest.raises(Unusable, match=words):
        read_copy(world.path, realm="shop")
    asyncio.run(world.look())

    assert (plan(3), 0o600) == (read_copy(world.path, realm="shop").plan, world.path.stat().st_mode & 0o777)


def signed(body: bytes) -> bytes:
    return HEAD + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def test_the_file_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a file may hold is not written, and not read."""
    write_copy(world.path, Copy(plan(3), {}), realm="shop")
    size = world.path.stat().st_size
    monkeypatch.setattr("outlast.registry.copy_file.MAX_BYTES", size)
    write_copy(world.path, Copy(plan(3), {}), realm="shop")
    assert plan(3) == read_copy(world.path, realm="shop").plan
    monkeypatch.setattr("outlast.registry.copy_file.MAX_BYTES", size - 1)
    with pytest.raises(Unusable, match="more than"):
        write_copy(world.path, Copy(plan(3), {}), realm="shop")
    with pytest.raises(Unusable, match="more than"):
        read_copy(world.path, realm="shop")


def test_the_repr_is_a_status_line(world: World) -> None:
    """It says whether the registry answers and what is kept."""

    async def ask() -> str:
        await world.look()
        world.registry.is_down = True
        await world.node.known("p", DB)
        return repr(world.node)

    assert f"which is down; plan 3 in {world.path}>" in asyncio.run(ask())
