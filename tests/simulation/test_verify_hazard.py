"""The automation of 2025 in the explorer: the same machines fail as they did, and each hazard can be mended alone."""

from collections.abc import Iterable

import pytest

from outlast.incidents.exploration import MENDED, HazardOptions, hazard_protocol
from outlast.simulator.protocol import Verdict
from outlast.simulator.verification import Limits, Report, verify

UNLIMITED = Limits(cpu_seconds=lambda: 0.0, max_seconds=1.0, max_states=3_000_000)


def report(mended: Iterable[str] = (), *, enactors: int = 2, crashes: int = 0) -> Report:
    options = HazardOptions(enactors=enactors, plans=3, crashes=crashes, mended=frozenset(mended))
    return verify(hazard_protocol(options), UNLIMITED, expects_fault=True)


def test_the_outage_is_found() -> None:
    """A slow enactor puts an old plan live, a fast one deletes it: DNS answers nothing, and nothing leads out again."""
    found = report()
    deeds = [line.step for line in found.trace]

    assert Verdict.FAIL == found.verdict
    assert "flips the top alias to plan 1" == next(step for step in reversed(deeds) if "flips" in step)
    assert "deletes the tree of plan 1, old beside its own plan 3" == deeds[-1]
    assert "no address" == found.trace[-1].answer
    assert found.stuck is not None
    assert found.stuck.states > 0


@pytest.mark.parametrize(
    ("hazard", "verdict", "is_stuck"),
    [
        ("one-time-check", Verdict.PASS, None),
        ("blind-clean-up", Verdict.PASS, None),
        ("missing-rollback", Verdict.FAIL, False),
    ],
)
def test_each_hazard_is_mended_alone(hazard: str, verdict: Verdict, *, is_stuck: bool | None) -> None:
    """Mending the check or the clean-up keeps DNS from going empty; mending the rollback lets it come back by itself."""
    found = report({hazard})

    assert verdict == found.verdict
    assert is_stuck == (found.stuck.states > 0 if found.stuck is not None else None)


def test_every_hazard_can_be_mended() -> None:
    """All three mended together pass and recover, with a crash too."""
    found = report(MENDED, crashes=1)

    assert (Verdict.PASS, True) == (found.verdict, found.recovers)


@pytest.mark.slow
def test_a_third_enactor_changes_nothing() -> None:
    """More redundancy is no help: the trace is as long."""
    options = [HazardOptions(enactors=count, plans=3) for count in (2, 3)]
    lengths = [
        len(verify(hazard_protocol(item), UNLIMITED, asks_recovery=False, expects_fault=True).trace) for item in options
    ]

    assert lengths[0] == lengths[1]
