"""What a person tells the planner, and what is remembered of what people did. Values; they live in the registry.

An order stands until it is lifted. It passes every guard but the floors: no health signal, velocity or soak is in its way,
and no endpoint falls below its minimum for it. A `load` that somebody has written down is a floor too, unless the order
says all.
"""

from enum import StrEnum
from typing import NamedTuple

from outlast.traffic.topology import Endpoint

ORDERED = "ordered: "
"""How the reason of an address begins that is left out because a person said so."""


class Kind(StrEnum):
    """What an order is about."""

    EVACUATE = "evacuate"
    """The targets of a region, or one target, leave; as many stay as the rest needs to bear the load."""
    EVACUATE_ALL = "evacuate all of"
    """They leave even if the rest cannot bear the load."""
    PIN = "pin"
    """An endpoint answers these addresses and no others, healthy or not."""
    LEAVE = "leave"
    """The watches of a name that is prepared at Route 53 say that a region is left. No plan changes for it."""


EVACUATIONS = (Kind.EVACUATE, Kind.EVACUATE_ALL)


class Order(NamedTuple):
    """One order. `subject` is a region or an address to leave, empty for a pin; `endpoint` is empty for all endpoints.

    `at` is wall clock in nanoseconds.
    """

    kind: Kind
    subject: str
    endpoint: str
    addresses: tuple[str, ...]
    by: str
    at: int
    reason: str

    @property
    def keys(self) -> tuple[tuple[str, str, str], ...]:
        """Where orders about the same thing stand, this one's first: giving one takes the others' place."""
        kinds = EVACUATIONS if self.kind in EVACUATIONS else (self.kind,)
        others = ((str(kind), self.subject, self.endpoint) for kind in kinds if kind is not self.kind)
        return (self.key, *others)

    @property
    def key(self) -> tuple[str, str, str]:
        """Two orders of one key cannot stand at once: the later replaces the earlier."""
        return self.kind, self.subject, self.endpoint

    def __str__(self) -> str:
        # A pin that is being lifted has neither subject nor addresses.
        what = " ".join(word for word in (self.kind, self.subject, *self.addresses) if word)
        why = f": {self.reason}" if self.reason else ""
        return f"{what}{f' at {self.endpoint}' if self.endpoint else ''} by {self.by}{why}"


class Deed(NamedTuple):
    """One line of the audit log: who did what to what, when (wall clock, nanoseconds), why, and what came of it."""

    at: int
    by: str
    what: str
    subject: str
    why: str
    outcome: str


def ordered_out(endpoint: Endpoint, orders: tuple[Order, ...]) -> dict[str, str]:
    """Which of the endpoint's addresses people have ordered out, and the words for it. A pin goes before evacuations."""
    if not orders:
        return {}
    pin = pin_of(endpoint, orders)
    if pin is not None:
        return {address: f"{ORDERED}{pin}" for address in endpoint.addresses if address not in pin.addresses}
    return {
        target.address: f"{ORDERED}{order}"
        for order in orders
        for target in endpoint.targets
        if order.kind in EVACUATIONS
        and order.endpoint in {"", endpoint.name}
        and order.subject in {target.region, target.address}
    }


def must_leave(endpoint: Endpoint, orders: tuple[Order, ...]) -> frozenset[str]:
    """Which of the endpoint's addresses leave by order, whatever the rest can bear."""
    return frozenset(ordered_out(endpoint, tuple(order for order in orders if order.kind is Kind.EVACUATE_ALL)))


def pin_of(endpoint: Endpoint, orders: tuple[Order, ...]) -> Order | None:
    """The standing pin that says what this endpoint answers. One none of whose addresses is configured any more is none."""
    if not orders:
        return None
    pins = (order for order in orders if order.kind is Kind.PIN and order.endpoint == endpoint.name)
    return next((pin for pin in pins if set(pin.addresses) & set(endpoint.addresses)), None)
