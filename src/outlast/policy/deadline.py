"""One deadline per call, handed down through the context: a nested call never outlasts the one that made it.

The deadline is an instant of the monotonic clock. It travels in a context variable, so that it follows a call through
coroutines and tasks; a thread pool that does not copy the context starts without one.
"""

from contextvars import ContextVar

NEVER = 1 << 62
"""An instant that does not come: 146 years after the clock's zero."""

DEADLINE: ContextVar[int] = ContextVar("outlast_deadline", default=NEVER)
"""When the present attempt must be over, in nanoseconds of the monotonic clock."""
