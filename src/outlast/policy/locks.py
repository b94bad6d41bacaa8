"""The locks of objects that decide. They know none themselves; whoever drives them asks here.

A lock belongs to the object, so that all who share the object share its lock: two policies with one budget, two clients
with one set of regions. It is held for a few additions and never while code of a user runs.
"""

import threading
import weakref

_LOCKS: "weakref.WeakKeyDictionary[object, threading.Lock]" = weakref.WeakKeyDictionary()
_GUARD = threading.Lock()


def lock_of(shared: object) -> threading.Lock:
    """Return the lock of an object, the same one for each caller as long as the object lives."""
    with _GUARD:
        return _LOCKS.setdefault(shared, threading.Lock())
