"""The enactor: brings one endpoint at one provider to what the plan says, and never backwards.

Theory of operation. A pass reads the registry, then the primary, and decides. Whatever it writes carries as its
prerequisite exactly what it has read, so a decision taken on old knowledge is refused by the provider itself, however
long the enactor slept in between; there is no lock, lease or clock to get wrong. Two or more run at once, none leads,
none talks to another. The rules (a) to (j) are those of the plan protocol; each stands beside its branch.

What it never does: write without having read, overwrite a hold or a retirement, delete anything but what it replaces,
send a transaction again after a lost reply.

The state of a pass is a value; a crash is a return to `IDLE`. It holds what the rest of the pass still needs and nothing
else: once decided, what was read is kept only where it is the transaction's prerequisite.
"""

from enum import StrEnum
from typing import NamedTuple

from outlast.traffic import guards
from outlast.traffic.content import Content, describe, digest, publishable
from outlast.traffic.messages import (
    Commit,
    Committed,
    Conflict,
    ContentFound,
    Effects,
    Event,
    Failed,
    FindContent,
    KnownRead,
    LiveRead,
    Lost,
    Note,
    ProviderDown,
    ReadKnown,
    ReadLive,
    RecordWritten,
    RegistryDown,
    ReportAhead,
    Reported,
    Tick,
    Wake,
    Woken,
    WriteRecord,
)
from outlast.traffic.plan import Entry
from outlast.traffic.ports import AheadReport, Known, Live, Record, Transaction
from outlast.traffic.sentinel import Corrupt, Sentinel, Standing, UnknownVersion, parse


class Phase(StrEnum):
    """What the pass waits for."""

    IDLE = "idle"
    KNOWN = "reading the registry"
    LIVE = "reading the primary"
    RECHECK = "reading the registry after an absent sentinel"
    CONTENT = "looking for the content of a hold"
    TURN = "standing back for a peer"
    CLAIM = "claiming a new name"
    COMMIT = "committing"
    CONFIRM = "reading back after a lost reply"
    RECORD = "recording"
    REPORT = "reporting a sentinel ahead of the plan"


class EnactorState(NamedTuple):
    """One enactor at one endpoint of one provider."""

    me: str
    realm: str
    provider: str
    endpoint: str
    phase: Phase = Phase.IDLE
    wait: int = 0
    known: Known | None = None
    live: Live | None = None
    intent: Transaction | None = None

    def __repr__(self) -> str:
        return f"<enactor {self.me} {self.endpoint}@{self.provider}: {self.phase}>"


Step = tuple[EnactorState, Effects]


def step(state: EnactorState, event: Event) -> Step:
    """One transition.

    Raises:
        AssertionError: The event is not one that this phase can get; the state is unchanged.

    """
    match state.phase, event:
        case Phase.IDLE, Tick(wait=wait):
            return _read_known(state._replace(wait=wait))
        case Phase.KNOWN, KnownRead(known=known):
            return _on_known(state, known)
        case Phase.LIVE, LiveRead(live=live):
            return _decide(state._replace(live=live))
        case Phase.RECHECK, KnownRead(known=known) if known.is_copy:
            # (i) asks for what stands there after the absence was seen: a hold may have been recorded since the copy.
            return _rest(state, Note("registry unavailable", "the sentinel is absent: waiting for it", alarm=True))
        case Phase.RECHECK, KnownRead(known=known):
            return _recreate(state._replace(known=known))
        case Phase.CONTENT, ContentFound(content=content):
            return _put_back(state, content)
        case Phase.TURN, Woken():
            # Everything may have changed meanwhile: a pass starts anew, without waiting again.
            return _read_known(state._replace(wait=0))
        case Phase.CLAIM, RecordWritten(stored=False):
            # Somebody created it, and recorded that, after we read the registry: what was decided is overtaken.
            return _rest(state, Note("conflict", "the name was created and recorded meanwhile"))
        case Phase.CLAIM, RecordWritten():
            assert state.intent is not None
            return state._replace(phase=Phase.COMMIT), (Commit(state.intent),)
        case Phase.COMMIT, Committed() | Conflict() | Failed() | Lost():
            return _on_reply(state, event)
        case Phase.CONFIRM, LiveRead(live=live):
            return _confirm(state, live)
        case Phase.RECORD, RecordWritten():
            return _rest(state)
        case Phase.REPORT, Reported():
            return _rest(state)
        case (
            (Phase.KNOWN | Phase.RECHECK | Phase.CONTENT | Phase.CLAIM | Phase.RECORD | Phase.REPORT),
            RegistryDown(detail=detail),
        ):
            return _rest(state, Note("registry unavailable", detail, alarm=True))
        case ((Phase.LIVE | Phase.CONFIRM), ProviderDown(detail=detail)):
            return _rest(state, Note("provider unavailable", detail, alarm=True))
    raise AssertionError(f"{state!r} cannot get {event!r}")


