"""What the observers' signals, taken together, say of each target."""

from collections.abc import Iterable
from typing import NamedTuple

from outlast.health.signal import Signal, Verdict

SECOND = 1_000_000_000


class Evidence(NamedTuple):
    """What the signals, taken together, say of one target; `views` are those signals."""

    verdict: Verdict
    since: int
    ever_healthy: bool
    detail: str
    views: tuple[Signal, ...] = ()


def freshest(signals: Iterable[Signal], *, wall: int, max_age: int) -> dict[str, Evidence]:
    """Put the fresh signals of all observers together, by target.

    Several observers must agree before a target counts as unhealthy: one that sees it healthy wins, since an observer's
    own fault looks like everybody else's.
    """
    by_target: dict[str, list[Signal]] = {}
    for signal in signals:
        if wall - max_age <= signal.at and signal.verdict is not Verdict.UNKNOWN:
            by_target.setdefault(signal.target, []).append(signal)
    return {target: _together(views) for target, views in by_target.items()}


def doubted(evidence: dict[str, Evidence]) -> frozenset[str]:
    """The targets that somebody who looked does not see healthy, whatever the others see."""
    return frozenset(
        target for target, found in evidence.items() if any(view.verdict is not Verdict.HEALTHY for view in found.views)
    )


def _together(views: list[Signal]) -> Evidence:
    worst = all(view.verdict is Verdict.UNHEALTHY for view in views)
    verdict = Verdict.UNHEALTHY if worst else Verdict.HEALTHY
    agreeing = [view for view in views if view.verdict is verdict]
    return Evidence(
        verdict,
        min(view.since for view in agreeing),
        any(view.ever_healthy for view in views),
        "; ".join(f"{view.evidence or verdict} ({view.observer})" for view in agreeing),
        tuple(views),
    )


def place_of(observer: str) -> str:
    """Return where an observer stands: what its name says before the slash, or nothing."""
    return observer.rpartition("/")[0]
