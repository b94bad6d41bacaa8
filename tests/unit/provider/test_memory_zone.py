"""The strict Route 53 in memory refuses what Route 53's documentation refuses, and makes a batch whole or not at all."""

from collections.abc import Sequence
from typing import Any

import pytest
from route53_world import ZONE_ID, Account, alias, plain, weighted
from zone_world import OPEN

from outlast.provider.memory_answers import Config, Signal, is_healthy
from outlast.provider.memory_zone import Sets, applied
from outlast.provider.route53_client import ApiError

NAME = f"db.{OPEN}"
A = plain(NAME, "A", 5, ["192.0.2.1", "192.0.2.2"])
OTHER = plain(NAME, "A", 5, ["192.0.2.3"])
CNAME = plain(NAME, "CNAME", 5, ["lb.example.net."])
CHECK = {"Type": "HTTPS", "FullyQualifiedDomainName": "h", "RequestInterval": 10, "FailureThreshold": 3}

Step = tuple[str, dict[str, Any]]


def after(sets: Sets, *steps: Step, pairs_equals: bool = True) -> Sets:
    batch = [{"Action": action, "ResourceRecordSet": item} for action, item in steps]
    return applied(OPEN, sets, batch, pairs_equals=pairs_equals)


def refused(sets: Sets, *steps: Step, pairs_equals: bool = True) -> str:
    with pytest.raises(ApiError) as caught:
        after(sets, *steps, pairs_equals=pairs_equals)
    assert caught.value.response["Error"]["Code"] == "InvalidChangeBatch"
    return str(caught.value.response["Error"]["Message"])


WITH_A = after({}, ("CREATE", A))


def test_values_may_come_in_any_order() -> None:
    """A DELETE names the same values, not the same sequence."""
    turned = plain(NAME, "A", 5, ["192.0.2.2", "192.0.2.1"])

    assert {} == after(WITH_A, ("DELETE", turned))


NO_MATCH = "but the values provided do not match the current values"


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        pytest.param([("DELETE", OTHER)], NO_MATCH, id="other values"),
        pytest.param([("DELETE", plain(NAME, "A", 6, ["192.0.2.1", "192.0.2.2"]))], NO_MATCH, id="other TTL"),
        pytest.param([("DELETE", plain(NAME, "A", 5, ["192.0.2.1"]))], NO_MATCH, id="a part of the values"),
        pytest.param([("DELETE", CNAME)], "but it was not found", id="not there"),
        pytest.param([("DELETE", weighted(NAME, "x", "192.0.2.1"))], "but it was not found", id="other identifier"),
        pytest.param([("DELETE", A), ("DELETE", A)], "invalid set of changes", id="deleted twice"),
        pytest.param([("CREATE", A)], "but it already exists", id="created twice"),
        pytest.param([("CREATE", CNAME)], "conflicts with other records", id="CNAME beside an address"),
        pytest.param([("CREATE", weighted(NAME, "x", "192.0.2.9"))], "other RRSets exist", id="routed beside plain"),
        pytest.param([("CREATE", plain(OPEN, "CNAME", 5, ["a."]))], "at apex", id="CNAME at the zone's own name"),
        pytest.param(
            [("CREATE", plain("db.example.org", "A", 5, ["192.0.2.1"]))], "not permitted in zone", id="outside"
        ),
        pytest.param(
            [("CREATE", alias(f"al.{OPEN}", f"no.{OPEN}"))], "target name was not found", id="alias to nothing"
        ),
    ],
)
def test_what_does_not_fit_is_refused_whole(steps: Sequence[Step], words: str) -> None:
    """One change that is not valid takes the whole batch with it, in words that Route 53 is known to use."""
    fine = ("CREATE", plain(f"x.{OPEN}", "A", 5, ["192.0.2.1"]))

    assert words in refused(WITH_A, fine, *steps)
    assert [(NAME, "A", "")] == list(WITH_A)


def test_a_cname_takes_the_place_of_an_address_in_one_batch() -> None:
    """The example of the API Reference: DELETE of one, CREATE of the other."""
    assert [(NAME, "CNAME", "")] == list(after(WITH_A, ("DELETE", A), ("CREATE", CNAME)))


def test_equal_pairs_are_as_the_option_says() -> None:
    """The documentation does not say whether a set may be replaced by itself, so both can be had."""
    pair: tuple[Step, Step] = ("DELETE", A), ("CREATE", A)

    assert WITH_A == after(WITH_A, *pair)
    assert "already exists" in refused(WITH_A, *pair, pairs_equals=False)


