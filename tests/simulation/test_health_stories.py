"""Outages as stories, told through the machines that ship: probes feed detectors, detectors the planner, second by second.

Nothing here knows how a rule is made. A story says what each observer sees of each target and when, and what must be
published meanwhile; each goes red when the rule that it is about is taken out.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from outlast.health.detector import Detector, Thresholds
from outlast.health.signal import Signal
from outlast.traffic import messages as m
from outlast.traffic.orders import Kind, Order
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.planner import Options, Phase, PlannerState, step
from outlast.traffic.ports import Place
from outlast.traffic.topology import Endpoint, Target, Topology

SECOND = 1_000_000_000
REALM, DB, SHOP = "story", "db.example", "shop.example"
EAST = tuple(f"192.0.2.{last}" for last in range(1, 5))
WEST = tuple(f"198.51.100.{last}" for last in range(1, 5))
ALL = (*EAST, *WEST)
OBSERVERS = ("east/o1", "west/o2", "north/o3")

Sight = Callable[[str, str, int], bool]
"""Whether an observer's probe of a target succeeds in a second."""


def endpoint(name: str = DB, east: tuple[str, ...] = EAST, west: tuple[str, ...] = WEST, **options: Any) -> Endpoint:
    targets = tuple(Target(address=it, region=region) for region, of in (("east", east), ("west", west)) for it in of)
    return Endpoint(**{"name": name, "targets": targets, **options})


def all_is_well(observer: str, target: str, second: int) -> bool:
    return True


class Story:
    """Observers that probe once a second, and one planner after them. Time is told in seconds."""

    def __init__(self, *endpoints: Endpoint, bake: float = 0, flap_window: float = 600, calm: int = 60) -> None:
        self.thresholds = Thresholds(flap_window=flap_window)
        self.topology = Topology(realm=REALM, endpoints=endpoints, bake=bake)
        self.second = 1_000_000
        self.observers: tuple[str, ...] = OBSERVERS
        self.orders: tuple[Order, ...] = ()
        self.detectors: dict[tuple[str, str], Detector] = {}
        self.signals: dict[tuple[str, str], Signal] = {}
        self.plan: Plan | None = None
        self.is_planning = True
        self.notes: list[m.Note] = []
        places = tuple(Place("p1", it) for it in (DB, SHOP))
        self.planner = PlannerState(Options(me="p", realm=REALM, places=places, max_signal_age=15 * SECOND))
        self.go_on(calm)

    def go_on(self, seconds: int, sight: Sight = all_is_well, *, of: str = DB) -> list[tuple[str, ...]]:
        """Let so many seconds pass; what was published in each."""
        return [self._one_second(sight).get(of, ()) for _ in range(seconds)]

    def edit(self, *endpoints: Endpoint) -> None:
        self.topology = replace(self.topology, endpoints=endpoints)

    def published(self, of: str = DB) -> tuple[str, ...]:
        return self.entry(of).content.addresses

    def entry(self, of: str = DB) -> Entry:
        entry = self.plan.entry(of) if self.plan is not None else None
        assert entry is not None
        return entry

    def alarms(self) -> list[str]:
        return [note.name for note in self.notes if note.alarm]

    def _one_second(self, sight: Sight) -> dict[str, tuple[str, ...]]:
        self.second += 1
        targets = sorted({address for it in self.topology.endpoints for address in it.addresses})
        for key in ((observer, target) for observer in self.observers for target in targets):
            failure = "" if sight(*key, self.second) else "timeout"
            self.signals[key] = self._detector(*key).observe(failure, wall=self.second * SECOND)
        if self.is_planning:
            self._plan()
        return {entry.endpoint: entry.content.addresses for entry in (self.plan.entries if self.plan else ())}

    def _detector(self, observer: str, target: str) -> Detector:
        fresh = Detector(target, observer, thresholds=self.thresholds)
        return self.detectors.setdefault((observer, target), fresh)

    def _plan(self) -> None:
        floor = self.plan.generation if self.plan is not None else 0
        signals = tuple(self.signals.values())
        event: m.Event = m.Tick()
        while True:
            self.planner, effects = step(self.planner, event)
            self.notes += [effect for effect in effects if isinstance(effect, m.Note)]
            match [effect for effect in effects if not isinstance(effect, m.Note)]:
                case [m.ReadInputs()]:
                    wall = self.second * SECOND
                    event = m.InputsRead(self.topology, self.plan, floor, (), (), signals, wall, self.orders)
                case [m.ReadSentinels(places=places)]:
                    event = m.SentinelsRead(tuple(m.Sighting(place, ()) for place in places))
                case [m.Publish(plan=plan)]:
                    self.plan, event = plan, m.Published()
                case _:
                    assert self.planner.phase is Phase.IDLE
                    return


