"""One region's copy of an insert-only table, and the outbox of what was written here.

A write and its place in the outbox (`changes`) are one transaction. The outbox is never reordered and has no gaps, so a
copy is known by one number per origin: how far it got. Changes that were applied are skipped and changes that come too
early are refused, whatever was repeated, lost or reordered on the way; the answer is always the position reached.

A key is written once. If two regions wrote it with different values, each keeps its own and logs the other's in
`conflict`: nothing is overwritten, nothing is lost in silence, and the two must be told apart by a person.
"""

import math
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from outlast.data.changes import BATCH_LIMIT, Batch, Change, Conflict, Lag, Origin
from outlast.data.refusal import KeyTaken, TooLate
from outlast.data.sqlite_file import Format, explain, open_file
from outlast.errors import Refused, Unavailable
from outlast.system_clock import SystemClock

Result = TypeVar("Result")

KEY_LIMIT = 1024
"""Characters."""
VALUE_LIMIT = 1 << 20
"""Characters."""
PAGE_BYTES = 4096

FORMAT = Format(
    noun="region store",
    application=0x6F757273,  # "ours"
    version=1,
    schema="""
CREATE TABLE identity (one INTEGER PRIMARY KEY CHECK (one = 1), region TEXT, making TEXT NOT NULL);
INSERT INTO identity VALUES (1, NULL, lower(hex(randomblob(8))));
CREATE TABLE entry (key TEXT PRIMARY KEY, value TEXT NOT NULL, region TEXT NOT NULL, sequence INTEGER NOT NULL);
CREATE TABLE changes (sequence INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE applied (region TEXT, making TEXT, sequence INTEGER NOT NULL, PRIMARY KEY (region, making)) WITHOUT ROWID;
CREATE TABLE confirmed (target TEXT PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE conflict (number INTEGER PRIMARY KEY, key TEXT NOT NULL, region TEXT NOT NULL, making TEXT NOT NULL,
    sequence INTEGER NOT NULL, value TEXT NOT NULL, at INTEGER NOT NULL, UNIQUE (region, making, sequence))
""",
)


