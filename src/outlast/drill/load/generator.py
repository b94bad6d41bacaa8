"""Open-loop load: each call has its exact time, and slow answers never slow the calls that follow.

Counting only what a waiting caller gets round to would hide an outage (coordinated omission), so a call is counted at
its scheduled time. Its line is written when it succeeds or when its deadline passes, whichever is first; the call
itself knows no deadline and goes on retrying as a real caller would, and an `after` line tells what became of it.
"""

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from outlast.drill.control import POLL_SECONDS, Control, Direction
from outlast.drill.load.errand import HOME_PREFIX, Caller, Errand, Kept, Reply, Setting
from outlast.drill.load.kinds import KINDS
from outlast.drill.load.options import LoadOptions
from outlast.drill.load.stub_cache import Lookup
from outlast.drill.load.trace import TRACE, CallTrace
from outlast.errors import InvalidConfig

MAX_OUTSTANDING = 5_000  # calls; at 60 a second and 45 s of retries about 2,700 can be on their way
GOLDEN = 0.6180339887  # its multiples spread most evenly: any stretch of calls has its share of homed writes
LAST_LOOK_SECONDS = 0.02  # how often the last calls are looked at; each is reported at its deadline at the latest
MAX_LAGS = 100_000  # samples of schedule lag, half an hour of calls
SHED = "shed by the load generator"
PARKED = "parked"  # kept by the client, acknowledged by nobody yet
GIVEN_UP = "given up"  # at the end or at a change of act, before the deadline: such a call had no fair chance

Write = Callable[[str, Mapping[str, Any]], None]


@dataclass(slots=True, eq=False)
class Call:
    """One call on its way."""

    number: int
    host: int
    epoch: int
    errand: Errand
    scheduled: float
    trace: CallTrace = field(default_factory=CallTrace)
    is_reported: bool = False


