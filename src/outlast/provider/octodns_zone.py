r"""From octoDNS's idea of a zone to ours and back. octoDNS is loaded by name, so that only who uses it needs it.

octoDNS works on whole zones: what the target has and the plan has not is deleted. Its own way of leaving records alone is
a processor, which takes them out before the two are compared; `OnlyOurs` leaves in nothing but an endpoint's
address-bearing sets and its sentinel. It sees what octoDNS has read for this very plan, so it is also the place to compare
that with what the writer saw.

What octoDNS does not tell: record types that its provider does not support, disabled records apart from enabled ones, and
where a TXT record's strings were split. A `;` in a TXT record is `\;` there.
"""

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from operator import attrgetter
from typing import Any, NamedTuple

from outlast.errors import OutlastError, Unavailable
from outlast.provider.answers import Owners
from outlast.provider.comparison import difference
from outlast.traffic.content import FAMILIES, RecordSet
from outlast.traffic.ports import Live, Transaction
from outlast.traffic.sentinel import TTL

PUBLISHED = (*FAMILIES, "CNAME")
"""What outlast publishes."""


_type: Callable[[Any], str] = attrgetter("_type")
"""The type of an octoDNS record, which has no other name for it."""


class Overtaken(OutlastError):
    """The endpoint is not as its writer saw it."""


class Occupied(OutlastError):
    """Others' records stand where a CNAME must stand alone."""


def new_zone(name: str) -> Any:
    """Make an empty zone of octoDNS; `name` without the last dot."""
    return import_module("octodns.zone").Zone(f"{name.rstrip('.')}.", [])


def read_zone(provider: Any, name: str) -> Any:
    """Read a zone by an octoDNS provider. Blocks.

    Raises:
        Unavailable: There is no such zone, or the provider is one that always writes zones anew.

    """
    zone = new_zone(name)
    # As a target, not as a source: those that write a whole file or zone anew say then that there is nothing.
    if provider.populate(zone, target=True, lenient=True) is False:
        raise Unavailable(
            f"there is no zone {name}, or this kind of provider writes zones whole",
            hint="create the zone; a provider that writes files, such as YamlProvider or ZoneFileProvider, will not do",
        )
    return zone


def live(owners: Owners, zone: Any) -> Live:
    """What a zone says of an endpoint.

    Raises:
        Unavailable: A set is a dynamic or a geo record: somebody's own decision about who gets which address.

    """
    endpoint, sentinel = _lower(owners)
    texts = [text for record in _at(zone, sentinel) if _type(record) == "TXT" for text in record.values]
    sets = [_record_set(record) for record in _at(zone, endpoint) if _is_bearing(record)]
    return Live(tuple(sorted(_plain(text) for text in texts)), tuple(sorted(sets)))


def _at(zone: Any, fqdn: str) -> Iterator[Any]:
    return (record for record in zone.records if record.fqdn.lower() == fqdn)


def _lower(owners: Owners) -> tuple[str, str]:
    return str(owners.endpoint).lower(), str(owners.sentinel).lower()


def _is_bearing(record: Any) -> bool:
    # Types with a slash are one provider's own (`PowerDnsProvider/LUA`, `Route53Provider/ALIAS`): they compute or lead.
    return _type(record) in (*PUBLISHED, "ALIAS") or "/" in _type(record)


def _record_set(record: Any) -> RecordSet:
    if getattr(record, "dynamic", None) or getattr(record, "geo", None):
        raise Unavailable(
            f"{record.fqdn} {_type(record)} is a dynamic record of octoDNS",
            hint="it is somebody's own decision; remove it, or keep the name out of outlast",
        )
    if _type(record) in FAMILIES:
        return RecordSet.of(_type(record), record.ttl, [str(value) for value in record.values])
    if hasattr(record, "value"):
        return RecordSet.of(_type(record), record.ttl, [str(record.value)])
    return RecordSet(_type(record), record.ttl, (json.dumps(record.data, sort_keys=True, default=str),))


def _plain(text: str) -> str:
    return text.replace("\\;", ";")


