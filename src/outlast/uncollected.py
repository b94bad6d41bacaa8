"""Python's cyclic garbage collector put off while very many objects are made at once."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Without the collector: while a million objects are made it would go through them again and again, for nothing.

    Also a decorator. What has no cycles is freed as always. The collector is the process's: a thread that leaves turns it
    on again for all, which costs another thread's work its speed and nothing else.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
