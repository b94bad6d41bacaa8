"""How the plan protocol's world is laid out as parts of a state, and the values that stand in them at the beginning."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from outlast.simulator.plan_rules import Past
from outlast.simulator.plan_store import ABSENT, Shelf
from outlast.traffic import enactor, hold, janitor, planner
from outlast.traffic import messages as m
from outlast.traffic.content import Content
from outlast.traffic.ports import Live, Place
from outlast.traffic.topology import Endpoint, Target, Topology

REALM = "verify"
EAST, WEST, HAND, STRANGER = "192.0.2.1", "198.51.100.1", "192.0.2.9", "203.0.113.9"
CONTENTS = ((EAST, WEST), (WEST,))
"""What people configure in turn: both regions, then the east evacuated, then both again, and so on."""
TTL = 5
WALL = 1
"""Timers are untimed: the wall clock stands, and every age counts as old enough (`AGELESS`)."""
AGELESS = -1

StepFunction = Callable[[Any, m.Event], tuple[Any, m.Effects]]


HARMLESS = {"crashes", "lost-replies", "providers-away", "clock-jumps"}
"""Budgets whose troubles change nothing that stands in DNS or in the registry."""


ORDERLY = HARMLESS | {
    "registry-away",
    "delayed",
    "duplicated",
    "freezes",
    "thaws",
    "retirements",
    "adoptions",
    "break-glasses",
}
"""Budgets with which no sentinel is lost: each `n` is written once, so that it tells as much as a name."""


class Working(NamedTuple):
    """A machine, the effect it asks for, and what the rules need to know of it: see `plan_rules.Writer`."""

    state: Any
    effect: m.Effect
    read: Live | None = None
    losses: int = 0
    registry_losses: int = 0


class Copy(NamedTuple):
    """A backup of the registry."""

    shelf: Shelf
    records: tuple[Any, ...]
    reports: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """The step functions that are explored; the shipped ones, unless a guard is taken away on purpose."""

    enactor: StepFunction = enactor.step
    planner: StepFunction = planner.step
    janitor: StepFunction = janitor.step
    person: StepFunction = hold.step


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """How large a world is.

    Args:
        enactors: At each endpoint of each provider, all alike.
        plans: Versions of the topology, the first included. The planner turns each into a plan, and may publish more of its
            own when it answers a sentinel that is ahead.
        endpoints: Names that every plan contains; `coupled` of them have primaries and enactors here.
        providers: Each has a primary for every coupled endpoint.
        has_janitor: Whether plans are retired; with the harshest options, one plan kept and no grace.
        budgets: How often each trouble may happen; see `plan_troubles.TROUBLES`.
        machines: What is explored.
        is_planner_atomic: Whether the planner's pass is one move; see `plan_publishing` on when that hides nothing.
        are_named: Whether each enactor signs with a name of its own. If not, they all sign alike, and a reply that was lost
            may turn out to be anybody's; see docs/PROOF.md on why that hides nothing.
        lacks: Guards of the world (not of a machine) that are taken away; see `plan_guards`.

    """

    enactors: int = 2
    plans: int = 3
    endpoints: int = 1
    coupled: int = 1
    providers: int = 1
    has_janitor: bool = False
    budgets: Mapping[str, int] = field(default_factory=dict)
    machines: Machines = field(default_factory=Machines)
    is_planner_atomic: bool = False
    are_named: bool = False
    lacks: frozenset[str] = frozenset()

    @property
    def places(self) -> tuple[Place, ...]:
        names = endpoint_names(self.endpoints)[: self.coupled]
        return tuple(Place(f"p{number + 1}", name) for name in names for number in range(self.providers))


def endpoint_names(count: int) -> tuple[str, ...]:
    return tuple(f"{chr(ord('a') + number % 26)}{number // 26 or ''}.example" for number in range(count))


Config = tuple[int, ...]
"""For each endpoint, which of `CONTENTS` is configured."""


@cache
def topology(config: Config) -> Topology:
    """What people have configured."""
    names = endpoint_names(len(config))
    return Topology(realm=REALM, endpoints=tuple(_endpoint(*pair) for pair in zip(names, config, strict=True)))


def _endpoint(name: str, chosen: int) -> Endpoint:
    targets = tuple(Target(address=address, region=address) for address in CONTENTS[chosen])
    return Endpoint(name=name, targets=targets, ttl=TTL, probed=False)


def next_configs(config: Config) -> tuple[Config, ...]:
    """What people may configure next: any one endpoint changes. Several at once look the same to each of them."""
    return tuple((*config[:at], (config[at] + 1) % len(CONTENTS), *config[at + 1 :]) for at in range(len(config)))


def by_hand() -> Content:
    """What a person writes with break-glass."""
    return Content.of_addresses((HAND,), ttl=TTL)


class Layout:
    """Where each part stands in a state. Each group of parts is a range of indices."""

    def __init__(self, options: PlanOptions) -> None:
        self.options = options
        self.places = options.places
        count = len(self.places)
        self.dns = tuple(range(count))
        self.records = tuple(range(count, 2 * count))
        self.pasts = tuple(range(2 * count, 3 * count))
        at = 3 * count
        self.shelf, self.reports, self.config, self.losses, self.flying, self.backup, self.person = range(at, at + 7)
        self.planner, self.janitor = at + 7, at + 8
        first = at + 9
        self.enactors = tuple(
            tuple(range(first + place * options.enactors, first + (place + 1) * options.enactors))
            for place in range(count)
        )
        self.names = (
            *(
                f"{kind} {place.endpoint}@{place.provider}"
                for kind in ("dns", "record", "past")
                for place in self.places
            ),
            *("plans", "reports", "configuration", "registry losses", "in flight", "backup", "person"),
            *("planner", "janitor"),
            *(enactor_name(number) for _ in self.places for number in range(options.enactors)),
        )

    def place_of(self, provider: str, endpoint: str) -> int:
        return self.places.index(Place(provider, endpoint))

    def initial(self) -> tuple[Any, ...]:
        """Nothing is published and nothing stands in DNS."""
        count = len(self.places)
        return (
            *([ABSENT] * count),
            *([None] * count),
            *([Past()] * count),
            *(Shelf(), (), (0,) * self.options.endpoints, 0, (), None, None),
            *(self.newborn_planner(), self.newborn_janitor()),
            *(self.newborn_enactor(place, number) for place in self.places for number in range(self.options.enactors)),
        )

    @property
    def is_orderly(self) -> bool:
        """Whether sentinels and records only ever count up, for guards are whole and nothing is lost."""
        options = self.options
        return not options.lacks and options.machines == Machines() and options.budgets.keys() <= ORDERLY

    @property
    def is_undamaged(self) -> bool:
        """Whether, besides, nobody but the janitor looks at older plans."""
        return self.is_orderly and self.options.budgets.keys() <= HARMLESS

    def pruned(self, shelf: Shelf) -> Shelf:
        """The shelf without plans that nobody reads here.

        Older plans are read by the janitor, for a hold that is put back, and after a registry was restored.
        """
        options = self.options
        readers = {"freezes", "break-glasses", "backups", "registry-lost"}
        return (
            shelf if options.has_janitor or readers & options.budgets.keys() else shelf._replace(plans=shelf.plans[-1:])
        )

    def newborn_planner(self) -> Working:
        state = planner.PlannerState(planner.Options(me="planner", realm=REALM, places=self.places, max_signal_age=0))
        return begun(self.options.machines.planner, state)

    def newborn_janitor(self) -> Working:
        options = janitor.Options(keep=1, grace=AGELESS, wait=AGELESS)
        return begun(self.options.machines.janitor, janitor.JanitorState(options))

    def newborn_enactor(self, place: Place, number: int) -> Working:
        state = enactor.EnactorState(enactor_name(number if self.options.are_named else None), REALM, *place)
        return begun(self.options.machines.enactor, state)


def enactor_name(number: int | None) -> str:
    """How an enactor signs; `None` for one without a name of its own."""
    return f"e{number + 1}" if number is not None else "e"


def begun(step: StepFunction, state: Any) -> Working:
    """The machine at the start of a pass: beginning one touches nothing outside, so there is no state between passes."""
    state, effects = step(state, m.Tick())
    return Working(state, only(effects))


def only(effects: m.Effects) -> m.Effect:
    """The one effect that is answered."""
    asked = asked_of(effects)
    assert asked is not None, "a pass begins with an effect"
    return asked


def asked_of(effects: m.Effects) -> m.Effect | None:
    """The effect that is answered, if there is one. Two would hide interleavings between them."""
    asked = [effect for effect in effects if not isinstance(effect, m.Note)]
    assert len(asked) <= 1, f"more than one external effect in a step: {asked}"
    return asked[0] if asked else None
