"""Every state that the design's section 3 calls broken, made on a real server and mended by the shipped machines.

Nothing here knows how they do it: somebody breaks the zone or the registry, the machines have their passes, and the zone
says what came of it.
"""

import asyncio
import copy
from typing import Any

import pytest
from zone_world import OPEN, Place, addresses, fresh

from outlast.loop import drive
from outlast.registry.memory import MemoryRegistry
from outlast.system_clock import SystemClock
from outlast.traffic import enactor, hold, planner, ports
from outlast.traffic.content import Content
from outlast.traffic.driver import Driver
from outlast.traffic.hold_state import Command, HoldState, Phase
from outlast.traffic.messages import Event, Note, Tick
from outlast.traffic.ports import Live
from outlast.traffic.sentinel import Sentinel, Standing, parse
from outlast.traffic.topology import Endpoint, Target, Topology

REALM = "shop"
BOTH, ONE, HAND = ("192.0.2.1", "192.0.2.2"), ("192.0.2.1",), ("192.0.2.9",)


class Site:
    """One endpoint on a real primary, with a registry, a planner, an enactor and a person."""

    def __init__(self, primary: Place) -> None:
        self.primary = primary
        self.provider = primary.rfc2136()
        self.name = fresh(label="broken")
        self.registry = MemoryRegistry()
        self.notes: list[Note] = []
        self.planner = planner.PlannerState(
            planner.Options("planner", REALM, (ports.Place("p", self.name),), max_signal_age=10**12)
        )
        self.configured: tuple[str, ...] = BOTH

    def _topology(self) -> Topology:
        targets = tuple(Target(address=address, region=address) for address in self.configured)
        return Topology(realm=REALM, endpoints=(Endpoint(name=self.name, targets=targets, probed=False),))

    def _driver(self) -> Driver:
        return Driver(
            registry=self.registry,
            providers={"p": self.provider},
            clock=SystemClock(),
            listen=self.notes.append,
            topology=self._topology,
        )

    def run(self, step: Any, state: Any) -> Any:
        """One pass of a machine."""
        tick: Event = Tick()
        return asyncio.run(drive(step, state, tick, self._driver().carry_out))

    def pass_(self, *addresses: str) -> None:
        """Planner and enactor have two passes each, after somebody configured these addresses, if any."""
        self.configured = addresses or self.configured
        for _ in range(2):
            self.planner = self.run(planner.step, self.planner)
            self.run(enactor.step, enactor.EnactorState("enactor", REALM, "p", self.name))

    def person(self, command: Command, content: Content | None = None) -> HoldState:
        """A person's command, to its end."""
        state = HoldState(command, "person", REALM, "p", self.name, content=content)
        ended: HoldState = self.run(hold.step, state)
        return ended

    def live(self) -> tuple[Live, Sentinel]:
        """What stands there, with a readable sentinel."""
        live = asyncio.run(self.provider.read(self.name))
        seen = parse(live.sentinel)
        assert isinstance(seen, Sentinel), live
        return live, seen

    def stands(self) -> tuple[tuple[str, ...], str, int]:
        """Addresses, standing and generation."""
        live, seen = self.live()
        return tuple(value for item in live.sets for value in item.values), str(seen.standing), seen.gen


@pytest.fixture
def site(primary: Place) -> Site:
    """Generation 1 is live."""
    site = Site(primary)
    site.pass_()
    assert (BOTH, "live", 1) == site.stands()
    return site


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(lambda e: (("delete", e, "A"),), id="records deleted"),
        pytest.param(lambda e: (("replace", e, 60, "A", "203.0.113.9"),), id="records changed"),
        pytest.param(lambda e: (("delete", f"_outlast.{e}"),), id="sentinel deleted"),
        pytest.param(lambda e: (("delete", e), ("delete", f"_outlast.{e}")), id="both deleted"),
        pytest.param(lambda e: (("replace", f"_outlast.{e}", 5, "TXT", "v=spf1"),), id="sentinel corrupt"),
        pytest.param(lambda e: (("add", f"_outlast.{e}", 5, "TXT", "another"),), id="two sentinels"),
    ],
)
def test_damage_is_mended_by_the_next_pass(site: Site, steps: Any) -> None:
    """Without a person, in the same generation, with one write more."""
    before = site.live()[1]
    site.primary.change(*steps(site.name))
    site.pass_()
    after = site.live()[1]

    assert (BOTH, "live", 1) == site.stands()
    assert after.n > before.n


def test_a_foreign_realm_is_left_alone(site: Site) -> None:
    """Another realm's sentinel: hands off, with an alarm, whatever is planned."""
    live, seen = site.live()
    foreign = seen._replace(realm="theirs").text
    site.primary.change(("replace", f"_outlast.{site.name}", 5, "TXT", f'"{foreign}"'))
    site.pass_(*ONE)

    assert ((foreign,), live.sets) == asyncio.run(site.provider.read(site.name))
    assert "foreign realm" in {note.name for note in site.notes if note.alarm}


def test_a_restored_registry_goes_forward(site: Site) -> None:
    """Plans and records are put back to an older state: the planner goes above what DNS says, and nothing falls."""
    backup = copy.deepcopy(site.registry)
    site.pass_(*ONE)
    site.pass_(*BOTH)
    before = site.stands()
    site.registry = backup
    site.planner = site.planner._replace(floor=0)
    site.pass_(*ONE)

    assert (BOTH, "live", 3) == before
    assert (ONE, "live") == site.stands()[:2]
    assert site.stands()[2] > 3


