"""The ladder below the cache: what to ask, whom to believe, and what to answer if nobody can be believed.

Theory of operation. Upstreams are asked in order, the next one as soon as the one before failed or has been silent for
`hedge`; a positive answer ends everything at once, in any phase. What a negative answer is worth depends on the mode:

- `strict`: the truth. A failure of all upstreams is passed on too.
- `stale`: the truth, but if all fail, what was last heard is answered instead (RFC 8767).
- `protect`: evidence. The other upstreams are asked too, because one of them can rescue; none can condemn. If all deny
  or fail, the sentinel may say that the name was retired; otherwise last-known-good addresses that pass the user's
  check are answered. On the morning of 20 October 2025 every resolver read the same empty record.

A caller who can be given something older waits `patience` for something newer, anyone else until the deadline.

What it never does: ask anyone but the upstreams it was given, give up an older answer for a failure, or let one family
without addresses take those of the other.
"""

from collections import Counter

from outlast.resolver import verdicts
from outlast.resolver.messages import (
    Ask,
    AskSentinel,
    Effects,
    Event,
    Finish,
    Heard,
    Probed,
    SentinelHeard,
    Started,
    Verdict,
    Verify,
    Wake,
    Woken,
)
from outlast.resolver.question import Mode
from outlast.resolver.reading import Kind, Reading
from outlast.resolver.state import Asked, Phase, State
from outlast.resolver.verdicts import combined

MAX_PROBES = 8
"""Addresses checked at once; the first ones of a larger group."""


Step = tuple[State, Effects]


def step(state: State, event: Event) -> Step:
    """One transition.

    Raises:
        AssertionError: The event is not one that this phase can get; the state is unchanged.

    """
    match state.phase, event:
        case Phase.READY, Started():
            return _ask(state._replace(phase=Phase.ASKING), event.at)
        case ((Phase.ASKING | Phase.SENTINEL | Phase.VERIFYING), Heard()):
            return _on_heard(state._replace(heard=(*state.heard, event)), event)
        case Phase.ASKING, Woken(at=at):
            return _on_time(state, at)
        case Phase.SENTINEL, (SentinelHeard(is_retired=False) | Woken()):
            return _after_sentinel(state, event)
        case ((Phase.SENTINEL | Phase.VERIFYING), SentinelHeard(at=at, is_retired=is_retired)):
            # It may come late, while addresses are being checked already; it is honoured all the same.
            return _refuse(state, at, is_retired=True) if is_retired else _wait(state, at)
        case Phase.VERIFYING, Probed():
            return _check(state._replace(probed=(*state.probed, event)), event.at)
        case Phase.VERIFYING, Woken(at=at):
            return _check(state, at)
    raise AssertionError(f"{state!r} cannot get {event!r}")


# ----------------------------------------------------------------------------------------------------------- asking


def _ask(state: State, at: int) -> Step:
    if at >= state.question.timing.deadline:
        return _conclude(state, at)  # nobody could answer in time
    upstream = _next_upstream(state)
    if upstream is None and verdicts.denial(state) is None:
        # Asking more often would not help, but who is only slow may still answer in time.
        return _wait(state._replace(next_ask=state.question.timing.deadline), at)
    if upstream is None:
        return _conclude(state, at)
    question = state.question
    asked = (*state.asked, Asked(upstream, at))
    # The next upstream is a hedge; asking the same one again is for a datagram that was lost, which takes longer to tell.
    has_other = len({item.upstream for item in asked}) < question.upstream_count
    wait = question.timing.hedge if has_other else question.timing.timeout
    state, effects = _wait(state._replace(asked=asked, next_ask=at + wait), at)
    return state, (Ask(upstream), *effects)


def _next_upstream(state: State) -> int | None:
    asks = Counter(item.upstream for item in state.asked)
    # One that has answered, even with a failure, has said what it knows (RFC 9520, section 3.1).
    left = [
        upstream
        for upstream in range(state.question.upstream_count)
        if asks[upstream] < state.question.timing.tries and combined(state, upstream) is None
    ]
    return min(left, key=lambda upstream: asks[upstream], default=None)


def _on_heard(state: State, event: Heard) -> Step:
    outcome = _usable(state, combined(state, event.upstream))
    if outcome is not None and outcome.kind is Kind.POSITIVE:
        return _finish(state, event.at, verdicts.answered(state, event.upstream, outcome))
    if _has_good(state):
        # One family has addresses; the other may be on its way (RFC 8305, section 3).
        settle = state.settle or event.at + state.question.timing.settle
        return _wait(state._replace(settle=settle), event.at)
    if state.phase is not Phase.ASKING or outcome is None:
        return _wait(state, event.at)
    if outcome.kind.is_negative and state.question.mode is not Mode.PROTECT:
        return _conclude(state, event.at)
    asked = {item.upstream for item in state.asked}
    if len(asked) < state.question.upstream_count:
        return _ask(state, event.at)
    is_settled = all(combined(state, upstream) is not None for upstream in asked)
    return _conclude(state, event.at) if is_settled else _wait(state, event.at)


