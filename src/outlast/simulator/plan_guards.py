"""The protocol's guards, each of which can be taken away to see what it guards against (`outlast verify --without`).

A guard goes by standing between a shipped machine and the world: what the machine reads, asks for or is answered is
changed, its own code never. `world` is where it is found out: the smallest world in which a check refutes the protocol
without this guard. docs/PROOF.md has the table, and a test holds every row to it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from outlast.simulator.plan_layout import Machines, StepFunction
from outlast.simulator.plan_meddling import (
    answering_every_report,
    believing_all_is_newest,
    copying_no_generation,
    counting_nothing,
    deciding_before_absence,
    forgetting_holds,
    freezing_anything,
    ignoring_edits,
    ignoring_sentinels,
    keeping_damage,
    leaving_absence,
    naming_another,
    overwriting_realms,
    putting_holds,
    resending,
    seeing_all_live,
    seeing_generation_zero,
    skipping_equal_records,
    taking_names,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One guard: what it is, which draft it comes from (`protocol-counterexamples`), and how it is found missing.

    `fault` is what the report's reason or fault says then.
    """

    text: str
    fault: str
    row: str = ""
    enactors: int = 2
    plans: int = 2
    endpoints: int = 1
    has_janitor: bool = False
    budgets: Mapping[str, int] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()
    enactor: Callable[[StepFunction], StepFunction] | None = None
    planner: Callable[[StepFunction], StepFunction] | None = None
    janitor: Callable[[StepFunction], StepFunction] | None = None
    person: Callable[[StepFunction], StepFunction] | None = None


FELL, UNREAD, STUCK = "the generation fell", "that it has not read", "does not leave by itself"
ENDLESS = "generations grow without end"


def _lacking(name: str, text: str, fault: str, row: str = "", **more: Any) -> Guard:
    return Guard(text=text, fault=fault, row=row, lacks=frozenset({name}), **more)


