"""The explorer's trace of the automation of 2025 as a drill script: from its moves, not from its words."""

from collections.abc import Iterable
from typing import Any

from outlast.drill.replay.facts import facts_of
from outlast.drill.replay.script import AWS_2025, DIED, PLANNER, Script, Step
from outlast.errors import Refused
from outlast.incidents import planner as hazard_planner
from outlast.incidents.exploration import HazardOptions, answering, endpoint_names
from outlast.incidents.wording import tell
from outlast.simulator import tracing

ADDRESSES = "192.0.2."
"""Plan 3 answers with 192.0.2.3 (RFC 5737): seen from outside, an answer tells whose it is."""


def check_playable(options: HazardOptions) -> None:
    """See that a trace of that world can be forced on real processes, before it is sought.

    Raises:
        Refused: It has what only the explorer's world has.

    """
    if options.mended:
        raise Refused(
            f"a drill cannot play a trace without {', '.join(sorted(options.mended))}",
            hint="what --without mends is mended in the explorer alone; leave it out",
        )
    if options.lost_replies:
        raise Refused(
            "a drill cannot play a trace with lost replies",
            hint="they are lost in the explorer alone: leave --lost-replies out",
        )


def script_of_2025(options: HazardOptions, steps: Iterable[tracing.Step], *, shows: str) -> Script:
    """The script of a trace; plan 1, with which the explorer's world begins, is published first.

    Raises:
        Refused: There is no step, or it has what only the explorer's world has.

    """
    check_playable(options)
    made = tuple(steps)
    if not made:
        raise Refused("there is no trace to write", hint="DNS goes empty with --plans 3 and --enactors 2")
    names = endpoint_names(options)
    first = _publication(1, names, dict.fromkeys(names, ()))
    found = [_step(step, names, _dns(options, step.after)) for step in made]
    return Script(
        protocol=AWS_2025,
        enactors=options.enactors,
        endpoints=names,
        keep=options.keep,
        shows=shows,
        steps=(first, *found),
    )


def _dns(options: HazardOptions, values: Any) -> dict[str, tuple[str, ...]]:
    return {name: _addresses(plan) for name, plan in answering(options, values).items()}


def _addresses(plan: int | None) -> tuple[str, ...]:
    return (f"{ADDRESSES}{plan}",) if plan is not None else ()


def _publication(plan: int, names: tuple[str, ...], dns: dict[str, tuple[str, ...]]) -> Step:
    return Step(
        actor=PLANNER,
        effect=hazard_planner.Publish.__name__,
        fields=facts_of(AWS_2025, hazard_planner.Publish(plan)),
        answer=hazard_planner.Published.__name__,
        dns=dns,
        configured=dict.fromkeys(names, _addresses(plan)),
        words=tell(PLANNER, ("publishes", plan)),
    )


def _step(step: tracing.Step, names: tuple[str, ...], dns: dict[str, tuple[str, ...]]) -> Step:
    words = tell(step.actor, step.what)
    match step.what:
        case ("publishes", int(plan)):
            return _publication(plan, names, dns)
        case ("crash", effect):
            return Step(
                actor=step.actor, effect=type(effect).__name__, fields=facts_of(AWS_2025, effect), answer=DIED,
                dns=dns, words=words,
            )  # fmt: skip
        case (effect, event, _):
            return Step(
                actor=step.actor,
                effect=type(effect).__name__,
                fields=facts_of(AWS_2025, effect),
                answer=type(event).__name__,
                says=facts_of(AWS_2025, event),
                dns=dns,
                words=words,
            )
    raise AssertionError(f"no step of this world: {step!r}")
