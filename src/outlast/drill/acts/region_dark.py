"""Act *region-dark*: everything of one region stands still, and comes back.

us-east-1 is stopped as it stands: service, shipper, planner, enactor, prober. Its connections hang and its listeners
still accept: whoever checks TCP sees a healthy region. Probers elsewhere ask HTTP, a planner and enactors elsewhere
evacuate the endpoint that has targets in both regions; clients of ours are in us-west-2 before that. Some writes may be
accepted in the east only: they are parked. Then the region goes on, with what it was sent while nobody was waiting any
more; it serves again when it has copied what it missed, DNS brings it back, and the parked writes drain.
"""

import contextlib
import math
from dataclasses import dataclass

from outlast.data.region import RegionStore
from outlast.drill import scale
from outlast.drill.acts.scoring import score_act, score_groups
from outlast.drill.addresses import EAST, REGIONS, WEST
from outlast.drill.configuration import DETECTION_SECONDS
from outlast.drill.evidence import Version
from outlast.drill.expectation import at_least, at_most, cut, true
from outlast.drill.load.protected_host import ATTEMPT_TIMEOUT
from outlast.drill.names import DARK, EVERYWHERE, GROUPS, TABLE_GROUPS
from outlast.drill.readback import made_in
from outlast.drill.score import (
    ActScore,
    Expectation,
    GroupScore,
    calls_of,
    empty_samples,
    empty_seconds,
    empty_versions,
    regressions,
    share,
    writes_of,
)
from outlast.drill.stage import NotReached, Stage
from outlast.drill.tail import Line, Tail

NAME = "region-dark"
TITLE = "everything of us-east-1 stands still, and comes back"
PROVES = (
    "A region that hangs instead of failing is noticed by HTTP and left by DNS within seconds, by clients of ours within "
    "one attempt; what only that region may accept waits on the clients' disks and arrives once, and nothing that the "
    "region was sent in vain is carried out late."
)
SECONDS = 18.0
PROTECTED = "outlast"
HOME_SHARE = 0.2
READS_MIN = 0.99
FAILOVER_MAX = ATTEMPT_TIMEOUT + 0.2
DNS_MAX = DETECTION_SECONDS + 2.0
TIMEOUT = 20.0
SWITCH_TIMEOUT = 60.0
"""The clients may first have to work off the retries of the act before; those are given up at the switch."""
SETTLED = 1.0
"""Seconds after DNS has moved: what was on its way arrives."""


@dataclass(slots=True)
class Outage:
    """When the region stopped and went on, and what would have been lost: acknowledged there, and copied nowhere."""

    stopped: float
    copied_late_s: float
    uncopied: dict[str, int]
    made: frozenset[str]
    continued: float = 0.0


def play(stage: Stage) -> ActScore:
    """Play the act and score it.

    Raises:
        NotReached: DNS did not move, or did not come back, or parked writes did not drain.

    """
    world = stage.world
    epoch = world.direct(DARK, watched=EVERYWHERE, home_share=HOME_SHARE)
    stage.until("the clients' first answers", lambda: _all_answered(stage, epoch), timeout=SWITCH_TIMEOUT)
    stage.restart_clock()
    stage.phase("steady")
    stage.tell(f"{EVERYWHERE} answers both regions; each copies its writes to the other.")
    stage.wait(stage.pace.steady)
    try:
        outage = _stop(stage, epoch)
        _evacuated(stage, outage)
        stage.wait(stage.pace.dark)
    finally:
        continued = world.continue_region(EAST)
    outage.continued = continued
    _come_back(stage, outage)
    end = stage.settle()
    # A write that began before the end may have been parked after the others were drained.
    with contextlib.suppress(NotReached):  # the score says what is missing
        _until_drained(stage, end=end)
    return _score(stage, outage, end=end)


def _all_answered(stage: Stage, epoch: int) -> bool:
    # Every host of every group: an act must not be charged for the switch of names before it.
    answered = (
        {call["host"] for call in calls if call["epoch"] == epoch and call["ok"]}
        for calls in stage.world.evidence.calls.values()
    )
    return all(len(hosts) == scale.CACHES for hosts in answered)


def _stop(stage: Stage, epoch: int) -> Outage:
    stage.phase("us-east-1 is dark")
    world = stage.world
    stopped = world.stop_region(EAST)
    with RegionStore(world.folder / f"{EAST}.db", EAST) as store:
        lag = store.lag(WEST)
        made = made_in(store)
    keys = made[len(made) - lag.writes :]
    groups = [group for group in GROUPS if group not in TABLE_GROUPS]
    uncopied = {group: sum(f"-{group}-{epoch}-" in key for key in keys) for group in groups}
    stage.tell(
        f"All of {EAST} is stopped: service, DynamoDB stand-in, shipper, planner, enactor, prober. "
        f"TCP still connects. {lag.writes} acknowledged writes are not copied yet: lost, if it never came back."
    )
    return Outage(stopped, lag.seconds, uncopied, frozenset(made))


def _evacuated(stage: Stage, outage: Outage) -> None:
    stage.until(f"{EVERYWHERE} to answer {WEST} alone", lambda: _moved(stage, outage) is not None, timeout=TIMEOUT)
    moved = _moved(stage, outage)
    assert moved is not None
    stage.tell(
        f"Two probers elsewhere see {EAST} fail and {WEST} answer: evacuated in one step. DNS answers {WEST} alone, "
        f"{moved.at - outage.stopped:.1f} s after the stop."
    )
    stage.wait(SETTLED)


