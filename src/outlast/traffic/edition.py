"""Which file a plan follows, and what a planner does whose own file is an older one.

Two planners run from two files, and an edit reaches one before the other. If each planned by its own file, each would
undo the other's edit at every pass, for as long as the files differ, and DNS would swing between them. So a plan says
which edition of the configuration it follows, and the planner with the older one stands back from all that the files
say differently: it changes nobody's membership. What health and people ask of the targets that both files know it
still does, so that an outage in the middle of a roll-out is not waited out.

It stands back until its file says the same, or is written anew: then it is the newer one. Rejected: the generation
decides, since a planner that is restarted cannot tell an edit from an old file; a number that people must raise in the
file, since it is forgotten.
"""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from hashlib import sha256

from outlast.traffic.guards import UNCONFIGURED
from outlast.traffic.messages import InputsRead, Note
from outlast.traffic.plan import Entry
from outlast.traffic.topology import Edition, Endpoint, Topology

_WRITTEN = tuple(item.name for item in fields(Endpoint) if item.init and item.name != "targets")


def digest_of(topology: Topology) -> str:
    """What tells a topology from every other one: equal ones have equal digests, in whatever order they were written."""
    found = sha256(json.dumps([topology.realm, topology.bake, topology.canary]).encode())
    for endpoint in sorted(topology.endpoints, key=lambda it: it.name):
        targets = sorted((it.address, it.region, it.zone, it.cloud, it.capacity) for it in endpoint.targets)
        found.update(json.dumps([*(getattr(endpoint, name) for name in _WRITTEN), targets]).encode())
    return found.hexdigest()[:32]


def carried(inputs: InputsRead, *, me: str) -> Edition:
    """The edition that the next plan follows: that of the inputs, or what the last plan says of the same one."""
    edition = inputs.topology.edition
    mine = edition if edition.by or not edition.digest else edition._replace(by=me)
    if inputs.plan is None or inputs.plan.edition.digest != mine.digest:
        return mine
    return max(mine, inputs.plan.edition, key=lambda it: it.since)


def is_overtaken(mine: Edition, theirs: Edition, *, me: str, wall: int) -> bool:
    """Whether theirs is another file's edition, and newer than mine.

    A planner is never overtaken by itself, nor by a file of the future: a clock that is set back must not stop it.
    """
    is_other = bool(mine.digest and theirs.digest) and mine.digest != theirs.digest and theirs.by != me
    return is_other and (mine.since, mine.digest) < (theirs.since, theirs.digest) and theirs.since <= wall


def standing_back(inputs: InputsRead, *, me: str) -> tuple[InputsRead, tuple[Note, ...]]:
    """What a planner goes by: the inputs as they are or, if its file is overtaken, what of it agrees with the plan."""
    plan, mine = inputs.plan, inputs.topology.edition
    if plan is None or not is_overtaken(mine, plan.edition, me=me, wall=inputs.wall):
        return inputs, ()
    shared = {
        entry.endpoint: endpoint
        for entry in plan.entries
        if (endpoint := _as_planned(inputs.topology.endpoint(entry.endpoint), entry)) is not None
    }
    reports = tuple(it for it in inputs.reports if inputs.topology.endpoint(it.endpoint) is not None)
    others = frozenset(entry.endpoint for entry in plan.entries if entry.endpoint not in shared)
    topology = replace(inputs.topology, endpoints=tuple(shared.values()), bake=0.0, canary="", edition=plan.edition)
    return inputs._replace(topology=topology, reports=reports, untouched=others), (_alarm(mine, plan.edition),)


def _as_planned(mine: Endpoint | None, entry: Entry) -> Endpoint | None:
    """My endpoint with the targets that the plan has; `None` if some are unknown to me, or if a canary is waited for."""
    if mine is None or entry.waits_for:
        return None
    theirs = {*entry.content.targets, *(it.address for it in entry.withheld if it.reason != UNCONFIGURED)}
    if not theirs <= set(mine.addresses):
        return None
    ttl = entry.content.sets[0].ttl
    if (len(theirs), ttl, entry.min_addresses) == (len(mine.addresses), mine.ttl, mine.min_addresses):
        return mine
    targets = tuple(target for target in mine.targets if target.address in theirs)
    return replace(mine, targets=targets, ttl=ttl, min_addresses=entry.min_addresses)


def _alarm(mine: Edition, theirs: Edition) -> Note:
    what = f"the plan follows the file that {theirs.by} has since {_day(theirs)}, mine is of {_day(mine)}"
    fix = "give this planner that file; or write this one anew, if it is the right one"
    return Note(
        "this planner's file is overtaken", f"{what}: what it says differently is not followed; {fix}", alarm=True
    )


def _day(edition: Edition) -> str:
    return f"{datetime.fromtimestamp(edition.since // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S} UTC"
