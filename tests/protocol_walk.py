"""One random walk through the world of the plan protocol: faults, then none and convergence. The seed decides everything.

Replay one walk, with its trace: `.venv/bin/python tests/protocol_walk.py SEED`.
"""

import hashlib
import sys
from random import Random
from typing import NamedTuple

from protocol_world import DB, SECOND, Actor, Fate, World, content

from outlast.simulator.plan_store import ABSENT
from outlast.traffic.content import digest
from outlast.traffic.hold_state import WRITING, Command
from outlast.traffic.messages import Commit
from outlast.traffic.ports import Live, Record
from outlast.traffic.sentinel import Sentinel, Standing, parse

POOL = ("192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1")
WORLDS = ((("p1", DB),), (("p1", DB),), (("p1", DB), ("p2", DB)))
STEPS = 180
BURST = 0.8
ROUNDS = 8
"""Rounds of whole passes within which everything must be healthy once the faults have stopped."""

FATES = [*[Fate.NOW] * 14, Fate.LOST, Fate.LATE, Fate.TWICE, Fate.DOWN, Fate.CRASH_BEFORE, Fate.CRASH_AFTER]
PERSON_FATES = [*[Fate.NOW] * 8, Fate.CRASH_BEFORE, Fate.CRASH_AFTER]
"""A hold that is written while the registry is away is not recorded, and its loss is a claimed exception."""


class Walk(NamedTuple):
    """What became of one walk."""

    world: World
    trace_hash: str


def walk(seed: int, world: World | None = None) -> Walk:
    """Walk with faults, then let everything converge; raises `Violation` or `AssertionError` where a rule is broken."""
    chance = Random(seed)
    world = world or World(*WORLDS[Random(seed).randrange(len(WORLDS))])
    actors = [world.enactor(f"e{i}", *place) for place in world.places for i in range(3)]
    actors += [world.planner("planner1"), world.planner("planner2"), world.janitor(keep=chance.choice((1, 2)))]
    mischief = Mischief(world, chance)
    world.configure(*_some(chance))
    try:
        for _ in range(STEPS):
            _go_on(world, chance, actors, mischief)
        _converge(world, actors)
    except AssertionError as error:
        error.add_note(f"replay: .venv/bin/python tests/protocol_walk.py {seed}")
        raise
    return Walk(world, hashlib.sha256("\n".join(world.trace).encode()).hexdigest())


def _some(chance: Random) -> list[str]:
    return chance.sample(POOL[:3], chance.randint(1, 3)) + chance.choice(([], [POOL[3]]))


def _go_on(world: World, chance: Random, actors: list[Actor], mischief: "Mischief") -> None:
    roll = chance.random()
    if roll < 0.04:
        mischief.act()
    elif roll < 0.07:
        # Mostly everywhere at once; else it comes to one planner, and the other keeps the older file for ever.
        world.configure(*_some(chance), at=chance.choice(("", "planner1", "planner2")))
    elif roll < 0.10:
        mischief.send_person()
    elif roll < 0.14 and world.flying:
        world.deliver(chance.randrange(len(world.flying)))
    else:
        # Bursts: one actor runs through while others sleep with what they have read.
        everybody = [*actors, *mischief.people]
        actor = mischief.favourite if chance.random() < BURST else None
        if actor is None or not any(actor is other for other in everybody):
            actor = chance.choice(everybody)
        mischief.favourite = actor
        if actor.pending is None:
            world.begin(actor, wait=chance.choice((0, 0, SECOND)))
        else:
            world.advance(actor, chance.choice(PERSON_FATES if actor.is_person else FATES))
        mischief.people = [person for person in mischief.people if person.pending is not None]


