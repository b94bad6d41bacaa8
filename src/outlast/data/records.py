"""The values of the queue: what a caller gets back, what a worker holds, what is counted."""

from dataclasses import dataclass, field
from typing import Generic, Literal, NamedTuple, TypeVar

Value_co = TypeVar("Value_co", covariant=True)

Sync = Literal["fsync", "os"]
"""What outlives a commit: `fsync` a power cut, `os` the death of the process only."""


@dataclass(frozen=True, slots=True)
class Parked:
    """The message is kept and will be delivered later.

    Args:
        id: Names the message, also in another process and after the spool was replaced.
        durable: What the message outlives from now on.
        duplicate: It was already known under its dedup key; nothing was added.

    """

    id: str
    durable: Sync
    duplicate: bool = field(default=False, repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class Delivered(Generic[Value_co]):
    """The call went through; `value` is what it returned."""

    value: Value_co

    def __repr__(self) -> str:
        return f"Delivered({self.value!r})"


class Receipt(NamedTuple):
    """Proof of one lease. The token grows with each lease of a message, so an old receipt fits no longer."""

    sequence: int
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """A message to be kept; times are wall-clock nanoseconds."""

    body: bytes
    key: str | None = None
    dedup: str | None = None
    expires_at: int | None = None


class Put(NamedTuple):
    """A message to be kept, and the instants of both clocks at which it came."""

    new: New
    now: int
    wall: int


class Kept(NamedTuple):
    """What became of a put."""

    id: str
    is_duplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message in a worker's hands.

    Args:
        id: As in `Parked`; the same at each delivery, so a receiver can recognise a repetition.
        body: As it was put.
        key: Messages of one key are handed out one at a time, in the order they were put.
        dedup: The dedup key it was put with.
        attempts: How often it was handed out, this time included; attempts that nobody is to blame for do not count.
        receipt: What `ack` and `nack` want.

    """

    id: str
    body: bytes
    key: str | None
    dedup: str | None
    attempts: int
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """A message that was given up after too many attempts. It is kept until it is revived or discarded."""

    id: str
    body: bytes
    key: str | None
    dedup: str | None
    attempts: int
    reason: str


class Stats(NamedTuple):
    """What the queue holds and what became of the rest.

    Args:
        depth: Messages to be delivered, those in workers' hands included.
        bytes: What counts against `max_bytes`: messages and dead letters with their overhead.
        oldest_age: Seconds since the oldest of them was put; 0 if there is none.
        leased: Messages in workers' hands.
        drained: Messages delivered since the spool was made.
        expired: Messages dropped because their time was over, since the spool was made.
        dead: Dead letters kept.
        is_disk_full: Whether puts are refused because the disk is full.
        workers: Threads or tasks that drain; 0 where something should drain means that they were cancelled.
        last_failure: The newest error of a handler, of the gate or of the spool while draining, or an empty string.

    """

    depth: int
    bytes: int
    oldest_age: float
    leased: int
    drained: int
    expired: int
    dead: int
    is_disk_full: bool = False
    workers: int = 0
    last_failure: str = ""
