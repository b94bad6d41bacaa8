"""Which standing orders the latest plan does not follow, and which lifted ones it still does. Pure.

What the planner would make of the orders now is the measure: a floor that keeps a target although it is ordered out is no
fault, and only a planner that does not run leaves the two apart for longer than its interval.
"""

from collections.abc import Iterator
from typing import NamedTuple

from outlast.traffic.drafting import next_entries
from outlast.traffic.messages import InputsRead
from outlast.traffic.orders import ORDERED, ordered_out, pin_of
from outlast.traffic.plan import Entry
from outlast.traffic.topology import Endpoint


class Unfollowed(NamedTuple):
    """An order that the plan of `endpoint` does not show. `order` is its words, empty for one that was lifted."""

    endpoint: str
    order: str
    targets: tuple[str, ...]


def unfollowed(inputs: InputsRead, max_signal_age: int) -> tuple[Unfollowed, ...]:
    """Hold the latest plan against what the planner would publish now; `max_signal_age` is nanoseconds.

    Raises:
        UnsafePlan: A plan made now would be none.

    """
    if inputs.plan is None or not (inputs.orders or _was_ordered(inputs.plan.entries)):
        return ()
    return tuple(it for entry in next_entries(inputs, max_signal_age) for it in _of(inputs, entry))


def _was_ordered(entries: tuple[Entry, ...]) -> bool:
    return any(it.reason.startswith(ORDERED) for entry in entries for it in entry.withheld)


def _of(inputs: InputsRead, draft: Entry) -> Iterator[Unfollowed]:
    endpoint = inputs.topology.endpoint(draft.endpoint)
    planned = inputs.plan.entry(draft.endpoint) if inputs.plan is not None else None
    if endpoint is None or planned is None:
        return
    before, after = set(planned.content.targets), set(draft.content.targets)
    ordered = _ordered(endpoint, inputs)
    was_ordered = {it.address for it in planned.withheld if it.reason.startswith(ORDERED)}
    for order in dict.fromkeys(ordered.values()):
        targets = {address for address, words in ordered.items() if words == order}
        yield from _differing(endpoint, order, (before - after) & targets)
    pin = pin_of(endpoint, inputs.orders)
    if pin is not None and not (before - after) & ordered.keys():
        yield from _differing(endpoint, str(pin), (after - before) & set(pin.addresses))
    if pin is None:
        yield from _differing(endpoint, "", (after - before) & was_ordered)


def _ordered(endpoint: Endpoint, inputs: InputsRead) -> dict[str, str]:
    out = ordered_out(endpoint, inputs.orders)
    return {address: words.removeprefix(ORDERED) for address, words in out.items()}


def _differing(endpoint: Endpoint, order: str, targets: set[str]) -> Iterator[Unfollowed]:
    if targets:
        yield Unfollowed(endpoint.name, order, tuple(sorted(targets)))
