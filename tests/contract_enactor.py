"""An enactor of one endpoint in the test's own process, pass by pass, and plans for it."""

from outlast.loop import drive
from outlast.registry.memory import MemoryRegistry
from outlast.system_clock import SystemClock
from outlast.traffic import enactor
from outlast.traffic.content import Content
from outlast.traffic.driver import Driver
from outlast.traffic.enactor import EnactorState
from outlast.traffic.messages import Event, Tick
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.ports import Provider


class Enactor:
    """An enactor of one endpoint, pass by pass."""

    def __init__(self, name: str, endpoint: str, provider: Provider, registry: MemoryRegistry) -> None:
        self.notes: list[str] = []
        self._state = EnactorState(name, "test", "p", endpoint)
        self._driver = Driver(
            registry=registry,
            providers={"p": provider},
            clock=SystemClock(),
            listen=lambda note: self.notes.append(note.name),
        )

    async def run(self) -> None:
        tick: Event = Tick()
        self._state = await drive(enactor.step, self._state, tick, self._driver.carry_out)


async def publish(registry: MemoryRegistry, endpoint: str, generation: int, content: Content) -> None:
    entry = Entry(endpoint=endpoint, generation=generation, content=content)
    assert await registry.publish(Plan(realm="test", generation=generation, entries=(entry,)), after=generation - 1)
