"""What each piece of the product must be worth while the record is empty, and for a while nothing listens in the east."""

from collections.abc import Sequence

from outlast.drill.acts.silence import Silence
from outlast.drill.expectation import at_least, at_most
from outlast.drill.score import Expectation, GroupScore, share
from outlast.drill.tail import Line

RESOLVER = "resolver"
PROTECTED = ("outlast", "boto3+outlast")
"""Groups with a second region and our policy, which must not notice any of it."""
AVAILABLE_MIN = 0.99
SILENT_MAX = 0.05
ATTEMPTS_MAX = 1.2


def resolver_alone(calls: Sequence[Line], silence: Silence) -> tuple[Expectation, ...]:
    """Remembered addresses are worth all while somebody listens there, and nothing otherwise."""
    spared = [call for call in calls if silence.spares(call)]
    covered = [call for call in calls if silence.covers(call)]
    return (
        at_least(
            "resolver: share answered while the east listens, its record empty or not",
            share(spared),
            AVAILABLE_MIN,
            unit=f"of {len(spared)} calls",
        ),
        at_most(
            "resolver: share answered while nothing listens in the east (addresses alone do not help)",
            share(covered),
            SILENT_MAX,
            unit=f"of {len(covered)} calls",
        ),
    )


def unmoved(groups: Sequence[GroupScore]) -> tuple[Expectation, ...]:
    """Whoever has somewhere else to go and a policy answers, all in all, and hardly asks more often."""
    return tuple(
        expectation
        for group in groups
        if group.group in PROTECTED
        for expectation in (
            at_least(
                f"{group.group}: share answered, all in all",
                group.availability,
                AVAILABLE_MIN,
                unit=f"of {group.calls} calls",
            ),
            at_most(f"{group.group}: attempts per call", group.attempts_per_call, ATTEMPTS_MAX),
        )
    )


def kept(groups: Sequence[GroupScore]) -> tuple[Expectation, ...]:
    """No write of theirs is lost, and none is made twice."""
    ours = [group for group in groups if group.group in (RESOLVER, *PROTECTED)]
    unit = f"of {sum(group.writes_acked + group.parked for group in ours)}"
    return (
        at_most("resolver, outlast, boto3+outlast: writes lost", _total(ours, "writes_lost"), 0, unit=unit),
        at_most("resolver, outlast, boto3+outlast: writes duplicated", _total(ours, "writes_duplicated"), 0, unit=unit),
    )


def enough(groups: Sequence[GroupScore], calls: int) -> Expectation:
    """Those that are judged make so many calls."""
    made = sum(group.calls for group in groups if group.group in (RESOLVER, *PROTECTED))
    return at_least("resolver, outlast, boto3+outlast: calls that are judged", made, calls)


def _total(groups: Sequence[GroupScore], field: str) -> int | None:
    counts = [getattr(group, field) for group in groups]
    return None if None in counts else sum(counts)
