"""Which place an enactor works on next."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from outlast.config.agenda import Agenda
from outlast.traffic.ports import Place

SECONDS = 20.0


class Bench:
    """Work that lasts until it is let go, and the order in which it was begun."""

    def __init__(self, at_once: int = 1, *others: str) -> None:
        self.begun: list[str] = []
        self.open: dict[str, asyncio.Event] = {}
        self.is_open = False
        self.agenda = Agenda(self._work, dict.fromkeys(("p", *others), at_once))

    async def _work(self, place: Place) -> None:
        self.begun.append(place.endpoint)
        self.open[place.endpoint] = asyncio.Event()
        if not self.is_open:
            await self.open[place.endpoint].wait()

    def enter(self, names: str, urgent: str = "", provider: str = "p") -> None:
        places = [Place(provider, name) for name in names.split()]
        self.agenda.enter(places, {Place(provider, name) for name in urgent.split()})

    async def all_in_turn(self) -> list[str]:
        """Let each go as soon as it has begun, until nothing is left."""
        self.is_open = True
        for event in self.open.values():
            event.set()
        await self.agenda.settle(SECONDS)
        return self.begun


def played(act: Callable[[], Coroutine[Any, Any, object]]) -> object:
    return asyncio.run(asyncio.wait_for(act(), SECONDS))


def test_in_the_order_they_came() -> None:
    """Where nothing is urgent, whoever has waited longest goes next."""

    async def act() -> object:
        bench = Bench()
        bench.enter("a b c")
        return await bench.all_in_turn()

    assert ["a", "b", "c"] == played(act)


def test_what_is_urgent_goes_first_and_every_second_turn_is_the_others() -> None:
    """A change does not wait behind all that is as it should be, and what never succeeds does not starve the rest."""

    async def act() -> object:
        bench = Bench()
        bench.enter("a b c d")
        bench.enter("u v w a", urgent="u v w")
        return await bench.all_in_turn()

    assert ["a", "u", "b", "v", "c", "w", "d"] == played(act)


def test_what_becomes_urgent_changes_over() -> None:
    """It waits once, among the urgent."""

    async def act() -> object:
        bench = Bench()
        bench.enter("a b c d")
        bench.enter("d", urgent="d")
        bench.enter("d")
        return await bench.all_in_turn()

    assert ["a", "d", "b", "c"] == played(act)


def test_so_many_at_a_time_and_none_twice() -> None:
    """Room for two: the third waits; one that is under way is not begun again."""

    async def act() -> object:
        bench = Bench(2)
        bench.enter("a b c")
        bench.enter("a b c", urgent="a")
        await asyncio.sleep(0)
        first = list(bench.begun)
        return first, await bench.all_in_turn()

    assert (["a", "b"], ["a", "b", "c"]) == played(act)


def test_a_slow_provider_holds_up_only_its_own() -> None:
    """Each has its own line."""

    async def act() -> object:
        bench = Bench(1, "q")
        bench.enter("a b")
        bench.enter("x y", provider="q")
        await asyncio.sleep(0)
        bench.open["x"].set()
        await bench.agenda.settle(0.0)
        begun = list(bench.begun)
        await bench.agenda.stop()
        return begun

    assert ["a", "x", "y"] == played(act)


def test_stopping_cuts_off_what_is_under_way_and_begins_nothing() -> None:
    """Nothing is left running, and who waited is not begun."""

    async def act() -> object:
        bench, before = Bench(), asyncio.all_tasks()
        bench.enter("a b")
        await asyncio.sleep(0)
        await bench.agenda.stop()
        await asyncio.sleep(0)
        return bench.begun, asyncio.all_tasks() - before

    assert (["a"], set()) == played(act)


def test_settling_ends_with_the_last_or_with_the_time() -> None:
    """An interval that is over does not wait for a slow place; a pass that is done early is not waited out."""

    async def act() -> object:
        bench = Bench()
        await bench.agenda.settle(SECONDS)
        bench.enter("a")
        await bench.agenda.settle(0.0)
        is_open = list(bench.begun)
        settling = asyncio.create_task(bench.agenda.settle(SECONDS))
        await asyncio.sleep(0)
        bench.open["a"].set()
        await settling
        return is_open

    assert ["a"] == played(act)
