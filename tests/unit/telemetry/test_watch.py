"""What comparing looks tells: when something was written, who diverges, whom a freeze did not reach."""

from outlast.telemetry.watch import PlaceReading, Snapshot, Watch
from outlast.traffic.assessment import Agreement
from outlast.traffic.ports import Place
from outlast.traffic.sentinel import Sentinel, Standing

ONE, TWO = Place("one", "db.example"), Place("two", "db.example")


def reading(place: Place, n: int, *, content: str = "c", standing: Standing = Standing.LIVE) -> PlaceReading:
    sentinel = Sentinel("shop", n, 1, "0" * 32, standing, "e1")
    return PlaceReading(place, Agreement.IN_STEP, sentinel, content, 2)


def looked(*looks: tuple[PlaceReading, ...]) -> Watch:
    watch = Watch()
    for wall, readings in enumerate(looks, 1):
        watch.look(Snapshot(wall, readings))
    return watch


def test_a_write_is_seen_by_its_count() -> None:
    """The time is that of the first look with this count, however often it is seen again."""
    watch = looked((reading(ONE, 1),), (reading(ONE, 1),), (reading(ONE, 2),), (reading(ONE, 2),))

    assert (3, None) == (watch.last_written(ONE), watch.last_written(TWO))


def test_an_unreadable_place_keeps_its_time() -> None:
    """A provider that is away for a while was not written meanwhile."""
    away = PlaceReading(ONE, Agreement.UNKNOWN, None, "", 0)

    assert 1 == looked((reading(ONE, 1),), (away,), (reading(ONE, 1),)).last_written(ONE)


def test_providers_that_answer_differently_diverge() -> None:
    """By endpoint, contents beyond the first; who could not be read does not count."""
    away = PlaceReading(TWO, Agreement.UNKNOWN, None, "", 0)

    assert {"db.example": 1} == looked((reading(ONE, 1), reading(TWO, 1, content="d"))).diverging()
    assert {"db.example": 0} == looked((reading(ONE, 1), reading(TWO, 1))).diverging()
    assert {"db.example": 0} == looked((reading(ONE, 1), away)).diverging()


def test_a_freeze_that_did_not_reach_everybody() -> None:
    """Held here and not there; held everywhere, or nowhere, is none."""
    held = Standing.HELD

    assert {TWO} == looked((reading(ONE, 1, standing=held), reading(TWO, 1))).not_frozen()
    assert set() == looked((reading(ONE, 1, standing=held), reading(TWO, 1, standing=held))).not_frozen()
    assert set() == looked((reading(ONE, 1), reading(TWO, 1))).not_frozen()
    assert set() == Watch().not_frozen()
