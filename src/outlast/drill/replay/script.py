"""A drill script: an interleaving as a list of steps.

Each is one external effect, with what it is answered and what DNS says after it. `outlast verify --script` writes it from the explorer's moves, `outlast drill --trace` plays it. Values only.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from outlast.incidents import planner as hazard_planner
from outlast.incidents import protocol as hazard
from outlast.traffic import messages as ours

VERSION = 1
AWS_2025, OUTLAST = "aws-2025", "outlast"
ZONE = "example"
"""Every endpoint of a script lives here (RFC 6761): the explorer's names are the names on the wire."""
PLANNER, JANITOR = "planner", "janitor"
DIED = "Died"
"""In place of an answer: whoever was about to do this is killed, and begins anew."""

ENACTORS_MAX, ENDPOINTS_MAX, STEPS_MAX = 5, 8, 500
BYTES_MAX = 1_000_000

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One external effect.

    Args:
        actor: Who: `e1` and so on, `planner`, `janitor`.
        effect: The effect's class name.
        fields: What is known of the effect beforehand; see `facts`.
        answer: The class name of the event that answers it, or `DIED`.
        says: What is known of that event.
        dns: For each endpoint the addresses that DNS answers afterwards, sorted; none is an empty answer.
        configured: For each endpoint the addresses that people configure before this step; mostly nothing.
        words: The step in plain words.

    """

    actor: str
    effect: str
    fields: Facts = field(default_factory=dict)
    answer: str
    says: Facts = field(default_factory=dict)
    dns: dict[str, tuple[str, ...]]
    configured: dict[str, tuple[str, ...]] = field(default_factory=dict)
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """An interleaving of one protocol, from a world in which nothing is published and nothing stands in DNS.

    Args:
        protocol: `AWS_2025` or `OUTLAST`.
        enactors: How many there are; `e1` is the first.
        endpoints: Their names.
        keep: Plan numbers that a cleaner spares (of 2025), or plans that the janitor keeps.
        shows: What the explorer says of it.
        steps: In order; the next begins when the one before has been answered.

    """

    protocol: str
    enactors: int
    endpoints: tuple[str, ...]
    keep: int
    shows: str
    steps: tuple[Step, ...]

    @property
    def actors(self) -> tuple[str, ...]:
        """Everybody who may have a step."""
        return (*self.enactor_names, PLANNER, *((JANITOR,) if self.protocol == OUTLAST else ()))

    @property
    def enactor_names(self) -> tuple[str, ...]:
        return tuple(f"e{number + 1}" for number in range(self.enactors))


def _names(*kinds: type) -> frozenset[str]:
    return frozenset(kind.__name__ for kind in kinds)


EFFECTS = {
    AWS_2025: {
        "e": _names(
            hazard.FetchLatestPlan, hazard.ReadTop, hazard.BuildTree, hazard.ReadLock, hazard.AcquireLock,
            hazard.ReadActive, hazard.Install, hazard.ReleaseLock, hazard.ListTrees, hazard.DeleteTree, hazard.Wake,
        ),
        PLANNER: _names(hazard_planner.Publish),
    },
    OUTLAST: {
        "e": _names(
            ours.ReadKnown, ours.ReadLive, ours.FindContent, ours.WriteRecord, ours.Commit, ours.Wake, ours.ReportAhead
        ),
        PLANNER: _names(ours.ReadInputs, ours.ReadSentinels, ours.Publish, ours.DropReports),
        JANITOR: _names(ours.ListPlans, ours.ReadSentinels, ours.Tombstone, ours.DeletePlan),
    },
}  # fmt: skip
"""What each kind of role does, by protocol; `e` stands for the enactors."""
ANSWERS = {
    AWS_2025: _names(
        hazard.PlanFound, hazard.TopRead, hazard.TreeBuilt, hazard.LockRead, hazard.LockAcquired, hazard.LockLost,
        hazard.Woken, hazard.Installed, hazard.InstallRefused, hazard.LockReleased, hazard.TreesListed,
        hazard.TreeDeleted, hazard_planner.Published,
    ),
    OUTLAST: _names(
        ours.KnownRead, ours.LiveRead, ours.SentinelsRead, ours.ContentFound, ours.RecordWritten, ours.Committed, ours.Conflict, ours.Woken,
        ours.Reported, ours.InputsRead, ours.Published, ours.Raced, ours.ReportsDropped, ours.PlansListed,
        ours.Tombstoned, ours.PlanDeleted, ours.PlanKept,
    ),
}  # fmt: skip
"""What can be told of beforehand; lost replies and faults of the machine cannot be forced from outside."""


def effects_of(protocol: str, actor: str) -> frozenset[str]:
    """What that actor may do."""
    roles = EFFECTS[protocol]
    return roles.get(actor, roles["e"])


def to_json(script: Script) -> str:
    """The script as text for people and programs: one step on each line, defaults left out."""
    head = {"version": VERSION, **{key: value for key, value in asdict(script).items() if key != "steps"}}
    lines = ",\n".join(f"  {json.dumps(_brief(step))}" for step in script.steps)
    return f'{json.dumps(head, indent=1)[:-2]},\n "steps": [\n{lines}\n ]\n}}\n'


def _brief(step: Step) -> dict[str, Any]:
    always = {"actor", "effect", "answer", "dns"}
    return {key: value for key, value in asdict(step).items() if value or key in always}