class Mischief:
    """What people and strangers do. A walk has its own taste: most lose no registry, so that little is excused."""

    def __init__(self, world: World, chance: Random) -> None:
        self.world = world
        self.chance = chance
        self.people: list[Actor] = []
        self.favourite: Actor | None = None
        self.backups = [world.registry.backup()]
        self.past: dict[tuple[str, str], list[Live]] = {place: [] for place in world.places}
        self.loses_registry = chance.random() < 0.3

    def send_person(self) -> None:
        provider, endpoint = place = self.chance.choice(self.world.places)
        held = isinstance(seen := parse(self.world.live(place).sentinel), Sentinel) and seen.standing is Standing.HELD
        likely = (Command.THAW, Command.THAW) if held else (Command.FREEZE, Command.BREAK_GLASS)
        command = self.chance.choice((*Command, *likely))
        chosen = content(*_some(self.chance)) if command in WRITING else None
        # One at a time: two commands that race at one place are a known weakness (C13 among the counterexamples).
        if place not in {(person.state.provider, person.state.endpoint) for person in self.people}:
            self.people.append(self.world.person(command, chosen, provider=provider, endpoint=endpoint))
            self.world.begin(self.people[-1])
            self.favourite = self.people[-1]

    def act(self) -> None:
        place = self.chance.choice(self.world.places)
        live = self.world.live(place)
        damages = (
            live._replace(sets=()),
            live._replace(sentinel=()),
            live._replace(sets=content("203.0.113.9").sets),
            live._replace(sentinel=("v=spf1 -all",)),
            ABSENT,
        )
        roll = self.chance.randrange(9)
        if roll < len(damages):
            self.world.damage(damages[roll], place)
        elif roll == 5:
            self.backups.append(self.world.registry.backup())
            self.past[place].append(live)
        elif roll == 6 and self.loses_registry:
            self.world.restore_registry(self.chance.choice([*self.backups, None]))
        elif roll == 7 and self.past[place]:
            # The provider puts an older copy of its zone back.
            self.world.damage(self.chance.choice(self.past[place]), place)
        elif roll == 8 and self.chance.random() < 0.1 and isinstance(parse(live.sentinel), Sentinel):
            self.world.retire(place)


def _converge(world: World, actors: list[Actor]) -> None:
    # Faults stop: what is in flight arrives, nobody crashes, no person acts.
    while world.flying:
        world.deliver()
    for _ in range(ROUNDS):
        for actor in actors:
            world.run(actor)
    sick = {place: why for place in world.places if (why := illness(world, place))}
    assert not sick, f"not healthy after {ROUNDS} quiet rounds: {sick}"
    before = len([line for line in world.trace if "landed" in line or "Publish" in line])
    for actor in actors:
        world.run(actor)
    after = len([line for line in world.trace if "landed" in line or "Publish" in line])
    assert before == after, "health does not rest: somebody still writes"
    assert not any(isinstance(actor.pending, Commit) for actor in actors), "a pass ended in the middle"


def illness(world: World, place: tuple[str, str]) -> str:
    """Why a place is not healthy; empty if it is, or if it waits for a person as the printed list says."""
    live, record = world.live(place), world.registry.records.get(place)
    seen = parse(live.sentinel)
    if not isinstance(seen, Sentinel):
        waits = record.sentinel.standing is Standing.RETIRED if record is not None else bool(live.sets)
        return "" if waits else f"no sentinel: {live}"
    if seen.standing is Standing.RETIRED:
        return ""
    intact = digest(live.sets) == seen.digest
    if seen.standing is Standing.HELD:
        return "" if intact or _is_forgotten(world, place, seen, record) else f"hold not put back: {live}"
    entry = world.entry(place[1])
    right = (seen.gen, seen.digest) == (entry.generation, entry.digest)
    return "" if intact and right else f"not what plan {entry.generation} says: {live}"


def _is_forgotten(world: World, place: tuple[str, str], seen: Sentinel, record: Record | None) -> bool:
    recorded = record is not None and record.content.digest == seen.digest
    return not recorded and world.registry.shelf.find_content(place[1], seen.digest) is None


if __name__ == "__main__":
    world = World(*WORLDS[Random(int(sys.argv[1])).randrange(len(WORLDS))])
    try:
        print(walk(int(sys.argv[1]), world).trace_hash)  # noqa: T201 - the command's output
    finally:
        print(*world.trace, sep="\n", file=sys.stderr)  # noqa: T201 - for whoever replays a walk
