"""Signals that end a program before its time, and a way to put them off while something must not be cut in two.

Python raises `KeyboardInterrupt` between any two instructions. Within a callback of the collector or of the import system
it is printed and forgotten, and the program goes on as if nobody had pressed the keys.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Put off what would end the program until the block is done. Outside the main thread, which gets no signals, nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    noted: list[int] = []
    before = {number: signal.signal(number, lambda which, _: noted.append(which)) for number in ENDINGS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if noted:
            signal.raise_signal(noted[0])
