"""The resolver's memory: a cache of answers by TTL, and what is known of names beyond it. Plain, private, told the time.

The cache is the fast path: one dictionary, read without a lock. Its entries are immutable and replaced whole, so a
reader sees an old one or a new one, never half of each. Whoever changes anything holds the resolver's lock.
"""

from typing import NamedTuple

from outlast.resolver.answer import Answer, Source
from outlast.resolver.known import Known, learn, tiers
from outlast.resolver.messages import Verdict
from outlast.resolver.options import Protect, ResolverOptions, Rule, Strict, is_address, seconds
from outlast.resolver.question import Mode, Question, Timing
from outlast.resolver.reading import Kind
from outlast.resolver.scope import LOOPBACK, Scopes

NANOSECONDS = 1_000_000_000
FOREVER = 2**63 - 1
SETTLE = 0.05
"""Seconds the slower family may hold up the faster one (RFC 8305, section 3)."""
SENTINEL = 0.3
"""Seconds to wait for the sentinel; who denies a name within milliseconds answers for its sentinel as fast."""
VERIFY = 0.5
"""Seconds in which an address must pass its check: one handshake across an ocean."""
TRIES = 2
"""Times a silent upstream is asked: a lost datagram is common, two in a row are an outage."""
IMPATIENCE = 0.2
"""Seconds to wait for news while upstreams are known to be silent; long enough for one that is back."""
FAILURE_RECHECK = 30.0
"""Seconds after which a caller waits with full patience again, for upstreams that are back but slow (RFC 8767, section 5)."""
FAILURE_TTL = 1
"""Seconds a failure is remembered if there is nothing older to give (RFC 9520, section 3.2: at least one)."""


class Entry(NamedTuple):
    """One name in the cache. Without addresses it is a negative answer or a failure. `expires` and `since` are monotonic."""

    expires: int
    since: int
    addresses: tuple[str, ...]
    source: Source
    reason: str
    ede: int | None
    kind: Kind = Kind.POSITIVE
    trail: tuple[str, ...] = ()

    def answer(self, name: str, now: int) -> Answer:
        """The entry as an answer."""
        age = 0.0 if self.source == "pin" else (now - self.since) / NANOSECONDS
        return Answer(name, self.addresses, self.source, age, self.reason, self.ede)