def test_a_lost_registry_fills_itself(site: Site) -> None:
    """Every plan and record is gone: the next plan goes above the sentinel, and DNS never notices."""
    site.pass_(*ONE)
    site.registry = MemoryRegistry()
    site.planner = site.planner._replace(floor=0)
    site.pass_()

    assert (ONE, "live") == site.stands()[:2]
    assert site.stands()[2] > 2
    assert site.stands()[2] == asyncio.run(site.registry.floor())


def test_a_hold_survives_the_loss_of_its_sentinel(site: Site) -> None:
    """Frozen, then sentinel and records deleted: what was held comes back held, although a newer plan is there."""
    assert Phase.DONE is site.person(Command.FREEZE).phase
    site.pass_(*ONE)
    site.primary.change(("delete", site.name), ("delete", f"_outlast.{site.name}"))
    site.pass_()

    assert (BOTH, "held") == site.stands()[:2]


def test_a_hold_whose_content_is_lost_waits_for_break_glass(site: Site) -> None:
    """Records and record gone under a hold: nobody invents anything; break-glass and thaw lead out of it."""
    site.person(Command.BREAK_GLASS, addresses(*HAND))
    site.registry = MemoryRegistry()
    site.primary.change(("delete", site.name, "A"))
    site.pass_()
    live = asyncio.run(site.provider.read(site.name))
    assert ((), "held content is lost") == (live.sets, next(it.name for it in site.notes if it.name.startswith("held")))

    assert Phase.DONE is site.person(Command.BREAK_GLASS, addresses(*HAND)).phase
    assert (HAND, "held") == site.stands()[:2]
    assert Phase.DONE is site.person(Command.THAW).phase
    site.pass_()

    assert (BOTH, "live") == site.stands()[:2]


def test_a_retired_name_is_left_alone_until_it_is_adopted(site: Site) -> None:
    """Retired: its records may go, and nobody brings them back; adopted with other records, it follows the plan again."""
    assert Phase.DONE is site.person(Command.RETIRE).phase
    site.primary.change(("delete", site.name, "A"))
    site.pass_()
    gone = asyncio.run(site.provider.read(site.name))
    site.primary.change(("add", site.name, 60, "A", "203.0.113.9"))

    retired = site.live()[1]
    assert ((), Standing.RETIRED) == (gone.sets, retired.standing)
    assert Phase.DONE is site.person(Command.ADOPT).phase
    adopted = site.live()[1]
    # Other content takes a generation of its own; neither it nor the count of writes ever falls.
    assert (retired.gen + 1, retired.n + 1) == (adopted.gen, adopted.n)
    site.pass_()

    assert (BOTH, "live") == site.stands()[:2]


@pytest.mark.parametrize("is_sentinel_lost", [False, True])
def test_a_retired_name_that_is_empty_comes_back_when_it_is_adopted(site: Site, *, is_sentinel_lost: bool) -> None:
    """Its records are gone, perhaps with its sentinel: adopted, it answers the plan's addresses again, and goes forward."""
    site.person(Command.RETIRE)
    retired = site.live()[1]
    lost = (("delete", f"_outlast.{site.name}"),) if is_sentinel_lost else ()
    site.primary.change(("delete", site.name, "A"), *lost)
    site.pass_(*ONE)
    assert [] == site.primary.ask(site.name, "A")

    assert Phase.DONE is site.person(Command.ADOPT).phase
    assert (ONE, "live") == site.stands()[:2]
    site.pass_(*BOTH)
    adopted = site.live()[1]

    assert (BOTH, "live") == site.stands()[:2]
    assert retired.gen < adopted.gen
    assert retired.n < adopted.n


def test_a_retired_name_without_its_sentinel_is_its_owners(site: Site) -> None:
    """A new owner's records stand there: break-glass asks before it takes them; adopted, they are ours and follow the plan."""
    site.person(Command.RETIRE)
    retired = site.live()[1]
    site.primary.change(("delete", f"_outlast.{site.name}"), ("replace", site.name, 60, "A", "203.0.113.9"))
    refused = site.person(Command.BREAK_GLASS, addresses(*HAND))
    there = site.primary.ask(site.name, "A")

    assert (Phase.REFUSED, "it is retired; add --take-over if it shall be ours") == (refused.phase, refused.why)
    assert ["203.0.113.9"] == there
    assert Phase.DONE is site.person(Command.ADOPT).phase
    adopted = site.live()[1]
    site.pass_()

    assert (retired.gen + 1, retired.n + 1) == (adopted.gen, adopted.n)
    assert (BOTH, "live") == site.stands()[:2]


def test_a_registry_that_is_lost_is_told(site: Site) -> None:
    """It fills itself from the sentinels, and nobody can know what people had ordered: an alarm says so, once."""
    site.registry = MemoryRegistry()
    site.pass_()
    site.pass_(*ONE)

    assert ["the registry is new"] == [note.name for note in site.notes if note.alarm]
    assert (ONE, "live") == site.stands()[:2]


def test_an_unclaimed_name_waits_for_adoption(primary: Place) -> None:
    """Somebody's records where nothing of ours ever was: left alone, with an alarm; adopted, it follows the plan."""
    site = Site(primary)
    primary.change(("add", site.name, 60, "A", "203.0.113.9"), zone=OPEN)
    site.pass_()
    before = asyncio.run(site.provider.read(site.name))

    assert ((), ["203.0.113.9"]) == (before.sentinel, primary.ask(site.name, "A"))
    assert "unclaimed name" in {note.name for note in site.notes if note.alarm}
    assert Phase.DONE is site.person(Command.ADOPT).phase
    site.pass_()

    assert (BOTH, "live") == site.stands()[:2]
