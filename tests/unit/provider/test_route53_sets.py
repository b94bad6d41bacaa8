"""From Route 53's record sets to ours and back: nothing is lost that a DELETE must name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from route53_world import alias, plain, weighted
from zone_world import OPEN

from outlast.provider.route53_sets import api_set, live, name_of, record_set, text_of, txt_of

NAME = f"db.{OPEN}"


@pytest.mark.parametrize(
    ("listed", "name"),
    [
        ("db.example.test.", NAME),
        ("DB.example.test", NAME),
        ("\\052.example.test.", "*.example.test"),
        ("f\\374r\\041.example.test.", "für!.example.test"),
        ("_outlast.db.example.test.", f"_outlast.{NAME}"),
    ],
)
def test_names_are_unescaped_in_octal(listed: str, name: str) -> None:
    """Three octal digits are one character; what is not an escape stays."""
    assert name == name_of(listed)


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_a_txt_value_survives_the_way_through_text(inner: str) -> None:
    """Whatever value the API lists, its text makes the same value again, and different values have different texts."""
    escaped = inner.replace("\\", "\\\\").replace('"', '\\"')
    for value in (f'"{escaped}"', f'"{escaped}" "more"'):
        assert value == txt_of(text_of(value))


@pytest.mark.parametrize("item", [plain(NAME, "A", 5, ["192.0.2.1", "192.0.2.2"]), alias(NAME, f"lb.{OPEN}")])
def test_what_we_replace_survives_the_way_through_a_record_set(item: dict[str, object]) -> None:
    """A plain set and an alias come back as they were listed."""
    assert item == api_set(NAME, record_set(item))


def test_sets_that_differ_in_anything_read_differently() -> None:
    """Kind, identifier, weight, health check and target all tell sets apart, and none reads as plain addresses."""
    sets = [
        plain(NAME, "A", 60, ["192.0.2.1"]),
        weighted(NAME, "x", "192.0.2.1"),
        weighted(NAME, "y", "192.0.2.1"),
        weighted(NAME, "x", "192.0.2.1", Weight=2),
        weighted(NAME, "x", "192.0.2.1", HealthCheckId="1"),
        alias(NAME, f"a.{OPEN}"),
        alias(NAME, f"b.{OPEN}"),
        {**plain(NAME, "A", 60, ["192.0.2.1"]), "HealthCheckId": "1"},
        {"Name": f"{NAME}.", "Type": "A", "TrafficPolicyInstanceId": "t"},
    ]
    read = [record_set(item) for item in sets]

    assert len(sets) == len(set(read))
    assert [0] == [index for index, item in enumerate(read) if item.type == "A"]


def test_only_the_names_own_sets_count() -> None:
    """Children, siblings and types that bear no addresses are not the endpoint's."""
    others = [
        plain(f"x.{NAME}", "A", 5, ["192.0.2.9"]),
        plain(NAME, "MX", 5, ["10 mx."]),
        plain(OPEN, "A", 5, ["192.0.2.8"]),
    ]
    own = plain(NAME, "AAAA", 5, ["2001:db8::1"])

    assert (record_set(own),) == live(NAME, [*others, own]).sets