def _come_back(stage: Stage, outage: Outage) -> None:
    stage.phase("us-east-1 comes back")
    stage.tell(f"{EAST} goes on where it stood, with all that it was sent meanwhile.")
    stage.until("the east to have caught up", lambda: _ready_at(stage, outage) is not None, timeout=TIMEOUT)
    stage.tell(f"It has dropped {len(_expired(stage))} late requests and copied what it missed; it serves again.")
    stage.until(f"{EVERYWHERE} to answer both regions", lambda: _back(stage, outage) is not None, timeout=TIMEOUT)
    stage.tell("Probers have seen it healthy for long enough: DNS answers both regions.")
    _until_drained(stage, end=math.inf)
    stage.tell("Every parked write has been delivered to its home.")


# ------------------------------------------------------------------------------------------------ what is looked at


def _versions(stage: Stage) -> list[Version]:
    return stage.world.evidence.versions(EVERYWHERE)


def _moved(stage: Stage, outage: Outage) -> Version | None:
    """The first version without an address of the region that stopped."""
    gone = set(REGIONS[EAST])
    return next((v for v in _versions(stage) if v.at >= outage.stopped and not gone & set(v.addresses)), None)


def _back(stage: Stage, outage: Outage) -> Version | None:
    """The first version after its return with an address of it."""
    found = set(REGIONS[EAST])
    return next((v for v in _versions(stage) if v.at >= outage.continued and found & set(v.addresses)), None)


def _service_lines(stage: Stage) -> list[Line]:
    return Tail(stage.world.folder / f"service-{EAST}.jsonl").read()


def _ready_at(stage: Stage, outage: Outage) -> float | None:
    lines = _service_lines(stage)
    return next((line["t"] for line in lines if line["event"] == "ready again" and line["t"] > outage.continued), None)


def _expired(stage: Stage) -> list[Line]:
    # Requests of clients; batches that came too late are dropped in the same way, and are not what is claimed.
    lines = _service_lines(stage)
    return [line for line in lines if line["event"] == "expired" and line["path"].startswith("/kv/")]


def _until_drained(stage: Stage, *, end: float) -> None:
    """Wait until all writes that began before `end`, and are known to be parked, have been delivered."""
    stage.until("the parked writes to drain", lambda: _is_drained(stage, end), timeout=TIMEOUT)


def _is_drained(stage: Stage, end: float) -> bool:
    evidence = stage.world.evidence
    parked = writes_of(evidence, PROTECTED, start=stage.start, end=end).parked
    return parked <= evidence.drained[PROTECTED].keys()


# ------------------------------------------------------------------------------------------------------- the score


def _score(stage: Stage, outage: Outage, *, end: float) -> ActScore:
    versions = _versions(stage)
    figures = {
        group: {"rpo_writes": writes, "replication_lag_s": cut(outage.copied_late_s), "made_before": outage.made}
        for group, writes in outage.uncopied.items()
    }
    groups = score_groups(stage, end=end, fault_at=outage.stopped, figures=figures)
    ours = next(group for group in groups if group.group == PROTECTED)
    samples = [s for s in stage.world.evidence.samples if s["name"] == EVERYWHERE and s["t"] >= stage.start]
    return score_act(
        stage,
        proves=PROVES,
        end=end,
        versions=versions,
        groups=groups,
        empty_answers=empty_samples(samples),
        empty_seconds=empty_seconds(versions, end=end),
        generation_regressions=regressions(versions),
        expectations=(
            *_clients(ours, calls_of(stage.world.evidence, PROTECTED, start=stage.start, end=end)),
            *_writes(ours),
            *_dns(stage, outage),
            at_least("late requests that the east found on its return and dropped as expired", len(_expired(stage)), 1),
        ),
    )


def _clients(ours: GroupScore, calls: list[Line]) -> tuple[Expectation, ...]:
    reads = [call for call in calls if call["kind"] == "read"]
    return (
        at_least(f"{PROTECTED}: share of reads answered", share(reads), READS_MIN, unit=f"of {len(reads)} reads"),
        at_most(
            f"{PROTECTED}: failover of the slowest host, one attempt's timeout and 0.2 s",
            ours.failover_s,
            FAILOVER_MAX,
            unit="s",
        ),
    )


def _writes(ours: GroupScore) -> tuple[Expectation, ...]:
    kept = f"of {ours.writes_acked + ours.parked} acknowledged or parked"
    return (
        at_most(f"{PROTECTED}: writes lost", ours.writes_lost, 0, unit=kept),
        at_most(
            f"{PROTECTED}: writes accepted by two homes, but for those made and not answered when the east stopped",
            _made_late(ours),
            0,
            unit=f"{kept}, {ours.writes_in_doubt} in doubt",
        ),
        true(
            f"{PROTECTED}: what was parked is drained",
            f"{ours.drained} of {ours.parked}",
            held=0 < ours.parked == ours.drained,
        ),
    )


def _made_late(score: GroupScore) -> int | None:
    if score.writes_duplicated is None or score.writes_in_doubt is None:
        return None
    return score.writes_duplicated - score.writes_in_doubt


def _dns(stage: Stage, outage: Outage) -> tuple[Expectation, ...]:
    versions = _versions(stage)
    moved, back, ready = _moved(stage, outage), _back(stage, outage), _ready_at(stage, outage)
    waited = back.at - ready if back is not None and ready is not None else None
    return (
        at_most(
            f"seconds from the stop until DNS answers {WEST} alone: detection {DETECTION_SECONDS:g} s and 2 s",
            cut(moved.at - outage.stopped) if moved is not None else None,
            DNS_MAX,
            unit="s",
        ),
        at_least("seconds by which DNS's return follows the copy's", cut(waited), 0.0, unit="s"),
        at_most("zone versions without an address", empty_versions(versions), 0, unit=f"of {len(versions)} versions"),
        at_most(
            "zone versions with an older generation", regressions(versions), 0, unit=f"of {len(versions)} versions"
        ),
    )
