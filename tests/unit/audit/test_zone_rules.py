"""What is wrong with a zone, judged by facts: each rule at its edge, and what could not be seen."""

from dataclasses import replace
from typing import Any

import pytest

from outlast.audit.findings import Finding, Level, worst
from outlast.audit.zone_rules import DAY, Soa, ZoneFacts, judge_endpoint, judge_signing, judge_tier, judge_zone
from outlast.traffic.content import Content
from outlast.traffic.ports import Live, Tier
from outlast.traffic.sentinel import Sentinel, Standing

SERVERS = ("ns1.example", "ns2.example")
SOUND = ZoneFacts(
    zone="example",
    soa=Soa(300, 14 * DAY, 5),
    servers=SERVERS,
    parent_servers=SERVERS,
    delegation_signed=True,
    is_signed=True,
    signature_left=10 * DAY,
    behind=(),
)


def by_check(findings: list[Finding]) -> dict[str, Finding]:
    return {item.check: item for item in findings}


def test_a_sound_zone() -> None:
    """Nothing to mend, and no fix is named."""
    found = judge_zone(SOUND)

    assert (Level.OK, {""}) == (worst(found), {item.fix for item in found})
    assert {"negative TTL", "SOA expire", "delegation", "DNSSEC", "secondaries"} == by_check(found).keys()


@pytest.mark.parametrize(
    ("change", "check", "level"),
    [
        ({"soa": Soa(300, 14 * DAY, 60)}, "negative TTL", Level.OK),
        ({"soa": Soa(300, 14 * DAY, 61)}, "negative TTL", Level.WARN),
        ({"soa": Soa(30, 14 * DAY, 3600)}, "negative TTL", Level.OK),
        ({"soa": Soa(300, 7 * DAY, 5)}, "SOA expire", Level.OK),
        ({"soa": Soa(300, 7 * DAY - 1, 5)}, "SOA expire", Level.WARN),
        ({"parent_servers": SERVERS[:1]}, "delegation", Level.WARN),
        ({"servers": SERVERS[:1], "parent_servers": SERVERS[:1]}, "delegation", Level.WARN),
        ({"parent_servers": "no way"}, "delegation", Level.UNKNOWN),
        ({"parent_servers": None}, "delegation", Level.SKIPPED),
        ({"is_signed": False, "signature_left": None}, "DNSSEC", Level.FAIL),
        ({"is_signed": False, "signature_left": None, "delegation_signed": False}, "DNSSEC", Level.OK),
        ({"signature_left": 3 * DAY}, "DNSSEC", Level.OK),
        ({"signature_left": 3 * DAY - 1}, "DNSSEC", Level.WARN),
        ({"signature_left": 0}, "DNSSEC", Level.FAIL),
        ({"delegation_signed": "no way"}, "DNSSEC", Level.UNKNOWN),
        ({"behind": ("ns2: serial 3, and the primary has 4",)}, "secondaries", Level.FAIL),
        ({"behind": "no way"}, "secondaries", Level.UNKNOWN),
    ],
)
def test_each_rule_at_its_edge(change: dict[str, Any], check: str, level: Level) -> None:
    """One fact is changed; its rule alone says something else, with a fix unless all is well."""
    found = by_check(judge_zone(replace(SOUND, **change)))

    assert level is found[check].level
    assert (level is Level.OK) == (not found[check].fix)
    assert [] == [item for name, item in found.items() if name != check and item.level is not Level.OK]


def test_the_fix_of_the_negative_ttl_names_the_field() -> None:
    """The SOA's MINIMUM field, what it is now, and what it should be."""
    found = by_check(judge_zone(replace(SOUND, soa=Soa(7200, 14 * DAY, 3600))))["negative TTL"]

    assert "3600 s" in found.there
    assert "set the SOA's MINIMUM (its last field, now 3600) to 60 or less" == found.fix


def test_a_zone_that_is_not_there() -> None:
    """Without a SOA there is one line, which says why."""
    assert [Level.UNKNOWN] == [item.level for item in judge_zone(replace(SOUND, soa="no answer"))]


def live(ttl: int, realm: str = "shop") -> Live:
    content = Content.of_addresses(["192.0.2.1"], ttl=ttl)
    return Live((Sentinel(realm, 1, 1, content.digest, Standing.LIVE, "e1").text,), content.sets)


@pytest.mark.parametrize(
    ("there", "regions", "levels"),
    [
        (live(30), 2, [Level.OK, Level.OK]),
        (live(31), 2, [Level.OK, Level.WARN]),
        (live(60), 1, [Level.OK, Level.OK]),
        (live(61), 1, [Level.OK, Level.WARN]),
        (live(5, realm="theirs"), 2, [Level.FAIL, Level.OK]),
        (live(5)._replace(sentinel=()), 2, [Level.WARN, Level.OK]),
        (live(5)._replace(sentinel=("heritage=external-dns",)), 2, [Level.FAIL, Level.OK]),
        (Live((), ()), 2, [Level.OK]),
        ("no answer", 2, [Level.UNKNOWN]),
    ],
)
def test_an_endpoint(there: Live | str, regions: int, levels: list[Level]) -> None:
    """Whose it is, and whether resolvers keep its addresses for too long."""
    assert levels == [item.level for item in judge_endpoint("db", "p", there, realm="shop", regions=regions)]


def test_the_fix_of_records_that_somebody_else_wrote() -> None:
    """Stop the other writer, look, and the command to paste, with the endpoint's name."""
    unclaimed = live(5)._replace(sentinel=())
    found = by_check(judge_endpoint("db.example.com", "p", unclaimed, realm="shop", regions=1))["writer"]

    expected = "stop their writer, look at the plan (outlast plan show), then: outlast adopt db.example.com"
    assert ("somebody else wrote its records", expected) == (found.there, found.fix)


def test_what_a_provider_promises() -> None:
    """The tiers with compare and swap are fine, the others are told."""
    assert [Level.OK, Level.OK, Level.WARN, Level.WARN] == [judge_tier("p", tier).level for tier in Tier]


@pytest.mark.parametrize(
    ("is_signed", "configured", "is_shared", "levels"),
    [
        (True, True, True, []),
        (False, False, True, []),
        ("no answer", True, True, []),
        (False, True, False, [Level.WARN]),
        (True, False, False, [Level.WARN]),
        (True, False, True, [Level.FAIL]),
    ],
)
def test_what_is_configured_of_signing(
    *, is_signed: bool | str, configured: bool, is_shared: bool, levels: list[Level]
) -> None:
    """A configuration that is right, or cannot be compared, is not mentioned; an unknown signer among several is worst."""
    found = judge_signing("example", "p", is_signed=is_signed, configured=configured, is_shared=is_shared)

    assert levels == [item.level for item in found]
    assert all("[provider.p]" in item.fix for item in found)
