"""How many attempts beyond the first a process may make: a bucket that calls and time fill and further attempts empty.

The law: attempts <= (1 + ratio) x calls + burst + floor x seconds, whatever fails and however many policies share the
bucket. Each logical call deposits `ratio` once, not once per attempt (Finagle's issue 956); a token is taken when an
attempt is scheduled, so those that wait out a pause are counted (Envoy's 30205). The floor keeps a quiet client able to
retry at all. An empty bucket suppresses the new attempt and nothing else.

Counted in integers, a token being 10**12: a ratio of 0.1 has no exact binary fraction, and a budget must not drift. Time's
share is reckoned only when a token is asked for; before a withdrawal the order of filling makes no difference, so a call
that succeeds pays one addition.
"""

from typing import NamedTuple

from outlast.policy.checks import check_number, refuse

TOKEN = 10**12
_PER_NANOSECOND = 1_000  # units that one token a second brings in a nanosecond
MAX_BURST = 10_000.0
MIN_FLOOR = 0.001
MAX_FLOOR = 1_000.0
"""Tokens a second. More is no floor but a second ratio."""


class BudgetStats(NamedTuple):
    """What a budget has seen. `tokens` is as of the last withdrawal or deposit."""

    tokens: float
    deposits: int
    granted: int
    refused: int


class Budget:
    """The allowance for retries, hedges and failovers together; give one to several policies and they share it.

    Not safe for threads by itself: policies guard it with one lock for each budget.

    Args:
        ratio: Further attempts per call, within 0 and 1.
        floor: Further attempts a second without any calls; 0, or at least 0.001.
        burst: Further attempts in one go: what the bucket holds, and holds at first.

    Raises:
        InvalidConfig: Lists every fault at once.

    """

    __slots__ = ("__weakref__", "_cap", "_deposit", "_floor", "_refilled", "_tokens", "deposits", "granted", "refused")

    def __init__(self, *, ratio: float = 0.1, floor: float = 1.0, burst: float = 10.0) -> None:
        refuse(
            [
                *check_number("ratio", ratio, low=0, high=1),
                *check_number("floor", floor, low=0, high=MAX_FLOOR),
                *check_number("burst", burst, low=1, high=MAX_BURST),
            ]
            or ([f"floor = {floor} is neither 0 nor at least {MIN_FLOOR:g}"] if 0 < floor < MIN_FLOOR else [])
        )
        self._deposit = int(ratio * TOKEN)
        self._floor = int(floor * _PER_NANOSECOND)
        self._cap = self._tokens = int(burst * TOKEN)
        self._refilled: int | None = None
        self.deposits = self.granted = self.refused = 0

    def __repr__(self) -> str:
        return f"<budget: {self._tokens / TOKEN:.1f} of {self._cap / TOKEN:g} tokens, {self.refused} refused>"

    def stats(self) -> BudgetStats:
        return BudgetStats(self._tokens / TOKEN, self.deposits, self.granted, self.refused)

    def deposit(self) -> None:
        """Add the share of one logical call."""
        self.deposits += 1
        self._tokens = min(self._tokens + self._deposit, self._cap)

    def withdraw(self, now: int) -> bool:
        """Take a token for one further attempt, or say that there is none. A clock that goes back brings nothing."""
        if self._refilled is None or now > self._refilled:
            elapsed = 0 if self._refilled is None else now - self._refilled
            self._tokens = min(self._cap, self._tokens + elapsed * self._floor)
            self._refilled = now
        if self._tokens < TOKEN:
            self.refused += 1
            return False
        self._tokens -= TOKEN
        self.granted += 1
        return True
