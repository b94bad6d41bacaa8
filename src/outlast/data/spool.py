"""The queue's state and its transitions, in SQL. Time is an argument; whoever calls owns the transaction.

`message` holds what was put and is never changed, so that a large body is written once. `head` holds one row for each
message that may be handed out: every message without a key, and of each key the oldest. With it a stuck key costs
nothing to step over, however much waits behind it (looking for the oldest unblocked message took 200 times as long).

A lease is a row of `head` with `held` and a time `due` at which the message is free again. Its token grows with every
lease of the spool and must be shown to settle. A lease that ran out may still be settled until somebody else takes the message: the
work is done, and doing it twice helps nobody. `due` is on the clock of one opening of the file: a spool has one process,
so whatever was held when it is opened is free.

Dedup keys are remembered while the message is known and for a time after it was delivered, not after it was dropped:
a promise to deliver is never given for a message that is gone.
"""

import itertools
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from outlast.data.records import Dead, Kept, Message, New, Put, Receipt, Stats
from outlast.data.refusal import DedupMismatch, LeaseLost, QueueFull
from outlast.data.spool_format import Limits, digest_of, size_of
from outlast.errors import OutlastError, Refused

SWEEP_LIMIT = 100
"""Expired messages and forgotten dedup keys removed with one operation, so that none takes long."""
REMEMBERED_LIMIT = 100_000
"""Dedup keys of delivered messages; beyond, the oldest are forgotten early. About 15 MB."""
REASON_LENGTH = 500
"""Characters kept of why a message was given up."""


class _Row(NamedTuple):
    """A message that can be handed out, without its body."""

    seq: int
    key: str | None
    dedup: str | None
    size: int
    expires_at: int | None
    attempts: int


_INSERT_ROWS = "INSERT INTO message (seq, key, size, put_at, expires_at, body) VALUES"
_ROW = (
    "SELECT h.seq, h.key, m.dedup, m.size, e.at, h.attempts FROM head h JOIN message m USING (seq)"
    " LEFT JOIN expiry e ON e.at = m.expires_at AND e.seq = m.seq"
)


