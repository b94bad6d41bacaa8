"""What a resolution has found, put together: the families of one upstream, the verdict, and the trail for people."""

from outlast.resolver.answer import EDE_STALE, EDE_STALE_NXDOMAIN, Source
from outlast.resolver.messages import Verdict
from outlast.resolver.question import Mode
from outlast.resolver.reading import Kind, Reading
from outlast.resolver.state import State

NANOSECONDS_PER_MILLISECOND = 1_000_000


def combined(state: State, upstream: int, *, is_final: bool = False) -> Reading | None:
    """What one upstream says about the name, all families together; `None` while a family is missing.

    NODATA of one family beside addresses of the other is honoured: the name simply has none of that family. Addresses
    of one family beside a failure of the other are all there is. A failure beside NODATA is a failure, because the
    addresses may be in the family that failed.

    Args:
        state: The resolution.
        upstream: Which upstream.
        is_final: Do not wait for missing families any longer.

    """
    readings = {item.family: item.reading for item in state.heard if item.upstream == upstream}
    if not readings or (len(readings) < len(state.question.families) and not is_final):
        return None
    ordered = [readings[family] for family in state.question.families if family in readings]
    positive = [reading for reading in ordered if reading.kind is Kind.POSITIVE]
    if positive:
        real = [reading for reading in positive if not reading.is_null] or positive
        addresses = tuple(address for reading in real for address in reading.addresses)
        return Reading(Kind.POSITIVE, addresses, min(item.ttl for item in real), ", ".join(addresses))
    for kind in (Kind.NXDOMAIN, Kind.FAILED):
        found = next((reading for reading in ordered if reading.kind is kind), None)
        if found is not None:
            return found
    return ordered[0]._replace(ttl=min(reading.ttl for reading in ordered))


def denial(state: State) -> int | None:
    """The first upstream that said that there is no address, or `None`."""
    for upstream in dict.fromkeys(item.upstream for item in state.heard):
        reading = combined(state, upstream)
        if reading is not None and (reading.kind.is_negative or reading.is_null):
            return upstream
    return None


def answered(state: State, upstream: int, reading: Reading) -> Verdict:
    """An upstream gave addresses."""
    reason = f"{state.question.upstreams[upstream]} answered"
    return _verdict(state, "upstream", addresses=reading.addresses, ttl=reading.ttl, reason=reason)


def stale(state: State) -> Verdict:
    """Upstreams fail, and what was last heard is answered (RFC 8767)."""
    reason = f"upstreams fail: {_failure(state)}"
    return _verdict(state, "stale", addresses=state.question.stale, ttl=_recheck(state), reason=reason)


def last_known_good(state: State, addresses: tuple[str, ...]) -> Verdict:
    """Upstreams deny or fail, and addresses that passed the user's check are answered."""
    question = state.question
    checked = f"passed {question.check}" if question.check else "not checked, as configured"
    reason = f"{_failure(state)}, not believed of a protected name; last known good, {checked}"
    return _verdict(state, "last-known-good", addresses=addresses, ttl=_recheck(state), reason=reason)


def refused(state: State, *, is_retired: bool) -> Verdict:
    """There is nothing to answer."""
    upstream = denial(state)
    denied = combined(state, upstream) if upstream is not None else None
    reason = _failure(state)
    if is_retired:
        reason += "; its sentinel says that it is retired"
    elif state.probed or state.tier:
        reason += f"; no last-known-good address passed {state.question.check}"
    if denied is None:
        return _verdict(state, None, reason=reason)
    kind = denied.kind if denied.kind.is_negative else Kind.NODATA
    return _verdict(state, None, ttl=denied.ttl, reason=reason)._replace(kind=kind, is_retired=is_retired)


def trail(state: State, at: int) -> tuple[str, ...]:
    """What was asked of whom and what became of it, one line each, in order."""
    names = state.question.upstreams
    lines = [
        (item.at, f"{names[item.upstream]} {item.family}: {item.reading.words} after {_ms(item.at)}")
        for item in state.heard
    ]
    heard = {item.upstream for item in state.heard}
    lines += [
        (item.at, f"{names[item.upstream]}: asked after {_ms(item.at)}, silent until {_ms(at)}")
        for item in state.asked
        if item.upstream not in heard
    ]
    lines += [(item.at, f"{item.address}: {item.failure or 'passed'} after {_ms(item.at)}") for item in state.probed]
    return tuple(words for _, words in sorted(lines))


def _failure(state: State) -> str:
    """Why there is no news, in one clause: the first denial, else the first failure, else silence."""
    upstream = denial(state)
    if upstream is None:
        upstream = next((item.upstream for item in state.heard), None)
    if upstream is None:
        return f"no answer from {', '.join(state.question.upstreams)}"
    reading = combined(state, upstream, is_final=True)
    assert reading is not None
    if reading.kind.is_negative and combined(state, upstream) is None:
        return f"half an answer, {reading.words}, from {state.question.upstreams[upstream]}"
    return f"{reading.words} from {state.question.upstreams[upstream]}"


def _recheck(state: State) -> int:
    return max(1, state.question.timing.recheck // 1_000_000_000)


def _verdict(
    state: State, source: Source | None, *, addresses: tuple[str, ...] = (), ttl: int = 0, reason: str
) -> Verdict:
    is_silent = any(combined(state, item.upstream) is None for item in state.asked)
    ede = None
    if source in ("stale", "last-known-good"):
        upstream = denial(state)
        denied = combined(state, upstream) if upstream is not None else None
        is_nxdomain = denied is not None and denied.kind is Kind.NXDOMAIN
        ede = EDE_STALE_NXDOMAIN if is_nxdomain and state.question.mode is Mode.PROTECT else EDE_STALE
    kind = Kind.FAILED if source is None else Kind.POSITIVE
    return Verdict(kind, source, addresses, ttl, reason, ede, is_retired=False, is_silent=is_silent, trail=())


def _ms(nanoseconds: int) -> str:
    return f"{nanoseconds / NANOSECONDS_PER_MILLISECOND:.0f} ms"
