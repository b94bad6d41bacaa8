"""A person's hand: freeze, thaw, retire and break-glass, as one step machine.

Each writes the coming sentinel to the registry's record first, if the registry answers, and then to the provider
(rule e): a hold whose sentinel is lost afterwards is recreated as a hold. Freeze, thaw and retire change nothing but
the sentinel, and refuse while the records differ from what it names: a frozen mistake would be nobody's to mend.
Break-glass writes what the person says, needs no registry, and takes a generation above everything it can read. Where no
sentinel is left to read, that is the registry alone, so it is asked again after seeing that (rule i): what was read before
may have been overtaken by the very sentinel that is gone.

Dry run: `decide_only` ends the pass where the first write would be, with the intended transaction in the state.
"""

from enum import StrEnum
from typing import NamedTuple

from outlast.traffic.content import Content, describe, digest, publishable
from outlast.traffic.messages import (
    Commit,
    Committed,
    Conflict,
    Effects,
    Event,
    Failed,
    KnownRead,
    LiveRead,
    Lost,
    ProviderDown,
    ReadKnown,
    ReadLive,
    RecordWritten,
    RegistryDown,
    Tick,
    WriteRecord,
)
from outlast.traffic.ports import Known, Live, Record, Transaction
from outlast.traffic.sentinel import Reading, Sentinel, Standing, parse

MAX_TRIES = 5
"""Conflicts in a row before a person is told: somebody is writing faster than we read."""


class Command(StrEnum):
    """What the person wants."""

    FREEZE = "freeze"
    THAW = "thaw"
    RETIRE = "retire"
    BREAK_GLASS = "break-glass"


STANDINGS = {Command.FREEZE: Standing.HELD, Command.THAW: Standing.LIVE, Command.RETIRE: Standing.RETIRED}
"""What the sentinel says after a command that changes nothing else."""


class Phase(StrEnum):
    """What the command waits for; the last three are its ends."""

    START = "start"
    KNOWN = "reading the registry"
    LIVE = "reading the primary"
    RECHECK = "reading the registry after an absent sentinel"
    RECORD = "recording"
    COMMIT = "committing"
    CONFIRM = "reading back after a lost reply"
    DONE = "done"
    REFUSED = "refused"
    UNREACHED = "not reached"


class HoldState(NamedTuple):
    """One command at one endpoint of one provider. `why` explains the end; `intent` is what was or would be written."""

    command: Command
    me: str
    realm: str
    provider: str
    endpoint: str
    content: Content | None = None
    take_over: bool = False
    decide_only: bool = False
    phase: Phase = Phase.START
    tries: int = 0
    known: Known | None = None
    live: Live | None = None
    intent: Transaction | None = None
    why: str = ""

    def __repr__(self) -> str:
        return f"<{self.command} {self.endpoint}@{self.provider}: {self.phase} {self.why}>"


Step = tuple[HoldState, Effects]


def step(state: HoldState, event: Event) -> Step:
    """One transition.

    Raises:
        AssertionError: The event is not one that this phase can get; the state is unchanged.

    """
    match state.phase, event:
        case Phase.START, Tick():
            return state._replace(phase=Phase.KNOWN), (ReadKnown(state.provider, state.endpoint),)
        case Phase.KNOWN, KnownRead(known=known):
            return _read_live(state._replace(known=known), Phase.LIVE)
        case Phase.KNOWN, RegistryDown(detail=detail):
            # The hand must work when everything else is down: the hold then lives in the sentinel alone.
            return _read_live(state._replace(known=None, why=f"registry unavailable: {detail}"), Phase.LIVE)
        case Phase.LIVE, LiveRead(live=live):
            state = state._replace(live=live)
            return _read_again(state) if _is_blind(state) else _decide(state)
        case Phase.RECHECK, KnownRead(known=known):
            return _decide(state._replace(known=known))
        case Phase.RECHECK, RegistryDown(detail=detail):
            return _decide(state._replace(known=None, why=f"registry unavailable: {detail}"))
        case Phase.RECORD, RecordWritten(stored=False):
            return _again(state, "the record has moved on")
        case Phase.RECORD, RecordWritten() | RegistryDown():
            assert state.intent is not None
            return state._replace(phase=Phase.COMMIT), (Commit(state.intent),)
        case Phase.COMMIT, Committed():
            return _end(state, Phase.DONE, "written")
        case Phase.COMMIT, Conflict(detail=detail):
            return _again(state, detail)
        case Phase.COMMIT, Failed(detail=detail):
            return _end(state, Phase.REFUSED, f"the provider refused: {detail}")
        case Phase.COMMIT, Lost():
            return _read_live(state, Phase.CONFIRM)
        case Phase.CONFIRM, LiveRead(live=live):
            assert state.intent is not None
            if live.sentinel == (state.intent.sentinel.text,):
                return _end(state, Phase.DONE, "written; its reply was lost")
            return _again(state, "the reply was lost and it did not land")
        case ((Phase.LIVE | Phase.CONFIRM), ProviderDown(detail=detail)):
            return _end(state, Phase.UNREACHED, detail)
    raise AssertionError(f"{state!r} cannot get {event!r}")