# ------------------------------------------------------------------------------------------- reading and deciding


def _read_known(state: EnactorState) -> Step:
    return state._replace(phase=Phase.KNOWN), (ReadKnown(state.provider, state.endpoint),)


def _on_known(state: EnactorState, known: Known) -> Step:
    if known.entry is None and known.record is None:
        return _rest(state, Note("nothing planned"))
    read = ReadLive(state.provider, state.endpoint)
    told = (Note("registry unavailable", "going on with the copy of what it said last", alarm=True),)
    return state._replace(phase=Phase.LIVE, known=known), (*(told if known.is_copy else ()), read)


def _decide(state: EnactorState) -> Step:
    assert state.live is not None
    reading = parse(state.live.sentinel)
    match reading:
        case UnknownVersion():
            return _rest(state, Note("unknown sentinel version", " ".join(reading.texts), alarm=True))  # (g)
        case None | Corrupt():
            # (i) Read registry and record after seeing the absence: what was read before it may be overtaken.
            return state._replace(phase=Phase.RECHECK), (ReadKnown(state.provider, state.endpoint),)
    if reading.realm != state.realm:
        return _rest(state, Note("foreign realm", reading.realm, alarm=True))  # (g)
    match reading.standing:
        case Standing.RETIRED:
            return _rest(state)  # (c) hands off
        case Standing.HELD:
            return _keep_hold(state, reading)
        case Standing.LIVE:
            return _keep_live(state, reading)


def _keep_live(state: EnactorState, seen: Sentinel) -> Step:
    known, live = _knowledge(state)
    entry = known.entry
    intact = digest(live.sets) == seen.digest
    if entry is None or seen.follows(entry.generation, entry.digest):
        # Somebody is ahead of our plan. Damage is mended first, from the record, in the sentinel's own generation.
        if not intact and known.record is not None and known.record.content.digest == seen.digest:
            return _write(state, _again(state, seen), known.record.content, "repair")
        if entry is None:
            return _rest(state)
        report = AheadReport(state.provider, state.endpoint, seen.gen, seen.digest)
        return _decided(state, Phase.REPORT), (Note("ahead", f"gen={seen.gen}"), ReportAhead(report))  # (f)
    if seen.gen < entry.generation:
        # (d) Even if the records are equal already: the sentinel must move so that sleepers are refused.
        coming = _again(state, seen)._replace(gen=entry.generation, digest=entry.digest)
        return _apply(state, coming, entry, "apply")
    if not intact:
        return _apply(state, _again(state, seen), entry, "repair")  # (c)
    return _refresh_record(state, seen, entry.content)


def _keep_hold(state: EnactorState, seen: Sentinel) -> Step:
    known, live = _knowledge(state)
    present = publishable(live.sets)
    if present is not None and present.digest == seen.digest:
        return _refresh_record(state, seen, present)
    for content in _recorded(known):
        if content.digest == seen.digest:
            return _write(state, _again(state, seen), content, "put back")
    return state._replace(phase=Phase.CONTENT), (FindContent(state.endpoint, seen.digest),)


def _recorded(known: Known) -> tuple[Content, ...]:
    return tuple(source.content for source in (known.record, known.entry) if source is not None)


def _put_back(state: EnactorState, content: Content | None) -> Step:
    _, live = _knowledge(state)
    seen = parse(live.sentinel)
    assert isinstance(seen, Sentinel)
    if content is None:
        return _rest(state, Note("held content is lost", "mend it with: outlast break-glass", alarm=True))
    return _write(state, _again(state, seen), content, "put back")


def _again(state: EnactorState, seen: Sentinel) -> Sentinel:
    # Above the record's `n` too, which may be ahead of a primary that was put back to an older state: a sentinel below
    # its record would never be recorded again, and a hold on it would not survive its loss.
    recorded = state.known.record.sentinel.n if state.known is not None and state.known.record is not None else 0
    return seen._replace(n=max(seen.n, recorded) + 1, by=state.me)


def _refresh_record(state: EnactorState, seen: Sentinel, content: Content) -> Step:
    # Whoever wrote this may have died before recording it; without its content a later loss could not be mended.
    known, _ = _knowledge(state)
    # The same `n` with another sentinel is a hold that was recorded and then lost its race: it stands nowhere.
    if known.record is not None and (known.record.sentinel.n > seen.n or known.record.sentinel == seen):
        return _rest(state)
    record = Record(state.provider, state.endpoint, seen, content)
    return _decided(state, Phase.RECORD), (WriteRecord(record),)