def red(*targets: str, seen_by: tuple[str, ...] = OBSERVERS) -> Sight:
    """These targets fail for these observers."""
    return lambda observer, target, _: observer not in seen_by or target not in targets


def most_lost(history: list[tuple[str, ...]], within: int) -> int:
    """The most addresses that left within so many seconds."""
    pairs = ((one, two) for at, one in enumerate(history) for two in history[at : at + within])
    return max(len(set(one) - set(two)) for one, two in pairs)


def test_the_checks_of_a_load_balancer_flap() -> None:
    """20 October, 05:30: checks alternate and would take healthy capacity away, again and again.

    Little leaves at a time, half of a region never does, what flaps is soon not believed any more, so that the answer
    stands still for as long as falls are remembered; and when the checks are sound again all of it is back.
    """
    story = Story(endpoint(max_leave=0.25, velocity_window=60))

    def flapping(_: str, target: str, second: int) -> bool:
        return (second // 5 + ALL.index(target)) % 2 == 0  # five seconds so, five seconds so

    history = story.go_on(900, flapping)
    story.go_on(300)

    assert most_lost(history, 60) <= 2
    assert all(sum(it in region for it in published) >= 2 for published in history for region in (EAST, WEST))
    assert 1 == len(set(history[60:600]))
    assert ALL == story.published()


def test_a_flapping_target_is_believed_later_each_time() -> None:
    """One target that fails for ten seconds in forty: each time it is out for longer, and never for ever."""
    story = Story(endpoint(soak=0, velocity_window=0))
    history = story.go_on(400, lambda _, target, second: target != EAST[0] or (second - 1_000_060) % 40 >= 10)
    absent = [sum(EAST[0] not in published for published in history[at : at + 40]) for at in range(0, 400, 40)]
    story.go_on(200)

    assert absent[0] < absent[1] < absent[2] < absent[3]
    assert ALL == story.published()


def test_all_observers_see_everything_red() -> None:
    """When nothing at all is healthy the fault is with those who look: nothing leaves, however long it lasts."""
    story = Story(endpoint())
    generation = story.entry().generation

    assert {ALL} == set(story.go_on(300, red(*ALL)))
    assert generation == story.entry().generation


def test_one_observer_goes_blind() -> None:
    """One that sees everything red, or a few of many, with the others seeing them well, moves nothing."""
    story = Story(endpoint(max_leave=1))

    assert {ALL} == set(story.go_on(120, red(*ALL, seen_by=("north/o3",))))
    assert {ALL} == set(story.go_on(120, red(*EAST[:2], seen_by=("north/o3",))))


def test_one_observer_falls_silent() -> None:
    """What it said last keeps nothing in for long: it is the others that count then."""
    story = Story(endpoint())
    story.observers = OBSERVERS[1:]
    history = story.go_on(60, red(EAST[0]))

    assert [ALL, ALL[1:]] == list(dict.fromkeys(history))
    assert 14 <= history.index(ALL[1:]) <= 16


def test_one_region_is_dark_for_the_others() -> None:
    """What its own observer sees counts for nothing: the region leaves in one step, past velocity, and comes back soaked."""
    story = Story(endpoint(max_leave=0, velocity_window=600))
    history = story.go_on(30, red(*EAST, seen_by=("west/o2", "north/o3")))
    reasons = {item.reason for item in story.entry().withheld}
    back = story.go_on(60)

    assert [ALL, WEST] == list(dict.fromkeys(history))
    assert 3 == history.index(WEST) + 1, "the third failure is believed"
    assert {"evacuated: east fails for north/o3, west/o2"} == reasons
    assert [WEST, ALL] == list(dict.fromkeys(back))
    assert back.index(ALL) >= 10


def test_one_place_alone_evacuates_nothing() -> None:
    """A region that is dark from one place only stays, whether or not others look: the trouble may lie in between."""
    story = Story(endpoint())

    assert {ALL} == set(story.go_on(120, red(*EAST, seen_by=("west/o2",))))
    story.observers = OBSERVERS[:2]
    assert {ALL} == set(story.go_on(120, red(*EAST, seen_by=("west/o2",))))


def test_a_cold_start() -> None:
    """Nothing was ever planned: everything configured is published at once, whatever the first probes say."""
    story = Story(endpoint(), calm=0)
    story.is_planning = False
    story.go_on(5, red(EAST[0]))
    story.is_planning = True

    assert [ALL] == story.go_on(1, red(EAST[0]))
    assert ALL[1:] == story.go_on(10, red(EAST[0]))[-1]


def test_the_observers_fall_silent() -> None:
    """Without signals the last plan stands: who was out stays out, and nobody else leaves."""
    story = Story(endpoint())
    story.go_on(30, red(EAST[0]))
    without = story.published()
    story.observers = ()

    assert ALL[1:] == without
    assert {without} == set(story.go_on(600))


def test_a_newcomer_soaks() -> None:
    """A target new in the configuration is published once it has been healthy for a while; one that never is, never."""
    story = Story(endpoint(east=EAST[:2], soak=20))
    story.edit(endpoint(east=EAST, soak=20))
    history = story.go_on(120, red(EAST[3]))
    first = next(at for at, published in enumerate(history) if EAST[2] in published)

    assert 20 <= first + 1 <= 24
    assert all(EAST[3] not in published for published in history)


def test_few_are_left_of_a_region() -> None:
    """Below half of its healthy targets a region fails open: sick capacity may serve, none cannot."""
    story = Story(endpoint(max_leave=1))
    two, three = story.go_on(30, red(*EAST[:2])), Story(endpoint(max_leave=1)).go_on(30, red(*EAST[:3]))

    assert (*EAST[2:], *WEST) == two[-1]
    assert ALL == three[-1]


def test_survivors_are_too_small_for_a_persons_evacuation() -> None:
    """A part is moved and it is told; as the survivors grow the rest follows; all of it goes when a person says so."""
    story = Story(endpoint(load=6))
    story.orders = (Order(Kind.EVACUATE, "east", "", (), "ann", 1, "INC-42"),)
    story.go_on(5)
    part, alarms, words = story.published(), story.alarms(), story.entry().shortage
    more = (*WEST, "198.51.100.5", "198.51.100.6")
    story.edit(endpoint(load=6, west=more))
    story.go_on(60)
    grown = story.published()
    story.edit(endpoint(load=60, west=more))
    story.orders = (story.orders[0]._replace(kind=Kind.EVACUATE_ALL),)
    story.go_on(5)

    assert (*EAST[:2], *WEST) == part
    assert (["too little capacity"], True) == (
        alarms,
        words.startswith("192.0.2.1 192.0.2.2 stay although ordered out"),
    )
    assert more == grown == story.published()


def test_survivors_are_too_small_when_a_region_goes_dark() -> None:
    """It serves nobody, so it leaves whole, and that the rest is too small is told.

    What can be reached of it again comes back as far as it is needed at once, without the soak that the rest waits for.
    """
    story = Story(endpoint(load=6, soak=100), calm=200)
    outside = ("west/o2", "north/o3")
    story.go_on(30, red(*EAST, seen_by=outside))
    dark, alarms = story.published(), story.alarms()
    back = story.go_on(20)

    assert (WEST, ["too little capacity"]) == (dark, alarms)
    assert (*EAST[:2], *WEST) == back[-1]
    assert ALL == story.go_on(120)[-1]
    assert "" == story.entry().shortage


@pytest.mark.parametrize("sick", [(), EAST[:1]])
def test_an_edit_bakes_at_a_canary(sick: tuple[str, ...]) -> None:
    """An edit that takes too much away reaches one endpoint; the other follows when that one has done well, else never."""
    more = tuple(address.replace(".2.", ".9.") for address in EAST)
    story = Story(endpoint(), endpoint(SHOP, east=more), bake=60)
    story.edit(endpoint(east=EAST[:1]), endpoint(SHOP, east=more[:1]))
    history = story.go_on(300, red(*sick), of=SHOP)
    follows = [at for at, published in enumerate(history) if more[1] not in published]

    waits_for = story.entry(SHOP).waits_for
    story.edit(endpoint(), endpoint(SHOP, east=more))
    story.go_on(30)

    assert ([], DB) == (follows, waits_for) if sick else ([60, ""] == [follows[0], waits_for])
    assert {*more, *WEST} == set(story.published(SHOP))
