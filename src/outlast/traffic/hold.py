"""A person's hand: freeze, thaw, retire, adopt and break-glass, as one step machine.

Each writes the coming sentinel to the registry's record first, if the registry answers, and then to the provider
(rule e): a hold whose sentinel is lost afterwards is recreated as a hold. Freeze, thaw and retire change nothing but
the sentinel, and refuse while the records differ from what it names: a frozen mistake would be nobody's to mend.
Adopt makes a name ours that nobody has claimed, or that was retired, with the records that it has; enactors then follow
the plan. Break-glass writes what the person says, needs no registry, and takes a generation above everything it can read; so does
rollback with what an older plan says. Where no
sentinel is left to read, that is the registry alone, so it is asked again after seeing that (rule i): what was read before
may have been overtaken by the very sentinel that is gone.

Dry run: `decide_only` ends the pass where the first write would be, with the intended transaction in the state.
"""

from outlast.traffic.content import Content
from outlast.traffic.hold_decisions import Ending, decide
from outlast.traffic.hold_state import WRITING, Command, HoldState, Phase
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
from outlast.traffic.ports import Known, Record, Transaction
from outlast.traffic.sentinel import Sentinel, parse

MAX_TRIES = 5
"""Conflicts in a row before a person is told: somebody is writing faster than we read."""


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
            # Whoever reads is told only if the registry took it: otherwise the hold lives in the sentinel alone.
            took_it = state.known if isinstance(event, RecordWritten) else None
            return state._replace(phase=Phase.COMMIT, known=took_it), (Commit(state.intent),)
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
    return state.command in {*WRITING, Command.ADOPT} and state.known is not None and not is_told


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
    decision = decide(state)
    if isinstance(decision, Ending):
        return _end(state, decision.phase, decision.why)
    return _write(state, decision.sentinel, decision.content)


def _write(state: HoldState, coming: Sentinel, content: Content) -> Step:
    assert state.live is not None
    intent = Transaction(state.provider, state.endpoint, state.live, coming, content)
    # Of what the registry said, only that it answered still counts.
    state = state._replace(intent=intent, known=Known(0, None, None) if state.known is not None else None)
    if state.decide_only:
        return _end(state, Phase.DONE, "dry run: nothing was written")
    record = Record(state.provider, state.endpoint, coming, content)
    return state._replace(phase=Phase.RECORD), (WriteRecord(record, pending=True),)
