"""Which file a plan follows, and what a planner does whose own file is an older one.

Two planners run from two files, and an edit reaches one before the other. If each planned by its own file, each would
undo the other's edit at every pass, for as long as the files differ, and DNS would swing between them. So a plan says
which edition of the configuration it follows, and each entry from what it was planned; the planner with the older file
leaves alone every endpoint of which the files do not say the same. The others it goes on planning, so that an outage in
the middle of a roll-out is not waited out.

It stands back until its file says the same, or is written anew: then it is the newer one. Rejected: the generation
decides, since a planner that is restarted cannot tell an edit from an old file; a number that people must raise in the
file, since it is forgotten; going on with those targets that both files know, since a region, a load or a soak that
differ are enough to disagree about them for ever (one random pair of files in eight did).
"""

import json
from dataclasses import fields, replace
from hashlib import blake2b

from outlast.traffic.messages import InputsRead, Note
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.topology import Edition, Endpoint, Topology

SKEW = 3_600_000_000_000
"""Nanoseconds: an hour. A clock that is ahead makes files look newer than they are, and more so than this is plain."""
_WRITTEN = tuple(item.name for item in fields(Endpoint) if item.init and item.name != "targets")


def with_edition(topology: Topology, since: int, *, by: str = "", known: Topology | None = None) -> Topology:
    """The same with its edition: what its file says, in whatever order, since when, and whose file it is.

    Args:
        topology: What the file says.
        since: Since when it says so: wall clock, nanoseconds.
        by: Whose file it is, for people; no two files may have the same.
        known: Digests of endpoints that it has, the same objects, are taken from there.

    """
    at_hand = {id(it): known.digests.get(it.name) for it in known.endpoints} if known is not None else {}
    digests = {it.name: at_hand.get(id(it)) or _digest_of(it) for it in topology.endpoints}
    whole = [topology.realm, topology.bake, topology.canary, sorted(digests.items())]
    return replace(topology, edition=Edition(_digest(whole), since, by), digests=digests)


def _digest_of(endpoint: Endpoint) -> str:
    targets = sorted((it.address, it.region, it.zone, it.cloud, it.capacity) for it in endpoint.targets)
    return _digest([*(getattr(endpoint, name) for name in _WRITTEN), targets])


def _digest(said: object) -> str:
    return blake2b(json.dumps(said).encode(), digest_size=8).hexdigest()


def differing(topology: Topology, plan: Plan | None) -> tuple[str, ...]:
    """The endpoints of which this topology does not say what the plan was made from, by name."""
    digests = {it.name: _digest_of(it) for it in topology.endpoints}
    entries = plan.entries if plan is not None else ()
    return tuple(
        it.endpoint for it in entries if it.configured and digests.get(it.endpoint, it.configured) != it.configured
    )


def carried(inputs: InputsRead) -> Edition:
    """The edition that the next plan follows: that of the inputs, or what the last plan says of the same one."""
    mine, plan = inputs.topology.edition, inputs.plan
    if plan is None or plan.edition.digest != mine.digest:
        return mine
    return max(mine, plan.edition, key=lambda it: it.since)


def is_overtaken(mine: Edition, theirs: Edition, *, wall: int) -> bool:
    """Whether theirs is another file's edition, and newer than mine.

    A file is never overtaken by itself, nor by a file of the future: a clock that was wrong once must not stop it for
    ever. Clocks may differ by `SKEW`.
    """
    is_other = bool(mine.digest and theirs.digest) and mine.digest != theirs.digest and theirs.by != mine.by
    return is_other and (mine.since, mine.digest) < (theirs.since, theirs.digest) and theirs.since <= wall + SKEW


def standing_back(inputs: InputsRead) -> tuple[InputsRead, tuple[Note, ...]]:
    """What a planner goes by: the inputs as they are or, if its file is overtaken, what of it agrees with the plan."""
    plan, mine = inputs.plan, inputs.topology.edition
    if plan is None or not is_overtaken(mine, plan.edition, wall=inputs.wall):
        return inputs, ()
    shared = {
        entry.endpoint: endpoint
        for entry in plan.entries
        if (endpoint := _as_planned(inputs.topology, entry)) is not None
    }
    reports = tuple(it for it in inputs.reports if inputs.topology.endpoint(it.endpoint) is not None)
    others = frozenset(entry.endpoint for entry in plan.entries if entry.endpoint not in shared)
    topology = replace(inputs.topology, endpoints=tuple(shared.values()), bake=0.0, canary="", edition=plan.edition)
    return inputs._replace(topology=topology, reports=reports, untouched=others), (_alarm(mine, plan.edition),)


def _as_planned(topology: Topology, entry: Entry) -> Endpoint | None:
    """My endpoint if the plan's was the same; `None` if not, or if it waits for a canary of which my file knows nothing."""
    is_same = bool(entry.configured) and topology.digests.get(entry.endpoint) == entry.configured
    return topology.endpoint(entry.endpoint) if is_same and not entry.waits_for else None


def _alarm(mine: Edition, theirs: Edition) -> Note:
    what = f"the plan follows the file of {theirs}, and {mine.by} is of {mine.day}"
    fix = "give this planner that file; or, if this one is right, write it anew (touch)"
    return Note("this planner's file is overtaken", f"{what}: where they differ it is left to that; {fix}", alarm=True)
