"""The durable queue as users see it: what cannot be delivered now is kept on this machine and drains later."""

import asyncio
import os
import threading
from collections.abc import Callable
from inspect import iscoroutinefunction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from outlast.data.calls import Calls, Match, Registered, matcher
from outlast.data.deliver import Decorator, DeliverOptions
from outlast.data.desk import Desk, DrainOptions, is_unavailable
from outlast.data.drain import TaskDrain, ThreadDrain
from outlast.data.ramp import SECOND, RampOptions
from outlast.data.records import Dead, Kept, Message, New, Parked, Put, Receipt, Stats, Sync
from outlast.data.spool import Spool
from outlast.data.spool_format import Limits
from outlast.data.store import SpoolStore
from outlast.errors import InvalidConfig, Unavailable
from outlast.system_clock import SystemClock

BODY_LIMIT = 1 << 20
"""Bytes of one message: the reserve for a full disk must outweigh it. Larger things belong in a store."""
NAME_LIMIT = 1024
"""Characters of an order key or dedup key."""
EXPIRES_LIMIT = 366 * 86_400.0
"""Seconds."""
LEASE_LIMIT = 1000
"""Messages handed out, or dead letters listed, at once."""
LEASE_SECONDS_LIMIT = 86_400.0
"""A worker that takes longer is as good as dead."""

Handler = Callable[[Message], Any]
"""Takes a message of `Queue.drain`, or returns an awaitable that does. It may see a message twice."""


