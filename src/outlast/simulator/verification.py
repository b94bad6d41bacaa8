"""One verification: explore, and if nothing is broken see that everything recovers; told as a report.

A fault is told by the shortest trace to it. Beyond it the protocol is explored once more without its checks, to see whether
what it leads to is a state that the system can leave again by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from outlast.simulator.exploration import Exploration
from outlast.simulator.explorer import Progress, explore
from outlast.simulator.protocol import Protocol, Verdict
from outlast.simulator.recovery import Recovery, recover
from outlast.simulator.tracing import Line, Step, steps_to, told, trace_to


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """States that no run of the system's own moves leads to health from: how many, and the shortest way in."""

    states: int
    entry: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a verification.

    `recovers` is true, false, or `None` if that was not asked or there was no time. `waits` counts the states that need a
    person by design, by that person's command. `seconds` are the CPU's. `steps` are the trace to a fault as values.
    """

    verdict: Verdict
    reason: str
    states: int
    transitions: int
    depth: int
    seconds: float
    trace: tuple[Line, ...] = ()
    steps: tuple[Step, ...] = ()
    recovers: bool | None = None
    waits: dict[str, int] = field(default_factory=dict)
    stuck: Region | None = None

    @property
    def states_per_cpu_second(self) -> int:
        return int(self.states / self.seconds) if self.seconds else 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "verdict": str(self.verdict),
            "reason": self.reason,
            "states": self.states,
            "transitions": self.transitions,
            "depth": self.depth,
            "seconds": round(self.seconds, 3),
            "states_per_cpu_second": self.states_per_cpu_second,
            "recovers": self.recovers,
            "waits": self.waits,
            "stuck": None if self.stuck is None else {"states": self.stuck.states, "entry": _told(self.stuck.entry)},
            "trace": _told(self.trace),
        }


def _told(lines: tuple[Line, ...]) -> list[dict[str, str]]:
    return [line._asdict() for line in lines]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When to give up. `cpu_seconds` is asked for the time used so far; `tell` hears how far it is."""

    cpu_seconds: Callable[[], float]
    max_seconds: float
    max_states: int
    tell: Callable[[Progress], None] = lambda _: None

    def may_go_on(self) -> bool:
        return self.cpu_seconds() < self.max_seconds

    def pulse(self, progress: Progress) -> bool:
        self.tell(progress)
        return progress.states < self.max_states and self.may_go_on()


def verify(protocol: Protocol, limits: Limits, *, asks_recovery: bool = True, expects_fault: bool = False) -> Report:
    """Explore a protocol and say what came of it. Where a fault is expected, it is sought at once by the shortest way."""
    found = explore(protocol, limits.pulse, is_thrifty=not expects_fault)
    if found.verdict is Verdict.FAIL:
        stuck = _beyond(protocol, limits) if asks_recovery else None
        steps = steps_to(found, found.faulty_at)
        recovers = None if stuck is None else not stuck.states
        return _report(
            found, limits, found.fault, trace=told(protocol, steps), steps=steps, stuck=stuck, recovers=recovers
        )
    if found.verdict is Verdict.UNDETERMINED:
        return _report(found, limits, "the budget of states or seconds was used up before all was explored")
    if not asks_recovery:
        return _report(found, limits, "no interleaving breaks a rule")
    return _with_recovery(found, limits, is_thrifty=not expects_fault)


def _with_recovery(found: Exploration, limits: Limits, *, is_thrifty: bool) -> Report:
    recovery = recover(found, limits.may_go_on)
    if not recovery.is_whole:
        found.verdict = Verdict.UNDETERMINED
        return _report(found, limits, "no interleaving breaks a rule; there was no time to see whether all recovers")
    if recovery.stuck:
        found.verdict = Verdict.FAIL
        region = _shortest(found, recovery, limits) if is_thrifty else _region(found, recovery)
        reason = "there are states that the system does not leave by itself"
        return _report(found, limits, reason, trace=region.entry, stuck=region, recovers=False)
    reason = "no interleaving breaks a rule, and from every state the system returns to health"
    return _report(found, limits, reason, waits=dict(recovery.waits), recovers=True)


def _shortest(found: Exploration, recovery: Recovery, limits: Limits) -> Region:
    # A thrifty search comes by detours: the way in is sought again breadth first, if there is time.
    again = explore(found.engine.protocol, limits.pulse)
    widely = recover(again, limits.may_go_on) if again.verdict is Verdict.PASS else Recovery(is_whole=False)
    return _region(again, widely) if widely.stuck else _region(found, recovery)


def _beyond(protocol: Protocol, limits: Limits) -> Region | None:
    found = explore(replace(protocol, checks=()), limits.pulse)
    recovery = recover(found, limits.may_go_on) if found.verdict is Verdict.PASS else Recovery(is_whole=False)
    return _region(found, recovery) if recovery.is_whole else None


def _region(found: Exploration, recovery: Recovery) -> Region:
    if not recovery.stuck:
        return Region(states=0)
    return Region(states=len(recovery.stuck), entry=trace_to(found, recovery.stuck[0]))


def _report(found: Exploration, limits: Limits, reason: str, **more: Any) -> Report:
    return Report(
        verdict=found.verdict,
        reason=reason,
        states=len(found.order),
        transitions=found.transitions,
        depth=found.depth,
        seconds=limits.cpu_seconds(),
        **more,
    )
