"""What one call cost, gathered across library layers that do not know of calls."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class CallTrace:
    """Counters of one call.

    Attributes:
        attempts: HTTP requests begun.
        resolved: Whether a connection had to be opened, so that a name had to be resolved.
        connections: TCP connections opened.
        dns_queries: Questions sent; a question shared with another call counts for the call that asked first.
        last_error: Class of the last failed attempt's error.
        is_drain: Whether it is no call of the load but a queue's, of something parked before.

    """

    attempts: int = 0
    resolved: bool = False
    connections: int = 0
    dns_queries: int = 0
    last_error: str | None = None
    is_drain: bool = False


TRACE: ContextVar[CallTrace] = ContextVar("outlast_drill_call")
"""The trace of the call on whose behalf the running task works; unset outside calls."""


def count_dns_query() -> None:
    """Count a question for the running call, if any."""
    trace = TRACE.get(None)
    if trace is not None:
        trace.dns_queries += 1
