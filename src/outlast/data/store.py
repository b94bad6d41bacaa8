"""An open spool: its lock, its file, its reserve and its writer, opened and closed together."""

import os
import resource
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from outlast.data.lock import FileLock
from outlast.data.records import Kept, Put, Sync
from outlast.data.refusal import QueueFull
from outlast.data.reserve import Reserve
from outlast.data.spool import Spool
from outlast.data.spool_format import FORMAT, Limits, size_of
from outlast.data.sqlite_file import explain, open_file
from outlast.data.work import Joint
from outlast.data.writer import Writer
from outlast.errors import InvalidConfig, Unavailable

Result = TypeVar("Result")

FILE_FACTOR = 2
"""Of the file to what counts against `max_bytes`: two bodies of 2,100 bytes fill a page of 4 KiB each."""


class SpoolStore:
    """Opens the spool at `path`; close it when done.

    Args:
        path: The file; `.lock`, `.reserve` and SQLite's log stand beside it.
        limits: What it is held to.
        reserve_bytes: Space put by for a full disk; see `Reserve`.
        sync: What a commit outlives.
        factory: The class of the connection.

    Raises:
        InvalidConfig: The process may not write files as large as the limits ask for.
        Unavailable: Another process has it, it is damaged, or it cannot be written; the hint says what to do.

    """

    def __init__(
        self,
        path: Path,
        limits: Limits,
        *,
        reserve_bytes: int,
        sync: Sync,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        self.path = path
        self._owner = os.getpid()
        _refuse_small_files(limits)
        reserve = Reserve(Path(f"{path}.reserve"), reserve_bytes)
        with ExitStack() as stack:
            lock = FileLock(Path(f"{path}.lock"), noun=FORMAT.noun)
            stack.callback(lock.close)
            db = open_file(path, FORMAT, is_exclusive=True, is_synced=sync == "fsync", factory=factory)
            stack.callback(db.close)
            self.writer = Writer(
                db,
                reserve,
                explain=lambda error: explain(error, path, FORMAT),
                refusal=lambda: QueueFull.of_disk(path),
            )
            stack.callback(self.writer.close)
            self._spool = self.writer.run(lambda: Spool(db, limits))
            self._put_all = self._spool.put_all
            self.run(Spool.release_all)
            self._stack = stack.pop_all()

    def __repr__(self) -> str:
        return f"<SpoolStore {self.path} {self.writer!r}>"

    def run(self, work: Callable[[Spool], Result], *, growth: int = 0) -> Result:
        """Run `work` in a transaction; see `Writer.run`."""
        self._refuse_children()
        return self.writer.run(lambda: work(self._spool), growth=growth)

    async def arun(self, work: Callable[[Spool], Result], *, growth: int = 0) -> Result:
        """Run `work` in a transaction without stopping the event loop. If cancelled, it may happen all the same."""
        self._refuse_children()
        return await self.writer.arun(lambda: work(self._spool), growth=growth)

    def put(self, given: Put) -> Kept:
        """Keep a message, in one statement with those that come at the same time."""
        self._refuse_children()
        return self.writer.run(Joint(given, self._put_all), growth=size_of(given.new))

    async def aput(self, given: Put) -> Kept:
        """Keep a message without stopping the event loop. If cancelled, it may be kept all the same."""
        self._refuse_children()
        return await self.writer.arun(Joint(given, self._put_all), growth=size_of(given.new))

    def close(self) -> None:
        """Finish what waits and let the next process in; nothing in a forked child."""
        if not self.is_inherited():
            self._stack.close()

    def is_inherited(self) -> bool:
        """Return whether this is a forked child, whose parent has the spool.

        SQLite does not survive a fork: in a child it believes in locks that it does not have. To close there would remove
        the log that the parent goes on writing, and everything the parent acknowledges from then on with it.
        """
        return os.getpid() != self._owner

    def _refuse_children(self) -> None:
        if self.is_inherited():
            raise Unavailable(
                f"spool {self.path} was opened by process {self._owner}", hint="open a queue after the fork"
            )


def _refuse_small_files(limits: Limits) -> None:
    # Where the file may not grow its log cannot be folded into it, and without that nothing drains.
    allowed, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if allowed != resource.RLIM_INFINITY and allowed < FILE_FACTOR * limits.max_bytes:
        fault = f"max_bytes = {limits.max_bytes:,} may need a file of {FILE_FACTOR} times as much"
        raise InvalidConfig((f"{fault}, and this process may not write files over {allowed:,} bytes (ulimit -f)",))
