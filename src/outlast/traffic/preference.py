"""Which enactor goes first: a preference, never a lock. Safety does not rest on it; it only keeps them from colliding.

Rendezvous hashing (Thaler and Ravishankar, 1998): every enactor ranks all of them for an endpoint by a hash, alone and
without talking, and all come to the same order. The first goes at once, the others stand back a step each, with jitter.
"""

import hashlib
from collections.abc import Iterable


def rank(me: str, peers: Iterable[str], endpoint: str) -> int:
    """My place for `endpoint` among `peers` (0 goes first); I count even if the list forgets me."""
    mine = _weight(me, endpoint)
    return sum(1 for peer in set(peers) - {me} if _weight(peer, endpoint) > mine)


def stand_back(place: int, *, step: int, chance: float) -> int:
    """Nanoseconds to wait at that place: `step` for each one before me, plus up to half of one by `chance` in [0, 1)."""
    return place * step + int(place and step * chance / 2)


def _weight(peer: str, endpoint: str) -> bytes:
    return hashlib.sha256(f"{peer}\0{endpoint}".encode()).digest()