# --------------------------------------------------------------------------- (i) the sentinel is absent or corrupt


def _recreate(state: EnactorState) -> Step:
    known, live = _knowledge(state)
    entry, record = known.entry, known.record
    if record is None:
        return _create(state, entry, live)
    last = record.sentinel
    if last.standing is Standing.RETIRED:
        return _rest(state)
    if last.standing is Standing.HELD:
        gen = max(last.gen, entry.generation if entry is not None else 0)
        held = Sentinel(state.realm, last.n + 1, gen, record.content.digest, Standing.HELD, state.me)
        return _write(state, held, record.content, "recreate hold")
    if entry is None or last.follows(entry.generation, entry.digest):
        return _write(state, last._replace(n=last.n + 1, by=state.me), record.content, "recreate from record")
    coming = Sentinel(state.realm, last.n + 1, entry.generation, entry.digest, Standing.LIVE, state.me)
    return _apply(state, coming, entry, "recreate")


def _create(state: EnactorState, entry: Entry | None, live: Live) -> Step:
    if entry is None:
        return _rest(state, Note("nothing planned"))
    if live.sets:
        detail = f"{describe(live.sets)} stands there and is not ours; make it ours with: outlast adopt"
        return _rest(state, Note("unclaimed name", detail, alarm=True))
    coming = Sentinel(state.realm, 1, entry.generation, entry.digest, Standing.LIVE, state.me)
    # The claim is written before the first creation, so that a creation that dies unrecorded is still known as ours.
    claim = Record(state.provider, state.endpoint, coming._replace(n=0), entry.content)
    if state.wait:
        return _stand_back(state)
    intent = Transaction(state.provider, state.endpoint, live, coming, entry.content)
    return _decided(state, Phase.CLAIM, intent), (Note("create", entry.content.digest), WriteRecord(claim))


# -------------------------------------------------------------------------------------------------------- writing


def _apply(state: EnactorState, coming: Sentinel, entry: Entry, why: str) -> Step:
    known, live = _knowledge(state)
    refused = guards.refusal(live.sets, entry, known.record)
    if refused:
        return _rest(state, Note("refused at the last hop", refused, alarm=True))
    return _write(state, coming, entry.content, why)


def _write(state: EnactorState, coming: Sentinel, content: Content, why: str) -> Step:
    _, live = _knowledge(state)
    if state.wait:
        return _stand_back(state)
    intent = Transaction(state.provider, state.endpoint, live, coming, content)
    note = Note(why, f"gen={coming.gen} n={coming.n}")
    return _decided(state, Phase.COMMIT, intent), (note, Commit(intent))


def _stand_back(state: EnactorState) -> Step:
    return _decided(state, Phase.TURN), (Wake(state.wait),)


def _decided(state: EnactorState, phase: Phase, intent: Transaction | None = None) -> EnactorState:
    return state._replace(phase=phase, known=None, live=None, intent=intent)


def _on_reply(state: EnactorState, reply: Event) -> Step:
    match reply:
        case Committed():
            return _write_record(state)
        case Conflict(detail=detail):
            return _rest(state, Note("conflict", detail))
        case Failed(detail=detail):
            return _rest(state, Note("transaction refused", detail, alarm=True))
        case Lost(detail=detail):
            # (j) Read and compare; the next pass decides anew on what is there.
            read = ReadLive(state.provider, state.endpoint)
            return state._replace(phase=Phase.CONFIRM), (Note("reply lost", detail), read)
    raise AssertionError(f"{state!r} cannot get {reply!r}")


def _confirm(state: EnactorState, live: Live) -> Step:
    assert state.intent is not None
    if live.sentinel == (state.intent.sentinel.text,):
        return _write_record(state)
    return _rest(state, Note("did not land"))


def _write_record(state: EnactorState) -> Step:
    assert state.intent is not None
    intent = state.intent
    record = Record(state.provider, state.endpoint, intent.sentinel, intent.content)
    note = Note("enacted", f"gen={intent.sentinel.gen} n={intent.sentinel.n} {intent.content}")
    return _decided(state, Phase.RECORD), (note, WriteRecord(record))


def _rest(state: EnactorState, *notes: Note) -> Step:
    return state._replace(phase=Phase.IDLE, wait=0, known=None, live=None, intent=None), notes


def _knowledge(state: EnactorState) -> tuple[Known, Live]:
    assert state.known is not None
    assert state.live is not None
    return state.known, state.live
