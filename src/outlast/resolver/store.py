"""The file that keeps what is known over a restart: one checksummed JSON document, replaced whole.

First line: format, version and the SHA-256 of the rest. Written to a temporary file beside it, flushed to the disk and
renamed, so that a reader finds the old document or the new one; readable by its owner only, because it lists whom a
machine talks to. Addresses are kept apart by the network they were learnt on. Several processes may share a file: each
takes over what the others learnt before it writes, and what a person asked to forget is remembered as that.

A file that is damaged, too large or writable by others is set aside and told about, and resolution goes on without it:
an attacker who can write it could otherwise steer an outage.
"""

import contextlib
import glob
import hashlib
import json
import logging
import os
import socket
import stat
import time
from pathlib import Path
from typing import Any, NamedTuple

from outlast.files import replace_file
from outlast.resolver.known import Known, Sighting, forget_before, merged
from outlast.resolver.options import MAX_KEEP
from outlast.resolver.reading import MAX_ADDRESSES
from outlast.uncollected import uncollected

HEAD = b"outlast-known 1 "
MAX_BYTES = 64 * 1024 * 1024
"""100,000 names with two addresses each take about 20 MB."""
MAX_NETWORKS = 16
"""Networks remembered in one file; the one used longest ago goes."""
LEFT_BEHIND = 3600.0
"""Seconds after which a temporary file is nobody's any more; writing one takes a second or two."""

_log = logging.getLogger(__name__)

Names = dict[str, Known]


class Document(NamedTuple):
    """All of a file: names by network, the one used last at the end; when a name was forgotten by hand."""

    networks: dict[str, Names]
    forgotten: dict[str, float]


class Damaged(Exception):
    """The file does not hold what it should; the message says why."""


