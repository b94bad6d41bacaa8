"""Figures in words: how numbers, shares, times and keys of the result are written."""

from collections.abc import Mapping
from typing import Any

ABSENT = "\N{EN DASH}"
"""Not measured, or it does not apply; never a zero."""

COLUMNS: dict[str, str] = {
    "availability": "answered",
    "availability_resolving": "answered, had to resolve",
    "availability_listening": "answered, listeners alive",
    "calls": "calls",
    "resolving_calls": "had to resolve",
    "longest_outage_s": "longest outage, s",
    "failover_s": "failover, s",
    "attempts_per_call": "attempts per call",
    "dns_queries_per_call": "DNS questions per call",
    "new_connections": "connections",
    "p50_ms": "p50, ms",
    "p99_ms": "p99, ms",
    "parked": "parked",
    "drained": "drained",
    "drain_seconds": "drained in, s",
    "writes_acked": "writes acknowledged",
    "writes_lost": "writes lost",
    "writes_duplicated": "writes duplicated",
    "writes_in_doubt": "of these in doubt at the fault",
    "rpo_writes": "writes at risk (RPO)",
    "replication_lag_s": "replication lag, s",
}
"""The columns of the groups' table, in this order; what else a group carries follows under its own name."""

FACTS: dict[str, str] = {
    "empty_seconds": "seconds without an address",
    "empty_answers": "empty answers seen from outside",
    "generation_regressions": "generations that went back",
    "stale_refused": "stale transactions refused",
    "stuck_transactions": "transactions refused while stuck",
    "first_success_after_repair_s": "seconds from repair to the first success",
    "zone_versions": "zone versions in the journal",
    "samples": "samples from outside",
}
"""What DNS did in an act."""

SHARES = frozenset(key for key in COLUMNS if key.startswith("availability"))


def figure(key: str, value: object) -> str:
    """A value of the result as its key wants it written."""
    if value is None:
        return ABSENT
    if key in SHARES and isinstance(value, int | float):
        return share(value)
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def share(value: float | None) -> str:
    """0.9876 as 98.8 %. What is not quite everything is never rounded up to it, nor what is not quite nothing down."""
    if value is None:
        return ABSENT
    percent = round(value * 100, 1)
    if value < 1 and percent >= 100:
        return "99.9 %"
    if value > 0 and percent <= 0:
        return "0.1 %"
    return f"{percent:g} %"


def number(value: float) -> str:
    """Thousands apart, no more digits than the value deserves."""
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return f"{value:.2f}".rstrip("0").rstrip(".")


def column(key: str) -> str:
    """A key as the head of a column."""
    return COLUMNS.get(key, key.replace("_", " "))


def keys_of(groups: list[Mapping[str, Any]]) -> list[str]:
    """The keys of the groups that are plain figures and measured for at least one of them, in the order of `COLUMNS`."""
    found = dict.fromkeys(
        key for group in groups for key, value in group.items() if isinstance(value, int | float | str)
    )
    found.pop("group", None)
    known = [key for key in COLUMNS if key in found]
    return known + [key for key in found if key not in COLUMNS]
