"""What an act came to, computed from the evidence alone. Nothing here knows who ought to win."""

import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from outlast.drill.evidence import Evidence, Version
from outlast.drill.tail import Line

PARKED = "parked"
"""The error of a call whose write a queue took."""
LATE = "Late"
"""The error of a call that was answered correctly after its deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """Calls scheduled in one second of the act, and how many of them were answered."""

    second: int
    calls: int
    ok: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """Parked writes that waited at the end of one second of the act."""

    second: int
    parked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupScore:
    """One group of clients in one act. Shares are from 0 to 1, `None` where nothing was counted; times as named.

    Attributes:
        availability: Share of calls answered in time: reads correctly, writes acknowledged by a region. A parked write
            is neither.
        parked: Writes that a client's queue took because no region did.
        drained: Those of them that a region has acknowledged since.
        drain_seconds: From the first of these acknowledgements to the last.
        writes_acked: Writes that a region acknowledged to the caller, in time or late.
        writes_lost: Writes acknowledged or parked that no region had at the end; `None` if nobody looked.
        writes_duplicated: Writes acknowledged or parked that more than one region took for new; `None` as above.
        writes_in_doubt: Those of them that the region which failed had made before it did, without an answer: their
            caller cannot know, and goes elsewhere. `None` without such a fault.
        failover_s: The longest time that a host needed, from its first call after the fault, until another region
            answered it; `None` without a fault, or if no host went elsewhere.
        rpo_writes: Acknowledged writes that would have been lost had the region never come back.
        replication_lag_s: How far the other region was behind when that was measured.
        queue: How many parked writes waited at the end of each second of the act; empty if none ever did.

    """

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
    parked: int
    drained: int
    drain_seconds: float | None
    writes_acked: int
    writes_lost: int | None
    writes_duplicated: int | None
    writes_in_doubt: int | None
    failover_s: float | None
    rpo_writes: int | None
    replication_lag_s: float | None
    queue: tuple[Depth, ...] = ()


class Written(NamedTuple):
    """Of some keys, those that a region has with the right value, and those that several regions took for new."""

    readable: frozenset[str]
    twice: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What is known of a group beyond its own lines; `None` where nobody looked or it does not apply.

    Args:
        written: What the regions have of its writes.
        fault_at: When the first region failed.
        home: The region that its calls prefer.
        made_before: Keys of what that region had made when it failed.
        rpo_writes: See `GroupScore`.
        replication_lag_s: See `GroupScore`.

    """

    written: Written | None = None
    fault_at: float | None = None
    home: str = "us-east-1"
    made_before: frozenset[str] | None = None
    rpo_writes: int | None = None
    replication_lag_s: float | None = None


NOTHING_FOUND = Findings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A claim, what was measured, and whether it held."""

    claim: str
    measured: str
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsState:
    """What DNS answered for the act's endpoint from `at_s` seconds of the act on, by the journal."""

    at_s: float
    addresses: tuple[str, ...]
    generation: int


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
    endpoint: str = ""
    phases: tuple[dict[str, Any], ...] = ()
    dns: tuple[DnsState, ...] = ()

    @property
    def held(self) -> bool:
        return all(expectation.held for expectation in self.expectations)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def calls_of(evidence: Evidence, group: str, *, start: float, end: float) -> list[Line]:
    """The group's calls that were scheduled in [start, end), in the order of their times."""
    lines = [line for line in evidence.calls[group] if start <= line["scheduled"] < end]
    return sorted(lines, key=lambda line: line["scheduled"])


def score_group(
    evidence: Evidence, group: str, *, start: float, end: float, findings: Findings = NOTHING_FOUND
) -> GroupScore:
    """Count one group between two instants."""
    calls = calls_of(evidence, group, start=start, end=end)
    after = evidence.after[group]
    writes = writes_of(evidence, group, start=start, end=end)
    drained = [line for key, line in evidence.drained[group].items() if key in writes.parked]
    kept = writes.acked | writes.parked
    written, made, fault = findings.written, findings.made_before, findings.fault_at
    resolving = [call for call in calls if call["resolved"]]
    latencies = sorted(call["latency_ms"] for call in calls if call["ok"])
    attempts = sum(max(call["attempts"], after.get(call["id"], call)["attempts"]) for call in calls)
    attempts += sum(line["attempts"] for line in drained)
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
        parked=len(writes.parked),
        drained=len(drained),
        drain_seconds=_span([line["t"] for line in drained]),
        writes_acked=len(writes.acked),
        writes_lost=None if written is None else len(kept - written.readable),
        writes_duplicated=None if written is None else len(kept & written.twice),
        writes_in_doubt=None if written is None or made is None else len(kept & written.twice & made),
        failover_s=None if fault is None else failover(calls, fault=fault, home=findings.home),
        rpo_writes=findings.rpo_writes,
        replication_lag_s=findings.replication_lag_s,
        queue=queue_depths(
            [call["ended"] - start for call in calls if call["key"] in writes.parked],
            [line["t"] - start for line in drained],
            seconds=math.ceil(end - start),
        ),
    )


def queue_depths(parked: Sequence[float], drained: Sequence[float], *, seconds: int) -> tuple[Depth, ...]:
    """How many writes waited at the end of each second, by the seconds at which they came and went."""
    if not parked:
        return ()
    last = max(seconds, *(math.ceil(at) for at in (*parked, *drained)))
    return tuple(
        Depth(
            second=second,
            parked=max(0, sum(at <= second + 1 for at in parked) - sum(at <= second + 1 for at in drained)),
        )
        for second in range(last)
    )


class Writes(NamedTuple):
    """Keys of the writes whose caller was told that they are kept."""

    acked: frozenset[str]
    parked: frozenset[str]


def writes_of(evidence: Evidence, group: str, *, start: float, end: float) -> Writes:
    """The group's writes between two instants, by the last word on each: late words count."""
    after = evidence.after[group]
    acked, parked = set(), set()
    for call in calls_of(evidence, group, start=start, end=end):
        last = after.get(call["id"], call)
        if call["kind"] != "write":
            continue
        if last["error"] == PARKED:
            parked.add(call["key"])
        elif call["ok"] or last.get("answered") or call["error"] == LATE:
            acked.add(call["key"])
    return Writes(frozenset(acked), frozenset(parked))


def failover(calls: Sequence[Line], *, fault: float, home: str) -> float | None:
    """The longest time that a host needed after a fault until another region answered it.

    A host counts from its first call after the fault to the end of the first call that another region answered. Hosts
    that were elsewhere before, or never went there, have no say.
    """
    needed = []
    for host in {call["host"] for call in calls}:
        own = [call for call in calls if call["host"] == host]
        before = [call for call in own if call["ok"] and call["ended"] < fault]
        later = [call for call in own if call["scheduled"] >= fault]
        elsewhere = [call["ended"] for call in later if call["ok"] and call["region"] != home]
        if before and before[-1]["region"] == home and elsewhere:
            needed.append(min(elsewhere) - later[0]["scheduled"])
    return round(max(needed), 3) if needed else None


def _span(instants: Sequence[float]) -> float | None:
    return round(max(instants) - min(instants), 2) if instants else None


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


def dns_states(versions: Sequence[Version], *, start: float, end: float) -> tuple[DnsState, ...]:
    """What was answered between two instants: first what stood there at `start`, then every change."""
    before = [version for version in versions if version.at <= start][-1:]
    during = [version for version in versions if start < version.at <= end]
    return tuple(
        DnsState(
            at_s=round(max(0.0, version.at - start), 3), addresses=version.addresses, generation=version.generation
        )
        for version in (*before, *during)
    )


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
