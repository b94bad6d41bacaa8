"""What the queue's file looks like, and the limits it is held to."""

import hashlib
from dataclasses import dataclass

from outlast.data.records import New
from outlast.data.sqlite_file import Format
from outlast.errors import InvalidConfig

OVERHEAD_BYTES = 256
"""What a message costs beside its body and keys: its rows and their share of the indexes, measured and rounded up."""

FORMAT = Format(
    noun="spool",
    application=0x6F757371,  # "ousq"
    version=2,
    schema="""
CREATE TABLE total (one INTEGER PRIMARY KEY CHECK (one = 1), tag TEXT NOT NULL, depth INTEGER NOT NULL,
    bytes INTEGER NOT NULL, dead INTEGER NOT NULL, drained INTEGER NOT NULL, expired INTEGER NOT NULL,
    remembered INTEGER NOT NULL, token INTEGER NOT NULL, last INTEGER NOT NULL);
INSERT INTO total VALUES (1, lower(hex(randomblob(4))), 0, 0, 0, 0, 0, 0, 0, 0);
CREATE TABLE message (seq INTEGER PRIMARY KEY, key TEXT, dedup TEXT, size INTEGER NOT NULL,
    put_at INTEGER NOT NULL, expires_at INTEGER, body BLOB NOT NULL);
CREATE INDEX message_key ON message (key, seq) WHERE key IS NOT NULL;
CREATE TABLE head (seq INTEGER PRIMARY KEY, key TEXT, due INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0, token INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX head_key ON head (key) WHERE key IS NOT NULL;
CREATE INDEX head_due ON head (due);
CREATE TABLE expiry (at INTEGER, seq INTEGER, PRIMARY KEY (at, seq)) WITHOUT ROWID;
CREATE TABLE dead (seq INTEGER PRIMARY KEY, attempts INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE seen (dedup TEXT PRIMARY KEY, seq INTEGER NOT NULL, digest BLOB NOT NULL, forget_at INTEGER)
    WITHOUT ROWID;
CREATE INDEX seen_forget ON seen (forget_at) WHERE forget_at IS NOT NULL
""",
)
# Each put syncs every page that it changes, so they are few: `total.last` stands for AUTOINCREMENT's table, and only keys
# are in the index of keys.
# The tag makes ids differ between a spool and the one that replaces it: a receiver that recognises repetitions by id
# would otherwise drop the new one's first messages.


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the spool holds itself to.

    Args:
        max_bytes: Of all messages and dead letters, overhead included.
        max_attempts: How often a message is handed out before it is given up.
        dedup_seconds: How long the dedup key of a delivered message is remembered.

    Raises:
        InvalidConfig: A limit makes no sense.

    """

    max_bytes: int = 256 << 20
    max_attempts: int = 10
    dedup_seconds: float = 3600.0

    def __post_init__(self) -> None:
        faults = []
        if self.max_bytes < 1:
            faults.append(f"max_bytes = {self.max_bytes} leaves no room for a message")
        if self.max_attempts < 1:
            faults.append(f"max_attempts = {self.max_attempts}: a message is handed out at least once")
        if not 0 <= self.dedup_seconds <= 30 * 86_400:
            faults.append(f"dedup_seconds = {self.dedup_seconds:g} is not within 0 and 30 days")
        if faults:
            raise InvalidConfig(tuple(faults))


def size_of(new: New) -> int:
    """Return what a message counts against `max_bytes`."""
    return OVERHEAD_BYTES + len(new.body) + _length(new.key) + _length(new.dedup)


def digest_of(new: New) -> bytes:
    """Return what tells a message from another one under the same dedup key."""
    return hashlib.sha256(repr(new.key).encode() + b"\0" + new.body).digest()[:16]


def _length(text: str | None) -> int:
    return len(text.encode()) if text else 0
