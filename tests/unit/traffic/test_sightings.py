"""Sentinels of many endpoints at several providers."""

import asyncio
from collections.abc import Callable

from outlast.errors import Unavailable
from outlast.traffic.messages import Sighting
from outlast.traffic.ports import Live, Place, Reply, Tier, Transaction
from outlast.traffic.sightings import sight

AT_ONCE = 4


class Primary:
    """Answers a reading as it is told, one turn of the loop later, and counts readings."""

    name, tier, at_once = "p", Tier.T1, AT_ONCE

    def __init__(self, answers: Callable[[str], bool] = lambda _: True) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.most = self._now = 0

    async def read_sentinel(self, endpoint: str) -> tuple[str, ...]:
        self.asked.append(endpoint)
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0)
        self._now -= 1
        if not self.answers(endpoint):
            raise Unavailable("no answer in time")
        return (f"of {endpoint}",)

    async def read(self, endpoint: str) -> Live:
        raise NotImplementedError

    async def commit(self, transaction: Transaction) -> Reply:
        raise NotImplementedError


def places(count: int, provider: str = "p") -> list[Place]:
    return [Place(provider, f"n{number:02}") for number in range(count)]


def seen(providers: dict[str, Primary], asked: list[Place], *, patience: float = 60.0) -> list[Sighting]:
    return sorted(asyncio.run(sight(providers, asked, patience=patience)))


def test_each_place_is_read_once_and_several_at_a_time() -> None:
    """As many at a time as the provider takes, at each provider."""
    one, two = Primary(), Primary()
    asked = [*places(30), *places(10, "q")]

    assert [Sighting(place, (f"of {place.endpoint}",)) for place in asked] == seen({"p": one, "q": two}, asked)
    assert (30, 10) == (len(one.asked), len(two.asked))
    assert AT_ONCE == one.most == two.most


def test_one_that_cannot_be_read_hides_no_other() -> None:
    """What is wrong with one endpoint is told of that one."""
    asked = places(30)
    found = seen({"p": Primary(lambda name: name != "n07")}, asked)

    assert [Place("p", "n07")] == [sighting.place for sighting in found if sighting.texts is None]
    assert ["no answer in time"] == [sighting.fault for sighting in found if sighting.fault]


def test_a_provider_that_answers_nobody_is_not_asked_for_each() -> None:
    """When it has been silent for long enough the rest is told so, unasked; another provider is read as ever."""
    away, there = Primary(lambda _: False), Primary()
    found = seen({"p": away, "q": there}, [*places(100), *places(100, "q")], patience=0.0)

    assert AT_ONCE <= len(away.asked) < 2 * AT_ONCE
    assert 100 == sum(sighting.texts is None for sighting in found)
    assert 100 - len(away.asked) == sum("it was not asked" in sighting.fault for sighting in found)


class Asleep(Primary):
    """Keeps whoever asks waiting."""

    async def read_sentinel(self, endpoint: str) -> tuple[str, ...]:
        self.asked.append(endpoint)
        await asyncio.Event().wait()
        raise AssertionError("nobody wakes it")


def test_one_that_sleeps_holds_up_nobody_for_longer_than_is_said() -> None:
    """Its places are told as unanswered; what others have said by then is kept."""
    asked = [*places(9), *places(3, "q")]
    found = sorted(asyncio.run(sight({"p": Primary(), "q": Asleep()}, asked, within=0.05)))

    assert [*places(9), *places(3, "q")] == [sighting.place for sighting in found]
    assert [""] * 9 + ["no answer within 0.05 s"] * 3 == [sighting.fault for sighting in found]


def test_what_is_refused_at_once_is_asked_for_to_the_end() -> None:
    """Many endpoints of a zone that it does not serve do not hide those of another."""
    primary = Primary(lambda name: int(name[1:]) >= 70)
    found = seen({"p": primary}, places(90))

    assert 90 == len(primary.asked)
    assert 20 == sum(sighting.texts is not None for sighting in found)


def test_a_provider_that_is_not_configured() -> None:
    """It is named."""
    assert [Sighting(Place("gone", "n00"), None, "no provider 'gone' is configured here")] == seen(
        {}, places(1, "gone")
    )
