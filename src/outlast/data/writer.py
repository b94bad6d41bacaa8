"""Group commit: whoever waits for the disk waits together.

One transaction at a time. If nobody is at it, the caller runs its own and returns; otherwise its work waits for the
writer's thread, which commits everything that came meanwhile as one. With 32 producers that is up to 32 messages for
the price of one fsync. Work that fails inside a group is run again alone, so that one cannot spoil the others.

When the disk is full the reserve is given up, whatever makes the file grow is refused, and everything else goes on. As
the backlog drains, the file is shortened and the reserve put by again.
"""

import contextlib
import itertools
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from outlast.data.refusal import QueueFull
from outlast.data.reserve import Reserve
from outlast.data.sqlite_file import primary_code
from outlast.data.work import Joint, TaskWork, ThreadWork, Work, tell
from outlast.errors import OutlastError, Unavailable

Result = TypeVar("Result")

GROUP_LIMIT = 256
"""Works of one transaction: bounds what is run again if one of them fails, and how long the first waits."""
GROUP_BYTES = 1 << 20
"""By which a group of several may make the file grow. It stands in the log first; if the disk fills up at that moment, the
reserve must have room to fold the log into the database, or nothing drains."""
TEND_SECONDS = 0.2
"""Between attempts to give room back to a full disk."""
TEND_PAGES = 128
"""Pages given back by one attempt; each is first written to the log, so it stays well within the reserve."""


