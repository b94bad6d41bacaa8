"""The figures of an act: tables with their edges."""

from pathlib import Path
from typing import Any

import pytest

from outlast.drill.evidence import Evidence, Version
from outlast.drill.score import (
    Findings,
    Second,
    Written,
    empty_samples,
    empty_seconds,
    empty_versions,
    failover,
    first_empty,
    first_success,
    longest_outage,
    percentile,
    recovery_by_cache,
    regressions,
    score_group,
    share,
    writes_of,
)

Call = dict[str, Any]
ADDRESS = ("127.0.1.1",)


def call(scheduled: float, *, ok: bool = True, **fields: Any) -> Call:
    """A client's line, as the load generator writes it."""
    return {
        "id": round(scheduled * 1000),
        "scheduled": scheduled,
        "ended": scheduled + 0.01,
        "ok": ok,
        "resolved": True,
        "latency_ms": 10.0,
        "attempts": 1,
        "dns_queries": 1,
        "connections": 0,
        "host": 0,
        "kind": "read",
        "key": None,
        "error": None if ok else "ConnectError",
        "region": "us-east-1" if ok else None,
        **fields,
    }


def calls(outcomes: str) -> list[Call]:
    """One call a second: `+` answered, `-` not."""
    return [call(float(second), ok=outcome == "+") for second, outcome in enumerate(outcomes)]


def versions(text: str) -> list[Version]:
    """One version a second; each word is a generation, `!` behind it means no address."""
    return [
        Version(float(second), () if word.endswith("!") else ADDRESS, int(word.rstrip("!")))
        for second, word in enumerate(text.split())
    ]


@pytest.mark.parametrize(
    ("outcomes", "seconds"),
    [
        ("", 0.0),
        ("+++", 0.0),
        ("+-+", 1.0),
        ("-+", 1.0),
        ("+--+-+", 2.0),
        ("+-+---+", 3.0),
        ("+---", 2.0),
        ("-", 0.0),
        ("---", 2.0),
    ],
)
def test_longest_outage_runs_to_the_next_answer_or_to_the_last_call(outcomes: str, seconds: float) -> None:
    """A row of failures lasts until something is answered again; an open end lasts until the last call."""
    assert seconds == longest_outage(calls(outcomes))