class Book:
    """What one resolver remembers.

    Args:
        options: What the user chose.
        known: What an earlier life of the resolver had learnt, by name; kept and changed here.

    """

    def __init__(self, options: ResolverOptions, known: dict[str, Known]) -> None:
        self.cache: dict[str, Entry] = {}
        self.known = known
        self._options = options
        self.scopes = Scopes(options)
        self._silent_since: dict[str, int] = {}
        """Names whose upstreams failed, and when a caller last waited for them with full patience."""
        self._pin("localhost", LOOPBACK, "this machine (RFC 6761)")
        for name, addresses in options.pins.items():
            self._pin(name, (addresses,) if isinstance(addresses, str) else tuple(addresses), "pinned")

    def __repr__(self) -> str:
        return f"<book: {len(self.cache)} cached, {len(self.known)} known>"

    def _pin(self, name: str, addresses: tuple[str, ...], reason: str) -> None:
        self.cache[name] = Entry(FOREVER, 0, addresses, "pin", reason, None)

    def find(self, name: str, now: int) -> Entry | None:
        """What the cache has for a name in its normal form, unless it has expired."""
        entry = self.cache.get(name)
        if entry is not None and now < entry.expires:
            return entry
        if is_address(name):
            return Entry(FOREVER, now, (name,), "pin", "an address, not a name", None)
        return self.cache["localhost"] if name.endswith(".localhost") else None

    # ------------------------------------------------------------------------------------------------- a resolution

    def question(self, name: str, *, now: int, wall: float, deadline: float) -> Question:
        """What a resolution of this name starts from; `deadline` is in seconds."""
        rule = self.scopes.rule(name)
        known = self.known.get(name)
        check = rule.verify if isinstance(rule, Protect) and rule.verify != "none" else ""
        keep = 0.0 if isinstance(rule, Strict) else seconds(rule.keep)
        is_young = known is not None and wall - known.last <= keep
        is_protected = rule.mode is Mode.PROTECT
        return Question(
            name=name,
            families=self._options.families,
            mode=rule.mode,
            upstreams=self.scopes.upstreams(name),
            stale=known.current if known is not None and is_young else (),
            tiers=tiers(known, wall=wall, keep=keep, is_verified=bool(check)) if is_protected else (),
            check=check,
            timing=self._timing(name, now, deadline),
        )

    def _timing(self, name: str, now: int, deadline: float) -> Timing:
        options = self._options
        patience = min(seconds(options.patience), deadline / 2)  # leave time for what follows it
        failing = self._silent_since.get(name)
        if failing is not None and now - failing < FAILURE_RECHECK * NANOSECONDS:
            patience = min(patience, IMPATIENCE)
        return Timing(
            hedge=_nanoseconds(seconds(options.hedge)),
            timeout=_nanoseconds(seconds(options.timeout)),
            patience=_nanoseconds(patience),
            deadline=_nanoseconds(deadline),
            settle=_nanoseconds(SETTLE),
            sentinel=_nanoseconds(SENTINEL),
            verify=_nanoseconds(VERIFY),
            tries=TRIES,
            recheck=_nanoseconds(seconds(options.recheck)),
        )

    def settle(self, question: Question, verdict: Verdict, *, now: int, wall: float) -> Entry:
        """Remember how a resolution ended, and return the entry that answers it."""
        name = question.name
        rule = self.scopes.rule(name)
        if verdict.source == "upstream" and rule.mode is not Mode.STRICT:
            self._learn(name, verdict.addresses, rule, wall)
        if verdict.is_retired:
            self.known.pop(name, None)
        entry = self._entry(question, verdict, rule, now=now, wall=wall)
        if not self.was_hurried(question, verdict):
            self._note_silence(question, verdict, now)
            self._keep(name, entry)
        return entry._replace(source="upstream") if verdict.source == "upstream" else entry

    def was_hurried(self, question: Question, verdict: Verdict) -> bool:
        """Whether upstreams had hardly time to answer: what a caller in a hurry was told is not told to those who have time."""
        timing, options = question.timing, self._options
        is_unheard = verdict.is_silent or timing.deadline == 0
        if verdict.source == "upstream" or verdict.kind.is_negative or not is_unheard:
            return False
        usual = min(seconds(options.timeout), seconds(options.deadline))
        if not question.has_older:
            return timing.deadline * 2 < _nanoseconds(usual)
        usual = min(IMPATIENCE, seconds(options.patience), seconds(options.deadline) / 2)
        return timing.patience * 2 < _nanoseconds(usual)

    def _note_silence(self, question: Question, verdict: Verdict, now: int) -> None:
        if verdict.source == "upstream":
            self._silent_since.pop(question.name, None)
        elif verdict.is_silent and (
            question.timing.patience > IMPATIENCE * NANOSECONDS or question.name not in self._silent_since
        ):
            if len(self._silent_since) >= self._options.max_names:
                self._silent_since.clear()
            self._silent_since[question.name] = now

    def _learn(self, name: str, addresses: tuple[str, ...], rule: Rule, wall: float) -> None:
        gap = seconds(rule.confirm) if isinstance(rule, Protect) else 0.0
        before = self.known.pop(name, None)  # to the end: the dictionary's order is that of the last learning
        self.known[name] = learn(before, name, addresses, wall=wall, gap=gap)
        if len(self.known) > self._options.max_names:
            unprotected = (item for item in self.known if self.scopes.rule(item).mode is not Mode.PROTECT)
            del self.known[next(unprotected, next(iter(self.known)))]

    def _entry(self, question: Question, verdict: Verdict, rule: Rule, *, now: int, wall: float) -> Entry:
        known = self.known.get(question.name)
        is_older = verdict.source in ("stale", "last-known-good")
        age = max(0.0, wall - known.last) if is_older and known is not None else 0.0
        return Entry(
            expires=now + _nanoseconds(self._ttl(verdict, rule)),
            since=now - _nanoseconds(age),
            addresses=verdict.addresses,
            source="fresh" if verdict.source in (None, "upstream") else verdict.source,
            reason=verdict.reason,
            ede=verdict.ede,
            kind=verdict.kind,
            trail=verdict.trail,
        )

    def _ttl(self, verdict: Verdict, rule: Rule) -> float:
        if verdict.kind is Kind.POSITIVE:
            return float(verdict.ttl)
        if verdict.kind is Kind.FAILED:
            return FAILURE_TTL
        clamp = self._options.negative_ttl
        if rule.mode is Mode.PROTECT:
            clamp = self._options.negative_ttl_protected
        return min(float(verdict.ttl), seconds(clamp))

    def _keep(self, name: str, entry: Entry) -> None:
        have = self.cache.get(name)
        if have is not None and have.source == "pin":
            return
        # A failure never hides what is positive: another resolution of the name may have succeeded meanwhile.
        if not entry.addresses and entry.kind is Kind.FAILED and have is not None and have.expires > entry.since:
            return
        self.cache.pop(name, None)
        self.cache[name] = entry
        if len(self.cache) > self._options.max_names + len(self._options.pins) + 1:
            del self.cache[next(key for key, item in self.cache.items() if item.source != "pin")]

    def forget(self, name: str) -> bool:
        """Give up everything remembered of a name, pins apart; return whether there was anything."""
        self._silent_since.pop(name, None)
        cached = self.cache.get(name)
        if cached is not None and cached.source != "pin":
            del self.cache[name]
        else:
            cached = None
        return self.known.pop(name, None) is not None or cached is not None


def _nanoseconds(value: float) -> int:
    return int(value * NANOSECONDS)
