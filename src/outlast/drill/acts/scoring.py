"""What every act is scored by: the groups, and what DNS did by the journal and by the samples from outside."""

from collections.abc import Sequence
from typing import Any

from outlast.drill.evidence import Version
from outlast.drill.score import ActScore, Expectation, score_group
from outlast.drill.stage import Stage


def score_act(
    stage: Stage,
    *,
    proves: str,
    end: float,
    versions: Sequence[Version],
    expectations: tuple[Expectation, ...],
    **dns: Any,
) -> ActScore:
    """Count every group from the act's start to `end`, and put the figures of DNS beside them."""
    evidence = stage.world.evidence
    names = {"stale_refused": 0, "stuck_transactions": 0, "first_success_after_repair_s": None}
    samples = [sample for sample in evidence.samples if sample["name"] == stage.endpoint]
    return ActScore(
        name=stage.name,
        proves=proves,
        seconds=round(end - stage.start, 1),
        groups=tuple(score_group(evidence, group, start=stage.start, end=end) for group in evidence.calls),
        samples=len(samples),
        zone_versions=len(versions),
        expectations=expectations,
        story=tuple(stage.story),
        **(names | dns),
    )


def failed_act(stage: Stage, *, proves: str, reason: str) -> ActScore:
    """The score of an act that did not come to its end: nothing is claimed, and the reason is its one expectation."""
    expectation = Expectation(claim="the act is played to its end", measured=reason, held=False)
    return score_act(
        stage,
        proves=proves,
        end=stage.start + stage.elapsed,
        versions=(),
        expectations=(expectation,),
        empty_answers=0,
        empty_seconds=0.0,
        generation_regressions=0,
    )
