"""When the plan protocol is healthy, and when it waits for a person by design, with that person's command."""

from outlast.simulator.plan_layout import REALM, topology
from outlast.simulator.plan_store import Shelf
from outlast.simulator.protocol import Health, Values
from outlast.traffic.content import digest
from outlast.traffic.ports import Live, Record
from outlast.traffic.sentinel import Sentinel, Standing, parse
from outlast.traffic.topology import Topology

UNCLAIMED = "a name that nobody has claimed: outlast adopt"
FOREIGN = "a foreign realm: its owner, or outlast break-glass --take-over"
RETIRED = "a retired name: nothing, or outlast adopt"
HELD = "a hold: outlast thaw"
LOST = "a hold whose content is lost: outlast break-glass"
BROUGHT_BY = {
    UNCLAIMED: {"name-taken", "registry-lost", "registry-restored"},
    FOREIGN: {"realm-taken"},
    RETIRED: {"retirements"},
    HELD: {"freezes", "break-glasses"},
    LOST: {"freezes", "break-glasses"},
}
"""What may wait for a person, and the budgets that can bring it about."""
SICK = Health(is_fine=False)
FINE = Health(is_fine=True)


def health(values: Values, endpoints: tuple[str, ...], *, may_wait: frozenset[str]) -> Health:
    """Of the shelf, the configuration, and each place's DNS and record in turn: one sick place makes a sick state.

    `may_wait`: what this world's people and strangers can bring about. Nothing else may wait for a person.
    """
    shelf, config, rest = values[0], values[1], values[2:]
    wanted = topology(config)
    found = [
        place_health(shelf, wanted, endpoint, rest[2 * at], rest[2 * at + 1]) for at, endpoint in enumerate(endpoints)
    ]
    if not all(item.is_fine and item.waits in may_wait | {""} for item in found):
        return SICK
    return next((item for item in found if item.waits), FINE)


def place_health(shelf: Shelf, wanted: Topology, endpoint: str, live: Live, record: Record | None) -> Health:
    """Healthy: the latest plan is what people have configured last, and stands there, whole, and recorded."""
    seen = parse(live.sentinel)
    if not isinstance(seen, Sentinel):
        if record is not None and record.sentinel.standing is Standing.RETIRED:
            return Health(is_fine=True, waits=RETIRED)
        if record is None and live.sets:
            return Health(is_fine=True, waits=UNCLAIMED)
        return SICK
    if seen.realm != REALM:
        return Health(is_fine=True, waits=FOREIGN)
    if seen.standing is Standing.RETIRED:
        return Health(is_fine=True, waits=RETIRED)
    if seen.standing is Standing.HELD:
        return _held(shelf, endpoint, live, record)
    entry = shelf.latest.entry(endpoint) if shelf.latest is not None else None
    if entry is None or (seen.gen, seen.digest) != (entry.generation, entry.digest):
        return SICK
    configured = wanted.endpoint(endpoint)
    if configured is None or set(entry.content.addresses) != set(configured.addresses):
        return SICK
    is_recorded = record is not None and record.sentinel.n >= seen.n
    return FINE if is_recorded and digest(live.sets) == seen.digest else SICK


def _held(shelf: Shelf, endpoint: str, live: Live, record: Record | None) -> Health:
    seen = parse(live.sentinel)
    assert isinstance(seen, Sentinel)
    if digest(live.sets) == seen.digest:
        return Health(is_fine=True, waits=HELD)
    is_known = record is not None and record.content.digest == seen.digest
    if is_known or shelf.find_content(endpoint, seen.digest) is not None:
        return SICK
    return Health(is_fine=True, waits=LOST)
