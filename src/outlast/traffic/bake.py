"""Canary bake: what an edit takes out of many answers leaves one endpoint first. Rule 7 of `planning`.

The idea: an edit of the configuration that takes addresses away is the one change of capacity that no health check has
seen coming, and a slip of the hand makes it everywhere at once. So of all endpoints that one pass finds trimmed, one goes
ahead, the canary; the others keep what they publish until it has baked: `bake` seconds have passed since, and each of
its targets has been healthy for as long, but for those that were out before. Then they all follow.

What never waits: what an edit adds, anything at the first plan, health, evacuation, and whatever a person ordered at that
endpoint; of these the removals follow at once. An edit of one endpoint alone has nobody to wait for. A later edit has a
canary of its own, and one at the canary begins its bake anew.

The history is in the entries of the last plan: `trimmed` at the canary, `waits_for` at the others. Waiting ends with the
bake, with the edit (taken back), with a pin, or with `bake = "0s"`; a canary that is no longer planned binds nobody.
Rejected: holding whole edits back. What an edit adds would wait as well, and regions and TTLs of the last edit would have
to be kept beside the plan to go on judging health by them.
"""

from typing import NamedTuple

from outlast.health.signal import Verdict
from outlast.traffic.content import MAX_VALUES
from outlast.traffic.evacuation import evacuate
from outlast.traffic.evidence import SECOND, Evidence
from outlast.traffic.orders import Order, ordered_out, pin_of
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.topology import Endpoint, Topology


class Trim(NamedTuple):
    """An endpoint whose edit takes published addresses away, and those addresses."""

    endpoint: Endpoint
    previous: Entry
    taken: tuple[str, ...]


def trim_of(
    endpoint: Endpoint,
    previous: Entry | None,
    *,
    evidence: dict[str, Evidence],
    orders: tuple[Order, ...],
    wall: int,
) -> Trim | None:
    """What an edit takes away that may have to wait; `None` if nothing. Of names see `aliases`: there an edit waits anyway."""
    if previous is None or endpoint.has_names or pin_of(endpoint, orders) or ordered_out(endpoint, orders):
        return None
    configured = set(endpoint.addresses)
    taken = [
        address
        for address in previous.content.addresses
        if address not in configured and not (address in evidence and evidence[address].verdict is Verdict.UNHEALTHY)
    ][: MAX_VALUES - len(configured)]
    # Nobody probes an address that is not configured: where a region is going dark, none of them may stay.
    if not taken or (endpoint.probed and evacuate(endpoint, previous, evidence, wall)):
        return None
    return Trim(endpoint, previous, tuple(taken))


def who_waits(
    trims: tuple[Trim, ...], *, topology: Topology, plan: Plan | None, evidence: dict[str, Evidence], wall: int
) -> dict[str, str]:
    """By endpoint, the canary that it waits for."""
    if not topology.bake or plan is None:
        return {}
    waiting, new = {}, []
    for trim in trims:
        canary = trim.previous.waits_for
        endpoint, entry = topology.endpoint(canary), plan.entry(canary)
        if not canary or endpoint is None or entry is None:
            new.append(trim)
        elif not _has_baked(endpoint, entry, evidence, since=wall - int(topology.bake * SECOND)):
            waiting[trim.endpoint.name] = canary
    ahead = min(new, key=lambda trim: _rank(trim, topology.canary), default=None)
    waiting |= {trim.endpoint.name: ahead.endpoint.name for trim in new if ahead is not None and trim is not ahead}
    return waiting


def _rank(trim: Trim, wanted: str) -> tuple[bool, bool, str]:
    # One that is probed says something by staying healthy.
    return trim.endpoint.name != wanted, not trim.endpoint.probed, trim.endpoint.name


def _has_baked(endpoint: Endpoint, entry: Entry, evidence: dict[str, Evidence], *, since: int) -> bool:
    if entry.trimmed > since:
        return False
    # What has left for health since then is what the canary is for: it counts although it is not published any more.
    before = {item.address for item in entry.withheld if item.since < entry.trimmed}
    found = (evidence.get(address) for address in endpoint.addresses if endpoint.probed and address not in before)
    return all(it is not None and it.verdict is Verdict.HEALTHY and it.since <= since for it in found)
