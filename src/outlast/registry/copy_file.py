"""The file in which a node keeps what the registry said last: one checksummed document, replaced whole.

First line: format, version and the SHA-256 of the rest. It is written to a temporary file beside it, flushed to the disk
and renamed, so that a reader finds the old document or the new one; its owner alone may read it. A file that is damaged,
too large or writable by others is not used, and the next writing replaces it: it is only a copy.
"""

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import NamedTuple

from outlast.errors import Unavailable
from outlast.files import replace_file
from outlast.registry.rows import plan_of, record_of, row_of_record
from outlast.traffic.plan import Plan
from outlast.traffic.ports import Record

HEAD = b"outlast-copy 1 "
MAX_BYTES = 256 * 1024 * 1024
"""100,000 endpoints at two providers take about 80 MB."""


class Copy(NamedTuple):
    """What the registry said last: the latest plan, and the records by provider and endpoint. Never changed in place."""

    plan: Plan | None
    records: dict[tuple[str, str], Record]


class Unusable(Exception):
    """The file cannot be read or written, or is not to be trusted; the message says why, in words."""


EMPTY = Copy(None, {})


def read_copy(path: Path, *, realm: str) -> Copy:
    """Read the file; one that is not there holds nothing, and so does that of another realm.

    Raises:
        Unusable: It cannot be read, or is not what was written.

    """
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise Unusable(f"{path} may be written by others: chmod 600 {path}")
            if found.st_size > MAX_BYTES:
                raise Unusable(f"{path} has more than {MAX_BYTES // 1024 // 1024} MiB")
            data = file.read()
    except FileNotFoundError:
        return EMPTY
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror}") from error
    return _parsed(path, data, realm)


def _parsed(path: Path, data: bytes, realm: str) -> Copy:
    head, _, body = data.partition(b"\n")
    if head != HEAD + hashlib.sha256(body).hexdigest().encode():
        raise Unusable(f"{path} is damaged: its checksum is wrong")
    try:
        raw = json.loads(body)
        if raw["realm"] != realm:
            return EMPTY
        text = raw["plan"]
        plan = plan_of(text, json.loads(text)["generation"], where=path) if text is not None else None
        records = [record_of(row, where=path) for row in raw["records"]]
    except (KeyError, TypeError, ValueError, RecursionError, Unavailable) as error:
        raise Unusable(f"{path} is damaged: {error}") from error
    return Copy(plan, {(record.provider, record.endpoint): record for record in records})


def write_copy(path: Path, copy: Copy, *, realm: str) -> None:
    """Replace the file.

    Raises:
        Unusable: The disk refuses, or there is more than a file may hold; the old file stands.

    """
    raw = {
        "realm": realm,
        "plan": copy.plan.to_json() if copy.plan is not None else None,
        "records": [row_of_record(record) for record in copy.records.values()],
    }
    body = json.dumps(raw, separators=(",", ":")).encode()
    if len(body) > MAX_BYTES - len(HEAD) - 65:
        raise Unusable(f"{path} would have more than {MAX_BYTES // 1024 // 1024} MiB")
    try:
        replace_file(path, HEAD + hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    except OSError as error:
        raise Unusable(f"{path} cannot be written: {error.strerror}") from error
