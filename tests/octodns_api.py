"""A provider of octoDNS whose zone lies in this process: it changes one record at a time, as most APIs do."""

from logging import getLogger
from threading import Event
from typing import Any

from octodns.provider.base import BaseProvider
from octodns.record import Delete
from octodns.zone import Zone


class Api(BaseProvider):
    """What it holds and how it misbehaves is shared by all instances, as a server's state is by its clients.

    `fails_at`: the change that raises `error`, counted from 1. `min_ttl`: it raises TTLs to that. `extra`: it deletes the
    MX of `mail` with every plan.
    """

    SUPPORTS = frozenset({"A", "AAAA", "CNAME", "TXT", "MX"})
    SUPPORTS_GEO = False
    SUPPORTS_ROOT_NS = True
    zone: Any = Zone("example.test.", [])
    done: tuple[str, ...] = ()
    fails_at = 0
    error: Exception = RuntimeError("quota of token hush-hush")
    min_ttl = 0
    extra = False
    fetched = 0
    slow: tuple[str, Event] = ("", Event())

    def __init__(self, name: str, token: str) -> None:
        self.log = getLogger(f"Api[{name}]")
        self.token = token
        super().__init__(name)

    def populate(self, zone: Any, **_: Any) -> bool:
        Api.fetched += 1
        name, opened = Api.slow
        if zone.name == name:
            opened.wait(20.0)
            return True
        for record in Api.zone.records:
            zone.add_record(record, lenient=True)
        return True

    def _extra_changes(self, existing: Any, desired: Any, changes: Any) -> list[Any]:
        return [Delete(record) for record in Api.zone.records if Api.extra and record.name == "mail"]

    def _apply(self, plan: Any) -> None:
        for change in plan.changes:
            if len(Api.done) + 1 == Api.fails_at:
                raise Api.error
            Api.done += (f"{type(change).__name__} {change.record._type}",)
            Api.zone.apply([change])
            if change.new is not None:
                change.new.ttl = max(change.new.ttl, Api.min_ttl)
