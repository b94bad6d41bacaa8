"""The figures of an act: tables with their edges."""

from pathlib import Path
from typing import Any

import pytest

from outlast.drill.evidence import Evidence, Version
from outlast.drill.score import (
    Second,
    empty_samples,
    empty_seconds,
    empty_versions,
    first_empty,
    first_success,
    longest_outage,
    percentile,
    recovery_by_cache,
    regressions,
    score_group,
    share,
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
