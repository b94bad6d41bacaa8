"""The prober: probes every target each interval, feeds the detectors and hands the signals on.

Rounds never overlap: a round that takes longer than the interval delays the next, and each signal says when it was
taken. Handing signals on happens beside the probing: while the registry is slow or gone, rounds go on, and the next
publication carries the newest signals instead of a backlog.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from outlast import hostnames
from outlast.clock import Clock
from outlast.errors import InvalidConfig, Unavailable
from outlast.health.detector import Detector, Thresholds
from outlast.health.lookup import Lookup, Silence
from outlast.health.names import Names
from outlast.health.probe import Dial, HttpProbe, probe
from outlast.health.signal import Signal, Verdict

MAX_CONCURRENT = 64
"""Probes and look-ups under way at once; each holds one file descriptor or two, of which a process commonly has 256 to 1,024."""
INTERVAL_RANGE = (0.05, 3600.0)
"""Seconds between rounds."""


class Probed(NamedTuple):
    """A target to probe, an address or an absolute name, and the host it is asked for."""

    address: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProberOptions:
    """How often and how to look.

    Args:
        observer: Who looks; signals are kept apart by it.
        interval: Seconds from the start of one round to the start of the next.
        probe: What to ask.
        thresholds: How many probes in a row are believed.

    Raises:
        InvalidConfig: The interval is out of range.

    """

    observer: str
    interval: float = 1.0
    probe: HttpProbe = field(default_factory=HttpProbe)
    thresholds: Thresholds = field(default_factory=Thresholds)

    def __post_init__(self) -> None:
        low, high = INTERVAL_RANGE
        if not low <= self.interval <= high:
            raise InvalidConfig((f"interval = {self.interval:g} s is not within {low:g} s and {high:g} s",))


Targets = Callable[[], tuple[Probed, ...]]
"""The targets of the next round."""
Recall = Callable[[], Awaitable[tuple[Signal, ...]]]
"""Earlier signals; raises `Unavailable` if they cannot be had."""
Publish = Callable[[tuple[Signal, ...]], Awaitable[None]]
"""Hands a round's signals on; raises `Unavailable` if it cannot."""


class Remark(NamedTuple):
    """Something worth telling, of a target or (empty `place`) of the prober; `alarm` if a person should look."""

    place: str
    name: str
    detail: str = ""
    alarm: bool = False


Tell = Callable[[Remark], None]


class Prober:
    """Probes until cancelled.

    Args:
        options: How often and how.
        targets: Asked before each round, so that the configuration may change.
        recall: Asked until it answers once, before anything is published: a restarted prober must not forget which
            targets have ever worked.
        publish: Given every target's newest signal after each round, one call at a time.
        clock: Tells when a probe ended.
        tell: Told of verdicts that change and of a registry that comes and goes.
        dial: Where to connect instead of a target's own address.
        lookup: Resolves the targets that are names. Without it nothing can be said of them.

    """

    def __init__(
        self,
        options: ProberOptions,
        targets: Targets,
        *,
        lookup: Lookup | None = None,
        recall: Recall,
        publish: Publish,
        clock: Clock,
        tell: Tell,
        dial: Dial | None = None,
    ) -> None:
        self._options = options
        self._targets = targets
        self._recall = recall
        self._publish = publish
        self._clock = clock
        self._tell = tell
        self._dial = dial
        self._detectors: dict[str, Detector] = {}
        self._room = asyncio.Semaphore(MAX_CONCURRENT)
        self._names = Names(lookup or _nobody, clock=clock, room=self._room, dial=dial)
        self._silent: set[str] = set()
        self._earlier: dict[str, Signal] | None = None
        self._outbox: asyncio.Task[None] | None = None
        self._is_down = False

    def __repr__(self) -> str:
        return f"<prober {self._options.observer}: {len(self._detectors)} targets>"

    async def run(self, *, jitter: Callable[[], float] = random.random) -> None:
        """Probe for ever. `jitter` (0 up to 1) is the share of an interval by which the first round is put off."""
        interval = self._options.interval
        try:
            await asyncio.sleep(jitter() * interval)
            while True:
                begun = self._clock.now()
                self._hand_on(await self.round())
                elapsed = (self._clock.now() - begun) / 1e9
                await asyncio.sleep(max(0.0, interval - elapsed))
        finally:
            if self._outbox is not None:
                self._outbox.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._outbox

    async def round(self) -> tuple[Signal, ...]:
        """Probe every target once and return the signals of all of which anything was ever seen."""
        targets = {target.address: target for target in reversed(self._targets())}
        self._detectors = {address: self._detector(address) for address in sorted(targets)}
        self._names.keep(set(targets))
        self._silent &= set(targets)
        signals = await asyncio.gather(*(self._look(targets[address]) for address in self._detectors))
        return tuple(signal for signal in signals if signal.at)

    def _detector(self, address: str) -> Detector:
        found = self._detectors.get(address)
        if found is not None:
            return found
        earlier = (self._earlier or {}).get(address)
        ever_healthy = earlier is not None and earlier.ever_healthy
        options = self._options
        return Detector(address, options.observer, thresholds=options.thresholds, ever_healthy=ever_healthy)

    async def _look(self, target: Probed) -> Signal:
        detector = self._detectors[target.address]
        before = detector.signal.verdict
        failure = await self._failure(target)
        self._tell_silence(target.address, failure)
        if isinstance(failure, Silence):
            # No look, so no new signal: the last one grows too old, and then decides nothing.
            return detector.signal
        signal = detector.observe(failure, wall=self._clock.wall())
        if signal.verdict is not before:
            is_bad = signal.verdict is Verdict.UNHEALTHY
            self._tell(Remark(target.address, signal.verdict, signal.evidence, is_bad))
        return signal

    async def _failure(self, target: Probed) -> str | Silence:
        if hostnames.is_absolute(target.address):
            return await self._names.look(self._options.probe, target.address, host=target.host)
        async with self._room:
            return await probe(self._options.probe, target.address, host=target.host, dial=self._dial)

    def _tell_silence(self, name: str, failure: str | Silence) -> None:
        if isinstance(failure, Silence):
            if name not in self._silent:
                self._tell(Remark(name, "nobody says what it resolves to", failure.words, alarm=True))
            self._silent.add(name)
        elif name in self._silent:
            self._silent.discard(name)
            self._tell(Remark(name, "it is told again what it resolves to"))

    def _hand_on(self, signals: tuple[Signal, ...]) -> None:
        if signals and (self._outbox is None or self._outbox.done()):
            self._outbox = asyncio.create_task(self._deliver(signals))

    async def _deliver(self, signals: tuple[Signal, ...]) -> None:
        try:
            if self._earlier is None:
                signals = self._remember(await self._recall(), signals)
            await self._publish(signals)
        except Unavailable as error:
            if not self._is_down:
                self._tell(Remark("", "signals are not handed on", str(error), alarm=True))
            self._is_down = True
            return
        if self._is_down:
            self._tell(Remark("", "signals are handed on again"))
        self._is_down = False

    def _remember(self, earlier: tuple[Signal, ...], signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
        mine = {signal.target: signal for signal in earlier if signal.observer == self._options.observer}
        self._earlier = mine
        for address in self._detectors.keys() & mine.keys():
            self._detectors[address].recall(mine[address])
        # Deliver what the detectors say now: the signals at hand were taken without the memory.
        return tuple(
            self._detectors[item.target].signal if item.target in self._detectors else item for item in signals
        )


async def _nobody(_: str) -> Silence:
    return Silence("this prober has nobody to ask")
