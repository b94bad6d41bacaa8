"""What a worker does next, and what becomes of a message it tried to deliver. Threads and tasks share it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from outlast.clock import Clock
from outlast.data.ramp import SECOND, Permit, Ramp, RampOptions
from outlast.data.records import Message
from outlast.data.spool import Spool
from outlast.errors import InvalidConfig, Unavailable

GATE_SECONDS = 0.1
"""Between looks at a gate that is shut."""
CONCURRENCY_LIMIT = 256
"""Deliveries under way at once."""
LEASE_RANGE = (0.1, 3600.0)
"""Seconds."""
UNCLAIMED_SECONDS = 1.0
"""Until a message whose function is not registered is looked at again."""
UNCLAIMED_MAX_SECONDS = 300.0
UNCLAIMED_RATE = 100
"""Looks at such messages per second in the long run: a function that was renamed may leave thousands behind, each look is
two writes, and those behind them are to have their turn."""
RETRY_SECONDS = 1.0
"""Until a message that could not be delivered is tried again for the first time; doubled with each counted attempt."""
RETRY_MAX_SECONDS = 60.0


class Unclaimed(Exception):
    """No function takes this message yet; nobody has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainOptions:
    """How a backlog is drained.

    Args:
        ramp: How fast.
        gate: Asked before each delivery; while it answers false or fails, nothing is delivered. It must not block.
        concurrency: Deliveries under way at once.
        lease_seconds: How long a delivery may take before the message is handed out again.

    Raises:
        InvalidConfig: Out of range; all faults at once.

    """

    ramp: RampOptions = field(default_factory=RampOptions)
    gate: Callable[[], bool] | None = None
    concurrency: int = 4
    lease_seconds: float = 60.0

    def __post_init__(self) -> None:
        low, high = LEASE_RANGE
        faults = []
        if not 1 <= self.concurrency <= CONCURRENCY_LIMIT:
            faults.append(f"concurrency = {self.concurrency} is not within 1 and {CONCURRENCY_LIMIT}")
        if not low <= self.lease_seconds <= high:
            faults.append(f"lease_seconds = {self.lease_seconds:g} is not within {low:g} and {high:g}")
        if faults:
            raise InvalidConfig(tuple(faults))


class Desk:
    """Hands out turns and settles messages.

    Args:
        options: How.
        is_outage: Whether an error means that nobody could be reached: then the attempt does not count.
        clock: Tells the time.

    """

    def __init__(self, options: DrainOptions, *, is_outage: Callable[[Message, Exception], bool], clock: Clock) -> None:
        self.options = options
        self._is_outage = is_outage
        self._clock = clock
        self._lock = threading.Lock()
        self._ramp = Ramp(options.ramp, now=clock.now())
        self._unclaimed = 0
        self.last_failure = ""
        """The newest error of a handler, the gate or the spool."""

    def __repr__(self) -> str:
        return f"<Desk {self._ramp!r} last failure: {self.last_failure or 'none'}>"

    def turn(self) -> Permit | float:
        """Return a permit, or how many seconds to wait before asking again."""
        if not self._is_gate_open():
            return GATE_SECONDS
        with self._lock:
            permit = self._ramp.admit(self._clock.now())
        return permit if isinstance(permit, Permit) else permit / SECOND

    def _is_gate_open(self) -> bool:
        gate = self.options.gate
        return gate is None or self._ask("gate", gate)

    def _ask(self, what: str, question: Callable[[], bool]) -> bool:
        """Return the answer of a function of the user's; one that fails has said no."""
        try:
            return bool(question())
        except Exception as error:  # noqa: BLE001  a gate that cannot tell is shut, and who cannot tell names no outage
            self.last_failure = f"{what}: {error!r}"
            return False

    def take(self, spool: Spool) -> Message | None:
        """Lease the next message, if there is one."""
        now = self._clock.now()
        until = now + int(self.options.lease_seconds * SECOND)
        messages = spool.lease(1, now=now, until=until, wall=self._clock.wall())
        return messages[0] if messages else None

    def withdraw(self, permit: Permit) -> None:
        """There was no message for this permit."""
        with self._lock:
            self._ramp.withdraw(permit)

    def settle(self, permit: Permit, message: Message, error: BaseException | None) -> Callable[[Spool], None]:
        """Return what to write about a delivery that returned (`error` is `None`) or failed."""
        if isinstance(error, Unclaimed):
            self.withdraw(permit)
            self._unclaimed += 1  # of threads that race one may be missed
            self.last_failure = f"no function is registered as {error}"
            wait = min(UNCLAIMED_MAX_SECONDS, max(UNCLAIMED_SECONDS, self._unclaimed / UNCLAIMED_RATE))
            return self._put_off(message, wait, reason="", is_counted=False)
        with self._lock:
            self._ramp.settle(permit, is_delivered=error is None, now=self._clock.now())
        if error is None:
            return lambda spool: spool.ack(message.receipt, wall=self._clock.wall())
        self.last_failure = repr(error)
        delay = min(RETRY_MAX_SECONDS, RETRY_SECONDS * 2.0 ** min(message.attempts - 1, 10))
        return self._put_off(message, delay, reason=repr(error), is_counted=self._is_counted(message, error))

    def _is_counted(self, message: Message, error: BaseException) -> bool:
        return not (isinstance(error, Exception) and self._ask("park_on", lambda: self._is_outage(message, error)))

    def release(self, message: Message) -> Callable[[Spool], None]:
        """Return what to write about a delivery that was broken off by us."""
        return lambda spool: spool.nack(message.receipt, due=0, is_counted=False)

    def _put_off(self, message: Message, delay: float, *, reason: str, is_counted: bool) -> Callable[[Spool], None]:
        due = self._clock.now() + int(delay * SECOND)
        return lambda spool: spool.nack(message.receipt, due=due, is_counted=is_counted, reason=reason)


class Shift:
    """What a worker does inside `with` may fail without ending it: the error is told at the desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.has_failed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self._desk.last_failure = repr(error)
        self.has_failed = True
        return True


def is_unavailable(_: Message, error: Exception) -> bool:
    """Return whether an error says that somebody could not be reached."""
    return isinstance(error, Unavailable)
