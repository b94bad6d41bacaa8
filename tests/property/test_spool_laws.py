"""Laws of the spool: whatever is put, leased, settled, expired and cut off, in whatever order, nothing is lost or repeated."""

import contextlib
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from outlast.data.records import Message, New, Receipt
from outlast.data.refusal import DedupMismatch, LeaseLost
from outlast.data.spool_format import Limits
from outlast.data.store import SpoolStore

LIMITS = Limits(max_attempts=3, dedup_seconds=50e-9)
LEASE = 10
MEMORY = Path("/dev/shm")
"""A folder in memory, if there is one: the laws are not about the disk, and hundreds of files are made."""
ALWAYS = 1 << 60


@dataclass
class Put:
    """What the model knows of a message."""

    body: bytes
    key: str | None
    expires_at: int
    order: int
    receipts: list[Receipt] = field(default_factory=list)
    was_dead: bool = False
    """Others of its key went on meanwhile: when it is handed out again is between them and it."""


class SpoolMachine(RuleBasedStateMachine):
    """A spool beside a dictionary. One clock serves as both, in nanoseconds; a failure prints the steps that replay it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        self.openings = 0
        self.now = 1
        self.count = 0
        self.waiting: dict[str, Put] = {}
        self.gone: set[str] = set()
        self.held: dict[str, tuple[Receipt, int]] = {}
        self.old: list[Receipt] = []
        self.store = self._open()

    def _open(self) -> SpoolStore:
        folder = self.folder / str(self.openings)
        folder.mkdir(exist_ok=True)
        return SpoolStore(folder / "spool", LIMITS, reserve_bytes=0, sync="os")

    def teardown(self) -> None:
        """At the end everything that is left comes out, each key in its order."""
        try:
            self._drain()
        finally:
            self.store.close()
            shutil.rmtree(self.folder)

    def _drain(self) -> None:
        self.crash()
        while messages := self._lease(5):
            for message in messages:
                self._ack(message.id, message.receipt)
        left = {m for m, put in self.waiting.items() if put.expires_at > self.now}
        dead = {letter.id for letter in self.store.run(lambda spool: spool.dead(1000))}

        assert left <= dead

    # ----------------------------------------------------------------------------------------------------------- steps

    @rule(
        key=st.sampled_from([None, None, "a", "b"]),
        dedup=st.sampled_from([None, None, "x", "y"]),
        body=st.sampled_from([b"1", b"2"]),
        life=st.sampled_from([ALWAYS, ALWAYS, 5, 30]),
    )
    def put(self, key: str | None, dedup: str | None, body: bytes, life: int) -> None:
        """A duplicate answers with a message that was put and not dropped; anything else is a new id."""
        new = New(body=body, key=key, dedup=dedup, expires_at=None if life == ALWAYS else self.now + life)
        try:
            kept = self.store.run(lambda spool: spool.put(new, now=self.now, wall=self.now))
        except DedupMismatch:
            return
        known = kept.id in self.waiting or kept.id in self.gone

        assert kept.is_duplicate == known
        if not known:
            self.count += 1
            self.waiting[kept.id] = Put(body, key, self.now + life, self.count)

    @rule(count=st.integers(1, 4))
    def lease(self, count: int) -> None:
        """Only what waits is handed out."""
        self._lease(count)

    def _lease(self, count: int) -> tuple[Message, ...]:
        messages = self.store.run(lambda spool: spool.lease(count, now=self.now, until=self.now + LEASE, wall=self.now))
        for message in messages:
            put = self.waiting[message.id]  # never one that is gone
            dead = {letter.id for letter in self.store.run(lambda spool: spool.dead(1000))}
            rivals = [
                m
                for m, other in self.waiting.items()
                if put.key is not None and other.key == put.key and other.order < put.order and m not in dead
                if other.expires_at > self.now and not other.was_dead
            ]
            receipt, until = self.held.get(message.id, (None, 0))
            if receipt is not None:
                self.old.append(receipt)

            assert until <= self.now, "held by somebody else"
            assert put.expires_at > self.now, "its time was over"
            assert [] == rivals, "an older message of its key was passed over"
            assert put.body == message.body
            self.held[message.id] = (message.receipt, self.now + LEASE)
        return messages

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def ack(self, data: st.DataObject) -> None:
        """A message that is settled never comes back."""
        message_id = data.draw(st.sampled_from(sorted(self.held)))
        receipt, until = self.held[message_id]
        try:
            self._ack(message_id, receipt)
        except LeaseLost:
            assert until <= self.now, "refused, though it was held"
            self.held.pop(message_id)

    def _ack(self, message_id: str, receipt: Receipt) -> None:
        self.store.run(lambda spool: spool.ack(receipt, wall=self.now))
        self.held.pop(message_id, None)
        self.old.append(receipt)
        self.waiting.pop(message_id)
        self.gone.add(message_id)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), delay=st.sampled_from([0, 7]), is_counted=st.booleans())
    def nack(self, data: st.DataObject, delay: int, *, is_counted: bool) -> None:
        """A message that is given back waits again."""
        message_id = data.draw(st.sampled_from(sorted(self.held)))
        receipt, until = self.held.pop(message_id)
        due = self.now + delay if delay else 0
        try:
            self.store.run(lambda spool: spool.nack(receipt, due=due, is_counted=is_counted, reason="test"))
        except LeaseLost:
            assert until <= self.now, "refused, though it was held"
        self.old.append(receipt)

    @precondition(lambda self: self.old)
    @rule(data=st.data(), is_ack=st.booleans())
    def use_an_old_receipt(self, data: st.DataObject, *, is_ack: bool) -> None:
        """A receipt works once, and not after another lease."""
        receipt = data.draw(st.sampled_from(self.old))
        refused = False
        try:
            if is_ack:
                self.store.run(lambda spool: spool.ack(receipt, wall=self.now))
            else:
                self.store.run(lambda spool: spool.nack(receipt, due=0))
        except LeaseLost:
            refused = True

        assert refused

    @rule(step=st.sampled_from([1, 6, 11, 60]))
    def wait(self, step: int) -> None:
        """Time passes."""
        self.now += step

    @rule()
    def crash(self) -> None:
        """The process dies: what another one finds is the file and its log as they are."""
        before = self.folder / str(self.openings)
        self.openings += 1
        after = self.folder / str(self.openings)
        after.mkdir()
        for name in ("spool", "spool-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(before / name, after / name)
        self.store.close()
        self.store = self._open()
        self.old += [receipt for receipt, _ in self.held.values()]
        self.held.clear()

    @precondition(lambda self: self.count)
    @rule(is_kept=st.booleans())
    def settle_a_dead_letter(self, *, is_kept: bool) -> None:
        """A dead letter can be handed out again, or removed."""
        letters = self.store.run(lambda spool: spool.dead(1))
        if not letters:
            return
        message_id = letters[0].id
        if is_kept:
            self.store.run(lambda spool: spool.revive(message_id))
            self.waiting[message_id].expires_at = self.now + ALWAYS
            self.waiting[message_id].was_dead = True
        else:
            self.store.run(lambda spool: spool.discard(message_id))
            self.waiting.pop(message_id)

    @invariant()
    def the_books_balance(self) -> None:
        """What waits, what is dead and what expired is what was put and not delivered."""
        stats = self.store.run(lambda spool: spool.stats(now=self.now, wall=self.now))
        certain = sum(put.expires_at > self.now for put in self.waiting.values())

        assert certain <= stats.depth + stats.dead <= len(self.waiting)
        assert len(self.gone) == stats.drained
        assert (stats.bytes == 0) == (stats.depth + stats.dead == 0)


TestSpoolLaws = SpoolMachine.TestCase
TestSpoolLaws.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