class Writer:
    """Runs work in transactions on one connection.

    Args:
        db: The connection; nobody else may use it.
        reserve: Given up when the disk is full.
        explain: Makes an error of ours of one of SQLite's.
        refusal: Makes the error for work that makes the file grow while the disk is full.

    """

    def __init__(
        self,
        db: sqlite3.Connection,
        reserve: Reserve,
        *,
        explain: Callable[[sqlite3.Error], Unavailable],
        refusal: Callable[[], QueueFull],
    ) -> None:
        self._db = db
        self._reserve = reserve
        self._explain = explain
        self._refusal = refusal
        self._turn = threading.Lock()  # whoever holds it uses the connection
        self._door = threading.Lock()  # orders submissions and closing
        self._waiting: queue.SimpleQueue[Work[Any] | None] = queue.SimpleQueue()
        self._held_over: Work[Any] | None = None  # came, but did not fit into the last group
        self._count = 0  # of works handed to the thread and not done; read without a lock as a hint
        self._is_closed = False
        self._broken: OutlastError | None = None
        self._tended_at = 0.0
        self.is_full = not reserve.arm()
        """The disk is full: work that makes the file grow is refused."""
        self._thread = threading.Thread(target=self._serve, name="outlast spool writer", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "broken" if self._broken else "full" if self.is_full else "open"
        return f"<Writer {state}, {self._count} waiting>"

    def run(self, work: Callable[[], Result], *, growth: int = 0) -> Result:
        """Run `work` in a transaction and return its result once it is committed.

        Raises:
            OutlastError: What `work` refused, or `Unavailable` if the file cannot be written.

        """
        if self._count == 0 and self._turn.acquire(blocking=False):
            try:
                # Nobody is at it: no hand-over to another thread, which would cost more than the work.
                alone = Work(work, growth=growth)
                if not self._is_closed:
                    self._commit([alone])
                    return alone.outcome()
            finally:
                self._turn.release()
        waiting = ThreadWork(work, growth=growth)
        self._submit(waiting)
        return waiting.wait()

    async def arun(self, work: Callable[[], Result], *, growth: int = 0) -> Result:
        """Do what `run` does without stopping the event loop. If cancelled, it may happen all the same."""
        waiting = TaskWork(work, growth=growth)
        self._submit(waiting)
        return await waiting.future

    def _submit(self, waiting: Work[Any]) -> None:
        with self._door:
            if self._is_closed:
                raise Unavailable("the queue is closed", hint="open it with `with`")
            self._count += 1
            self._waiting.put(waiting)

    def close(self) -> None:
        """Finish what waits, then stop. Work that comes later is refused. The connection stays open."""
        with self._door:
            if self._is_closed:
                return
            self._waiting.put(None)
            self._is_closed = True
        self._thread.join()
        with self._turn:  # a caller may be at its own transaction
            return

    def _serve(self) -> None:
        is_open = True
        while is_open:
            group, is_open = self._next_group()
            with self._turn:
                wanted = [work for work in group if work.is_wanted()]
                try:
                    self._commit(wanted)
                except Exception as error:  # noqa: BLE001  its waiters must hear of it, and the writer must live
                    _fail(wanted, error)
            tell(wanted)
            with self._door:
                self._count -= len(group)

    def _next_group(self) -> tuple[list[Work[Any]], bool]:
        group: list[Work[Any]] = []
        growth = 0
        work = self._held_over or self._waiting.get()
        self._held_over = None
        while work is not None:
            if group and growth + work.growth > GROUP_BYTES:
                self._held_over = work
                return group, True
            group.append(work)
            growth += work.growth
            try:
                if len(group) == GROUP_LIMIT:
                    return group, True
                work = self._waiting.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    # ---------------------------------------------------------------------------------------------- with the turn taken

    def _commit(self, group: list[Work[Any]], *, is_retry: bool = False) -> None:
        if self._broken is not None:
            _fail(group, self._broken)
            return
        if self.is_full:
            group = self._refuse_growth(group)
        if not group:
            return
        try:
            self._transact(group)
        except Exception as error:  # noqa: BLE001  whatever it is, it belongs to one of them alone
            if len(group) > 1:
                for work in group:
                    self._commit([work])
            elif isinstance(error, sqlite3.Error):
                self._recover(group[0], error, is_retry=is_retry)
            else:
                _fail(group, error)

    def _refuse_growth(self, group: list[Work[Any]]) -> list[Work[Any]]:
        self._tend()
        if not self.is_full:
            return group
        _fail([work for work in group if work.growth], self._refusal())
        return [work for work in group if not work.growth]

    def _transact(self, group: list[Work[Any]]) -> None:
        answers: list[Any] = []
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for together, works in itertools.groupby(group, _joint):
                answers += _answers(together, works)
            self._db.execute("COMMIT")
        except BaseException:
            # A disk that fails may fail the rollback too; SQLite then undoes it when the file is next used.
            with contextlib.suppress(sqlite3.Error):
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            raise
        for work, answer in zip(group, answers, strict=True):
            if isinstance(answer, OutlastError):
                work.error = answer
            else:
                work.result = answer

    def _recover(self, work: Work[Any], error: sqlite3.Error, *, is_retry: bool) -> None:
        if _is_full(error):
            self.is_full = True
            self._reserve.release()
            self._fold()
            if work.growth:
                _fail([work], self._refusal())
            elif not is_retry:
                self._commit([work], is_retry=True)
            else:
                _fail([work], self._explain(error))
            return
        # After a failed fsync the kernel may have dropped what was not written, and the next fsync says nothing of it:
        # whoever goes on would promise what is not there. Opening anew reads what is.
        if primary_code(error) in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            self._broken = self._explain(error)
        _fail([work], self._explain(error))

    def _fold(self) -> None:
        # Folding the log into the database makes the whole of the log free to be written again.
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _tend(self) -> None:
        if time.monotonic() - self._tended_at < TEND_SECONDS:
            return
        self._tended_at = time.monotonic()
        with contextlib.suppress(sqlite3.Error):
            # `execute` would take one step of it and give one page back.
            self._db.executescript(f"PRAGMA incremental_vacuum({TEND_PAGES})")
        self._fold()
        self.is_full = not self._reserve.arm()


def _is_full(error: sqlite3.Error) -> bool:
    # A quota or a limit on file sizes refuses the write itself, a full disk has a code of its own.
    extended = getattr(error, "sqlite_errorcode", 0)
    return primary_code(error) == sqlite3.SQLITE_FULL or extended == sqlite3.SQLITE_IOERR_WRITE


def _joint(work: Work[Any]) -> Callable[[Sequence[Any]], Sequence[Any]] | None:
    return work.run.together if isinstance(work.run, Joint) else None


def _answers(together: Callable[[Sequence[Any]], Sequence[Any]] | None, works: Iterator[Work[Any]]) -> Iterable[Any]:
    if together is not None:
        return together([work.run.item for work in works if isinstance(work.run, Joint)])
    return map(_answer, works)


def _answer(work: Work[Any]) -> Any:
    try:
        return work.run()
    except OutlastError as refusal:  # decided before anything of its own was written
        return refusal


def _fail(group: list[Work[Any]], error: Exception) -> None:
    for work in group:
        work.error = error
