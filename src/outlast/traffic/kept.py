"""What a plan publishes although people ordered it out, and which floor keeps it. Pure.

A floor is said to keep a target if the plan would be below it without that one. Where none is, and the plan is the latest,
the planner has not followed the order yet (`unfollowed`).
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from outlast.traffic.content import family_of
from outlast.traffic.orders import ORDERED, Order, must_leave, ordered_out
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.topology import Endpoint, Topology


class Floor(StrEnum):
    """What no order passes, but for the load, which an order for all of a region does."""

    MIN_ADDRESSES = "min_addresses"
    FAMILY = "family"
    LOAD = "load"


class Kept(NamedTuple):
    """A target that is published against `order`, which is its words."""

    endpoint: str
    address: str
    order: str
    floors: tuple[Floor, ...]

    def __str__(self) -> str:
        why = f"kept by {', '.join(self.floors)}" if self.floors else "the planner has not followed yet"
        return f"{self.address} is published although ordered out ({self.order}): {why}"


def all_kept(topology: Topology, plan: Plan | None, orders: tuple[Order, ...]) -> tuple[Kept, ...]:
    """Of every endpoint of a plan."""
    if plan is None or not orders:
        return ()
    pairs = ((topology.endpoint(entry.endpoint), entry) for entry in plan.entries)
    return tuple(it for endpoint, entry in pairs if endpoint is not None for it in kept(endpoint, entry, orders))


def kept(endpoint: Endpoint, entry: Entry, orders: tuple[Order, ...]) -> tuple[Kept, ...]:
    """Of one endpoint, whose entry it is."""
    ordered, leaving = ordered_out(endpoint, orders), must_leave(endpoint, orders)
    return tuple(
        Kept(
            endpoint.name,
            it,
            ordered[it].removeprefix(ORDERED),
            tuple(_floors(endpoint, entry, it, has_load=bool(entry.shortage) and it not in leaving)),
        )
        for it in entry.content.targets
        if it in ordered
    )


def _floors(endpoint: Endpoint, entry: Entry, address: str, *, has_load: bool) -> Iterator[Floor]:
    rest = [it for it in entry.content.targets if it != address]
    if len(rest) < endpoint.min_addresses:
        yield Floor.MIN_ADDRESSES
    # Of names one is published, whatever it is.
    if not endpoint.has_names and family_of(address) not in map(family_of, rest):
        yield Floor.FAMILY
    if has_load:
        yield Floor.LOAD
