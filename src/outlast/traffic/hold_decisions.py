"""What a person's command comes to at one primary: what is to be written, or why nothing is. Pure; see `hold`."""

from typing import NamedTuple

from outlast.traffic.content import Content, describe, digest, publishable
from outlast.traffic.hold_state import WRITING, Command, HoldState, Phase
from outlast.traffic.ports import Known, Live
from outlast.traffic.sentinel import Corrupt, Reading, Sentinel, Standing, UnknownVersion, parse

STANDINGS = {Command.FREEZE: Standing.HELD, Command.THAW: Standing.LIVE, Command.RETIRE: Standing.RETIRED}
"""What the sentinel says after a command that changes nothing else."""


class Writing(NamedTuple):
    """The sentinel that is coming, and the content beside it."""

    sentinel: Sentinel
    content: Content


class Ending(NamedTuple):
    """The command ends without writing."""

    phase: Phase
    why: str


def decide(state: HoldState) -> Writing | Ending:
    """What the command comes to, now that the primary has been read."""
    assert state.live is not None
    seen = parse(state.live.sentinel)
    if state.command in WRITING:
        return _break_glass(state, seen)
    if state.command is Command.ADOPT:
        return _adopt(state, seen)
    refused = _not_ours(state, seen) or _differs(state.live, seen)
    content = publishable(state.live.sets)
    if refused or content is None:
        why = refused or f"its records ({describe(state.live.sets)}) are not what outlast publishes: use break-glass"
        return Ending(Phase.REFUSED, why)
    assert isinstance(seen, Sentinel)
    wanted = STANDINGS[state.command]
    if seen.standing is wanted:
        return Ending(Phase.DONE, f"it is {wanted} already")
    if seen.standing is Standing.RETIRED:
        return Ending(Phase.REFUSED, "it is retired: nothing writes to it any more")
    # Above the record's `n` too: a hold that is not recorded would not survive the loss of its sentinel.
    recorded = state.known.record.sentinel.n if state.known is not None and state.known.record is not None else 0
    coming = seen._replace(n=max(seen.n, recorded) + 1, standing=wanted, by=state.me)
    return Writing(coming, content)


def _adopt(state: HoldState, seen: Reading) -> Writing | Ending:
    known, live = state.known, state.live
    assert live is not None
    if known is None:
        return Ending(Phase.UNREACHED, f"{state.why}; a claim that is not recorded is none")
    ended = _needs_no_adoption(state, seen, known)
    if ended is not None:
        return ended
    record = known.record.sentinel if known.record is not None else None
    retired = [item for item in (seen, record) if isinstance(item, Sentinel)]
    if not live.sets:
        return _returned(state, retired, known)
    content = publishable(live.sets)
    if content is None:
        there = f"its records ({describe(live.sets)}) are not what outlast publishes: use break-glass --take-over"
        return Ending(Phase.REFUSED, there)
    if retired:
        return Writing(_above(state, retired, content), content)
    # Below the plan, so that enactors follow it at once.
    gen = max(0, known.entry.generation - 1) if known.entry is not None else 0
    return Writing(Sentinel(state.realm, 1, gen, content.digest, Standing.LIVE, state.me), content)


def _returned(state: HoldState, retired: list[Sentinel], known: Known) -> Writing | Ending:
    # An enactor creates what was never ours, and leaves alone what was retired: there it takes a person to begin anew.
    if not retired:
        return Ending(Phase.REFUSED, "nothing stands there: enactors create it")
    if known.entry is None:
        return Ending(Phase.REFUSED, "nothing stands there, and no plan names it yet: is a planner running?")
    content = known.entry.content
    coming = _above(state, retired, content)
    return Writing(coming._replace(gen=max(coming.gen, known.entry.generation)), content)


def _above(state: HoldState, retired: list[Sentinel], content: Content) -> Sentinel:
    last = max(retired, key=lambda item: item.n)
    # One generation names one content: what somebody put there since it was retired takes another.
    gen = max(item.gen for item in retired) + (content.digest != last.digest)
    return Sentinel(state.realm, last.n + 1, gen, content.digest, Standing.LIVE, state.me)


def _needs_no_adoption(state: HoldState, seen: Reading, known: Known) -> Ending | None:
    match seen:
        case Sentinel() if seen.realm != state.realm:
            return Ending(Phase.REFUSED, f"it belongs to the realm {seen.realm!r}, not to {state.realm!r}")
        case Sentinel(standing=Standing.LIVE | Standing.HELD):
            return Ending(Phase.DONE, "it is ours already")
        case UnknownVersion():
            return Ending(Phase.REFUSED, "its sentinel is of a version not known here: upgrade outlast")
        case None | Corrupt() if known.record is not None and known.record.sentinel.standing is not Standing.RETIRED:
            return Ending(Phase.REFUSED, "it is claimed already: let an enactor put its sentinel back")
    return None


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


def _break_glass(state: HoldState, seen: Reading) -> Writing | Ending:
    assert state.content is not None, "it is told what to write"
    assert state.live is not None
    refused = "" if state.take_over else _needs_take_over(state, seen)
    if refused:
        fix = "add --take-over" if state.command is Command.BREAK_GLASS else "use break-glass --take-over"
        return Ending(Phase.REFUSED, f"{refused}; {fix} if it shall be ours")
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
    return Writing(coming, state.content)


def _needs_take_over(state: HoldState, seen: Reading) -> str:
    assert state.live is not None
    if isinstance(seen, Sentinel):
        if seen.realm == state.realm and seen.standing is Standing.RETIRED:
            return "it is retired"
        return "" if seen.realm == state.realm else f"it belongs to the realm {seen.realm!r}"
    if seen is not None:
        return f"its sentinel is unreadable: {seen.texts!r}"
    record = state.known.record if state.known is not None else None
    if record is not None:
        return "it is retired" if record.sentinel.standing is Standing.RETIRED else ""
    return f"{describe(state.live.sets)} stands there and is not ours" if state.live.sets else ""
