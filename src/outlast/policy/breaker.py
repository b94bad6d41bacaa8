"""Stop calling what does not answer: a rolling window of outcomes, and exactly N probes before calls flow again.

Closed, the share of failures of the last `window` seconds is watched; at `failure_share` of at least `min_calls` it opens.
Open, nothing is admitted for `open_for` seconds, jittered so that a fleet does not probe in step. Half open, exactly
`probes` calls are admitted: if all succeed it closes, if one fails it opens again.

Every change of state begins a new generation, and a permit is the generation it was given in. A result that comes home to
another generation changes nothing: a success that began before the trip does not close the circuit, a failure from
before the recovery does not open it. A probe that ends without verdict gives its place back; probes that never come home
are written off after `probe_wait` seconds, because a place leaked for ever would keep the circuit shut for ever.
"""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from outlast.outcome import Outcome
from outlast.policy.checks import check_count, check_number, check_seconds, nanoseconds, refuse
from outlast.policy.retry import On, check_on

BUCKETS = 10
"""The window moves in tenths: old outcomes leave in steps of that size."""
JITTER = 0.2
"""The open time is this share longer at most."""
REFUSED = -1
_EVIDENCE = (Outcome.OK, Outcome.FAILURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """When to stop calling, and how to begin again.

    Args:
        failure_share: Opens when at least this share of the window's calls failed; above 0, at most 1.
        min_calls: Opens only if the window has at least this many calls.
        window: Seconds. At least the attempt timeout, or a hanging service never fills a window.
        open_for: Seconds without any call, up to a fifth longer by chance.
        probes: How many calls are admitted to find out, all of which must succeed.
        probe_wait: Seconds until probes that have not come home are written off.
        on: Which errors are failures; `None`: those of the policy's retry, or without one every `Exception`.

    Raises:
        InvalidConfig: Lists every fault at once.

    """

    failure_share: float = 0.5
    min_calls: int = 20
    window: float = 10.0
    open_for: float = 5.0
    probes: int = 1
    probe_wait: float = 30.0
    on: On | None = None

    def __post_init__(self) -> None:
        refuse(
            [
                *check_number("failure_share", self.failure_share, low=0.001, high=1),
                *check_count("min_calls", self.min_calls, low=1, high=1_000_000),
                *check_seconds("window", self.window),
                *check_seconds("open_for", self.open_for),
                *check_count("probes", self.probes, low=1, high=1_000),
                *check_seconds("probe_wait", self.probe_wait),
                *(check_on("on", self.on) if self.on is not None else ()),
            ]
        )


class CircuitState(Enum):
    """Where a circuit stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


class CircuitStats(NamedTuple):
    """What a circuit stands at; `calls` and `failures` are those of the window."""

    state: CircuitState
    generation: int
    calls: int
    failures: int
    trips: int


class Circuit:
    """One breaker at work. Not safe for threads by itself; the policy's lock guards it.

    Args:
        options: When to open and how to close.

    """

    def __init__(self, options: Breaker) -> None:
        self._options = options
        self._bucket = max(1, nanoseconds(options.window) // BUCKETS)
        self._state = CircuitState.CLOSED
        self._generation = 0
        self._until = 0
        """Open: when probes may begin. Half open: when the probes are written off."""
        self._admitted = self._returned = 0
        self._trips = 0
        self._slot = 0
        self._calls = self._failures = 0
        self._calls_by = [0] * BUCKETS
        self._failures_by = [0] * BUCKETS

    def __repr__(self) -> str:
        return f"<circuit {self._state.value}: {self._failures} of {self._calls} failed, generation {self._generation}>"

    def stats(self) -> CircuitStats:
        return CircuitStats(self._state, self._generation, self._calls, self._failures, self._trips)

    def admit(self, now: int) -> int:
        """Return a permit, which must be settled, or `REFUSED`."""
        if self._state is CircuitState.CLOSED:
            return self._generation
        if now >= self._until:
            # Also from half open: probes that never came home are written off, and their results will be late.
            self._change(CircuitState.HALF_OPEN, until=now + nanoseconds(self._options.probe_wait))
        if self._state is CircuitState.HALF_OPEN and self._admitted < self._options.probes:
            self._admitted += 1
            return self._generation
        return REFUSED

    def refuses_at(self, moment: int) -> bool:
        """Say whether a call at a later moment would be refused as things stand; changes nothing."""
        if self._state is CircuitState.CLOSED or moment >= self._until:
            return False
        return self._state is CircuitState.OPEN or self._admitted >= self._options.probes

    def wait(self, now: int) -> int:
        """Return the nanoseconds until the state may change by time alone."""
        return max(0, self._until - now) if self._state is not CircuitState.CLOSED else 0

    def settle(self, permit: int, outcome: Outcome, *, now: int, chance: float = 0.5) -> None:
        """Count what became of an admitted call.

        Args:
            permit: What `admit` returned. One of another generation changes nothing.
            outcome: Only `OK` and `FAILURE` are evidence; the others give a probe's place back.
            now: Nanoseconds.
            chance: Within 0 and 1; jitters the open time.

        """
        if permit != self._generation:
            return
        if self._state is CircuitState.CLOSED:
            self._count(outcome, now)
            if outcome is Outcome.FAILURE and self._is_broken():
                self._trip(now, chance)
        elif outcome is Outcome.OK:
            self._returned += 1
            if self._returned >= self._options.probes:
                self._change(CircuitState.CLOSED, until=0)
                self._clear(now)
        elif outcome is Outcome.FAILURE:
            self._trip(now, chance)
        else:
            self._admitted -= 1

    def _count(self, outcome: Outcome, now: int) -> None:
        if outcome not in _EVIDENCE:
            return
        slot = now // self._bucket
        if slot > self._slot:
            self._roll(slot)
        index = self._slot % BUCKETS  # a result dated before the newest bucket is counted there
        self._calls += 1
        self._calls_by[index] += 1
        if outcome is Outcome.FAILURE:
            self._failures += 1
            self._failures_by[index] += 1

    def _roll(self, slot: int) -> None:
        for passed in range(max(self._slot + 1, slot - BUCKETS + 1), slot + 1):
            index = passed % BUCKETS
            self._calls -= self._calls_by[index]
            self._failures -= self._failures_by[index]
            self._calls_by[index] = self._failures_by[index] = 0
        self._slot = slot

    def _is_broken(self) -> bool:
        return self._calls >= self._options.min_calls and self._failures >= self._options.failure_share * self._calls

    def _trip(self, now: int, chance: float) -> None:
        self._trips += 1
        self._change(
            CircuitState.OPEN,
            until=now + nanoseconds(self._options.open_for * (1 + JITTER * chance)),
        )

    def _change(self, state: CircuitState, *, until: int) -> None:
        self._state = state
        self._generation += 1
        self._until = until
        self._admitted = self._returned = 0

    def _clear(self, now: int) -> None:
        # What failed before the recovery is no evidence against what recovered.
        self._slot = max(self._slot, now // self._bucket)
        self._calls = self._failures = 0
        self._calls_by = [0] * BUCKETS
        self._failures_by = [0] * BUCKETS
