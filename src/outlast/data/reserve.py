"""Disk space put by, so that a backlog can drain when the disk is full.

Handing a message out and removing it are writes: without a little room neither works, and a queue that filled the disk
could never empty itself. Of nine queues tried, none could drain one message from a full disk; this file is what helps.
"""

import contextlib
import os
import sys
from pathlib import Path

from outlast.errors import InvalidConfig

MIN_BYTES = 2 << 20
"""Room for a full write-ahead log (1 MiB) and for folding it into the database."""
HEADROOM = 2
"""The reserve is put by again when this many times its size is free: less, and the next put would spend it at once."""


class Reserve:
    """A file of `size` bytes that is given up when the disk is full, and made again when there is room.

    Args:
        path: The file; it holds nothing but space.
        size: Bytes, at least `MIN_BYTES`, or 0 for none: then a full disk may stop the drain as well.

    """

    def __init__(self, path: Path, size: int) -> None:
        if size != 0 and size < MIN_BYTES:
            raise InvalidConfig((f"reserve_bytes = {size} is neither 0 nor at least {MIN_BYTES}",))
        self._path = path
        self._size = size

    def __repr__(self) -> str:
        return f"<Reserve of {self._size:,} bytes, {'put by' if self.is_armed() else 'given up'}>"

    def is_armed(self) -> bool:
        """Return whether the space is put by."""
        return self._size == 0 or (self._path.exists() and self._path.stat().st_size >= self._size)

    def arm(self) -> bool:
        """Put the space by; return whether it is there."""
        if self.is_armed():
            return True
        try:
            return self._has_headroom() and self._allocate()
        except OSError:  # no room even for the name
            self.release()
            return False

    def _has_headroom(self) -> bool:
        disk = os.statvfs(self._path.parent)
        return disk.f_bavail * disk.f_frsize >= HEADROOM * self._size

    def _allocate(self) -> bool:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if sys.platform == "darwin":  # which has no such call
                os.pwrite(handle, bytes(self._size), 0)
            else:
                os.posix_fallocate(handle, 0, self._size)
        finally:
            os.close(handle)
        return self.is_armed()

    def release(self) -> bool:
        """Give the space up; return whether there was any."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
            return True
        return False