GUARDS: dict[str, Guard] = {
    "prerequisites": _lacking(
        "prerequisites", "a transaction demands what its sender has read", UNREAD, "freshness once per run; blind write"
    ),
    "records-prerequisite": _lacking(
        "records-prerequisite",
        "the records are prerequisites too, not the sentinel alone",
        UNREAD,
        "D4",
        budgets={"records-changed": 1},
    ),
    "sentinel-prerequisite": _lacking(
        "sentinel-prerequisite", "the sentinel is a prerequisite too, not the records alone", UNREAD, "D3", plans=3
    ),
    "whole-sets": _lacking(
        "whole-sets", "whole sets are replaced, never single records", UNREAD, "D4: deltas", budgets={"records-lost": 1}
    ),
    "record-order": _lacking(
        "record-order",
        "a record is replaced only by one that supersedes it",
        FELL,
        "C11",
        budgets={"break-glasses": 1, "sentinel-lost": 1},
    ),
    "record-first": _lacking(
        "record-first",
        "a person's write is recorded before it is sent",
        FELL,
        "C11",
        enactors=1,
        budgets={"break-glasses": 1, "sentinel-lost": 1},
    ),
    "claim": _lacking(
        "claim",
        "a name is claimed in the registry before it is created",
        STUCK,
        "C12",
        enactors=1,
        budgets={"crashes": 1, "sentinel-lost": 1},
    ),
    "recorded-content": _lacking(
        "recorded-content",
        "the record keeps the content, so that it outlives its plan",
        STUCK,
        "C10",
        enactors=1,
        plans=3,
        has_janitor=True,
        budgets={"freezes": 1, "records-lost": 1},
    ),
    "own-transactions": _lacking(
        "own-transactions",
        "what is refused for one endpoint sticks no other",
        STUCK,
        "D5",
        enactors=1,
        plans=1,
        endpoints=2,
        budgets={"realm-taken": 1},
    ),
    "deletion-check": _lacking(
        "deletion-check",
        "the registry checks a deletion again in its own transaction",
        "the newest plan is deleted",
        "C9",
        enactors=1,
        plans=3,
        has_janitor=True,
        budgets={"backups": 1, "registry-restored": 1},
    ),
    "recheck": Guard(
        text="after an absent sentinel plan and record are read again",
        fault=FELL,
        row="C3",
        budgets={"sentinel-lost": 1},
        enactor=deciding_before_absence,
    ),
    "never-backwards": Guard(
        text="a sentinel ahead of the plan in hand is not overwritten",
        fault=FELL,
        row="D: older plan",
        plans=3,
        enactor=seeing_generation_zero,
    ),
    "hold": Guard(
        text="enactors never overwrite a hold",
        fault="overwrote a hold",
        row="held overwritten; D2",
        enactors=1,
        budgets={"freezes": 1},
        enactor=seeing_all_live,
    ),
    "retirement": Guard(
        text="a retired name is left alone, whatever becomes of its records",
        fault="overwrote a retirement",
        row="C7",
        enactors=1,
        budgets={"retirements": 1, "records-lost": 1},
        enactor=seeing_all_live,
    ),
    "realm": Guard(
        text="a foreign realm is left alone",
        fault="overwrote a foreign realm",
        row="(g)",
        enactors=1,
        budgets={"realm-taken": 1},
        enactor=overwriting_realms,
    ),
    "adoption": Guard(
        text="a name that is not empty and was never claimed is left alone",
        fault="never ours",
        row="absent-sentinel create",
        enactors=1,
        budgets={"name-taken": 1},
        enactor=taking_names,
    ),
    "repair": Guard(
        text="records that are not what the sentinel names are put back",
        fault=STUCK,
        row="D1",
        enactors=1,
        budgets={"records-lost": 1},
        enactor=keeping_damage,
    ),
    "recreation": Guard(
        text="a sentinel and records that are both gone come back without a person",
        fault=STUCK,
        row="C4",
        enactors=1,
        budgets={"both-lost": 1},
        enactor=leaving_absence,
    ),
    "held-record": Guard(
        text="a lost hold is recreated as a hold",
        fault="lost a recorded hold",
        row="C5",
        enactors=1,
        budgets={"freezes": 1, "sentinel-lost": 1},
        enactor=forgetting_holds,
    ),
    "moving-sentinel": Guard(
        text="a newer generation is written even if the records are equal",
        fault=STUCK,
        row="D3",
        enactors=1,
        plans=3,
        enactor=skipping_equal_records,
    ),
    "counting": Guard(
        text="every write raises n", fault="n does not rise", row="(a)", enactors=1, enactor=counting_nothing
    ),
    "retired-record": Guard(
        text="what was retired is not recreated when its sentinel is lost",
        fault="lost a recorded retirement",
        enactors=1,
        budgets={"retirements": 1, "sentinel-lost": 1},
        enactor=forgetting_holds,
    ),
    "standing": Guard(
        text="nobody but a person puts a hold on a name",
        fault="put a person's hand on it",
        enactors=1,
        enactor=putting_holds,
    ),
    "edits": Guard(
        text="what people have configured last is published",
        fault=STUCK,
        enactors=1,
        planner=ignoring_edits,
    ),
    "naming": Guard(
        text="a sentinel names the content that stands beside it",
        fault="not what the sentinel names",
        row="(d)",
        enactors=1,
        enactor=naming_another,
    ),
    "lost-reply": Guard(
        text="after a lost reply it is read and compared, never sent again",
        fault=UNREAD,
        row="(j): resend",
        enactors=1,
        budgets={"lost-replies": 1},
        enactor=resending,
    ),
    "answered-generation": Guard(
        text="an answered report moves the endpoint's own generation",
        fault=ENDLESS,
        row="C1",
        enactors=1,
        budgets={"break-glasses": 1, "thaws": 1},
        planner=copying_no_generation,
    ),
    "ahead-check": Guard(
        text="a report is answered only if the planner itself sees the sentinel ahead",
        fault=ENDLESS,
        row="C2",
        planner=answering_every_report,
    ),
    "frozen-mistake": Guard(
        text="a freeze refuses records that are not what the sentinel names",
        fault="two contents under one generation",
        row="C6",
        enactors=1,
        budgets={"freezes": 1, "records-changed": 1},
        person=freezing_anything,
    ),
    "named-plans": Guard(
        text="the janitor spares what a sentinel names",
        fault="that a sentinel named",
        row="janitor by age only",
        plans=3,
        has_janitor=True,
        budgets={"crashes": 1},
        janitor=ignoring_sentinels,
    ),
    "newest-plan": Guard(
        text="the newest plan is never retired",
        fault="the newest plan is deleted",
        row="C8",
        enactors=1,
        has_janitor=True,
        janitor=believing_all_is_newest,
        lacks=frozenset({"deletion-check"}),
    ),
}
"""Every guard that can be taken away, by name."""


def machines_without(names: frozenset[str]) -> tuple[Machines | None, frozenset[str]]:
    """The machines without those guards (`None`: as shipped), and which of the world's guards are gone."""
    machines = Machines()
    for guard in (GUARDS[name] for name in sorted(names)):
        for role in ("enactor", "planner", "janitor", "person"):
            meddle = getattr(guard, role)
            if meddle is not None:
                machines = replace(machines, **{role: meddle(getattr(machines, role))})
    lacks = frozenset().union(*(GUARDS[name].lacks for name in names))
    return (None if machines == Machines() else machines), lacks
