"""The resolver: one object for threads and event loops alike, whose answers come from a dictionary while they are fresh.

A name that is not fresh is resolved by whoever asked first, in their own thread or on their own loop; others who ask
meanwhile wait for the same answer. There are no threads of its own. One lock guards the book; it is held for look-ups
and changes, never while anything waits.
"""

import asyncio
import concurrent.futures
import logging
import ssl
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, Unpack

from outlast.clock import Clock
from outlast.errors import InvalidConfig, ResolutionFailed
from outlast.resolver.answer import Answer
from outlast.resolver.book import NANOSECONDS, Book, Entry
from outlast.resolver.driver import Effect, adrive, drive
from outlast.resolver.errand import Errand
from outlast.resolver.flights import Flight, Flights, Waiter
from outlast.resolver.known import Known
from outlast.resolver.messages import Ask, AskSentinel, Verdict
from outlast.resolver.options import MAX_DEADLINE, Options, Protect, ResolverOptions, seconds
from outlast.resolver.probe import probe
from outlast.resolver.question import Question
from outlast.resolver.scope import normal
from outlast.resolver.store import Store
from outlast.resolver.upstream import ask, ask_sentinel
from outlast.system_clock import SystemClock

FLUSH_SHARE = 10
"""The store is written at most a tenth of the time, however large it is and however slow its disk."""
FLUSH_INTERVAL = 60 * NANOSECONDS
"""How often the file learns that addresses it has already were seen again."""

_log = logging.getLogger(__name__)

Promise = concurrent.futures.Future[Entry | None]
"""What those who wait for a resolution hold on to; `None` means that it was given up."""


class Lead(NamedTuple):
    """The one who asks is to carry the question out, for all who wait for the flight."""

    question: Question
    flight: Flight[Promise]


@dataclass(slots=True)
class Statistics:
    """What became of the names that were not fresh, since the resolver was made; `store_fault` is empty if all is well."""

    upstream: int = 0
    stale: int = 0
    last_known_good: int = 0
    negative: int = 0
    failed: int = 0
    shared: int = 0
    cached: int = 0
    known: int = 0
    store_fault: str = ""