def _has_good(state: State) -> bool:
    return any(_is_good(state, item) for item in state.heard)


def _is_good(state: State, heard: Heard) -> bool:
    usable = _usable(state, heard.reading)
    return usable is not None and usable.kind is Kind.POSITIVE


def _usable(state: State, reading: Reading | None) -> Reading | None:
    # 0.0.0.0 for a protected name is an empty answer in other words; for others it may be meant, by a block list.
    if reading is None or state.question.mode is not Mode.PROTECT:
        return reading
    if reading.is_null:
        return Reading(Kind.NODATA, words=f"only {reading.words}")
    return reading._replace(addresses=reading.real)


def _on_time(state: State, at: int) -> Step:
    timing = state.question.timing
    if state.settle and at >= state.settle:
        return _settle(state, at)
    if at >= timing.deadline or (state.question.has_older and at >= timing.patience):
        return _conclude(state, at)
    return _ask(state, at) if at >= state.next_ask else _wait(state, at)


def _settle(state: State, at: int) -> Step:
    upstream = next(item.upstream for item in state.heard if _is_good(state, item))
    reading = _usable(state, combined(state, upstream, is_final=True))
    assert reading is not None
    return _finish(state, at, verdicts.answered(state, upstream, reading))


# -------------------------------------------------------------------------------- when upstreams have said no, or nothing


def _conclude(state: State, at: int) -> Step:
    question = state.question
    if _has_good(state):
        return _settle(state, at)
    denied = verdicts.denial(state)
    if denied is None and question.mode is not Mode.STRICT and question.stale:
        return _finish(state, at, verdicts.stale(state))
    if question.mode is not Mode.PROTECT or not question.tiers:
        return _refuse(state, at)
    if denied is None:
        return _verify(state, at)
    until = at + question.timing.sentinel
    state, effects = _wait(state._replace(phase=Phase.SENTINEL, until=until, settle=0), at)
    return state, (AskSentinel(denied), *effects)


def _after_sentinel(state: State, event: SentinelHeard | Woken) -> Step:
    due = min(state.until, state.settle or state.until)
    if isinstance(event, Woken) and event.at < due:
        return _wait(state, event.at)
    return _verify(state, event.at)


def _verify(state: State, at: int) -> Step:
    """Check the present group, or answer with it if the user owns the addresses; without a group left, give up."""
    question = state.question
    if _has_good(state):
        return _settle(state, at)
    if state.tier >= len(question.tiers):
        return _refuse(state, at)
    group = question.tiers[state.tier][:MAX_PROBES]
    if not question.check:
        return _finish(state, at, verdicts.last_known_good(state, group))
    until = at + question.timing.verify
    state, effects = _wait(state._replace(phase=Phase.VERIFYING, until=until, settle=0), at)
    return state, (Verify(group), *effects)


def _check(state: State, at: int) -> Step:
    group = state.question.tiers[state.tier][:MAX_PROBES]
    results = {item.address: item.failure for item in state.probed}
    passed = tuple(address for address in group if results.get(address) == "")
    is_over = at >= state.until or all(address in results for address in group)
    if _has_good(state):  # a positive answer wins, whatever passed
        return _settle(state, at) if is_over or (state.settle and at >= state.settle) else _wait(state, at)
    if passed and (is_over or (state.settle and at >= state.settle)):
        return _finish(state, at, verdicts.last_known_good(state, passed))
    if is_over:
        return _verify(state._replace(tier=state.tier + 1), at)
    if passed and not state.settle:
        state = state._replace(settle=at + state.question.timing.settle)
    return _wait(state, at)


def _refuse(state: State, at: int, *, is_retired: bool = False) -> Step:
    return _finish(state, at, verdicts.refused(state, is_retired=is_retired))


def _finish(state: State, at: int, verdict: Verdict) -> Step:
    trail = verdicts.trail(state, at)
    return state._replace(phase=Phase.DONE), (Finish(verdict._replace(trail=trail)),)


def _wait(state: State, at: int) -> Step:
    timing = state.question.timing
    if state.phase is Phase.ASKING:
        instants = [state.next_ask, timing.deadline, *([timing.patience] if state.question.has_older else [])]
    else:
        instants = [state.until]
    due = min([*instants, state.settle] if state.settle else instants)
    return state, (Wake(max(0, due - at)),)