class Generator:
    """Makes the calls of one group and writes their lines.

    Args:
        options: What to call, and how often.
        write: Takes an event's name and its fields.
        max_outstanding: Calls on their way at most; one more fails at once, counted like any other.

    Raises:
        InvalidConfig: An unknown kind, or too few names for it.

    """

    def __init__(self, options: LoadOptions, write: Write, *, max_outstanding: int = MAX_OUTSTANDING) -> None:
        if options.kind not in KINDS:
            raise InvalidConfig((f"kind = {options.kind!r}: must be one of {', '.join(KINDS)}",))
        kind = KINDS[options.kind]
        if min(len(options.names), len(options.regions)) < kind.names_needed:
            raise InvalidConfig((f"names: {options.kind} needs {kind.names_needed}",))
        self._options = options
        self._write = write
        self._max_outstanding = max_outstanding
        self._control = Control(options.control, options.direction())
        self._chance = random.Random(options.seed)  # noqa: S311 - a seeded draw, no secret
        self._direction = options.direction()
        self._hosts: tuple[Caller, ...] = ()
        self._calls: dict[asyncio.Task[None], Call] = {}
        self._lags: deque[float] = deque(maxlen=MAX_LAGS)
        self._totals = {"calls": 0, "ok": 0, "given_up": 0, "shed": 0, "attempts": 0}

    async def open(self) -> None:
        """Build the hosts; what loads slowly is loaded now."""
        self._loop = asyncio.get_running_loop()
        self._hosts = await self._build_hosts(self._direction)

    async def run(self, stop: asyncio.Event) -> None:
        """Make calls until `stop` is set or the time is over; then end what is on its way and write the totals.

        At the end of its time, calls that have not reached their deadline are waited for; at `stop` they are given up.
        """
        if not self._hosts:
            await self.open()
        watching = asyncio.create_task(self._watch_control())
        await self._make_calls(stop)
        while not stop.is_set() and not all(call.is_reported for call in self._calls.values()):
            await _wait(stop, LAST_LOOK_SECONDS)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await self._end_calls(self._hosts)
        lag = _percentile(self._lags, 0.99)
        self._write("end", {"t": _now(), "group": self._options.group, **self._totals, "schedule_lag_p99_ms": lag})

    async def _make_calls(self, stop: asyncio.Event) -> None:
        start = _now()
        number = 0
        while not stop.is_set():
            due = start + number / self._options.rate
            if self._options.seconds is not None and due >= start + self._options.seconds:
                return
            # With nothing to wait for this still lets the calls on their way do their work.
            await _wait(stop, max(0.0, due - _now()))
            if not stop.is_set():
                self._start_call(number, due)
            number += 1

    def _start_call(self, number: int, due: float) -> None:
        self._lags.append(_now() - due)
        direction = self._direction
        index = number % len(self._hosts)
        call = Call(number, index, direction.epoch, self._draw(number, index, direction), due)
        if len(self._calls) >= self._max_outstanding:
            self._report(call, done=None, error=SHED)
            return
        task = asyncio.create_task(self._carry_out(call, self._hosts[index]))
        self._calls[task] = call
        task.add_done_callback(self._calls.pop)

    def _draw(self, number: int, index: int, direction: Direction) -> Errand:
        # As many draws for each call, so that one seed makes the same calls whatever the kind and the share.
        is_write = self._chance.random() < self._options.write_share
        key = None if self._chance.random() < 0.5 else f"k{self._chance.randrange(self._options.keys)}"
        if not is_write:
            return Errand(is_write=False, key=key, value=f"v-{key}")
        prefix = HOME_PREFIX if number * GOLDEN % 1.0 < direction.home_share else "w-"
        return Errand(is_write=True, key=f"{prefix}{self._label(direction, index)}-{number}", value=f"v-{number}")

    def _label(self, direction: Direction, index: int) -> str:
        return f"{self._options.group}-{direction.epoch}-{index}"

    async def _carry_out(self, call: Call, host: Caller) -> None:
        TRACE.set(call.trace)
        alarm = asyncio.get_running_loop().call_at(call.scheduled + self._options.deadline, self._note_late, call)
        done, error = None, None
        try:
            done = await host.call(call.errand)
        except asyncio.CancelledError:
            error = GIVEN_UP
            raise
        except Exception as failure:  # noqa: BLE001 - whatever a kind raises is a failed call, not the group's end
            error = type(failure).__name__
        finally:
            alarm.cancel()
            self._finish(call, done=done, error=PARKED if isinstance(done, Kept) else error)

    def _note_late(self, call: Call) -> None:
        self._report(call, done=None, error=call.trace.last_error or "NoAnswerYet")

    def _finish(self, call: Call, *, done: Reply | Kept | None, error: str | None) -> None:
        if not call.is_reported:
            self._report(call, done=done, error=error)
            return
        latency = round((_now() - call.scheduled) * 1000, 3)
        fields = {"id": call.number, "epoch": call.epoch, "attempts": call.trace.attempts, "answered": error is None}
        self._write("after", {**fields, "latency_ms": latency, "error": error})

    def _report(self, call: Call, *, done: Reply | Kept | None, error: str | None) -> None:
        call.is_reported = True
        ended = _now()
        is_ok = error is None and ended - call.scheduled <= self._options.deadline
        if error is None and not is_ok:
            error = "Late"
        self._count(call, is_ok=is_ok, error=error)
        reply = done if isinstance(done, Reply) else None
        fields = {
            "id": call.number,
            "group": self._options.group,
            "host": call.host,
            "epoch": call.epoch,
            "kind": "write" if call.errand.is_write else "read",
            "key": call.errand.key if call.errand.is_write else None,
            "scheduled": round(call.scheduled, 6),
            "ended": round(ended, 6),
            "ok": is_ok,
            "latency_ms": round((ended - call.scheduled) * 1000, 3),
            "attempts": call.trace.attempts,
            "resolved": call.trace.resolved,
            "connections": call.trace.connections,
            "dns_queries": call.trace.dns_queries,
            "error": error,
            "region": reply.region if reply else None,
            "target": reply.target if reply else None,
        }
        self._write("call", fields)

    def _count(self, call: Call, *, is_ok: bool, error: str | None) -> None:
        self._totals["calls"] += 1
        self._totals["attempts"] += call.trace.attempts
        self._totals["ok"] += is_ok
        self._totals["given_up"] += error == GIVEN_UP
        self._totals["shed"] += error == SHED

    async def _watch_control(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            direction = self._control.poll()
            if direction is not None:
                # New hosts first: the schedule goes on while they are built and the old ones are cleared away.
                new = await self._build_hosts(direction)
                old, self._hosts, self._direction = self._hosts, new, direction
                self._write("directed", {"t": _now(), "epoch": direction.epoch, "names": list(direction.names)})
                await self._end_calls(old)

    async def _build_hosts(self, direction: Direction) -> tuple[Caller, ...]:
        options = self._options
        hosts = tuple(
            KINDS[options.kind].build(
                Setting(
                    label=self._label(direction, index),
                    names=direction.names,
                    regions=options.regions,
                    nameserver=direction.nameserver,
                    port=options.port,
                    address_map=options.address_map,
                    on_answer=partial(self._note_answer, direction.epoch, index),
                    folder=Path(options.folder),
                    deadline=options.deadline,
                    note=self._write,
                )
            )
            for index in range(options.caches)
        )
        for host in hosts:
            await host.open()
        return hosts

    def _note_answer(self, epoch: int, host: int, name: str, lookup: Lookup) -> None:
        learned = {"name": name, "addresses": lookup.addresses, "reason": lookup.reason}
        fields = {"t": round(time.monotonic(), 6), "epoch": epoch, "host": host, **learned}
        # Some kinds resolve in threads, and those may outlive the loop.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._write, "answer", fields)

    async def _end_calls(self, hosts: tuple[Caller, ...]) -> None:
        # No call of new hosts is among these: nothing was awaited since they took over.
        calls = dict(self._calls)
        for task in calls:
            task.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        for call in calls.values():
            if not call.is_reported:  # cancelled before its task took its first step
                self._report(call, done=None, error=GIVEN_UP)
        for host in hosts:
            await host.aclose()


def _now() -> float:
    return asyncio.get_running_loop().time()  # asyncio's clock is time.monotonic()


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass


def _percentile(values: deque[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[int(share * (len(ordered) - 1))] * 1000, 3) if ordered else 0.0