@pytest.mark.parametrize(
    ("ordered", "part", "value"),
    [
        ([], 0.99, None),
        ([7.0], 0.0, 7.0),
        ([7.0], 0.99, 7.0),
        ([1.0, 2.0], 0.5, 1.0),
        ([1.0, 2.0], 0.51, 2.0),
        ([1.0, 2.0, 3.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([float(n) for n in range(1, 102)], 0.99, 100.0),
        ([1.0, 2.0], 1.0, 2.0),
        ([1.23456], 0.5, 1.23),
    ],
)
def test_percentile_is_the_nearest_rank(ordered: list[float], part: float, value: float | None) -> None:
    """The smallest value that at least that share of all values does not exceed."""
    assert value == percentile(ordered, part)


@pytest.mark.parametrize(("outcomes", "part"), [("", None), ("-", 0.0), ("+", 1.0), ("++-", 0.6667)])
def test_share_of_nothing_is_nothing(outcomes: str, part: float | None) -> None:
    """Where nothing was counted there is no share, which is not a share of zero."""
    assert part == share(calls(outcomes))


@pytest.mark.parametrize(
    ("text", "seconds", "count", "first"),
    [
        ("", 0.0, 0, None),
        ("1", 0.0, 0, None),
        ("0! 0! 1", 0.0, 0, None),
        ("0! 1 1!", 8.0, 1, 2.0),
        ("1 1! 2! 3", 2.0, 2, 1.0),
        ("1 1! 2 2! 3", 2.0, 2, 1.0),
        ("1 1!", 9.0, 1, 1.0),
    ],
)
def test_empty_counts_from_the_first_address_on(text: str, seconds: float, count: int, first: float | None) -> None:
    """A name that has no address yet is not empty; one that lost its address is, until it has one again or the end."""
    found = versions(text)
    empty = first_empty(found)

    assert (seconds, count, first) == (
        empty_seconds(found, end=10.0),
        empty_versions(found),
        None if empty is None else empty.at,
    )


@pytest.mark.parametrize(("text", "count"), [("", 0), ("1", 0), ("1 1 2", 0), ("2 1", 1), ("1 3 2 2 1 5", 2)])
def test_regression_is_a_smaller_generation_than_the_one_before(text: str, count: int) -> None:
    """Equal generations are no step back."""
    assert count == regressions(versions(text))


@pytest.mark.parametrize(
    ("samples", "count"),
    [
        ([], 0),
        ([(0, "NOERROR", [])], 0),
        ([(0, "NOERROR", ADDRESS), (1, "NOERROR", [])], 1),
        ([(0, "NOERROR", ADDRESS), (1, "NXDOMAIN", []), (2, "NOERROR", ADDRESS)], 1),
        ([(0, "NOERROR", ADDRESS), (1, "SERVFAIL", []), (2, "TIMEOUT", [])], 0),
        ([(1, "NOERROR", []), (0, "NOERROR", ADDRESS)], 1),
    ],
)
def test_only_a_negative_answer_is_an_empty_sample(samples: list[tuple[int, str, Any]], count: int) -> None:
    """An error or silence is no empty answer; samples are put in the order of their times first."""
    lines = [{"t": t, "rcode": rcode, "addresses": addresses} for t, rcode, addresses in samples]

    assert count == empty_samples(lines)


def answer(t: float, host: int, *addresses: str, name: str = "db.test") -> dict[str, Any]:
    """What a host's cache learned at an instant."""
    return {"t": t, "host": host, "name": name, "addresses": list(addresses)}


def test_cache_recovers_with_the_first_address_that_it_learns() -> None:
    """Empty answers, other names and answers from before the repair tell nothing of a cache's recovery."""
    found = [
        answer(4.0, 0, "127.0.1.1"),
        answer(5.1, 0),
        answer(5.2, 0, "127.0.2.1", name="other.test"),
        answer(6.0, 0, "127.0.1.1"),
        answer(7.0, 0, "127.0.1.1"),
        answer(9.0, 1, "127.0.1.1"),
        answer(4.9, 2, "127.0.1.1"),
    ]

    assert {0: 1.0, 1: 4.0} == recovery_by_cache(found, "db.test", repaired=5.0)


def test_first_success_counts_calls_that_began_after_the_repair() -> None:
    """A call that was waiting all along says how long somebody waited, not when the service was there again."""
    found = [call(4.0, ended=5.5), call(5.1, ended=5.2, ok=False), call(5.3, ended=6.0), call(5.4, ended=5.8)]

    assert (0.8, None) == (first_success(found, since=5.0), first_success(found, since=6.0))


def evidence_of(tmp_path: Path, *found: Call, **after: dict[int, Call]) -> Evidence:
    """Evidence with these calls of the group `plain`."""
    evidence = Evidence(groups={"plain": tmp_path / "none"}, journal=tmp_path / "j", observer=tmp_path / "o", roles={})
    evidence.calls["plain"] = list(found)
    evidence.after |= after
    return evidence


def test_group_without_calls_claims_nothing(tmp_path: Path) -> None:
    """Shares, ratios and percentiles of nothing are absent."""
    score = score_group(evidence_of(tmp_path), "plain", start=0.0, end=9.0)
    absent = (score.availability, score.availability_resolving, score.attempts_per_call, score.p50_ms, score.p99_ms)

    assert ((None,) * 5, 0, 0.0, ()) == (absent, score.calls, score.longest_outage_s, score.seconds)


def test_calls_count_at_their_scheduled_time_whatever_the_order_of_their_ends(tmp_path: Path) -> None:
    """The begin belongs to the act, the end does not; seconds count from the begin of the act."""
    found = [call(12.0), call(11.4, ok=False), call(10.0), call(11.9, ok=False), call(9.99), call(13.0)]
    score = score_group(evidence_of(tmp_path, *found), "plain", start=10.0, end=13.0)

    assert (4, (Second(second=0, calls=1, ok=1), Second(second=1, calls=2, ok=0), Second(second=2, calls=1, ok=1))) == (
        score.calls,
        score.seconds,
    )
    assert 0.6 == score.longest_outage_s


def test_attempts_after_the_deadline_count_too(tmp_path: Path) -> None:
    """A call that was given up may go on trying: its last word on attempts counts."""
    late = call(1.0, ok=False, attempts=2)
    evidence = evidence_of(tmp_path, late, call(2.0), plain={late["id"]: {"attempts": 4}})
    score = score_group(evidence, "plain", start=0.0, end=9.0)

    assert (2.5, 0.5) == (score.attempts_per_call, score.availability)


def test_availability_of_resolving_calls_leaves_warm_connections_out(tmp_path: Path) -> None:
    """Two warm calls answered and one of two cold ones: three quarters, and one half."""
    found = [call(1.0, resolved=False), call(2.0, resolved=False), call(3.0), call(4.0, ok=False)]
    score = score_group(evidence_of(tmp_path, *found), "plain", start=0.0, end=9.0)

    assert (0.75, 0.5, 2) == (score.availability, score.availability_resolving, score.resolving_calls)


def write(scheduled: float, key: str, *, ok: bool = True, **fields: Any) -> Call:
    """The line of a write."""
    return call(scheduled, ok=ok, kind="write", key=key, **fields)


def test_last_word_on_a_write_counts(tmp_path: Path) -> None:
    """Acknowledged in time, late or after it was given up; parked at once or late; or neither, and then nobody was told."""
    found = [
        write(1.0, "in-time"),
        write(2.0, "late", ok=False, error="Late"),
        write(3.0, "after", ok=False, error="NoAnswerYet"),
        write(4.0, "parked", ok=False, error="parked"),
        write(5.0, "parked-late", ok=False, error="NoAnswerYet"),
        write(6.0, "failed", ok=False),
        write(7.0, "failed-late", ok=False, error="NoAnswerYet"),
        call(8.0),
        write(99.0, "another act"),
    ]
    after: dict[int, Call] = {
        3000: {"attempts": 1, "answered": True, "error": None},
        5000: {"attempts": 1, "answered": False, "error": "parked"},
        7000: {"attempts": 1, "answered": False, "error": "ConnectError"},
    }
    writes = writes_of(evidence_of(tmp_path, *found, plain=after), "plain", start=0.0, end=9.0)

    assert (frozenset({"in-time", "late", "after"}), frozenset({"parked", "parked-late"})) == writes


def test_parked_write_is_not_available_and_its_later_attempts_count(tmp_path: Path) -> None:
    """Two of three calls are answered; the parked one was drained with two attempts, another act's is not counted."""
    found = [write(1.0, "a"), call(2.0), write(3.0, "b", ok=False, error="parked", attempts=1)]
    evidence = evidence_of(tmp_path, *found)
    evidence.drained["plain"] = {
        "b": {"t": 7.0, "key": "b", "attempts": 2},
        "other": {"t": 9.0, "key": "other", "attempts": 5},
    }
    score = score_group(evidence, "plain", start=0.0, end=9.0)

    assert (0.6667, 1, 1, 0.0, 1, round(5 / 3, 4)) == (
        score.availability,
        score.parked,
        score.drained,
        score.drain_seconds,
        score.writes_acked,
        score.attempts_per_call,
    )


def test_write_is_lost_if_no_region_has_it_and_duplicated_if_two_took_it(tmp_path: Path) -> None:
    """Of three that were promised one is nowhere and one was taken twice; a write that failed is nobody's loss."""
    found = [write(1.0, "a"), write(2.0, "b"), write(3.0, "c", ok=False, error="parked"), write(4.0, "d", ok=False)]
    written = Written(readable=frozenset({"a", "b"}), twice=frozenset({"b", "d"}))
    evidence = evidence_of(tmp_path, *found)
    score = score_group(evidence, "plain", start=0.0, end=9.0, findings=Findings(written=written))
    unknown = score_group(evidence, "plain", start=0.0, end=9.0)

    assert (1, 1) == (score.writes_lost, score.writes_duplicated)
    assert (None, None, None) == (unknown.writes_lost, unknown.writes_duplicated, unknown.failover_s)


def test_what_a_region_made_before_its_fault_and_did_not_answer_is_in_doubt(tmp_path: Path) -> None:
    """Of two that two regions took, one was there before the fault; without a fault nobody asks."""
    evidence = evidence_of(tmp_path, write(1.0, "a"), write(2.0, "b"), write(3.0, "c"))
    written = Written(readable=frozenset("abc"), twice=frozenset("ab"))
    findings = Findings(written=written, made_before=frozenset({"b", "c"}))
    score = score_group(evidence, "plain", start=0.0, end=9.0, findings=findings)
    without = score_group(evidence, "plain", start=0.0, end=9.0, findings=Findings(written=written))

    assert (2, 1, None) == (score.writes_duplicated, score.writes_in_doubt, without.writes_in_doubt)


def elsewhere(scheduled: float, **fields: Any) -> Call:
    """A call that the second region answered."""
    return call(scheduled, region="us-west-2", **fields)


@pytest.mark.parametrize(
    ("later", "seconds"),
    [
        ([elsewhere(6.0)], 0.01),
        ([call(6.0, ok=False), elsewhere(6.5)], 0.51),
        ([call(6.0), elsewhere(8.0)], 2.01),
        ([elsewhere(6.0), call(7.0, host=1, ok=False), elsewhere(7.4, host=1)], 0.41),
        ([call(6.0, ok=False)], None),
        ([elsewhere(6.0, host=2)], None),
        ([], None),
    ],
)
def test_failover_is_what_the_slowest_host_needed(later: list[Call], seconds: float | None) -> None:
    """From its first call after the fault to the first answer from elsewhere; hosts that were elsewhere have no say."""
    before = [call(4.0), call(4.5, host=1), elsewhere(4.6, host=2)]

    assert seconds == failover([*before, *later], fault=5.0, home="us-east-1")