class Queue:
    """A queue in a file, for one process. Open it with `with` or `async with`; it may be made, and decorate, before.

    Inside `with` it drains by threads, inside `async with` by tasks. What is put is delivered at least once: after a
    crash, a lease that ran out or a lost reply the same message comes again, under the same id.

    Args:
        path: The file; its folder must exist, on a local disk. Files named after it stand beside it.
        max_bytes: Of all messages and dead letters together, 256 bytes for each on top; beyond, `put` refuses.
        reserve_bytes: Disk space put by so that the backlog drains when the disk is full; 0 for none.
        sync: `fsync`: what is put outlives a power cut. `os`: it outlives the process only, and costs less.
        max_attempts: Deliveries that fail before a message is given up and kept as a dead letter. Those that failed
            because nobody could be reached do not count.
        dedup_seconds: How long a dedup key is remembered after its message was delivered.
        draining: How parked calls drain, and what `drain` goes by unless told otherwise.

    Raises:
        InvalidConfig: An option is out of range.

    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_bytes: int = 256 << 20,
        reserve_bytes: int = 4 << 20,
        sync: Sync = "fsync",
        max_attempts: int = 10,
        dedup_seconds: float = 3600.0,
        draining: DrainOptions | None = None,
    ) -> None:
        if sync not in ("fsync", "os"):
            raise InvalidConfig((f"sync = {sync!r} is neither 'fsync' nor 'os'",))
        self._path = Path(path)
        self._limits = Limits(max_bytes=max_bytes, max_attempts=max_attempts, dedup_seconds=dedup_seconds)
        self._reserve_bytes = reserve_bytes
        self._sync: Sync = sync
        self._draining = draining or DrainOptions()
        self._clock = SystemClock()
        self._calls = Calls()
        self._opened: SpoolStore | None = None
        self._is_in_loop = False
        self._drain: ThreadDrain | TaskDrain | None = None

    def __repr__(self) -> str:
        return f"<Queue {self._path} {self._opened.writer if self._opened else 'closed'!r} {self._drain or ''}>"

    # ------------------------------------------------------------------------------------------------ open and close

    def __enter__(self) -> Self:
        if names := self._calls.asynchronous():
            raise _needs_loop(names[0])
        self._open()
        self._start_calls()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if isinstance(self._drain, ThreadDrain) and not self._store.is_inherited():
                self._drain.stop()
        finally:
            self._close()

    async def __aenter__(self) -> Self:
        self._refuse_open()
        given_up = threading.Event()
        try:
            await asyncio.to_thread(self._open, given_up)
        except asyncio.CancelledError:
            given_up.set()  # the thread opens it all the same; whoever comes second closes it
            self._close()
            raise
        self._is_in_loop = True
        self._start_calls()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if isinstance(self._drain, TaskDrain) and not self._store.is_inherited():
                await self._drain.stop()
        finally:
            await asyncio.to_thread(self._close)

    def _refuse_open(self) -> None:
        if self._opened is not None:
            raise Unavailable(f"the queue {self._path} is open already", hint="share the object inside its `with`")

    def _open(self, given_up: threading.Event | None = None) -> None:
        self._refuse_open()
        self._opened = SpoolStore(self._path, self._limits, reserve_bytes=self._reserve_bytes, sync=self._sync)
        if given_up is not None and given_up.is_set():
            self._close()

    def _close(self) -> None:
        store, self._opened, self._drain, self._is_in_loop = self._opened, None, None, False
        if store is not None:
            store.close()

    @property
    def _store(self) -> SpoolStore:
        if self._opened is None:
            raise Unavailable(f"the queue {self._path} is closed", hint="open it with `with` or `async with`")
        return self._opened

    # --------------------------------------------------------------------------------------------------------- in

    def put(
        self, body: bytes, *, key: str | None = None, dedup: str | None = None, expires: float | None = None
    ) -> Parked:
        """Keep a message; it is as durable as the result says when this returns.

        Args:
            body: At most 1 MiB.
            key: Messages of one key are delivered one after another, in this order.
            dedup: While a message with this name is known, putting it again adds nothing and returns its id.
            expires: Seconds from now after which it is dropped instead of delivered.

        Raises:
            QueueFull: The bound is reached or the disk is full; nothing was added.
            DedupMismatch: The name belongs to another body.
            Unavailable: The queue is closed or its disk fails.
            ValueError: An argument is out of range.

        """
        return self._kept(self._store.put(self._new(body, key=key, dedup=dedup, expires=expires)))

    async def aput(
        self, body: bytes, *, key: str | None = None, dedup: str | None = None, expires: float | None = None
    ) -> Parked:
        """Keep a message as `put` does. If cancelled, it may be kept all the same."""
        return self._kept(await self._store.aput(self._new(body, key=key, dedup=dedup, expires=expires)))

    def _new(self, body: bytes, *, key: str | None, dedup: str | None, expires: float | None) -> Put:
        _refuse_odd(body, names=(key, dedup), expires=expires)
        now, wall = self._clock.now(), self._clock.wall()
        expires_at = wall + int(expires * SECOND) if expires is not None else None
        return Put(New(body=bytes(body), key=key, dedup=dedup, expires_at=expires_at), now, wall)

    def _kept(self, kept: Kept) -> Parked:
        if self._drain is not None:
            self._drain.ring()
        return Parked(kept.id, self._sync, kept.is_duplicate)

    def is_waiting(self, key: str) -> bool:
        """Return whether a message of this key is still to be delivered; false if the queue is closed."""
        return self._opened is not None and self._opened.run(lambda spool: spool.is_waiting(key))

    async def ais_waiting(self, key: str) -> bool:
        """Return what `is_waiting` does."""
        return self._opened is not None and await self._opened.arun(lambda spool: spool.is_waiting(key))

    def deliver(
        self,
        park_on: Match,
        *,
        key: Callable[..., str] | None = None,
        dedup: Callable[..., str] | None = None,
        expires: float | None = None,
        name: str | None = None,
    ) -> Decorator:
        """Return a decorator for `def` or `async def`: the call returns `Delivered(value)`, or `Parked` for later.

        A parked call is made again in the background, by the same function with the same arguments; its result is
        dropped. It may have been carried out before it was parked (a timeout tells nothing): give the receiver
        something to recognise it by. Another thread may make it.

        Args:
            park_on: The errors that park: a class, a tuple of classes or a predicate. Any other comes out as it is.
            key: Given the arguments, names their order: while a call of it is parked, later ones park behind it.
            dedup: Given the arguments, names the call: parked twice, it is one message.
            expires: Seconds after which a parked call is dropped.
            name: Stands in the message for the function; by default its module and qualified name. A message whose
                function is not registered waits.

        Raises:
            TypeError: At the call, before anything is tried: the arguments are not JSON.

        """
        _refuse_odd(b"", names=(name,), expires=expires)
        options = DeliverOptions(is_parking=matcher(park_on), key=key, dedup=dedup, expires=expires, name=name)
        return Decorator(self, options, register=self._register)

    def _register(self, name: str, registered: Registered) -> None:
        if registered.is_async and self._opened is not None and not self._is_in_loop:
            raise _needs_loop(name)
        self._calls.add(name, registered)
        if self._opened is None:
            return
        self._opened.run(Spool.recall)  # messages may have waited for this very function
        if self._drain is None:
            self._start_calls()
        else:
            self._drain.ring()

    # -------------------------------------------------------------------------------------------------------- out

    def drain(
        self,
        handler: Handler,
        *,
        ramp: tuple[float, float, float] | None = None,
        gate: Callable[[], bool] | None = None,
        concurrency: int | None = None,
    ) -> None:
        """Begin to give messages to `handler` in the background, until the queue is closed.

        A message is done when the handler returns. If it raises `Unavailable`, the message comes again after a while;
        after any other error too, but after `max_attempts` of them it becomes a dead letter.

        Args:
            handler: For each message; `async def` only inside `async with`.
            ramp: Start, growth per second without failure, and ceiling, in messages per second. A failure halves it.
            gate: Asked before each delivery; while it answers false or fails, nothing is delivered.
            concurrency: Deliveries under way at once.

        Raises:
            InvalidConfig: An option is out of range.
            ValueError: The queue drains already, or the handler needs an event loop.

        """
        if self._drain is not None:
            raise ValueError("the queue drains already: one handler, or functions with deliver, per queue")
        if iscoroutinefunction(handler) and not self._is_in_loop:
            raise _needs_loop(getattr(handler, "__qualname__", repr(handler)))
        own = self._draining
        options = DrainOptions(
            ramp=own.ramp if ramp is None else RampOptions(*ramp),
            gate=own.gate if gate is None else gate,
            concurrency=own.concurrency if concurrency is None else concurrency,
            lease_seconds=own.lease_seconds,
        )
        desk = Desk(options, is_outage=is_unavailable, clock=self._clock)
        if self._is_in_loop:
            self._drain = TaskDrain(self._store, desk, _awaitable(handler))
        else:
            self._drain = ThreadDrain(self._store, desk, handler)

    def _start_calls(self) -> None:
        if not self._calls:
            return
        desk = Desk(self._draining, is_outage=self._calls.is_outage, clock=self._clock)
        if self._is_in_loop:
            self._drain = TaskDrain(self._store, desk, self._calls.ahandle)
        else:
            self._drain = ThreadDrain(self._store, desk, self._calls.handle)

    def lease(self, count: int = 1, *, seconds: float = 60.0) -> tuple[Message, ...]:
        """Take up to `count` messages by hand for so many seconds; then they are free for others again.

        None does not mean that none is free, if hundreds had to be passed over because their time was over or their
        attempts were used up. `stats().depth` tells.
        """
        if not 1 <= count <= LEASE_LIMIT:
            raise ValueError(f"count = {count} is not within 1 and {LEASE_LIMIT}")
        if not 0 < seconds <= LEASE_SECONDS_LIMIT:
            raise ValueError(f"seconds = {seconds:g} is not within 0 and {LEASE_SECONDS_LIMIT:g}")
        now, wall = self._clock.now(), self._clock.wall()
        until = now + int(seconds * SECOND)
        return self._store.run(lambda spool: spool.lease(count, now=now, until=until, wall=wall))

    def ack(self, receipt: Receipt) -> None:
        """Remove a delivered message; raises `LeaseLost` if somebody else has it or it is settled."""
        wall = self._clock.wall()
        self._store.run(lambda spool: spool.ack(receipt, wall=wall))

    def nack(self, receipt: Receipt, *, delay: float = 0.0, reason: str = "") -> None:
        """Give a message back, free again after `delay` seconds; raises `LeaseLost` as `ack` does."""
        if not 0 <= delay <= EXPIRES_LIMIT:
            raise ValueError(f"delay = {delay:g} s is not within 0 and {EXPIRES_LIMIT:g} s")
        due = self._clock.now() + int(delay * SECOND)
        self._store.run(lambda spool: spool.nack(receipt, due=due, reason=reason))

    # ---------------------------------------------------------------------------------------------------- look inside

    def stats(self) -> Stats:
        """Return what the queue holds, what became of the rest and how the drain is."""
        now, wall = self._clock.now(), self._clock.wall()
        store, drain = self._store, self._drain
        return store.run(lambda spool: spool.stats(now=now, wall=wall))._replace(
            is_disk_full=store.writer.is_full,
            workers=drain.workers() if drain else 0,
            last_failure=drain.desk.last_failure if drain else "",
        )

    def dead(self, limit: int = 100) -> tuple[Dead, ...]:
        """Return the oldest dead letters."""
        if not 1 <= limit <= LEASE_LIMIT:
            raise ValueError(f"limit = {limit} is not within 1 and {LEASE_LIMIT}")
        return self._store.run(lambda spool: spool.dead(limit))

    def revive(self, message_id: str) -> None:
        """Hand a dead letter out again, after the one of its key that is next now; raises `Refused` if it is none."""
        self._store.run(lambda spool: spool.revive(message_id))

    def discard(self, message_id: str) -> None:
        """Remove a dead letter for good; raises `Refused` if it is none."""
        self._store.run(lambda spool: spool.discard(message_id))


def _needs_loop(name: str) -> ValueError:
    return ValueError(f"{name} is async: open the queue with `async with`, so that it has a loop to run in")


def _awaitable(handler: Handler) -> Any:
    if iscoroutinefunction(handler):
        return handler
    return lambda message: asyncio.to_thread(handler, message)


def _refuse_odd(body: bytes, *, names: tuple[str | None, ...], expires: float | None) -> None:
    if len(body) > BODY_LIMIT:
        raise ValueError(f"a body of {len(body):,} bytes is over the limit of {BODY_LIMIT:,}")
    for name in names:
        if name is not None and not 0 < len(name) <= NAME_LIMIT:
            raise ValueError(f"a name of {len(name)} characters is not within 1 and {NAME_LIMIT}")
        if name is not None:
            name.encode()  # half a surrogate pair is a UnicodeEncodeError, which is a ValueError
    if expires is not None and not 0 < expires <= EXPIRES_LIMIT:
        raise ValueError(f"expires = {expires:g} s is not within 0 and {EXPIRES_LIMIT:g} s")
