"""The planner: turns topology and signals into the next plan, and answers enactors that met something newer.

Theory of operation. A pass reads everything it decides on in one go. If an endpoint should change, or somebody reported
a sentinel ahead of the plan, it reads those endpoints' sentinels itself, takes a generation above all it knows (rule f)
and publishes by compare and swap on the latest generation. Two planners cannot both win; the loser starts anew.

It answers a report only if the sentinel it reads itself is ahead of its latest plan; otherwise the report came from an
enactor that was behind, and answering it would raise generations without end. An endpoint that is answered takes the new
plan's generation even if its content is the same: without that the report would come back for ever (rule d).

Errors freeze: no topology, no registry, no fresh signal means no new plan, and the last one stands. A planner whose file
is older than the one that the plan follows stands back from what they say differently (`edition`).
"""

from collections.abc import Set as AbstractSet
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from outlast.errors import UnsafePlan
from outlast.traffic.alarms import alarms
from outlast.traffic.drafting import next_entries
from outlast.traffic.edition import carried, standing_back
from outlast.traffic.messages import (
    DropReports,
    Effects,
    Event,
    Expired,
    InputsRead,
    Note,
    Publish,
    Published,
    Raced,
    ReadInputs,
    ReadSentinels,
    RegistryDown,
    ReportsDropped,
    SentinelsRead,
    Sighting,
    Tick,
)
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.ports import AheadReport, Place
from outlast.traffic.sentinel import Sentinel, parse


class Phase(StrEnum):
    """What the pass waits for."""

    IDLE = "idle"
    INPUTS = "reading the inputs"
    SENTINELS = "reading sentinels"
    PUBLISH = "publishing"
    DROP = "answering reports"


class Options(NamedTuple):
    """What a planner is told once. `max_signal_age` is nanoseconds; `places` says who serves each endpoint."""

    me: str
    realm: str
    places: tuple[Place, ...]
    max_signal_age: int


class PlannerState(NamedTuple):
    """`floor` is the largest generation this planner has published; it outlives a registry that forgets.

    Of the sentinels it has read it keeps the largest generation, `highest`, and the endpoints where one is `ahead` of the
    latest plan: so it does not matter in which order they were read.
    `answered` are the reports that the pass answers, once it has decided how; then nothing else is kept of its inputs.
    """

    options: Options
    phase: Phase = Phase.IDLE
    floor: int = 0
    inputs: InputsRead | None = None
    drafts: tuple[Entry, ...] = ()
    to_read: tuple[Place, ...] = ()
    highest: int = 0
    ahead: frozenset[str] = frozenset()
    answered: tuple[AheadReport, ...] = ()

    def __repr__(self) -> str:
        return f"<planner {self.options.me}: {self.phase}, floor {self.floor}>"


Step = tuple[PlannerState, Effects]


def step(state: PlannerState, event: Event) -> Step:
    """One transition.

    Raises:
        AssertionError: The event is not one that this phase can get; the state is unchanged.

    """
    match state.phase, event:
        case Phase.IDLE, Tick():
            return state._replace(phase=Phase.INPUTS), (ReadInputs(),)
        case Phase.INPUTS, InputsRead():
            return _on_inputs(state, event)
        case Phase.SENTINELS, SentinelsRead(sightings=sightings):
            return _next_sentinels(_noticed(state, sightings))
        case Phase.PUBLISH, Published():
            return _drop(state, Note("published", f"gen={state.floor}"))
        case Phase.PUBLISH, Raced():
            return _rest(state, Note("lost the race to publish"))
        case Phase.PUBLISH, Expired():
            return _rest(state, Note("signals grew too old while planning", "the last plan stands", alarm=True))
        case Phase.DROP, ReportsDropped():
            return _rest(state)
        case ((Phase.INPUTS | Phase.PUBLISH | Phase.DROP), RegistryDown(detail=detail)):
            return _rest(state, Note("registry unavailable", f"{detail}; the last plan stands", alarm=True))
    raise AssertionError(f"{state!r} cannot get {event!r}")


def _on_inputs(state: PlannerState, inputs: InputsRead) -> Step:
    inputs, overtaken = standing_back(inputs)
    try:
        drafts = next_entries(inputs, state.options.max_signal_age)
    except UnsafePlan as error:
        return _rest(state, *overtaken, Note("plan refused", f"{error}; the last plan stands", alarm=True))
    notes = overtaken + alarms(inputs, drafts, state.options.max_signal_age)
    concerned = {draft.endpoint for draft in drafts} | {report.endpoint for report in inputs.reports}
    if not concerned and not _gone(inputs):
        return _rest(state, *notes)
    to_read = tuple(place for place in state.options.places if place.endpoint in concerned)
    # Of the records only the generations still count, and the largest of them is a floor like the registry's.
    floor = max([inputs.floor, *(record.sentinel.gen for record in inputs.records)])
    inputs = inputs._replace(records=(), floor=floor)
    state, effects = _next_sentinels(
        state._replace(phase=Phase.SENTINELS, inputs=inputs, drafts=drafts, to_read=to_read)
    )
    return state, (*notes, *effects)


def _gone(inputs: InputsRead) -> set[str]:
    entries = inputs.plan.entries if inputs.plan is not None else ()
    return {it.endpoint for it in entries if inputs.topology.endpoint(it.endpoint) is None} - inputs.untouched


# --------------------------------------------------------------------------------------------- reading sentinels