def desired_zone(name: str, transaction: Transaction) -> Any:
    """Make a zone of octoDNS that holds an endpoint's coming sets and sentinel, and nothing else."""
    zone, owners = new_zone(name), Owners.of(transaction.endpoint)
    for item in transaction.content.sets:
        values: dict[str, Any] = {"value": item.values[0]} if item.type == "CNAME" else {"values": list(item.values)}
        _add(zone, owners.endpoint, {"type": item.type, "ttl": item.ttl, **values})
    # A sentinel has no sign that octoDNS writes otherwise.
    _add(zone, owners.sentinel, {"type": "TXT", "ttl": TTL, "values": [transaction.sentinel.text]})
    return zone


def _add(zone: Any, owner: Any, data: dict[str, Any]) -> None:
    # Lenient: what we publish has been checked, and a provider's taste in names is its own to refuse.
    record = import_module("octodns.record").Record
    zone.add_record(record.new(zone, zone.hostname_from_fqdn(str(owner)), data, lenient=True), lenient=True)


class OnlyOurs:
    """A processor for octoDNS: nothing but one endpoint's sets and sentinel is compared, and they must be as seen."""

    def __init__(self, transaction: Transaction) -> None:
        self._owners = Owners.of(transaction.endpoint)
        self._transaction = transaction

    def process_target_zone(self, existing: Any, *_: Any, **__: Any) -> Any:
        """Compare, and take out what is not ours.

        Raises:
            Overtaken: It is not as seen.
            Occupied: A CNAME is to come beside records of others.

        """
        if changed := difference(live(self._owners, existing), self._transaction.seen):
            raise Overtaken(changed)
        self._refuse_neighbours(existing)
        for record in existing.records:
            if not self.is_ours(record):
                existing.remove_record(record)
        return existing

    def process_source_and_target_zones(self, desired: Any, existing: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
        """Leave both as they are."""
        return desired, existing

    def is_ours(self, record: Any) -> bool:
        """Whether a record is one of the endpoint's sets, or its sentinel."""
        endpoint, sentinel = _lower(self._owners)
        name = record.fqdn.lower()
        return (name == endpoint and _is_bearing(record)) or (name == sentinel and _type(record) == "TXT")

    def _refuse_neighbours(self, zone: Any) -> None:
        endpoint, _ = _lower(self._owners)
        types = sorted(_type(record) for record in _at(zone, endpoint) if not _is_bearing(record))
        if types and any(item.type == "CNAME" for item in self._transaction.content.sets):
            raise Occupied(
                f"{endpoint} has other records ({', '.join(types)}), beside which no CNAME can stand; remove them"
            )


class Stages(NamedTuple):
    """One plan of octoDNS in the order in which it is safe to carry out, and what is wrong with it, if anything is."""

    plans: tuple[Any, ...]
    fault: str = ""

    @classmethod
    def of(cls, plan: Any, ours: OnlyOurs) -> "Stages":
        """Check that a plan changes nothing but ours, and put what goes after what comes.

        Most providers carry a plan out record by record. Where a family of addresses goes and another stays or comes, the
        deletion is a plan of its own, afterwards: whoever fails in between leaves too much, never nothing. A CNAME can
        stand beside nothing, so that there octoDNS's own order, deletions first, has to do.
        """
        if plan is None:
            return cls((), "octoDNS sees nothing to change: does the provider leave such records out?")
        if plan.exists is False:
            return cls((), "there is no such zone, and it is not for us to create one")
        strays = sorted(f"{it.record.fqdn} {_type(it.record)}" for it in plan.changes if not ours.is_ours(it.record))
        if strays or plan.meta is not None:
            return cls((), f"octoDNS would change more than the endpoint: {', '.join(strays) or 'the zone itself'}")
        if any(_type(change.record) not in (*FAMILIES, "TXT") for change in plan.changes):
            return cls((plan,))
        going = [change for change in plan.changes if change.new is None]
        coming = [change for change in plan.changes if change.new is not None]
        return cls(tuple(_part(plan, part) for part in (coming, going) if part))


def _part(plan: Any, changes: list[Any]) -> Any:
    return type(plan)(plan.existing, plan.desired, changes, plan.exists)
