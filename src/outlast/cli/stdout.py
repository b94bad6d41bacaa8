"""Standard output that cannot be written, on a full disk say: one line on stderr and status 1, whichever command wrote.

What is printed mostly stays in a buffer until the end, so that the last flush is where it fails. Each failure becomes an
`Unwritten`, which is no `OSError`: neither a command nor a library may take it for a failure of its own.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO, cast

CARRIED_OUT = "--apply was carried out all the same, and outlast audit has it if the registry was reached"
FAILED = 1


class Unwritten(Exception):
    """Standard output could not be written. `is_applied`: what was to be printed had been done before."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(cause.strerror or str(cause))
        self.is_left = isinstance(cause, BrokenPipeError)
        """Nobody reads any more, as after `| head`: that is no failure to speak of."""
        self.is_applied = False


class _Checked:
    """A stream whose failures are `Unwritten`. `None`: Python has none, for the process was started with it closed."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        if self._stream is None:
            raise Unwritten(OSError(errno.EBADF, os.strerror(errno.EBADF)))
        try:
            return self._stream.write(text)
        except OSError as error:
            raise Unwritten(error) from error

    def flush(self) -> None:
        if self._stream is not None:
            try:
                self._stream.flush()
            except OSError as error:
                raise Unwritten(error) from error


@contextlib.contextmanager
def checked_stdout() -> Iterator[None]:
    """Leave with status 1 if what was printed within cannot be written, now or when the program ends."""
    before = sys.stdout
    sys.stdout = cast("TextIO", _Checked(before))
    try:
        try:
            yield
        except (SystemExit, KeyboardInterrupt):
            sys.stdout.flush()
            raise
    except Unwritten as error:
        _let_go(before)
        if not error.is_left:
            done = f"; {CARRIED_OUT}" if error.is_applied else ""
            sys.stderr.write(f"outlast: standard output cannot be written: {error}{done}\n")
        raise SystemExit(FAILED) from None
    finally:
        sys.stdout = before


@contextlib.contextmanager
def after_applying(*, is_applied: bool) -> Iterator[None]:
    """For what is printed of what was done: if that cannot be written, it is said that it was done."""
    try:
        yield
        if is_applied:
            sys.stdout.flush()
    except Unwritten as error:
        error.is_applied = is_applied
        raise


def _let_go(stream: TextIO | None) -> None:
    # What is still in its buffer would be tried once more when Python ends, and fail with a traceback.
    if stream is None:
        return
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
