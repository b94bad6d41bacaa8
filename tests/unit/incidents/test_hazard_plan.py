"""The hazard plan as a value, and the folder it is published in."""

from pathlib import Path

import pytest

from outlast.errors import UnsafePlan
from outlast.incidents.plan import PLAN_BYTES_MAX, PLAN_NUMBER_MAX, Endpoint, Plan, parse, to_json
from outlast.incidents.store import PlanStore

PLAN = Plan(110, (Endpoint("db.example.test.", ("127.0.1.1", "192.0.2.7")),))


def test_a_plan_is_read_back_as_it_was_printed() -> None:
    """Printing and parsing round-trip."""
    assert parse(to_json(PLAN)) == PLAN


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no plan"),
        ("[]", "no plan"),
        ("{}", "no plan"),
        ('{"number": 1, "endpoints": []}', "no endpoint"),
        ('{"number": "x", "endpoints": {"a.": ["127.0.0.1"]}}', "no plan"),
        ('{"number": 1, "endpoints": {}}', "no endpoint"),
        ('{"number": 1, "endpoints": {"a.": []}}', "has no address"),
        ('{"number": 1, "endpoints": {"a.": ["8.8.8.8"]}}', "neither a loopback"),
        ('{"number": 1, "endpoints": {"a.": ["::1"]}}', "neither a loopback"),
        ('{"number": 1, "endpoints": {"a.": ["126.255.255.255"]}}', "neither a loopback"),
        ('{"number": 1, "endpoints": {"a.": ["128.0.0.0"]}}', "neither a loopback"),
        ('{"number": 0, "endpoints": {"a.": ["127.0.0.1"]}}', "not between"),
        (f'{{"number": {PLAN_NUMBER_MAX + 1}, "endpoints": {{"a.": ["127.0.0.1"]}}}}', "not between"),
        (" " * (PLAN_BYTES_MAX + 1), "characters"),
    ],
    ids=range(14),
)
def test_a_plan_that_is_wrong_or_could_reach_somebody_is_refused(text: str, fault: str) -> None:
    """No text becomes a plan with an empty endpoint, or with an address outside the drill."""
    with pytest.raises(UnsafePlan, match=fault):
        parse(text)


@pytest.mark.parametrize("address", ["127.0.0.0", "127.255.255.255", "198.51.100.1", "203.0.113.255"])
def test_loopback_and_documentation_addresses_are_accepted(address: str) -> None:
    """The addresses of a drill pass."""
    plan = Plan(PLAN_NUMBER_MAX, (Endpoint("a.", (address,)),))

    assert parse(to_json(plan)) == plan


def test_the_newest_plan_is_the_one_with_the_largest_number(tmp_path: Path) -> None:
    """The order of publishing does not matter, only the number; other files are ignored."""
    store = PlanStore(tmp_path / "plans")
    for number in (110, 145, 109):
        store.publish(PLAN._replace(number=number))
    (tmp_path / "plans" / "plan-999.json").write_text("not one of ours")

    assert (PLAN._replace(number=145), (109, 110, 145)) == (store.latest(), store.numbers())


def test_an_empty_folder_has_no_plan(tmp_path: Path) -> None:
    """Before the first plan there is none."""
    assert PlanStore(tmp_path).latest() is None


def test_a_plan_under_another_number_is_refused(tmp_path: Path) -> None:
    """A file that was renamed by hand is not taken for a newer plan."""
    store = PlanStore(tmp_path)
    (tmp_path / "plan-000146.json").write_text(to_json(PLAN))

    with pytest.raises(UnsafePlan, match="contains plan 110"):
        store.latest()


def test_the_ceiling_is_the_default_until_it_is_raised(tmp_path: Path) -> None:
    """The control file wins over the default."""
    store = PlanStore(tmp_path)
    before = store.ceiling(109)
    store.raise_ceiling(145)

    assert (before, store.ceiling(109)) == (109, 145)


def test_a_ceiling_that_is_no_number_is_refused(tmp_path: Path) -> None:
    """A torn or foreign control file is an error, not a ceiling."""
    (tmp_path / "ceiling").write_text("many")

    with pytest.raises(UnsafePlan, match="many"):
        PlanStore(tmp_path).ceiling(109)