class Store:
    """What is known, on disk.

    Args:
        path: The file. Its folder must exist; if it cannot be written, that is told and nothing is kept.
        identity: The network and upstreams that addresses are learnt from.
        max_names: Names kept of this network; those learnt longest ago go.
        max_bytes: Size of the file; the same for whoever reads it.

    """

    def __init__(self, path: Path, identity: str, *, max_names: int, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_names = max_names
        self._max_bytes = max_bytes
        self._is_swept = False
        self._network = hashlib.sha256(identity.encode()).hexdigest()[:32]
        self._stamp: tuple[int, int, int] | None = None
        self.fault = ""
        """Why the last reading or writing failed, in words; empty if it did not."""

    def __repr__(self) -> str:
        return f"<store {self._path}: {self.fault or 'in order'}>"

    def refresh(self, known: Names) -> frozenset[str]:
        """Take over what other processes wrote since the last look; return the names that a person asked to forget."""
        stamp = _stamp_of(self._path)
        if stamp is None or stamp == self._stamp:
            return frozenset()
        self._stamp = stamp
        return _take_over(known, self._read(), self._network)

    def save(self, known: Names, *, wall: float, forget: frozenset[str] = frozenset()) -> None:
        """Replace the file by what is known here and what others wrote meanwhile; never raises for what disks do.

        Args:
            known: What this process knows, in the order learnt; what others wrote is added to it.
            wall: Now, in seconds since 1970.
            forget: Names to forget, in every process that shares the file and on every network.

        """
        stamp = _stamp_of(self._path)
        document = self._read()
        forgotten = {name: at for name, at in document.forgotten.items() if wall - at < MAX_KEEP}
        forgotten |= dict.fromkeys(forget, wall)
        if stamp != self._stamp:
            _take_over(known, document._replace(forgotten=forgotten), self._network)
        others = {
            key: {name: it for name, it in names.items() if name not in forget}
            for key, names in document.networks.items()
            if key != self._network
        }
        mine = dict(list(known.items())[-self._max_names :])
        networks = dict([*others.items(), (self._network, mine)][-MAX_NETWORKS:])
        try:
            if not self._is_swept:
                _sweep(self._path)
                self._is_swept = True
            replace_file(self._path, _dump_within(self._max_bytes, networks, forgotten))
        except OSError as error:
            self._tell(f"{self._path} cannot be written: {error.strerror}")
            return
        # If others wrote meanwhile, the next look reads the file again and takes that over.
        self._stamp = _stamp_of(self._path) if stamp == self._stamp else None
        self.fault = ""

    def _read(self) -> Document:
        try:
            return _load(self._path, self._max_bytes)
        except FileNotFoundError:
            return Document({}, {})
        except OSError as error:
            self._tell(f"{self._path} cannot be read: {error.strerror}")
        except Damaged as error:
            aside = self._path.with_name(f"{self._path.name}.damaged-{time.time_ns()}")
            with contextlib.suppress(OSError):
                self._path.rename(aside)
            self._tell(f"{self._path} {error}; it is set aside as {aside.name}")
        return Document({}, {})

    def _tell(self, fault: str) -> None:
        if fault != self.fault:
            self.fault = fault
            _log.warning("last-known-good addresses: %s", fault)


def _take_over(known: Names, document: Document, network: str) -> frozenset[str]:
    for name, theirs in document.networks.get(network, {}).items():
        mine = known.get(name)
        known[name] = theirs if mine is None else merged(mine, theirs)
    gone = set()
    for name, at in document.forgotten.items():
        mine = known.get(name)
        left = forget_before(mine, at) if mine is not None else None
        if mine is not None and left != mine:
            gone.add(name)
            del known[name]
            if left is not None:
                known[name] = left
    return frozenset(gone)


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:  # no file yet, or gone
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


# ------------------------------------------------------------------------------------------------------- the document


def _load(path: Path, max_bytes: int) -> Document:
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise Damaged("may be written by others")
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise Damaged(f"is larger than {max_bytes / 1024 / 1024:.3g} MiB")
    head, _, body = data.partition(b"\n")
    if head != HEAD + hashlib.sha256(body).hexdigest().encode():
        raise Damaged("has a wrong checksum")
    try:
        with uncollected():
            values = json.loads(body)
            networks = {str(key): _names(rows) for key, rows in values["networks"].items()}
        return Document(networks, {str(name): float(at) for name, at in values["forgotten"].items()})
    except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise Damaged(f"holds something else: {error!r}") from error


def _names(rows: dict[str, Any]) -> Names:
    return {name: _known(name, row) for name, row in rows.items()}


def _known(name: str, row: Any) -> Known:
    last, *items = row
    sightings = tuple([_sighting(item) for item in items])
    if not 0 < len(sightings) <= MAX_ADDRESSES or last != max([item.last for item in sightings]):
        raise ValueError(f"addresses of {name}")
    return Known(name, float(last), sightings)


def _sighting(row: Any) -> Sighting:
    address, first, last, counted, times, is_first = row
    # Refuses with an OSError what is no address; ten times as fast as the ipaddress module, which counts at start-up.
    socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    if type(first) is type(last) is type(counted) is float and type(times) is int and type(is_first) is bool:
        return tuple.__new__(Sighting, row)  # as it was written: twice as fast as by its constructor
    return Sighting(address, float(first), float(last), float(counted), int(times), bool(is_first))


def _dump(document: Document) -> bytes:
    networks = {
        network: {name: [known.last, *known.sightings] for name, known in names.items()}
        for network, names in document.networks.items()
    }
    body = json.dumps({"networks": networks, "forgotten": document.forgotten}, separators=(",", ":")).encode()
    return HEAD + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _dump_within(max_bytes: int, networks: dict[str, Names], forgotten: dict[str, float]) -> bytes:
    """The document without what is oldest, if it would be too large to be read again."""
    while len(data := _dump(Document(networks, forgotten))) > max_bytes and any(networks.values()):
        oldest = next(iter(networks))
        if len(networks) > 1:
            del networks[oldest]
        else:
            names = list(networks[oldest].items())
            networks[oldest] = dict(names[(len(names) + 1) // 2 :])
    return data


def _sweep(path: Path) -> None:
    """Remove what processes left that were killed while they wrote."""
    for left in path.parent.glob(f"{glob.escape(path.name)}.*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > LEFT_BEHIND:
                left.unlink()
