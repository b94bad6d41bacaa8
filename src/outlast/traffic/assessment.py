"""What to make of an endpoint at a provider: the plan, the record and the primary, held against one another. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from outlast.traffic.alarms import leading_nowhere
from outlast.traffic.content import describe, digest, targets_in
from outlast.traffic.evidence import Evidence
from outlast.traffic.ports import Known, Live
from outlast.traffic.sentinel import Corrupt, Sentinel, Standing, UnknownVersion, parse


class Agreement(StrEnum):
    """How the three agree. Only `IN_STEP` needs nobody; of `UNKNOWN` nothing can be said."""

    IN_STEP = "in step"
    BEHIND = "behind"
    AHEAD = "ahead"
    DAMAGED = "damaged"
    UNRECORDED = "unrecorded"
    HELD = "held"
    RETIRED = "retired"
    ABSENT = "absent"
    UNCLAIMED = "unclaimed"
    CORRUPT = "corrupt"
    FOREIGN = "foreign"
    UNPLANNED = "unplanned"
    DANGLING = "dangling"
    """All as planned, and yet clients get nothing: the name that is published has no address behind it."""
    UNLISTED = "unlisted"
    """Ours, and mended by enactors, although outlast.toml does not name it."""
    UNKNOWN = "unknown"


class Assessment(NamedTuple):
    """The verdict and what it means for a person."""

    agreement: Agreement
    words: str


def assess(realm: str, known: Known | str, live: Live | str) -> Assessment:
    """Judge one endpoint at one provider; a text in place of what was asked is why it could not be read."""
    if isinstance(live, str):
        return Assessment(Agreement.UNKNOWN, f"the provider did not answer: {live}")
    seen = parse(live.sentinel)
    match seen:
        case UnknownVersion():
            return Assessment(Agreement.FOREIGN, "a sentinel of a version not known here: upgrade outlast")
        case Corrupt():
            return Assessment(Agreement.CORRUPT, "the sentinel is unreadable: an enactor puts it back")
        case None:
            return _without_sentinel(known, live)
    if seen.realm != realm:
        return Assessment(Agreement.FOREIGN, f"it belongs to the realm {seen.realm!r}: hands off")
    if seen.standing is Standing.RETIRED:
        return Assessment(Agreement.RETIRED, f"retired by {seen.by}: nothing writes to it")
    if digest(live.sets) != seen.digest:
        return Assessment(
            Agreement.DAMAGED, f"records are not what the sentinel names: an enactor mends {seen.standing}"
        )
    if seen.standing is Standing.HELD:
        return Assessment(Agreement.HELD, f"held by {seen.by}; lift it with: outlast thaw")
    if isinstance(known, str):
        return Assessment(Agreement.UNKNOWN, f"records are whole, but the registry did not answer: {known}")
    return _against_plan(seen, known)


def heard(assessment: Assessment, live: Live | str, evidence: Mapping[str, Evidence]) -> Assessment:
    """The same, with what probers say of a name that is published: leading nowhere is worse than being in step."""
    words = "" if isinstance(live, str) else "; ".join(leading_nowhere(targets_in(live.sets), evidence))
    if not words:
        return assessment
    if assessment.agreement is Agreement.IN_STEP:
        return Assessment(Agreement.DANGLING, words)
    return assessment._replace(words=f"{assessment.words}; {words}")


def unlisted(assessment: Assessment, name: str) -> Assessment:
    """The same for a name that is ours and not in the file: nobody plans it, and what is written of it stays."""
    words = f"not in outlast.toml, and still ours: put it back, or let it go with: outlast retire {name}"
    if assessment.agreement in {Agreement.IN_STEP, Agreement.UNPLANNED}:
        return Assessment(Agreement.UNLISTED, words)
    return assessment._replace(words=f"{assessment.words}; {words}")


def _without_sentinel(known: Known | str, live: Live) -> Assessment:
    if isinstance(known, str):
        return Assessment(Agreement.UNKNOWN, f"no sentinel, and the registry did not answer: {known}")
    if known.record is not None and known.record.sentinel.standing is Standing.RETIRED:
        words = f"retired by {known.record.sentinel.by}, and its sentinel is gone: nothing writes to it"
        return Assessment(Agreement.RETIRED, words)
    if live.sets and known.record is None:
        words = f"{describe(live.sets)} is not ours; make it ours with: outlast adopt"
        return Assessment(Agreement.UNCLAIMED, words)
    if known.entry is None and known.record is None:
        return Assessment(Agreement.UNPLANNED, "no plan names it yet: is a planner running?")
    return Assessment(Agreement.ABSENT, "no sentinel: an enactor creates it")


def _against_plan(seen: Sentinel, known: Known) -> Assessment:
    entry = known.entry
    if entry is None:
        return Assessment(Agreement.UNPLANNED, "the latest plan does not name it: is a planner running?")
    if seen.follows(entry.generation, entry.digest):
        return Assessment(Agreement.AHEAD, f"ahead of the plan (gen {entry.generation}): the planner answers")
    if seen.gen < entry.generation:
        return Assessment(Agreement.BEHIND, f"the plan is at gen {entry.generation}: an enactor follows")
    if known.record is None or known.record.sentinel.n < seen.n:
        return Assessment(Agreement.UNRECORDED, "the last write is not recorded yet: an enactor records it")
    return Assessment(Agreement.IN_STEP, "")