def _noticed(state: PlannerState, sightings: tuple[Sighting, ...]) -> PlannerState:
    # A primary that did not answer tells nothing: what it has is met by its enactors, and reported.
    assert state.inputs is not None
    plan, highest, ahead = state.inputs.plan, state.highest, set[str]()
    for place, texts, _ in sightings:
        sentinel = parse(texts or ())
        if not isinstance(sentinel, Sentinel) or sentinel.realm != state.options.realm:
            continue
        highest = max(highest, sentinel.gen)
        entry = plan.entry(place.endpoint) if plan is not None else None
        if entry is not None and sentinel.follows(entry.generation, entry.digest):
            ahead.add(place.endpoint)
    read = {sighting.place for sighting in sightings}
    to_read = tuple(place for place in state.to_read if place not in read)
    return state._replace(to_read=to_read, highest=highest, ahead=state.ahead | ahead)


def _next_sentinels(state: PlannerState) -> Step:
    if state.to_read:
        return state, (ReadSentinels(state.to_read, _patience(state)),)
    return _publish(state)


def _patience(state: PlannerState) -> int:
    # A provider that is silent must not hold up the others until the evidence is too old for a plan. Where nothing waits
    # for it, as with a report alone, it has all its time.
    assert state.inputs is not None
    until = _valid_until(state.inputs, state.options.max_signal_age)
    return max(1, (until - state.inputs.wall) // 2) if state.drafts and until else 0


# ----------------------------------------------------------------------------------------------------- publishing


def _publish(state: PlannerState) -> Step:
    inputs = state.inputs
    assert inputs is not None
    ahead = state.ahead
    if not state.drafts and not ahead and not _gone(inputs):
        return _drop(_decided(state), Note("report dropped", "no sentinel is ahead of the latest plan"))
    generation = _next_generation(state)
    try:
        plan = Plan(
            realm=state.options.realm,
            generation=generation,
            entries=tuple(_entries(state, generation)),
            at=inputs.wall,
            by=state.options.me,
            reason=_reason({draft.endpoint for draft in state.drafts}, ahead, _gone(inputs)),
            edition=carried(inputs),
        )
    except UnsafePlan as error:
        return _rest(state, Note("plan refused", f"{error}; the last plan stands", alarm=True))
    after = inputs.plan.generation if inputs.plan is not None else 0
    publish = Publish(plan, after, _valid_until(inputs, state.options.max_signal_age))
    decided = _decided(state)._replace(phase=Phase.PUBLISH, floor=generation)
    return decided, (*_lost(state), *_warnings(state.drafts), publish)


def _lost(state: PlannerState) -> tuple[Note, ...]:
    assert state.inputs is not None
    if state.inputs.plan is not None or not state.highest:
        return ()
    what = f"DNS is at gen {state.highest}, and the registry has no plan: it was lost or replaced"
    return (Note("the registry is new", f"{what}; orders, pins and audit log are gone: give them again", alarm=True),)


def _warnings(drafts: tuple[Entry, ...]) -> tuple[Note, ...]:
    short = {draft.endpoint: draft.shortage for draft in drafts if draft.shortage}
    waiting = {draft.endpoint: draft.waits_for for draft in drafts if draft.waits_for}
    notes = []
    if short:
        notes.append(Note("too little capacity", f"{_few(set(short))}: {short[min(short)]}", alarm=True))
    if waiting:
        notes.append(Note("an edit bakes", f"{_few(set(waiting))} follow when {waiting[min(waiting)]} has done well"))
    return tuple(notes)


def _decided(state: PlannerState) -> PlannerState:
    assert state.inputs is not None
    return state._replace(inputs=None, drafts=(), highest=0, ahead=frozenset(), answered=state.inputs.reports)


def _valid_until(inputs: InputsRead, max_signal_age: int) -> int:
    # When the oldest of the fresh signals stops being fresh; 0 if the plan rests on none.
    fresh = [signal.at for signal in inputs.signals if inputs.wall - max_signal_age <= signal.at]
    return min(fresh) + max_signal_age if fresh else 0


def _next_generation(state: PlannerState) -> int:
    inputs = state.inputs
    assert inputs is not None
    latest = inputs.plan.generation if inputs.plan is not None else 0
    return max(latest, inputs.floor, state.floor, state.highest) + 1


def _entries(state: PlannerState, generation: int) -> list[Entry]:
    inputs = state.inputs
    assert inputs is not None
    drafts = {draft.endpoint: draft for draft in state.drafts}
    entries = []
    for name in sorted(inputs.untouched.union(endpoint.name for endpoint in inputs.topology.endpoints)):
        previous = inputs.plan.entry(name) if inputs.plan is not None else None
        entry = drafts.get(name, previous)
        assert entry is not None, "an endpoint without a draft has a previous entry"
        # (d) The generation in which the endpoint last changed; an answered report moves it too.
        differs = entry is not previous and (previous is None or previous.digest != entry.digest)
        moved = differs or name in state.ahead
        entries.append(replace(entry, generation=generation) if moved else entry)
    return entries


def _reason(changed: AbstractSet[str], ahead: AbstractSet[str], gone: AbstractSet[str]) -> str:
    parts = (("changed", changed), ("answering ahead", ahead), ("no longer planned", gone))
    return "; ".join(f"{word}: {_few(names)}" for word, names in parts if names)


def _few(names: AbstractSet[str]) -> str:
    shown = sorted(names)[:5]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")


def _drop(state: PlannerState, *notes: Note) -> Step:
    if not state.answered:
        return _rest(state, *notes)
    return state._replace(phase=Phase.DROP), (*notes, DropReports(state.answered))


def _rest(state: PlannerState, *notes: Note) -> Step:
    state = state._replace(phase=Phase.IDLE, inputs=None, drafts=(), to_read=(), highest=0, ahead=frozenset())
    return state._replace(answered=()), notes
