"""What an act came to, computed from the evidence alone. Nothing here knows who ought to win."""

import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from outlast.drill.evidence import Evidence, Version
from outlast.drill.tail import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """Calls scheduled in one second of the act, and how many of them were answered."""

    second: int
    calls: int
    ok: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupScore:
    """One group of clients in one act. Shares are from 0 to 1, `None` where nothing was counted; times as named."""

    group: str
    calls: int
    resolving_calls: int
    availability: float | None
    availability_resolving: float | None
    longest_outage_s: float
    attempts_per_call: float | None
    dns_queries_per_call: float | None
    new_connections: int
    p50_ms: float | None
    p99_ms: float | None
    seconds: tuple[Second, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A claim, what was measured, and whether it held."""

    claim: str
    measured: str
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ActScore:
    """One act: its groups, what DNS did, and the expectations."""

    name: str
    proves: str
    seconds: float
    groups: tuple[GroupScore, ...]
    samples: int
    zone_versions: int
    empty_answers: int
    empty_seconds: float
    generation_regressions: int
    stale_refused: int
    stuck_transactions: int
    first_success_after_repair_s: float | None
    expectations: tuple[Expectation, ...]
    story: tuple[dict[str, Any], ...] = ()

    @property
    def held(self) -> bool:
        return all(expectation.held for expectation in self.expectations)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def calls_of(evidence: Evidence, group: str, *, start: float, end: float) -> list[Line]:
    """The group's calls that were scheduled in [start, end), in the order of their times."""
    lines = [line for line in evidence.calls[group] if start <= line["scheduled"] < end]
    return sorted(lines, key=lambda line: line["scheduled"])


def score_group(evidence: Evidence, group: str, *, start: float, end: float) -> GroupScore:
    """Count one group between two instants."""
    calls = calls_of(evidence, group, start=start, end=end)
    after = evidence.after[group]
    resolving = [call for call in calls if call["resolved"]]
    latencies = sorted(call["latency_ms"] for call in calls if call["ok"])
    attempts = sum(max(call["attempts"], after.get(call["id"], call)["attempts"]) for call in calls)
    return GroupScore(
        group=group,
        calls=len(calls),
        resolving_calls=len(resolving),
        availability=share(calls),
        availability_resolving=share(resolving),
        longest_outage_s=round(longest_outage(calls), 2),
        attempts_per_call=_ratio(attempts, len(calls)),
        dns_queries_per_call=_ratio(sum(call["dns_queries"] for call in calls), len(calls)),
        new_connections=sum(call["connections"] for call in calls),
        p50_ms=percentile(latencies, 0.50),
        p99_ms=percentile(latencies, 0.99),
        seconds=_per_second(calls, start),
    )


def share(calls: Sequence[Line]) -> float | None:
    """The share of calls that were answered correctly in time."""
    return _ratio(sum(1 for call in calls if call["ok"]), len(calls))


def longest_outage(calls: Sequence[Line]) -> float:
    """Seconds from the first of the longest row of failed calls to the next answered one, or to the last call."""
    longest, since = 0.0, None
    for call in calls:
        if since is not None:
            longest = max(longest, call["scheduled"] - since)
        if call["ok"]:
            since = None
        elif since is None:
            since = call["scheduled"]
    return longest


def percentile(ordered: Sequence[float], part: float) -> float | None:
    """The nearest-rank percentile of sorted values, `None` of none."""
    # 0.99 * 100 need not be 99 in binary fractions, and ceil would then be one rank too high.
    rank = math.ceil(round(part * len(ordered), 6))
    return round(ordered[max(rank, 1) - 1], 2) if ordered else None


def empty_seconds(versions: Sequence[Version], *, end: float) -> float:
    """How long the endpoint had no address, by the journal: after its first address, until `end`."""
    total, had_one, since = 0.0, False, None
    for version in versions:
        if version.addresses:
            total += version.at - since if since is not None else 0.0
            had_one, since = True, None
        elif had_one and since is None:
            since = version.at
    return round(total + (end - since if since is not None else 0.0), 2)


def first_empty(versions: Sequence[Version]) -> Version | None:
    """The first version without an address after one with."""
    had_one = False
    for version in versions:
        if had_one and not version.addresses:
            return version
        had_one = had_one or bool(version.addresses)
    return None


def empty_versions(versions: Sequence[Version]) -> int:
    """How many committed versions had no address, after the first that had one."""
    had_one, count = False, 0
    for version in versions:
        had_one = had_one or bool(version.addresses)
        count += had_one and not version.addresses
    return count


def regressions(versions: Sequence[Version]) -> int:
    """How often a committed version carried a smaller generation than the one before it."""
    return sum(1 for before, later in itertools.pairwise(versions) if later.generation < before.generation)


def empty_samples(samples: Sequence[Line]) -> int:
    """Samples that answered NOERROR or NXDOMAIN with no address, after the first that had one."""
    had_one, count = False, 0
    for sample in sorted(samples, key=lambda sample: float(sample["t"])):
        if sample["addresses"]:
            had_one = True
        elif had_one and sample["rcode"] in ("NOERROR", "NXDOMAIN"):
            count += 1
    return count


def recovery_by_cache(answers: Sequence[Line], name: str, *, repaired: float) -> dict[int, float]:
    """Seconds from the repair to the first answer with an address that each host's cache learned."""
    first: dict[int, float] = {}
    for answer in answers:
        if answer["name"] == name and answer["addresses"] and answer["t"] > repaired:
            first.setdefault(answer["host"], answer["t"] - repaired)
    return first


def first_success(calls: Sequence[Line], *, since: float) -> float | None:
    """Seconds from `since` to the end of the first answered call that was scheduled after it."""
    ended = [call["ended"] - since for call in calls if call["ok"] and call["scheduled"] > since]
    return round(min(ended), 2) if ended else None


def _per_second(calls: Sequence[Line], start: float) -> tuple[Second, ...]:
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for call in calls:
        count = counts[int(call["scheduled"] - start)]
        count[0] += 1
        count[1] += bool(call["ok"])
    return tuple(Second(second=second, calls=total, ok=ok) for second, (total, ok) in sorted(counts.items()))


def _ratio(part: float, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
