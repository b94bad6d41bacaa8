"""From looks at the control plane to what is worth an alarm. Pure: the looks are somebody else's.

What one look cannot tell comes from comparing looks: when an endpoint was last written is when its sentinel's count of
writes was first seen to rise.
"""

from typing import NamedTuple

from outlast.traffic.assessment import Agreement
from outlast.traffic.ports import Place
from outlast.traffic.sentinel import Sentinel, Standing


class PlaceReading(NamedTuple):
    """One endpoint at one provider. `content` is a digest of what stands there, empty if it could not be read.

    `is_short`: what the plan publishes cannot bear the load. `is_waiting`: an edit waits there for its canary.
    """

    place: Place
    agreement: Agreement
    sentinel: Sentinel | None
    content: str
    addresses: int
    is_short: bool = False
    is_waiting: bool = False


class Snapshot(NamedTuple):
    """One look at everything. `wall` and `plan_at` are wall clock in nanoseconds; `None`: the registry was not reached.

    `signals_at` is when the oldest signal of a target in the file was taken; of each place the newest counts.
    `not_following` counts the endpoints whose plan does not follow an order, `unlisted` the places that are ours and not in
    the file, `elsewhere` the endpoints that the plan has from another file.
    """

    wall: int
    readings: tuple[PlaceReading, ...]
    generation: int | None = None
    plan_at: int | None = None
    reports: int | None = None
    orders: int | None = None
    signals_at: int | None = None
    not_following: int | None = None
    are_probers_silent: bool | None = None
    unlisted: int | None = None
    elsewhere: int | None = None


class Watch:
    """Compares each look with those before it."""

    def __init__(self) -> None:
        self._written: dict[Place, tuple[int, int]] = {}
        self._last: Snapshot | None = None

    def __repr__(self) -> str:
        return f"<watch on {len(self._written)} places>"

    @property
    def last(self) -> Snapshot | None:
        """The latest look."""
        return self._last

    def look(self, snapshot: Snapshot) -> None:
        """Take a new look in."""
        self._last = snapshot
        for reading in snapshot.readings:
            sentinel = reading.sentinel
            if sentinel is not None and self._written.get(reading.place, (0, 0))[0] != sentinel.n:
                self._written[reading.place] = (sentinel.n, snapshot.wall)

    def last_written(self, place: Place) -> int | None:
        """When the place was last seen to be written, wall clock in nanoseconds; the first look counts as such."""
        return self._written[place][1] if place in self._written else None

    def diverging(self) -> dict[str, int]:
        """By endpoint, how many contents its providers answer beyond the one they should all answer."""
        contents: dict[str, set[str]] = {}
        for reading in self._last.readings if self._last is not None else ():
            if reading.content:
                contents.setdefault(reading.place.endpoint, set()).add(reading.content)
        return {endpoint: len(found) - 1 for endpoint, found in contents.items()}

    def not_frozen(self) -> frozenset[Place]:
        """Where an endpoint is not held although it is at another provider: a freeze that did not reach everybody."""
        readings = self._last.readings if self._last is not None else ()
        held = {reading.place.endpoint for reading in readings if _is_held(reading)}
        return frozenset(it.place for it in readings if it.place.endpoint in held and not _is_held(it))


def _is_held(reading: PlaceReading) -> bool:
    return reading.sentinel is not None and reading.sentinel.standing is Standing.HELD
