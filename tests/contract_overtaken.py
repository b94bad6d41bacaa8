"""What a provider promises less that cannot compare and swap: a write may be overtaken between its comparison and its landing."""

import asyncio
from typing import NamedTuple

from contract_enactor import Enactor, publish
from servers.relay import HttpRelay, UpdateRelay
from zone_world import COMMITTED, ONE, TIMEOUT, Place, addresses, create, done, fresh, write

from outlast.registry.memory import MemoryRegistry
from outlast.traffic.content import Content
from outlast.traffic.ports import Live, Reply

TWO, THREE = (addresses(*("192.0.2.1", "192.0.2.2", "192.0.2.3")[:count]) for count in (2, 3))
"""Adding is never held up by the last hop's guard; taking away would need its evidence."""


class Overtaken(NamedTuple):
    """What became of a stale write: the sleeper's reply, what it would leave, what is there, and a commit after reading that."""

    reply: Reply
    expected: Live
    read: Live
    repair: Reply


def overtaken(place: Place, first: Content, late: Content) -> Overtaken:
    """A writer of `late` sleeps after its comparison, another writes `first` meanwhile, and the sleeper's change arrives."""
    endpoint = fresh()

    async def act() -> Overtaken:
        async with asyncio.timeout(TIMEOUT), place.relay().running() as relay:
            assert isinstance(relay, UpdateRelay | HttpRelay)
            direct, slow = place.provider(), place.provider(port=relay.port)
            seen = await create(direct, endpoint)
            relay.hold()
            stale = write(endpoint, seen, late, n=2, by="sleeper")
            sleeping = asyncio.create_task(slow.commit(stale))
            await relay.held.wait()
            assert COMMITTED == await direct.commit(write(endpoint, seen, first, n=2))
            relay.release()
            reply = await sleeping
            read = await direct.read(endpoint)
            return Overtaken(reply, done(stale), read, await direct.commit(write(endpoint, read, first, n=3)))

    return asyncio.run(act())


def assert_the_next_pass_goes_forward_again(place: Place) -> None:
    """An enactor with an old plan is overtaken in the window and lands; the next pass with the new plan mends it."""
    endpoint, registry = fresh(), MemoryRegistry()

    async def act() -> tuple[Live, Live, list[str]]:
        async with asyncio.timeout(2 * TIMEOUT), place.relay().running() as relay:
            assert isinstance(relay, UpdateRelay | HttpRelay)
            quick = Enactor("quick", endpoint, place.provider(), registry)
            slow = Enactor("slow", endpoint, place.provider(port=relay.port), registry)
            await publish(registry, endpoint, 1, ONE)
            await quick.run()
            await publish(registry, endpoint, 2, TWO)
            relay.hold()
            sleeping = asyncio.create_task(slow.run())
            await relay.held.wait()
            await publish(registry, endpoint, 3, THREE)
            await quick.run()
            relay.release()
            await sleeping
            stale = await place.provider().read(endpoint)
            await quick.run()
            return stale, await place.provider().read(endpoint), quick.notes

    stale, read, notes = asyncio.run(act())

    assert (TWO.sets, True) == (stale.sets, " gen=2 " in stale.sentinel[0])
    assert (THREE.sets, True) == (read.sets, " gen=3 " in read.sentinel[0])
    assert ["create", "enacted", "apply", "enacted", "apply", "enacted"] == notes