class Spool:
    """The transitions, on a connection that is inside a transaction."""

    def __init__(self, db: sqlite3.Connection, limits: Limits) -> None:
        self._db = db
        self._limits = limits
        (self._tag,) = db.execute("SELECT tag FROM total").fetchone()

    def __repr__(self) -> str:
        return f"<Spool {self._tag}, at most {self._limits.max_bytes:,} bytes>"

    # ------------------------------------------------------------------------------------------------------------ in

    def put(self, new: New, *, now: int, wall: int) -> Kept:
        """Keep a message, unless its dedup key is known.

        Raises:
            QueueFull: It does not fit under `max_bytes`.
            DedupMismatch: The dedup key belongs to another body.

        """
        digest = digest_of(new) if new.dedup is not None else b""
        if new.dedup is not None and (known := self._known(new.dedup, now=now, wall=wall)):
            seq, first = known
            if first != digest:
                raise DedupMismatch(new.dedup, self._id(seq))
            return Kept(self._id(seq), is_duplicate=True)
        size = size_of(new)
        place = self._claim(1, size)
        if place is None:
            self.sweep(now=now, wall=wall)
            place = self._claim(1, size)
        if place is None:
            held, dead = self._db.execute("SELECT bytes, dead FROM total").fetchone()
            raise QueueFull.over_bound(held=held, needed=size, bound=self._limits.max_bytes, dead=dead)
        self._insert(place, Put(new, now, wall), size, digest)
        return Kept(self._id(place), is_duplicate=False)

    def _claim(self, count: int, size: int) -> int | None:
        """Count messages in and return the sequence of the last of them, or `None` if they do not fit."""
        row = self._db.execute(
            "UPDATE total SET last = last + ?1, depth = depth + ?1, bytes = bytes + ?2 WHERE bytes + ?2 <= ?3"
            " RETURNING last",
            (count, size, self._limits.max_bytes),
        ).fetchone()
        return None if row is None else int(row[0])

    def put_all(self, given: Sequence[Put]) -> list[Kept | OutlastError]:
        """Keep messages in their order; what `put` raises about one of them is its answer."""
        answers: list[Kept | OutlastError] = []
        for is_plain, some in itertools.groupby(given, _is_plain):
            puts = list(some)
            if is_plain and len(puts) > 1 and (last := self._claim(len(puts), sum(size_of(put.new) for put in puts))):
                self._insert_all(last - len(puts) + 1, puts)
                answers += [Kept(self._id(seq), is_duplicate=False) for seq in range(last - len(puts) + 1, last + 1)]
            else:
                answers += map(self._answer, puts)
        return answers

    def _answer(self, put: Put) -> Kept | OutlastError:
        try:
            return self.put(put.new, now=put.now, wall=put.wall)
        except OutlastError as refusal:
            return refusal

    def _insert_all(self, first: int, puts: list[Put]) -> None:
        # Each statement costs the writer its hold on the interpreter, for which all producers contend.
        begin = 0
        while begin < len(puts):
            chunk = puts[begin : begin + _chunk(len(puts) - begin)]
            rows = (
                (seq, put.new.key, size_of(put.new), put.wall, put.new.expires_at, put.new.body)
                for seq, put in enumerate(chunk, first + begin)
            )
            self._db.execute(_insert_rows(len(chunk)), list(itertools.chain.from_iterable(rows)))
            begin += len(chunk)
        self._db.execute("INSERT OR IGNORE INTO head (seq, key) SELECT seq, key FROM message WHERE seq >= ?", (first,))
        self._db.execute(
            "INSERT INTO expiry SELECT expires_at, seq FROM message WHERE seq >= ? AND expires_at IS NOT NULL", (first,)
        )

    def _insert(self, seq: int, put: Put, size: int, digest: bytes) -> None:
        new = put.new
        self._db.execute(
            "INSERT INTO message (seq, key, dedup, size, put_at, expires_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (seq, new.key, new.dedup, size, put.wall, new.expires_at, new.body),
        )
        self._offer(seq, new.key)
        if new.expires_at is not None:
            self._db.execute("INSERT INTO expiry VALUES (?, ?)", (new.expires_at, seq))
        if new.dedup is not None:
            self._db.execute("INSERT INTO seen VALUES (?, ?, ?, NULL)", (new.dedup, seq, digest))

    def _offer(self, seq: int, key: str | None) -> None:
        # A key that has a head keeps it: the message waits its turn.
        self._db.execute("INSERT OR IGNORE INTO head (seq, key) VALUES (?, ?)", (seq, key))

    def _known(self, dedup: str, *, now: int, wall: int) -> tuple[int, bytes] | None:
        self._forget(wall)
        row = self._db.execute(
            "SELECT s.seq, s.digest, s.forget_at <= ?, e.at <= ? AND NOT (coalesce(h.held, 0) AND h.due > ?)"
            " FROM seen s LEFT JOIN message m USING (seq) LEFT JOIN head h USING (seq)"
            " LEFT JOIN expiry e ON e.at = m.expires_at AND e.seq = m.seq WHERE s.dedup = ?",
            (wall, wall, now, dedup),
        ).fetchone()
        if row is None:
            return None
        seq, digest, is_forgotten, is_expired = row
        if is_forgotten:  # beyond what one sweep removes
            self._drop_keys([(dedup,)])
            return None
        if is_expired:  # to answer with its id would promise what will not be delivered
            self._expire(seq)
            return None
        return seq, digest

    def is_waiting(self, key: str) -> bool:
        """Return whether a message of this key is still to be delivered."""
        return self._db.execute("SELECT 1 FROM head WHERE key = ?", (key,)).fetchone() is not None

    # ----------------------------------------------------------------------------------------------------------- out

    def lease(self, count: int, *, now: int, until: int, wall: int) -> tuple[Message, ...]:
        """Hand out the oldest messages that are free, at most `count`; they are free again at `until`.

        `now` and `until` are nanoseconds above 0 of one clock. None does not mean that none is free, if very many had to be
        passed over.
        """
        assert 0 < now <= until, f"{now} to {until} is no lease"
        self.sweep(now=now, wall=wall)
        self._db.execute("UPDATE head SET due = 0 WHERE due > 0 AND due <= ?", (now,))
        messages: list[Message] = []
        for _ in range(
            SWEEP_LIMIT
        ):  # more than once where some were passed over, or made way for the next of their key
            rows = self._db.execute(
                f"{_ROW} WHERE h.due = 0 ORDER BY h.seq LIMIT ?", (count - len(messages),)
            ).fetchall()
            messages += [self._hold(row, until) for row in map(_Row._make, rows) if self._is_fit(row, wall)]
            if not rows or len(messages) == count:
                break
        return tuple(messages)

    def _is_fit(self, row: _Row, wall: int) -> bool:
        """Return whether a message may be handed out; one that may not is dropped or buried."""
        if row.expires_at is not None and row.expires_at <= wall:
            self._expire(row.seq)
        elif row.attempts >= self._limits.max_attempts:
            self._bury(row, "its workers never answered")
        else:
            return True
        return False

    def _hold(self, row: _Row, until: int) -> Message:
        (token,) = self._db.execute("UPDATE total SET token = token + 1 RETURNING token").fetchone()
        attempts = row.attempts + 1
        self._db.execute(
            "UPDATE head SET held = 1, due = ?, attempts = ?, token = ? WHERE seq = ?",
            (until, attempts, token, row.seq),
        )
        (body,) = self._db.execute("SELECT body FROM message WHERE seq = ?", (row.seq,)).fetchone()
        return Message(
            id=self._id(row.seq),
            body=body,
            key=row.key,
            dedup=row.dedup,
            attempts=attempts,
            receipt=Receipt(row.seq, token),
        )

    def ack(self, receipt: Receipt, *, wall: int) -> None:
        """Remove a delivered message; raises `LeaseLost` if the receipt does not fit."""
        row = self._held(receipt)
        self._remove(row.seq)
        self._db.execute("UPDATE total SET drained = drained + 1")
        if row.dedup is not None:
            forget_at = wall + int(self._limits.dedup_seconds * 1e9)
            self._db.execute("UPDATE seen SET forget_at = ? WHERE dedup = ?", (forget_at, row.dedup))
            self._db.execute("UPDATE total SET remembered = remembered + 1")
            if self._db.execute("SELECT remembered FROM total").fetchone()[0] > REMEMBERED_LIMIT:
                self._forget_oldest()

    def nack(self, receipt: Receipt, *, due: int, is_counted: bool = True, reason: str = "") -> None:
        """Give a message back; it is free again at `due` (0: now). Raises `LeaseLost` if the receipt does not fit.

        Args:
            receipt: Of the lease.
            due: On the clock of `lease`.
            is_counted: Whether the attempt counts. One that failed because nobody could be reached does not: a long
                outage must not turn a backlog into dead letters.
            reason: Kept if this was its last attempt.

        """
        row = self._held(receipt)
        if is_counted and row.attempts >= self._limits.max_attempts:
            self._bury(row, reason)
            return
        attempts = row.attempts if is_counted else row.attempts - 1
        self._db.execute("UPDATE head SET held = 0, due = ?, attempts = ? WHERE seq = ?", (due, attempts, row.seq))

    def release_all(self) -> None:
        """Free whatever is held or put off: a new opening of the file, the workers before it are gone."""
        self._db.execute("UPDATE head SET held = 0, due = 0 WHERE due > 0 OR held > 0")

    def recall(self) -> None:
        """Free what was put off: what it waited for may have come."""
        self._db.execute("UPDATE head SET due = 0 WHERE due > 0 AND held = 0")

    def _held(self, receipt: Receipt) -> _Row:
        row = self._db.execute(f"{_ROW} WHERE h.seq = ? AND h.token = ? AND h.held = 1", receipt).fetchone()
        if row is None:
            raise LeaseLost(self._id(receipt.sequence))
        return _Row._make(row)

    def sweep(self, *, now: int, wall: int) -> None:
        """Drop messages whose time is over, also those that wait behind others; never one in a worker's hands."""
        over = self._db.execute(
            "SELECT e.seq FROM expiry e LEFT JOIN head h USING (seq)"
            " WHERE e.at <= ? AND NOT (coalesce(h.held, 0) AND h.due > ?) LIMIT ?",
            (wall, now, SWEEP_LIMIT),
        ).fetchall()
        for (seq,) in over:
            self._expire(seq)

    # ---------------------------------------------------------------------------------------------------------- gone

    def _expire(self, seq: int) -> None:
        dedup = self._remove(seq)
        self._db.execute("DELETE FROM seen WHERE dedup = ?", (dedup,))
        self._db.execute("UPDATE total SET expired = expired + 1")

    def _remove(self, seq: int) -> str | None:
        key, dedup, size, expires_at = self._db.execute(
            "DELETE FROM message WHERE seq = ? RETURNING key, dedup, size, expires_at", (seq,)
        ).fetchone()
        self._db.execute("DELETE FROM expiry WHERE at = ? AND seq = ?", (expires_at, seq))
        self._db.execute("UPDATE total SET depth = depth - 1, bytes = bytes - ?", (size,))
        self._pass_on(seq, key)
        return str(dedup) if dedup is not None else None

    def _bury(self, row: _Row, reason: str) -> None:
        self._db.execute("INSERT INTO dead VALUES (?, ?, ?)", (row.seq, row.attempts, reason[:REASON_LENGTH]))
        self._db.execute("DELETE FROM expiry WHERE at = ? AND seq = ?", (row.expires_at, row.seq))
        self._db.execute("UPDATE total SET depth = depth - 1, dead = dead + 1")
        self._pass_on(row.seq, row.key)

    def _pass_on(self, seq: int, key: str | None) -> None:
        """Take a message off the heads and let the next of its key take its place."""
        was_head = self._db.execute("DELETE FROM head WHERE seq = ?", (seq,)).rowcount
        if key is None or not was_head:
            return
        following = self._db.execute(
            "SELECT m.seq FROM message m WHERE m.key = ? AND m.seq <> ?"
            " AND NOT EXISTS (SELECT 1 FROM dead d WHERE d.seq = m.seq) ORDER BY m.seq LIMIT 1",
            (key, seq),
        ).fetchone()
        if following is not None:
            self._offer(following[0], key)

    def _forget(self, until: int) -> None:
        found = self._db.execute("SELECT dedup FROM seen WHERE forget_at <= ? LIMIT ?", (until, SWEEP_LIMIT)).fetchall()
        self._drop_keys(found)

    def _forget_oldest(self) -> None:
        self._drop_keys(
            self._db.execute("SELECT dedup FROM seen WHERE forget_at IS NOT NULL ORDER BY forget_at LIMIT 1").fetchall()
        )

    def _drop_keys(self, found: list[tuple[str]]) -> None:
        if found:
            self._db.executemany("DELETE FROM seen WHERE dedup = ?", found)
            self._db.execute("UPDATE total SET remembered = remembered - ?", (len(found),))

    # ---------------------------------------------------------------------------------------------------------- dead

    def dead(self, limit: int) -> tuple[Dead, ...]:
        """Return the oldest dead letters."""
        rows = self._db.execute(
            "SELECT d.seq, m.body, m.key, m.dedup, d.attempts, d.reason FROM dead d JOIN message m USING (seq)"
            " ORDER BY d.seq LIMIT ?",
            (limit,),
        )
        return tuple(
            Dead(id=self._id(seq), body=body, key=key, dedup=dedup, attempts=attempts, reason=reason)
            for seq, body, key, dedup, attempts, reason in rows
        )

    def revive(self, message_id: str) -> None:
        """Hand a dead letter out again, with attempts counted anew and no expiry; raises `Refused` if it is not dead."""
        seq, key = self._letter(message_id)
        self._db.execute("DELETE FROM dead WHERE seq = ?", (seq,))
        self._offer(seq, key)
        self._db.execute("UPDATE total SET depth = depth + 1, dead = dead - 1")

    def discard(self, message_id: str) -> None:
        """Remove a dead letter for good; raises `Refused` if it is not dead."""
        seq, _ = self._letter(message_id)
        self._db.execute("DELETE FROM dead WHERE seq = ?", (seq,))
        dedup = self._remove(seq)
        self._db.execute("DELETE FROM seen WHERE dedup = ?", (dedup,))
        self._db.execute("UPDATE total SET depth = depth + 1, dead = dead - 1")  # it was not counted as waiting

    def _letter(self, message_id: str) -> tuple[int, str | None]:
        tag, _, number = message_id.rpartition("-")
        row: tuple[int, str | None] | None = None
        if tag == self._tag and number.isascii() and number.isdigit():
            row = self._db.execute(
                "SELECT d.seq, m.key FROM dead d JOIN message m USING (seq) WHERE d.seq = ?", (int(number),)
            ).fetchone()
        if row is None:
            raise Refused(f"{message_id} is not a dead letter of this spool", hint="dead() lists them")
        return row

    def stats(self, *, now: int, wall: int) -> Stats:
        """Return what is held and what became of the rest."""
        depth, size, dead, drained, expired = self._db.execute(
            "SELECT depth, bytes, dead, drained, expired FROM total"
        ).fetchone()
        (oldest,) = self._db.execute(
            "SELECT (SELECT put_at FROM message WHERE seq = (SELECT min(seq) FROM head))"
        ).fetchone()
        (leased,) = self._db.execute("SELECT count(*) FROM head WHERE due > ? AND held", (now,)).fetchone()
        age = max(0, wall - oldest) / 1e9 if oldest is not None else 0.0
        return Stats(depth, size, age, leased, drained, expired, dead)

    def _id(self, seq: int) -> str:
        return f"{self._tag}-{seq}"


def _is_plain(put: Put) -> bool:
    return put.new.dedup is None


def _chunk(count: int) -> int:
    """Return how many rows to insert at once: few different statements, so that each stays prepared."""
    return 1 << min(6, count.bit_length() - 1)


def _insert_rows(count: int) -> str:
    return " ".join((_INSERT_ROWS, ", ".join(["(?, ?, ?, ?, ?, ?)"] * count)))