@pytest.mark.parametrize(("action", "most"), [("CREATE", 1000), ("UPSERT", 500)])
def test_a_batch_has_so_many_records(action: str, most: int) -> None:
    """A thousand, and an UPSERT counts twice."""
    values = [f"10.0.{n // 200}.{n % 200}" for n in range(most + 1)]

    assert 1 == len(after({}, (action, plain(NAME, "A", 5, values[:-1]))))
    assert "Number of records limit of 1000 exceeded." in refused({}, (action, plain(NAME, "A", 5, values)))


def test_a_batch_has_so_many_characters() -> None:
    """32,000 in all values together."""
    texts = [f'"{"x" * 248}"'] * 128

    assert 1 == len(after({}, ("CREATE", plain(NAME, "TXT", 5, texts))))
    assert "Number of characters limit of 32000 exceeded." in refused(
        {}, ("CREATE", plain(NAME, "TXT", 5, [*texts, "x"]))
    )


def test_names_are_listed_in_octal() -> None:
    """A wildcard's asterisk comes back as an escape, between names in the order of their reversed labels."""
    account = Account()
    for name in (f"b.{NAME}", f"*.{NAME}", NAME, f"a.{OPEN}"):
        account.change(("CREATE", name, "A", 5, ["192.0.2.1"]))

    assert [f"a.{OPEN}.", f"{NAME}.", f"\\052.{NAME}.", f"b.{NAME}."] == [
        item["Name"] for item in account.aws.sets(ZONE_ID)
    ]


def test_what_is_not_there_is_said() -> None:
    """Zones, changes and health checks that do not exist have their own errors."""
    aws = Account().aws
    routed = weighted(NAME, "x", "192.0.2.1", HealthCheckId="none")
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": routed}]}
    asked = (
        (aws.list_resource_record_sets, {"HostedZoneId": "Z0", "MaxItems": "1"}, "NoSuchHostedZone"),
        (aws.get_change, {"Id": "/change/C1"}, "NoSuchChange"),
        (aws.change_resource_record_sets, {"HostedZoneId": ZONE_ID, "ChangeBatch": batch}, "NoSuchHealthCheck"),
    )
    for method, request, code in asked:
        with pytest.raises(ApiError, match=code):
            method(**request)


def test_a_health_checks_reference_stands_for_its_settings() -> None:
    """The same reference and settings find the check; other settings under it are refused."""
    aws = Account().aws
    first, again = (aws.create_health_check(CallerReference="r", HealthCheckConfig=CHECK) for _ in range(2))

    assert first == again
    with pytest.raises(ApiError, match="HealthCheckAlreadyExists"):
        aws.create_health_check(CallerReference="r", HealthCheckConfig={**CHECK, "Inverted": True})


# -------------------------------------------------------------------------------------------------- health checks


@pytest.mark.parametrize(("seconds", "healthy"), [(29, False), (30, True)])
def test_a_check_believes_after_its_threshold(seconds: int, *, healthy: bool) -> None:
    """Three requests in a row, ten seconds apart."""
    signals = {"h:443/": [Signal(0, is_up=True)]}

    assert healthy == is_healthy("1", {"1": CHECK}, signals, seconds * 10**9)


@pytest.mark.parametrize(
    ("more", "is_up", "healthy"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"Inverted": True}, True, False),
        ({"Inverted": True}, False, True),
        ({"Disabled": True}, False, True),
    ],
)
def test_checks_are_inverted_and_disabled(more: Config, *, is_up: bool, healthy: bool) -> None:
    """Inverted turns the finding; a disabled check is taken for healthy, whatever it would find."""
    signals = {"h:443/": [Signal(0, is_up=is_up)]}

    assert healthy == is_healthy("1", {"1": {**CHECK, **more}}, signals, 60 * 10**9)


@pytest.mark.parametrize(("threshold", "healthy"), [(1, True), (2, False)])
def test_a_calculated_check_counts(threshold: int, *, healthy: bool) -> None:
    """It is healthy if as many of its children are as it asks for; here one of two."""
    parent = {"Type": "CALCULATED", "ChildHealthChecks": ["1", "2"], "HealthThreshold": threshold}
    checks = {"1": {**CHECK, "Inverted": True}, "2": CHECK, "p": parent}

    assert healthy == is_healthy("p", checks, {}, 0)