def _read_live(state: HoldState, phase: Phase) -> Step:
    return state._replace(phase=phase), (ReadLive(state.provider, state.endpoint),)


def _is_blind(state: HoldState) -> bool:
    # There is no sentinel to go above, and a registry that answered: only what it says now counts.
    assert state.live is not None
    is_told = isinstance(parse(state.live.sentinel), Sentinel)
    return state.command is Command.BREAK_GLASS and state.known is not None and not is_told


def _read_again(state: HoldState) -> Step:
    return state._replace(phase=Phase.RECHECK), (ReadKnown(state.provider, state.endpoint),)


def _again(state: HoldState, detail: str) -> Step:
    if state.tries + 1 >= MAX_TRIES:
        return _end(state, Phase.REFUSED, f"somebody else keeps writing ({detail}); try again")
    again = state._replace(phase=Phase.KNOWN, tries=state.tries + 1, known=None, live=None, intent=None)
    return again, (ReadKnown(state.provider, state.endpoint),)


def _end(state: HoldState, phase: Phase, why: str) -> Step:
    return state._replace(phase=phase, why=why), ()


def _decide(state: HoldState) -> Step:
    assert state.live is not None
    seen = parse(state.live.sentinel)
    if state.command is Command.BREAK_GLASS:
        return _break_glass(state, seen)
    refused = _not_ours(state, seen) or _differs(state.live, seen)
    content = publishable(state.live.sets)
    if refused or content is None:
        why = refused or f"its records ({describe(state.live.sets)}) are not what outlast publishes: use break-glass"
        return _end(state, Phase.REFUSED, why)
    assert isinstance(seen, Sentinel)
    wanted = STANDINGS[state.command]
    if seen.standing is wanted:
        return _end(state, Phase.DONE, f"it is {wanted} already")
    if seen.standing is Standing.RETIRED:
        return _end(state, Phase.REFUSED, "it is retired: nothing writes to it any more")
    # Above the record's `n` too: a hold that is not recorded would not survive the loss of its sentinel.
    recorded = state.known.record.sentinel.n if state.known is not None and state.known.record is not None else 0
    coming = seen._replace(n=max(seen.n, recorded) + 1, standing=wanted, by=state.me)
    return _write(state, coming, content)


def _not_ours(state: HoldState, seen: Reading) -> str:
    if not isinstance(seen, Sentinel):
        return "its sentinel is absent or unreadable: let an enactor put it back, or use break-glass"
    if seen.realm != state.realm:
        return f"it belongs to the realm {seen.realm!r}, not to {state.realm!r}"
    return ""


def _differs(live: Live, seen: Reading) -> str:
    assert isinstance(seen, Sentinel)
    if digest(live.sets) != seen.digest:
        return f"its records ({describe(live.sets)}) are not what its sentinel names: wait for the repair, or use break-glass"
    return ""


def _break_glass(state: HoldState, seen: Reading) -> Step:
    assert state.content is not None, "break-glass is told what to write"
    assert state.live is not None
    refused = "" if state.take_over else _needs_take_over(state, seen)
    if refused:
        return _end(state, Phase.REFUSED, f"{refused}; add --take-over if it shall be ours")
    known = state.known
    record = known.record if known is not None else None
    sentinels = [item for item in (seen, record.sentinel if record is not None else None) if isinstance(item, Sentinel)]
    latest = known.generation if known is not None else 0
    coming = Sentinel(
        realm=state.realm,
        n=max((item.n for item in sentinels), default=0) + 1,
        gen=max([latest, *(item.gen for item in sentinels)]) + 1,
        digest=state.content.digest,
        standing=Standing.HELD,
        by=state.me,
    )
    return _write(state, coming, state.content)


def _needs_take_over(state: HoldState, seen: Reading) -> str:
    assert state.live is not None
    if isinstance(seen, Sentinel):
        if seen.realm == state.realm and seen.standing is Standing.RETIRED:
            return "it is retired"
        return "" if seen.realm == state.realm else f"it belongs to the realm {seen.realm!r}"
    if seen is not None:
        return f"its sentinel is unreadable: {seen.texts!r}"
    claimed = state.known is not None and state.known.record is not None
    return "" if claimed or not state.live.sets else f"{describe(state.live.sets)} stands there and is not ours"


def _write(state: HoldState, coming: Sentinel, content: Content) -> Step:
    assert state.live is not None
    intent = Transaction(state.provider, state.endpoint, state.live, coming, content)
    # Of what the registry said, only that it answered still counts.
    state = state._replace(intent=intent, known=Known(0, None, None) if state.known is not None else None)
    if state.decide_only:
        return _end(state, Phase.DONE, "dry run: nothing was written")
    record = Record(state.provider, state.endpoint, coming, content)
    return state._replace(phase=Phase.RECORD), (WriteRecord(record, pending=True),)
