"""Where health alone can never take a target out, doctor says so."""

import pytest

from outlast.audit.findings import Level
from outlast.audit.health_rules import judge_regions
from outlast.traffic.topology import Endpoint, Target


def endpoint(*regions: str, probed: bool = True, fail_open_below: float = 0.5) -> Endpoint:
    targets = tuple(Target(address=f"192.0.2.{number}", region=region) for number, region in enumerate(regions, 1))
    return Endpoint(name="db.example.com", targets=targets, probed=probed, fail_open_below=fail_open_below)


NAMED = Endpoint(
    name="api.example.com",
    targets=(Target(address="lb.east.example.", region="east"), Target(address="lb.west.example.", region="west")),
)


def test_a_region_with_one_target_is_told() -> None:
    """Failing open keeps it, and nobody evacuates its region; the fix is in the finding."""
    (found,) = judge_regions(endpoint("east", "west", "west"), "")

    assert (Level.WARN, "db.example.com") == (found.level, found.subject)
    assert "the only target in east stays" in found.there
    assert "[health] place" in found.fix


@pytest.mark.parametrize(
    ("of", "place"),
    [
        pytest.param(endpoint("east", "west"), "east", id="probers have places"),
        pytest.param(endpoint("east", "east", "west", "west"), "", id="two in each region"),
        pytest.param(endpoint("east"), "", id="nowhere else to go"),
        pytest.param(endpoint("east", "west", probed=False), "", id="nobody probes"),
        pytest.param(endpoint("east", "west", fail_open_below=0.0), "", id="it never fails open"),
        pytest.param(NAMED, "", id="of names one is published, and another takes over"),
    ],
)
def test_nothing_is_told(of: Endpoint, place: str) -> None:
    """Where health can do it, or is not asked to."""
    assert [] == judge_regions(of, place)
