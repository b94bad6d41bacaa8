"""What a drill is told: faults are listed all at once."""

from pathlib import Path

import pytest

from outlast.drill import scale
from outlast.drill.main import SCENARIOS, DrillOptions
from outlast.errors import InvalidConfig


def faults(**options: object) -> tuple[str, ...]:
    """The faults of these options."""
    with pytest.raises(InvalidConfig) as caught:
        DrillOptions(**options)  # type: ignore[arg-type]  # wrong on purpose
    return caught.value.faults


def test_every_fault_is_named_with_its_fix(tmp_path: Path) -> None:
    """Two unknown acts and a folder that is not there: three faults, each with its own fix."""
    found = faults(acts=("histroy", "fenced", "zzz"), json_file=tmp_path / "no" / "x.json")

    assert 3 == len(found)
    assert "--act 'histroy' is unknown; did you mean 'history'?: one of history, fenced, region-dark" == found[0]
    assert "--act 'zzz' is unknown: one of history, fenced, region-dark" == found[1]
    assert f"there is no folder {tmp_path / 'no'}" in found[2]


def test_unknown_scenario_hides_no_other_fault(tmp_path: Path) -> None:
    """The nearest scenario is named; of its acts nothing can be said."""
    found = faults(scenario="us-east-1-2052", acts=("x",), json_file=tmp_path / "no" / "x.json")

    assert 2 == len(found)
    assert "did you mean 'us-east-1-2025'?: see 'outlast drill list'" in found[0]


def test_json_file_must_not_be_a_folder(tmp_path: Path) -> None:
    """What cannot be written at the end is refused at the beginning."""
    assert (f"--json {tmp_path}: it is a folder; name a file",) == faults(json_file=tmp_path)


def test_json_file_beside_us_needs_no_folder() -> None:
    """A bare file name is fine."""
    assert Path("result.json") == DrillOptions(json_file=Path("result.json")).json_file


def test_every_act_is_known_by_the_name_it_gives_itself() -> None:
    """`--act NAME` and the result agree."""
    named = {name: act.module.NAME for scenario in SCENARIOS.values() for name, act in scenario.acts.items()}

    assert {name: name for name in ("history", "fenced", "region-dark")} == named


@pytest.mark.parametrize(("seconds", "scaled"), [(0, 1), (5, 1), (199, 1), (200, 2), (900, 9)])
def test_ttls_are_divided_by_a_hundred_with_a_floor(seconds: int, scaled: int) -> None:
    """No TTL falls below a second."""
    assert scaled == scale.scaled(seconds)


def test_factors_say_whether_addresses_were_mapped() -> None:
    """The output tells apart addresses of their own and one address for all; everything else is the same."""
    own, one = (scale.factors(scale.FULL, own_addresses=own) for own in (True, False))

    assert {"addresses"} == {key for key in own if own[key] != one[key]}
    assert "127.0.0.1" in one["addresses"]