class Resolver:
    """Turns names into addresses, and goes on doing so when upstreams fail or deny what they gave before.

    Args:
        options: Options that exist already, as a configuration file gives them; `None` means their defaults.
        clock: Where the time comes from; `None` means the machine's clocks.
        changes: Single options, by the names that they have in `ResolverOptions`.

    Raises:
        InvalidConfig: Lists every fault at once.

    """

    def __init__(
        self, options: ResolverOptions | None = None, *, clock: Clock | None = None, **changes: Unpack[Options]
    ) -> None:
        options = replace(options, **changes) if options is not None else ResolverOptions(**changes)
        self._options = options
        self._clock = clock if clock is not None else SystemClock()
        self._now = self._clock.now
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._book = Book(options, {})
        self._cache = self._book.cache
        self._flights = Flights(_promise)
        self._statistics = Statistics()
        self._degraded: set[str] = set()
        self._route = self._book.scopes.upstreams
        self._tls = _tls_context(options)
        self._store: Store | None = None
        self._dirty = False
        self._flushed = self._flush_due = self._now()
        self._forget: set[str] = set()
        if options.store is not None:
            identity = self._book.scopes.identity(options.network)
            self._store = Store(Path(options.store), identity, max_names=options.max_names)
            self._store.refresh(self._book.known)

    def __repr__(self) -> str:
        told = self.stats()
        fault = f", {told.store_fault}" if told.store_fault else ""
        return f"<resolver: {told.cached} cached, {told.known} known, {len(self._degraded)} degraded{fault}>"

    # ------------------------------------------------------------------------------------------------------ resolving

    def resolve(self, name: str, *, deadline: float | None = None) -> Answer:
        """Return the addresses of a name, with where they come from.

        Blocks for as long as upstreams take, if the name is not fresh.

        Args:
            name: A host name; an IP address is returned as it is.
            deadline: Seconds this may take at most; `None` means what the options say.

        Raises:
            ResolutionFailed: There is nothing to answer; it carries what was tried.

        """
        # The fast path: a name in its normal form, fresh in the cache. No lock: entries are replaced whole.
        entry = self._cache.get(name)
        if entry is not None and entry.addresses and (now := self._now()) < entry.expires:
            age = (now - entry.since) / 1e9 if entry.since else 0.0
            return Answer(name, entry.addresses, entry.source, age, entry.reason, entry.ede)
        key, waiter = _checked(name), self._waiter(deadline)
        while True:
            found = self._begin(key, waiter)
            if isinstance(found, Entry):
                return self._told(key, found)
            if isinstance(found, Flight):
                done, _ = concurrent.futures.wait([found.result], timeout=self._left(waiter.turn(found)))
                entry = found.result.result() if done else None
                if entry is not None:
                    return self._told(key, entry)
                continue
            verdict = None
            try:
                verdict = drive(found.question, self._open, self._now)
            finally:
                entry = self._end(found, verdict)
            assert entry is not None, "a verdict makes an entry"
            if self._is_flush_due():
                self._flush()
            return self._told(key, entry)

    async def aresolve(self, name: str, *, deadline: float | None = None) -> Answer:
        """As `resolve`, without blocking the running loop. Cancelling it leaves others who wait for the name unharmed."""
        entry = self._cache.get(name)
        if entry is not None and entry.addresses and (now := self._now()) < entry.expires:
            age = (now - entry.since) / 1e9 if entry.since else 0.0
            return Answer(name, entry.addresses, entry.source, age, entry.reason, entry.ede)
        key, waiter = _checked(name), self._waiter(deadline)
        while True:
            found = self._begin(key, waiter)
            if isinstance(found, Entry):
                return self._told(key, found)
            if isinstance(found, Flight):
                told = asyncio.wrap_future(found.result)
                done, _ = await asyncio.wait([told], timeout=self._left(waiter.turn(found)))
                entry = told.result() if done else None
                if entry is not None:
                    return self._told(key, entry)
                continue
            verdict = None
            try:
                verdict = await adrive(found.question, self._open, self._now)
            finally:
                entry = self._end(found, verdict)
            assert entry is not None, "a verdict makes an entry"
            if self._is_flush_due():
                await asyncio.to_thread(self._flush)  # a disk may take its time, and the loop has others to serve
            return self._told(key, entry)

    def _begin(self, key: str, waiter: Waiter) -> Entry | Flight[Promise] | Lead:
        """Return what answers the name, else the resolution to wait for, else the one that the caller must carry out."""
        with self._lock:
            if self._store is not None:
                for name in self._store.refresh(self._book.known):
                    self._book.cache.pop(name, None)
            now = self._now()
            entry = self._book.find(key, now)
            if entry is not None:
                return entry
            flight = self._flights.find(key, waiter, now)
            if flight is not None:
                self._statistics.shared += 1
                return flight
            question = self._book.question(key, now=now, wall=self._wall(), deadline=self._left(waiter.end))
            if not question.upstreams:
                raise ResolutionFailed(key, "no upstream may be asked for it", hint="name one for a zone above it")
            return Lead(question, self._flights.lead(key, waiter, now))

    def _end(self, lead: Lead, verdict: Verdict | None) -> Entry | None:
        """Remember the verdict, and tell those who wait; without one, one of them carries the question out again."""
        entry = told = None
        question = lead.question
        with self._lock:
            if verdict is not None:
                before = self._book.known.get(question.name)
                entry = self._book.settle(question, verdict, now=self._now(), wall=self._wall())
                told = None if self._book.was_hurried(question, verdict) else entry
                self._note(question.name, verdict, before)
            is_over = self._flights.land(question.name, lead.flight, has_news=told is not None)
        if is_over:
            lead.flight.result.set_result(told)
        return entry

    def _note(self, name: str, verdict: Verdict, before: Known | None) -> None:
        counted = {"upstream": "upstream", "stale": "stale", "last-known-good": "last_known_good"}
        field = counted.get(verdict.source or "", "negative" if verdict.kind.is_negative else "failed")
        setattr(self._statistics, field, getattr(self._statistics, field) + 1)
        after = self._book.known.get(name)
        if verdict.is_retired:
            self._forget.add(name)
        self._dirty = self._dirty or verdict.is_retired or _is_news(before, after)
        if verdict.source in ("stale", "last-known-good"):
            if name not in self._degraded:
                _log.warning("%s: answering %s: %s", name, verdict.source, verdict.reason)
                self._degraded.add(name)
        elif name in self._degraded:
            _log.warning("%s: no longer answered from memory: %s", name, verdict.reason)
            self._degraded.discard(name)

    def _open(self, question: Question, effect: Effect) -> tuple[Errand, ...]:
        if isinstance(effect, Ask):
            upstream = question.upstreams[effect.upstream]
            return tuple(
                Errand(ask(upstream, effect.upstream, name=question.name, family=family, route=self._route))
                for family in question.families
            )
        if isinstance(effect, AskSentinel):
            return (Errand(ask_sentinel(question.upstreams[effect.upstream], question.name)),)
        return tuple(
            Errand(probe(address, question.check, name=question.name, context=self._tls))
            for address in effect.addresses
        )

    def _told(self, name: str, entry: Entry) -> Answer:
        if not entry.addresses:
            raise ResolutionFailed(name, entry.reason, trail=entry.trail, is_negative=entry.kind.is_negative)
        return entry.answer(name, self._now())

    def _waiter(self, deadline: float | None) -> Waiter:
        allowed = seconds(self._options.deadline) if deadline is None else deadline
        if not allowed >= 0:  # NaN too
            raise InvalidConfig((f"deadline = {deadline!r} is not a number of seconds",))
        now = self._now()
        end = now + int(min(allowed, MAX_DEADLINE) * NANOSECONDS)
        return Waiter(now, end, patience=int(seconds(self._options.patience) * NANOSECONDS))

    def _left(self, end: int) -> float:
        return max(0.0, (end - self._now()) / NANOSECONDS)

    def _wall(self) -> float:
        return self._clock.wall() / NANOSECONDS

    # --------------------------------------------------------------------------------------------------- what is kept

    def _is_flush_due(self) -> bool:
        now = self._now()
        is_old = now - self._flushed >= FLUSH_INTERVAL
        return self._store is not None and ((self._dirty and now >= self._flush_due) or is_old)

    def _flush(self) -> None:
        if self._store is None:
            return
        with self._writing:
            with self._lock:
                known, forget = dict(self._book.known), frozenset(self._forget)
                self._forget -= forget
                self._dirty = False
            began = self._now()
            self._store.save(known, wall=self._wall(), forget=forget)
            self._flushed = self._now()
            self._flush_due = self._flushed + FLUSH_SHARE * (self._flushed - began)

    def purge(self, name: str) -> bool:
        """Forget a name, here and in the store, so that its deletion is believed; pins stay.

        Returns:
            Whether anything was known of it.

        """
        key = _checked(name)
        with self._lock:
            was_known = self._book.forget(key)
            self._degraded.discard(key)
            self._forget.add(key)
        self._flush()
        return was_known

    def stats(self) -> Statistics:
        """Return the counts so far. Answers of the fast path are not counted: counting would cost as much as answering."""
        with self._lock:
            fault = self._store.fault if self._store is not None else ""
            counts = (len(self._cache), len(self._book.known))
            return replace(self._statistics, cached=counts[0], known=counts[1], store_fault=fault)

    def close(self) -> None:
        """Write what is known to the store. Closing twice is harmless, and a closed resolver still resolves."""
        if self._dirty or self._forget:
            self._flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _promise() -> Promise:
    promise = Promise()
    promise.set_running_or_notify_cancel()  # from now on nobody who waits for it can cancel it
    return promise


def _checked(name: str) -> str:
    key = normal(name)
    if not key:
        raise ResolutionFailed(repr(name), "not a host name")
    return key


def _is_news(before: Known | None, after: Known | None) -> bool:
    """Whether the file should learn of it soon: another address, or a confirmation; not merely a later sighting."""
    if before is None or after is None:
        return before is not after
    return {(item.address, item.times) for item in before.sightings} != {
        (item.address, item.times) for item in after.sightings
    } or set(before.current) != set(after.current)


def _tls_context(options: ResolverOptions) -> ssl.SSLContext | None:
    rules = (*options.names.values(), options.default)
    if not any(isinstance(rule, Protect) and rule.verify.startswith("tls:") for rule in rules):
        return None
    try:
        return ssl.create_default_context(cafile=str(options.ca_file) if options.ca_file is not None else None)
    except OSError as error:
        raise InvalidConfig((f"ca_file = {str(options.ca_file)!r} cannot be used: {error}",)) from error
