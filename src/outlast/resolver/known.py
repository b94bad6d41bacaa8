"""What is remembered of a name: each address that an upstream gave, when, and how often that was confirmed.

An address is last-known-good after two sightings some minutes apart, or if it is among the first ever seen of its name,
because then there is nothing better. One odd answer between good ones therefore never becomes what is trusted in an
outage. Only positive answers teach; a negative one changes nothing here. Times are seconds since 1970, because what is
remembered outlives the process.
"""

import ipaddress
from typing import NamedTuple

from outlast.resolver.reading import MAX_ADDRESSES

CONFIRMATIONS = 2


class Sighting(NamedTuple):
    """One address of a name. `counted` is when the last confirmation was counted; `is_first`: of the first answer ever."""

    address: str
    first: float
    last: float
    counted: float
    times: int
    is_first: bool

    @property
    def is_good(self) -> bool:
        """Whether it may be answered as last-known-good."""
        return self.is_first or self.times >= CONFIRMATIONS


class Known(NamedTuple):
    """All that is remembered of a name; `last` is when an upstream last gave an address for it."""

    name: str
    last: float
    sightings: tuple[Sighting, ...]

    @property
    def current(self) -> tuple[str, ...]:
        """The addresses of the last positive answer."""
        return tuple(item.address for item in self.sightings if item.last == self.last)


def learn(known: Known | None, name: str, addresses: tuple[str, ...], *, wall: float, gap: float) -> Known:
    """Remember one positive answer.

    Args:
        known: What was remembered before.
        name: The name.
        addresses: What the answer gave, at least one.
        wall: Now, in seconds since 1970.
        gap: Seconds that must lie between two sightings for the later one to confirm the address.

    """
    before = {item.address: item for item in known.sightings} if known is not None else {}
    seen = tuple(_seen(before.get(item), item, wall, gap=gap, is_first=known is None) for item in addresses)
    older = tuple(item for item in before.values() if item.address not in set(addresses))
    # What was seen last stays if there are too many.
    kept = sorted(older, key=lambda item: item.last, reverse=True)[: max(0, MAX_ADDRESSES - len(seen))]
    return Known(name, wall, (*seen, *(item._replace(last=min(item.last, wall - 1e-6)) for item in kept)))


def _seen(before: Sighting | None, address: str, wall: float, *, gap: float, is_first: bool) -> Sighting:
    if before is None:
        return Sighting(address, first=wall, last=wall, counted=wall, times=1, is_first=is_first)
    # A clock that was set back must not stop confirmations for ever.
    is_confirmed = wall - before.counted >= gap or wall < before.counted
    if is_confirmed:
        return before._replace(last=wall, counted=wall, times=min(before.times + 1, CONFIRMATIONS))
    return before._replace(last=wall)


def tiers(known: Known | None, *, wall: float, keep: float, is_verified: bool) -> tuple[tuple[str, ...], ...]:
    """The addresses that may be answered as last-known-good, best first, in groups to try one after the other.

    First what is good and was in the last answer, then what is good and older. If somebody checks them, what was only
    seen once comes last: an address that answers for the name is better than none.

    Args:
        known: What is remembered.
        wall: Now, in seconds since 1970.
        keep: Seconds since it was last seen after which an address is given up.
        is_verified: Whether addresses are checked before they are answered.

    """
    if known is None:
        return ()
    living = tuple(item for item in known.sightings if wall - item.last <= keep and not _is_null(item.address))
    newest = tuple(item.address for item in living if item.is_good and item.last == known.last)
    older = tuple(item.address for item in living if item.is_good and item.last != known.last)
    unproven = tuple(item.address for item in living if not item.is_good) if is_verified else ()
    return tuple(group for group in (newest, older, unproven) if group)


def forget_before(known: Known, wall: float) -> Known | None:
    """What is left after a person asked at `wall` to forget the name: only what was seen later, as if for the first time."""
    left = tuple(item for item in known.sightings if item.last > wall)
    return known._replace(sightings=left) if left else None


def merged(mine: Known, theirs: Known) -> Known:
    """What two processes that share a file know together of one name."""
    newer, older = (mine, theirs) if mine.last >= theirs.last else (theirs, mine)
    known = {item.address: item for item in newer.sightings}
    for item in older.sightings:
        have = known.get(item.address)
        known[item.address] = item if have is None else _joined(have, item)
    ordered = sorted(known.values(), key=lambda item: item.last, reverse=True)
    return newer._replace(sightings=tuple(ordered[:MAX_ADDRESSES]))


def _joined(one: Sighting, other: Sighting) -> Sighting:
    return Sighting(
        one.address,
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        counted=max(one.counted, other.counted),
        times=max(one.times, other.times),
        is_first=one.is_first or other.is_first,
    )


def _is_null(address: str) -> bool:
    return ipaddress.ip_address(address).is_unspecified