class RegionStore:
    """The table of one region; threads and processes may share the file, a forked child opens its own. Close it, or use `with`.

    Args:
        path: The file; its folder must exist, on a local disk.
        region: Whose writes `put` are. A file belongs to one region for good.
        max_bytes: Of the file; beyond, writes are refused.

    Raises:
        Unavailable: The file cannot be used; the hint says what to do.
        Refused: It belongs to another region.

    """

    def __init__(self, path: str | os.PathLike[str], region: str, *, max_bytes: int = 4 << 30) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._clock = SystemClock()
        self._owner = os.getpid()
        self._db = open_file(self._path, FORMAT, is_exclusive=False)
        try:
            self._db.execute(f"PRAGMA max_page_count = {max(1, max_bytes // PAGE_BYTES)}")
            self.origin = self._transact(lambda db: _claim(db, region))
            """Whose writes the outbox holds."""
        except BaseException:
            self._db.close()
            raise

    def __repr__(self) -> str:
        return f"<RegionStore {self.origin.region} {self._path}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    # ------------------------------------------------------------------------------------------------------- one's own

    def put(self, key: str, value: str, *, until: float = math.inf) -> int:
        """Write a key once and return the write's sequence, durable on return; the same value again changes nothing.

        Args:
            key: At most `KEY_LIMIT` characters.
            value: At most `VALUE_LIMIT` characters.
            until: Seconds since 1970 after which the write is of no use: whoever asked for it has given up and may have
                written elsewhere. Looked at inside of the transaction, so that no pause comes between.

        Raises:
            KeyTaken: The key has another value.
            TooLate: The write's turn came after `until`; nothing was written.
            Unavailable: The file cannot be written.
            ValueError: Key or value is too long.

        """
        if not 0 < len(key) <= KEY_LIMIT or len(value) > VALUE_LIMIT:
            raise ValueError(f"a key of {len(key)} and a value of {len(value)} characters: too long, or no key")
        return self._transact(lambda db: self._insert(db, key, value, until))

    def _insert(self, db: sqlite3.Connection, key: str, value: str, until: float) -> int:
        at = self._clock.wall()
        if at > until * 1e9:
            raise TooLate(key, at / 1e9 - until)
        row = db.execute("SELECT value, region, sequence FROM entry WHERE key = ?", (key,)).fetchone()
        if row is not None:
            if row[0] != value:
                raise KeyTaken(key, row[1])
            return int(row[2])
        sequence = db.execute("INSERT INTO changes (key, at) VALUES (?, ?)", (key, at)).lastrowid
        assert sequence is not None
        db.execute("INSERT INTO entry VALUES (?, ?, ?, ?)", (key, value, self.origin.region, sequence))
        return sequence

    def get(self, key: str) -> str | None:
        """Return the value of a key, or `None`."""
        row = self._transact(lambda db: db.execute("SELECT value FROM entry WHERE key = ?", (key,)).fetchone())
        return None if row is None else str(row[0])

    def count(self) -> int:
        """Return how many keys there are."""
        return int(self._transact(lambda db: db.execute("SELECT count(*) FROM entry").fetchone())[0])

    def changes(self, after: int, *, limit: int = BATCH_LIMIT) -> Batch:
        """Return what was written here after a position, oldest first."""
        rows = self._transact(
            lambda db: db.execute(
                "SELECT c.sequence, c.key, e.value, c.at FROM changes c JOIN entry e USING (key)"
                " WHERE c.sequence > ? ORDER BY c.sequence LIMIT ?",
                (after, min(limit, BATCH_LIMIT)),
            ).fetchall()
        )
        found = tuple(Change(sequence=s, key=k, value=v, at=at) for s, k, v, at in rows)
        return Batch(origin=self.origin, changes=found)

    def last(self) -> int:
        """Return the sequence of the newest write made here, 0 if there is none."""
        return self._transact(_last)

    def confirm(self, target: str, position: int) -> None:
        """Remember how far another region got. Only `lag` asks for it: what is sent goes by the region's own word."""
        self._transact(
            lambda db: db.execute(
                "INSERT INTO confirmed VALUES (?1, ?2) ON CONFLICT (target) DO UPDATE SET sequence = ?2"
                " WHERE sequence <> ?2",
                (target, position),
            )
        )

    def lag(self, target: str) -> Lag:
        """Return what `target` has not confirmed: what would be lost for good if this region never came back."""
        wall = self._clock.wall()

        def measure(db: sqlite3.Connection) -> Lag:
            row = db.execute("SELECT sequence FROM confirmed WHERE target = ?", (target,)).fetchone()
            position = row[0] if row else 0
            oldest = db.execute(
                "SELECT at FROM changes WHERE sequence > ? ORDER BY sequence LIMIT 1", (position,)
            ).fetchone()
            seconds = max(0, wall - oldest[0]) / 1e9 if oldest else 0.0
            return Lag(max(0, _last(db) - position), seconds)

        return self._transact(measure)

    # --------------------------------------------------------------------------------------------------------- others'

    def apply(self, batch: Batch) -> int:
        """Take over another region's writes and return the position reached; it may be short of the batch's end.

        Raises:
            Refused: The writes are this region's own.
            Unavailable: The file cannot be written; nothing of the batch was applied.

        """
        if batch.origin.region == self.origin.region:
            raise Refused(f"region {self.origin.region} was sent its own writes", hint="look at the shipper's target")
        return self._transact(lambda db: self._apply(db, batch))

    def _apply(self, db: sqlite3.Connection, batch: Batch) -> int:
        row = db.execute("SELECT sequence FROM applied WHERE region = ? AND making = ?", batch.origin).fetchone()
        before = position = int(row[0]) if row else 0
        for change in batch.changes:
            if change.sequence == position + 1:  # less is a repetition, more comes too early
                self._take(db, batch.origin, change)
                position += 1
        if position > before:
            db.execute("INSERT OR REPLACE INTO applied VALUES (?, ?, ?)", (*batch.origin, position))
        return position

    def _take(self, db: sqlite3.Connection, origin: Origin, change: Change) -> None:
        inserted = db.execute(
            "INSERT OR IGNORE INTO entry VALUES (?, ?, ?, ?)",
            (change.key, change.value, origin.region, change.sequence),
        ).rowcount
        if inserted:
            return
        (present,) = db.execute("SELECT value FROM entry WHERE key = ?", (change.key,)).fetchone()
        if present != change.value:
            db.execute(
                "INSERT INTO conflict (key, region, making, sequence, value, at) VALUES (?, ?, ?, ?, ?, ?)",
                (change.key, *origin, change.sequence, change.value, change.at),
            )

    def conflicts(self, *, limit: int = 100) -> tuple[Conflict, ...]:
        """Return the oldest conflicts."""
        rows = self._transact(
            lambda db: db.execute(
                "SELECT c.key, e.value, e.region, c.value, c.region, c.sequence FROM conflict c JOIN entry e USING (key)"
                " ORDER BY c.number LIMIT ?",
                (limit,),
            ).fetchall()
        )
        return tuple(map(Conflict._make, rows))

    def conflict_count(self) -> int:
        """Return how many conflicts were ever logged."""
        return int(self._transact(lambda db: db.execute("SELECT count(*) FROM conflict").fetchone())[0])

    def _transact(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        if os.getpid() != self._owner:  # an SQLite connection does not survive a fork
            raise Unavailable(
                f"{FORMAT.noun} {self._path} was opened by process {self._owner}", hint="open a store after the fork"
            )
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    result = work(self._db)
                    self._db.execute("COMMIT")
                except BaseException:
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise explain(error, self._path, FORMAT) from error
            return result


def _last(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT coalesce(max(sequence), 0) FROM changes").fetchone()[0])


def _claim(db: sqlite3.Connection, region: str) -> Origin:
    db.execute("UPDATE identity SET region = ? WHERE region IS NULL", (region,))
    owner, making = db.execute("SELECT region, making FROM identity").fetchone()
    if owner != region:
        raise Refused(f"the store belongs to region {owner}, not {region}", hint="name a file of this region")
    return Origin(region, making)
