"""Every phase of each machine with every event: what a phase can get passes, all else raises and changes nothing.

Which pairs are legal is not written here: a phase's legal events are the answers that the ports' words promise to the
effect the machine waits for, plus the beginning of a pass where it waits for nothing.
"""

import re
from typing import Any, NamedTuple

import pytest
from protocol_world import DB, REALM, Actor, Fate, World, content

from outlast.traffic import enactor, hold, hold_state, janitor, planner
from outlast.traffic import messages as m
from outlast.traffic.ports import Known, Live, Place
from outlast.traffic.topology import Topology

OLD, NEW = "192.0.2.1", "192.0.2.2"

EVENTS: tuple[m.Event, ...] = (
    m.Tick(),
    m.KnownRead(Known(0, None, None)),
    m.LiveRead(Live((), ())),
    m.SentinelsRead((m.Sighting(Place("p1", DB), ()),)),
    m.ContentFound(None),
    m.RecordWritten(stored=True),
    m.RecordWritten(stored=False),
    m.Committed(),
    m.Conflict("conflict"),
    m.Failed("failed"),
    m.Lost("lost"),
    m.Woken(),
    m.Reported(),
    m.InputsRead(Topology(realm=REALM, endpoints=()), None, 0, (), (), (), 0),
    m.Published(),
    m.Raced(),
    m.Expired(),
    m.ReportsDropped(),
    m.PlansListed((), (), 0),
    m.Tombstoned(),
    m.PlanDeleted(),
    m.PlanKept(),
    m.RegistryDown("down"),
    m.ProviderDown("down"),
)


class Waiting(NamedTuple):
    """A machine in a state that it came to by itself, and the effect that it waits for (none between passes)."""

    machine: Any
    state: Any
    effect: m.Effect | None


def _answers(effect: m.Effect) -> set[str]:
    # The contract stands in the effect's own words: "answered by `KnownRead` or `RegistryDown`".
    promised = re.search(r"[Aa]nswered by (.*)", type(effect).__doc__ or "", flags=re.DOTALL)
    assert promised is not None, f"{type(effect).__name__} does not say what answers it"
    return set(re.findall(r"`([A-Z]\w+)`", promised.group(1)))


def _reached() -> list[Waiting]:
    # Walks in which every phase of every machine is met.
    seen: dict[tuple[str, str], Waiting] = {}

    def note(actor: Actor) -> None:
        machine = {"EnactorState": enactor, "PlannerState": planner, "JanitorState": janitor, "HoldState": hold}[
            type(actor.state).__name__
        ]
        seen.setdefault((machine.__name__, actor.state.phase), Waiting(machine, actor.state, actor.pending))

    def run(world: World, actor: Actor, *, wait: int = 0, fate: Fate = Fate.NOW) -> None:
        note(actor)
        world.begin(actor, wait)
        while actor.pending is not None:
            note(actor)
            commits = isinstance(actor.pending, m.Commit)
            world.advance(actor, fate if commits else Fate.NOW)
        note(actor)

    world = World()
    e1, plans = world.enactor("e1"), world.planner()
    world.configure(OLD)
    run(world, plans)
    run(world, e1, wait=1)
    run(world, world.person(hold_state.Command.BREAK_GLASS, content(NEW)), fate=Fate.LOST)
    run(world, world.person(hold_state.Command.FREEZE))
    for place in world.places:
        world.damage(world.live(place)._replace(sets=()), place)
    run(world, world.person(hold_state.Command.THAW))
    world.registry.records.clear()
    run(world, e1)
    unreached = world.person(hold_state.Command.BREAK_GLASS, content(NEW))
    world.until(unreached, m.ReadLive)
    world.advance(unreached, Fate.DOWN)
    note(unreached)
    run(world, world.person(hold_state.Command.BREAK_GLASS, content(NEW)))
    run(world, world.person(hold_state.Command.THAW))
    run(world, e1)
    run(world, plans)
    world.damage(world.live()._replace(sentinel=()))
    run(world, e1, fate=Fate.LOST)
    world.configure(OLD)
    run(world, plans)
    for _ in range(4):
        run(world, world.janitor(keep=1))
    world.damage(world.live()._replace(sentinel=()))
    run(world, world.person(hold_state.Command.BREAK_GLASS, content(NEW)))
    return list(seen.values())


REACHED = _reached()


@pytest.mark.parametrize("machine", [enactor, hold, janitor, planner])
def test_every_phase_is_met(machine: Any) -> None:
    """The walks that feed this table meet each phase of the machine."""
    met = {waiting.state.phase for waiting in REACHED if waiting.machine is machine}

    assert set(machine.Phase) == met


@pytest.mark.parametrize("event", EVENTS, ids=repr)
@pytest.mark.parametrize("waiting", REACHED, ids=lambda waiting: repr(waiting.state))
def test_each_pair(waiting: Waiting, event: m.Event) -> None:
    """An event that answers what the machine waits for is taken; any other raises, and the state is what it was."""
    name = type(event).__name__
    begins = {"idle", "start"}
    rests = waiting.effect is None and name == "Tick" and waiting.state.phase in begins
    legal = rests or (waiting.effect is not None and name in _answers(waiting.effect))
    before = tuple(waiting.state)

    if legal:
        state, effects = waiting.machine.step(waiting.state, event)
        external = [effect for effect in effects if not isinstance(effect, m.Note)]
        assert type(waiting.state) is type(state)
        assert len(external) <= 1
    else:
        with pytest.raises(AssertionError):
            waiting.machine.step(waiting.state, event)
    assert before == tuple(waiting.state)


def test_every_event_is_tried() -> None:
    """The table of samples has each kind of event."""
    assert {kind.__name__ for kind in m.Event.__args__} == {type(event).__name__ for event in EVENTS}


def test_a_place_is_named_in_each_state() -> None:
    """A state's repr reads like a status line."""
    assert [] == [waiting for waiting in REACHED if waiting.machine is enactor and DB not in repr(waiting.state)]
