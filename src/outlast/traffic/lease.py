"""A lease with a token that strictly grows: for providers that cannot compare and swap (tiers T3 and T4), and for nothing else.

Theory of operation. The registry holds one row for each name: holder, token, beat, changed by compare and swap. No two
machines' clocks are ever compared. Whoever waits measures, with its own monotonic clock, how long the row has not
changed, and takes over after `ttl` with a larger token; whoever holds counts from before it sent its renewal, stops acting
after a part of `ttl` (`HELD_SHARE`), and renews well before. Clocks need only run about equally fast.

A lease alone is not mutual exclusion: a process that stands still between looking at the clock and sending is not
stopped by it. That is what the token is for, where somebody compares it, and why the tiers that need a lease promise less.

The token grows even if the registry lost the row or was put back in time: it is taken above everything that the keeper has
seen and above what the fenced thing itself shows, which the caller passes as `above`.

A holder that is done gives the row back, with nobody as its holder: the next one need not wait for it to run out.
"""

from typing import NamedTuple

from outlast.traffic.ports import Lease

NOBODY = ""
"""The holder of a row that was given back."""
HELD_SHARE = 0.8
"""The part of `ttl` during which a holder acts; the rest is for clocks that run unequally fast."""
RENEW_SHARE = 0.4
"""The part of `ttl` after which a holder renews: the first failure still leaves time for a second attempt."""


class Keeper(NamedTuple):
    """One who wants a lease. Instants are nanoseconds of its own monotonic clock.

    Args:
        me: Unique to this process and this start of it.
        name: The lease.
        ttl: Nanoseconds that a row must stand unchanged before another takes over.
        row: The row as last seen.
        since: When it was first seen like that.
        until: When what we hold runs out; 0 if we hold nothing.
        highest: The largest token ever seen.

    """

    me: str
    name: str
    ttl: int
    row: Lease | None = None
    since: int = 0
    until: int = 0
    highest: int = 0

    def __repr__(self) -> str:
        state = f"held with token {self.row.token}" if self.until and self.row is not None else "waiting"
        return f"<lease {self.name} for {self.me}: {state}>"


def look(keeper: Keeper, found: Lease | None, *, now: int, above: int = 0) -> tuple[Keeper, Lease | None]:
    """Take note of the row as it was just read; what to store over it, or `None` to leave it alone for now.

    Args:
        keeper: Who looks.
        found: The row.
        now: Before it was asked for, so that a slow answer is not taken for a fresh one.
        above: The largest token that the fenced thing is known to have seen.

    """
    if found != keeper.row or not keeper.since:
        # A renewal whose answer was lost shows as a later beat of our own token: still ours, though not for longer.
        still = keeper.row is not None and found is not None and found[:3] == keeper.row[:3]
        keeper = keeper._replace(row=found, since=max(1, now), until=keeper.until if still else 0)
    keeper = keeper._replace(highest=max(keeper.highest, above, found.token if found is not None else 0))
    unchanged = now - keeper.since
    if found is not None and keeper.until:
        return keeper, found._replace(beat=found.beat + 1) if unchanged >= keeper.ttl * RENEW_SHARE else None
    # A row that is not there is waited for as well: whoever held it before it was lost may not have looked yet.
    is_free = unchanged >= keeper.ttl or (found is not None and found.holder == NOBODY)
    return keeper, Lease(keeper.name, keeper.me, keeper.highest + 1, 0) if is_free else None


def stored(keeper: Keeper, lease: Lease, *, sent: int) -> Keeper:
    """The registry stored `lease`; `sent` is from before it was sent."""
    until = sent + int(keeper.ttl * HELD_SHARE)
    return keeper._replace(row=lease, since=max(1, sent), until=until, highest=max(keeper.highest, lease.token))


def token(keeper: Keeper, *, now: int) -> int:
    """The token to act with, 0 if nothing is held (any more)."""
    return keeper.row.token if keeper.row is not None and now < keeper.until else 0
