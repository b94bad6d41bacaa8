"""What every act is scored by: the groups, and what DNS did by the journal and by the samples from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from outlast.drill.evidence import Version
from outlast.drill.readback import read_back
from outlast.drill.score import ActScore, Expectation, Findings, GroupScore, dns_states, score_group, writes_of
from outlast.drill.stage import Stage

NONE: Mapping[str, Mapping[str, Any]] = {}


def score_act(
    stage: Stage,
    *,
    proves: str,
    end: float,
    versions: Sequence[Version],
    expectations: tuple[Expectation, ...],
    groups: tuple[GroupScore, ...] | None = None,
    **dns: Any,
) -> ActScore:
    """Put the groups' scores, as `score_groups` counts them or as they were counted, beside the figures of DNS."""
    evidence = stage.world.evidence
    names = {"stale_refused": 0, "stuck_transactions": 0, "first_success_after_repair_s": None}
    samples = [sample for sample in evidence.samples if sample["name"] == stage.endpoint]
    return ActScore(
        name=stage.name,
        proves=proves,
        seconds=round(end - stage.start, 1),
        groups=score_groups(stage, end=end) if groups is None else groups,
        samples=len(samples),
        zone_versions=len(versions),
        expectations=expectations,
        story=tuple(stage.story),
        endpoint=stage.endpoint,
        phases=stage.phases(),
        dns=dns_states(evidence.versions(stage.endpoint), start=stage.start, end=end),
        **(names | dns),
    )


def score_groups(
    stage: Stage, *, end: float, fault_at: float | None = None, figures: Mapping[str, Mapping[str, Any]] = NONE
) -> tuple[GroupScore, ...]:
    """Count every group from the act's start to `end`, and read its writes back from the regions.

    Args:
        stage: The act's.
        end: What `Stage.settle` returned.
        fault_at: When the first region failed, if it did.
        figures: What the act itself measured, by group: more fields of `Findings`.

    """
    return tuple(
        _score_group(stage, group, end=end, fault_at=fault_at, more=figures.get(group, {}))
        for group in stage.world.evidence.calls
    )


def _score_group(
    stage: Stage, group: str, *, end: float, fault_at: float | None, more: Mapping[str, Any]
) -> GroupScore:
    world = stage.world
    writes = writes_of(world.evidence, group, start=stage.start, end=end)
    values = {key: f"v-{key.rpartition('-')[2]}" for key in writes.acked | writes.parked}
    written = read_back(group, values, places=world.servers.places(group), folder=world.folder)
    findings = Findings(written=written, fault_at=fault_at, **more)
    return _blank(stage, score_group(world.evidence, group, start=stage.start, end=end, findings=findings))


def _blank(stage: Stage, score: GroupScore) -> GroupScore:
    # Nobody can see how often a user's function tries.
    own = stage.world.own
    return replace(score, attempts_per_call=None) if own is not None and own.options.group == score.group else score


def failed_act(stage: Stage, *, proves: str, reason: str) -> ActScore:
    """The score of an act that did not come to its end: nothing is claimed, and the reason is its one expectation."""
    expectation = Expectation(claim="the act is played to its end", measured=reason, held=False)
    evidence, end = stage.world.evidence, stage.start + stage.elapsed
    return score_act(
        stage,
        proves=proves,
        end=end,
        # What has failed may have taken the services with it: nobody is asked any more.
        groups=tuple(
            _blank(stage, score_group(evidence, group, start=stage.start, end=end)) for group in evidence.calls
        ),
        versions=(),
        expectations=(expectation,),
        empty_answers=0,
        empty_seconds=0.0,
        generation_regressions=0,
    )
