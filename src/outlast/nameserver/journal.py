"""The journal: one JSON line for each version loaded and each UPDATE received. It is the proof of what was live.

A line is appended before its reply is sent, in one write. Names are lower-case and without the final dot, values are in
zone-file form and sorted. `monotonic` is the machine's monotonic clock in seconds and can be compared across processes.
"""

import json
import os
from pathlib import Path
from typing import Literal, NamedTuple

from dns.name import Name
from dns.rcode import Rcode

from outlast.clock import Clock
from outlast.errors import Unavailable
from outlast.nameserver.zone import AuthoritativeZone, Nodes, record_sets

Outcome = Literal["loaded", "committed", "unchanged", "refused"]

Answers = dict[str, dict[str, list[str]]]
"""Owner name → family → the addresses it leads to inside the zone, through CNAMEs and aliases."""

NANOSECONDS = 1_000_000_000


class Change(NamedTuple):
    """One record set after a change; no values: it is gone."""

    name: str
    type: str
    ttl: int
    values: list[str]


class Entry(NamedTuple):
    """One line, without its times.

    `names` are the owner names of prerequisites and changes. `answers` are those of the names touched, and of the names
    whose addresses differ from before.
    """

    zone: str
    serial: int | None
    outcome: Outcome
    rcode: Rcode
    reason: str = ""
    key: str | None = None
    peer: str | None = None
    names: list[str] = []  # noqa: RUF012 a NamedTuple's default, never changed in place
    changes: list[Change] = []  # noqa: RUF012 as above
    answers: Answers = {}  # noqa: RUF012 as above


class Journal:
    """Appends lines to a file, or to nothing if there is no file.

    Args:
        path: The file; it is created if missing and never shortened.
        clock: Where the times come from.

    Raises:
        Unavailable: The file cannot be opened.

    """

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._clock = clock
        self._descriptor: int | None = None
        self._is_torn = False
        if path is None:
            return
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise Unavailable(f"cannot write the journal {path}: {error.strerror}", hint="check its folder") from error

    def append(self, entry: Entry) -> None:
        """Write one line.

        Raises:
            Unavailable: It could not be written whole; the next line starts afresh.

        """
        if self._descriptor is None:
            return
        line = ("\n" if self._is_torn else "") + self._line(entry) + "\n"
        data = line.encode()
        try:
            self._is_torn = os.write(self._descriptor, data) != len(data)
        except OSError as error:
            raise Unavailable(
                f"the journal cannot be written: {error.strerror}", hint="free space on its disk"
            ) from error
        if self._is_torn:
            raise Unavailable("the journal took only part of a line", hint="free space on its disk")

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _line(self, entry: Entry) -> str:
        times = {"monotonic": self._clock.now() / NANOSECONDS, "wall": self._clock.wall() / NANOSECONDS}
        fields = entry._asdict()
        fields["rcode"] = entry.rcode.name
        fields["changes"] = [change._asdict() for change in entry.changes]
        return json.dumps(times | fields, separators=(",", ":"))


def name_text(name: Name) -> str:
    """Return a name as the journal writes it."""
    return name.canonicalize().to_text(omit_final_dot=True)


def all_sets(zone: AuthoritativeZone) -> list[Change]:
    """Return every record set of the committed version."""
    return changes_between({}, zone.nodes, set(zone.nodes))


def changes_between(before: Nodes, after: Nodes, names: set[Name]) -> list[Change]:
    """Return the record sets of these names that differ in TTL or values."""
    old, new = record_sets(before, names), record_sets(after, names)
    changed = []
    for key in sorted({*old, *new}):
        was, now = old.get(key), new.get(key)
        if was is not None and now is not None and was == now and was.ttl == now.ttl:
            continue
        values = sorted(rdata.to_text() for rdata in now) if now is not None else []
        changed.append(Change(name_text(key.name), key.rdtype.name, now.ttl if now is not None else 0, values))
    return changed
