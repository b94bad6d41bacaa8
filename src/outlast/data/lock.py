"""One process per spool: a lock that the kernel gives back when its holder dies, however it dies.

A forked child inherits the lock and would keep it beyond its parent's death; it lets go at once, which leaves the parent
its own.
"""

import fcntl
import os
import weakref
from pathlib import Path

from outlast.errors import Unavailable


class InUse(Unavailable):
    """Somebody else holds the lock; `holder` is the number of that process, or `unknown`."""

    def __init__(self, message: str, *, holder: str, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.holder = holder


class FileLock:
    """Holds `path` until closed. The file stays behind: removing it would let two holders in.

    Raises:
        InUse: Somebody else holds it; the message names the process.
        Unavailable: The file cannot be had.

    """

    def __init__(self, path: Path, *, noun: str) -> None:
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(
                f"{noun} {path}: {error.strerror}", hint=f"this user must be able to write in {path.parent}"
            ) from error
        try:
            self._take(path, noun)
        except BaseException:
            os.close(self._handle)
            raise
        _HELD.add(self)

    def _take(self, path: Path, noun: str) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._handle, 20, 0).decode(errors="replace").strip() or "unknown"
            raise InUse(
                f"{noun} {path.with_suffix('')} is in use by process {holder}",
                holder=holder,
                hint="one process per spool: give this one a path of its own, or stop the other",
            ) from None
        # Only words for the next one's message, written in place. On a full disk they may not fit; the lock holds all the
        # same.
        try:
            os.pwrite(self._handle, f"{os.getpid():<19}\n".encode(), 0)
        except OSError:
            return

    def close(self) -> None:
        """Let the next one in."""
        if self in _HELD:
            _HELD.discard(self)
            os.close(self._handle)


_HELD: "weakref.WeakSet[FileLock]" = weakref.WeakSet()


def _let_go() -> None:
    for lock in list(_HELD):
        lock.close()


os.register_at_fork(after_in_child=_let_go)
