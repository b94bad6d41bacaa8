"""An outside witness of what DNS answers: it asks the authoritative server every 10 ms, over UDP and TCP by turns.

Each sample asks for the addresses of a name and for its sentinel, `_outlast.<name>` TXT, one right after the other;
they are two questions, so a change may fall between them. TCP is one connection that is kept, reopened when lost, and
questions lost with it are asked once more (RFC 7766, section 6.2.4). What is not answered in time is a sample too.
A plain selector loop instead of asyncio: the witness should not take the time of those it watches.
Run as `python -m outlast.drill.observer OPTIONS.json`; the options are `ObserverOptions`.
"""

import os
import selectors
import time
from collections import deque
from dataclasses import dataclass

from outlast.drill.child import Lines, on_termination, require, run_child
from outlast.drill.control import POLL_SECONDS, Control, Direction
from outlast.drill.observer_channels import TcpChannel, UdpChannel
from outlast.drill.observer_wire import SENTINEL_PREFIX, Finding, question, read


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserverOptions:
    """What the observer watches.

    Args:
        names: Endpoints; each pair of samples (UDP, TCP) is about one, in turn.
        nameserver: Address and port of the authoritative server.
        output: Path of the JSON lines file.
        interval: Seconds between samples.
        timeout: Seconds after which a sample is a TIMEOUT.
        control: Path of a control file (see `drill.control`), or `None`.
        epoch: The number of the first act.

    """

    names: tuple[str, ...]
    nameserver: tuple[str, int]
    output: str
    interval: float = 0.01
    timeout: float = 1.0
    control: str | None = None
    epoch: int = 0

    def __post_init__(self) -> None:
        require(
            (bool(self.names), "names: at least one is needed"),
            (self.interval >= 0.001, f"interval = {self.interval}: must be at least 0.001 seconds"),
            # IDs are 16 bits: an answer must not find the ID of its question in use again.
            (0 < self.timeout <= 10, f"timeout = {self.timeout}: must be more than 0 and at most 10 seconds"),
        )


@dataclass(slots=True, eq=False)
class Sample:
    """A pair of questions on their way; `None` stands for what is not known yet."""

    t: float
    transport: str
    name: str
    epoch: int
    addresses: Finding | None = None
    sentinel: Finding | None = None
    answered: float = 0.0
    is_written: bool = False

    @property
    def is_complete(self) -> bool:
        return self.addresses is not None and self.sentinel is not None


class Observer:
    """Takes samples and writes a line for each.

    Args:
        options: What to ask, where and how often.
        lines: Where the lines go.

    """

    def __init__(self, options: ObserverOptions, lines: Lines) -> None:
        self.is_stopped = False
        self._options = options
        self._lines = lines
        self._control = Control(options.control, Direction(options.epoch, options.names, options.nameserver))
        self._selector = selectors.DefaultSelector()
        self._channels: dict[str, UdpChannel | TcpChannel] = {}
        self._open_channels()
        self._waiting: deque[Sample] = deque()
        self._pending: dict[tuple[str, int], tuple[Sample, str]] = {}
        self._next_id = int.from_bytes(os.urandom(2), "big")
        self._number = 0
        self._timeouts = 0

    def run(self) -> None:
        """Take samples until `is_stopped`; then leave out what is still open, and write the totals."""
        start = due = polled = time.monotonic()
        self._lines.write("ready", {"t": start, "pid": os.getpid(), "names": list(self._options.names)})
        while not self.is_stopped:
            now = time.monotonic()
            if now >= due:
                self._take_sample(now)
                due = max(due + self._options.interval, now)  # no catching up after a pause: no burst
            if now - polled >= POLL_SECONDS:
                polled = now
                self._follow_control()
            self._receive(max(0.0, due - time.monotonic()))
            self._expire(time.monotonic())
        self._end(start)

    def _take_sample(self, now: float) -> None:
        direction = self._control.direction
        transport = ("udp", "tcp")[self._number % 2]
        name = direction.names[self._number // 2 % len(direction.names)].rstrip(".").lower()
        self._number += 1
        sample = Sample(now, transport, name, direction.epoch)
        self._waiting.append(sample)
        for owner, rdtype in ((name, "A"), (SENTINEL_PREFIX + name, "TXT")):
            self._next_id = (self._next_id + 1) % 65_536
            self._pending[transport, self._next_id] = (sample, rdtype)
            self._channels[transport].ask(self._next_id, question(owner, rdtype))

    def _receive(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            channel: UdpChannel | TcpChannel = key.data
            for wire in channel.receive():
                self._note(channel.transport, wire)

    def _note(self, transport: str, wire: bytes) -> None:
        sample, rdtype = self._pending.get((transport, int.from_bytes(wire[:2], "big")), (None, ""))
        if sample is None or sample.is_written:
            return  # never asked for, or came after its time
        finding = read(wire[2:])
        expected = sample.name if rdtype == "A" else SENTINEL_PREFIX + sample.name
        if finding.name not in ("", expected) or finding.rdtype not in ("", rdtype):
            return
        del self._pending[transport, int.from_bytes(wire[:2], "big")]
        if rdtype == "A":
            sample.addresses, sample.answered = finding, time.monotonic()
        else:
            sample.sentinel = finding
        if sample.is_complete:
            self._write(sample)

    def _expire(self, now: float) -> None:
        while self._waiting and (self._waiting[0].is_complete or self._waiting[0].t + self._options.timeout <= now):
            sample = self._waiting.popleft()
            if not sample.is_complete:
                self._write(sample)
        if len(self._pending) > 2 * len(self._waiting):
            oldest = self._waiting[0].t if self._waiting else now
            self._pending = {key: entry for key, entry in self._pending.items() if entry[0].t >= oldest}

    def _write(self, sample: Sample) -> None:
        sample.is_written = True
        addresses, sentinel = sample.addresses, sample.sentinel
        self._timeouts += addresses is None
        fields = {
            "t": round(sample.t, 6),
            "epoch": sample.epoch,
            "transport": sample.transport,
            "name": sample.name,
            "rcode": addresses.rcode if addresses else "TIMEOUT",
            "addresses": addresses.values if addresses else (),
            "sentinel_rcode": sentinel.rcode if sentinel else "TIMEOUT",
            "sentinel": sentinel.values[0] if sentinel and sentinel.values else None,
            "latency_ms": round((sample.answered - sample.t) * 1000, 3) if addresses else None,
        }
        self._lines.write("sample", fields)

    def _follow_control(self) -> None:
        before = self._control.direction.nameserver
        direction = self._control.poll()
        if direction is not None and direction.nameserver != before:
            self._open_channels()

    def _open_channels(self) -> None:
        for channel in self._channels.values():
            channel.close()
        server = self._control.direction.nameserver
        self._channels = {"udp": UdpChannel(server, self._selector), "tcp": TcpChannel(server, self._selector)}

    def _end(self, start: float) -> None:
        open_samples = sum(not sample.is_complete for sample in self._waiting)
        for channel in self._channels.values():
            channel.close()
        now = time.monotonic()
        share = round(time.process_time() / max(now - start, 0.001), 4)
        totals = {"samples": self._number - open_samples, "timeouts": self._timeouts, "cpu_share": share}
        self._lines.write("end", {"t": now, **totals})


def serve(options: ObserverOptions) -> None:
    """Watch until SIGTERM."""
    lines = Lines(options.output)
    observer = Observer(options, lines)

    def end() -> None:
        observer.is_stopped = True

    on_termination(end)
    observer.run()
    lines.close()


if __name__ == "__main__":
    raise SystemExit(run_child(ObserverOptions, serve))
