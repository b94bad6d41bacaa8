"""Stored text to the port's values, for every adapter: what cannot be read back whole and safe is never handed out."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from outlast.errors import Unavailable, UnsafePlan
from outlast.health.signal import Signal, Verdict
from outlast.traffic.content import Content
from outlast.traffic.orders import Kind, Order
from outlast.traffic.plan import Plan, sets_from_json, sets_to_json
from outlast.traffic.ports import Record
from outlast.traffic.sentinel import Sentinel, parse


def damaged(where: object, what: str) -> Unavailable:
    """The error for a registry whose content is not what was stored."""
    return Unavailable(
        f"registry {where} is damaged: {what}",
        hint="restore a backup, or move it away: a new one fills itself from the sentinels, but for orders, pins and the audit log",
    )


def plan_of(text: str, generation: int, *, where: object, known: Plan | None = None) -> Plan:
    """Read a plan's text; what it shares with `known` is taken from there.

    Raises:
        Unavailable: It is not the safe plan of that generation.

    """
    try:
        plan = Plan.from_json(text, known=known)
    except UnsafePlan as error:
        raise damaged(where, f"plan {generation}: {error.message}") from error
    if plan.generation != generation:
        raise damaged(where, f"what is stored as plan {generation} is plan {plan.generation}")
    return plan


def row_of_record(record: Record) -> tuple[str, str, str, str]:
    """Provider, endpoint, the sentinel's text and the content's sets.

    Raises:
        InvalidSentinel: Its sentinel could not be read back.

    """
    sets = json.dumps(sets_to_json(record.content.sets), separators=(",", ":"))
    return record.provider, record.endpoint, record.sentinel.text, sets


def record_of(row: Sequence[Any], *, where: object) -> Record:
    """Read what `row_of_record` made.

    Raises:
        Unavailable: It has no readable sentinel or no safe content.

    """
    provider, endpoint, text, sets = row
    sentinel = parse((text,))
    try:
        content = Content(sets_from_json(json.loads(sets)))
    except (UnsafePlan, ValueError, TypeError) as error:
        raise damaged(where, f"the record of {endpoint} at {provider}: {error}") from error
    if not isinstance(sentinel, Sentinel):
        raise damaged(where, f"the record of {endpoint} at {provider} has no readable sentinel")
    return Record(provider, endpoint, sentinel, content)


class Records:
    """Reads all records again and again, and those that are as they were not again: most of them, most of the time."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], tuple[Sequence[Any], Record]] = {}

    def __repr__(self) -> str:
        return f"<{len(self._read)} records>"

    def of(self, rows: Iterable[Sequence[Any]], *, where: object) -> tuple[Record, ...]:
        """The records of all rows there are.

        Raises:
            Unavailable: One of them cannot be read (`record_of`).

        """
        read, known = dict[tuple[str, str], tuple[Sequence[Any], Record]](), self._read
        for row in rows:
            place = (row[0], row[1])
            there = known.get(place)
            read[place] = there if there is not None and there[0] == row else (row, record_of(row, where=where))
        self._read = read
        return tuple(record for _, record in read.values())


def row_of_order(order: Order) -> tuple[str, str, str, str, str, int, str]:
    """An order's fields in order, its addresses as text."""
    return *order.key, json.dumps(order.addresses), order.by, order.at, order.reason


def order_of(row: Sequence[Any]) -> Order:
    """Read what `row_of_order` made.

    Raises:
        ValueError, TypeError: It is no order.

    """
    kind, subject, endpoint, addresses, by, at, reason = row
    return Order(Kind(kind), subject, endpoint, tuple(json.loads(addresses)), by, at, reason)


def signal_of(row: Sequence[Any]) -> Signal:
    """Read a signal from its fields in order.

    Raises:
        ValueError, TypeError: They are not those of a signal.

    """
    target, observer, verdict, since, at, ever_healthy, evidence = row
    return Signal(target, observer, Verdict(verdict), since, at, bool(ever_healthy), evidence)
