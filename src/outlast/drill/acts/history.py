"""Act *history*: the automation of 20 October 2025 in one timeline with careful clients. The record goes empty.

The interleaving is forced. C has passed its one-time freshness check and stops before it builds its tree. A installs a
much newer plan and stops before it lists what to clean. B stops before it installs. C goes on: the record goes back to
C's old plan. A goes on: its clean-up deletes that plan's tree, for it is old; the record answers NOERROR with nothing.
B goes on: it must set the rollback alias to the target that is gone, and the provider refuses, now and for ever.

While the record is empty the eastern region's listeners go away for some seconds, too: remembered addresses alone must
not save anybody then.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from outlast.drill import holds, scale
from outlast.drill.acts.pieces import enough, kept, resolver_alone, unmoved
from outlast.drill.acts.scoring import score_act, score_groups
from outlast.drill.acts.silence import Silence, fall_silent
from outlast.drill.addresses import REGIONS
from outlast.drill.evidence import Version
from outlast.drill.expectation import at_least, at_most, cut, true
from outlast.drill.names import HAZARDS, HISTORY, OPERATOR, REALM
from outlast.drill.score import (
    ActScore,
    Expectation,
    calls_of,
    empty_samples,
    empty_seconds,
    first_empty,
    first_success,
    recovery_by_cache,
    regressions,
    share,
)
from outlast.drill.stage import NotReached, Stage
from outlast.drill.tail import Line
from outlast.drill.world import World
from outlast.incidents.store import PlanStore

NAME = "history"
TITLE = "the automation of 20 October 2025, its race forced"
PROVES = (
    "One stale write and one clean-up empty a healthy service's record, every automation is stuck for ever, and "
    "careful clients stay dark even after the repair, for as long as they remember the empty answer. Clients that keep "
    "what they knew, and have somewhere else to go, do not notice."
)
SECONDS = 42.0
A, B, C = HAZARDS
OLD, NEW, NEXT, LATER = 110, 145, 146, 400
PLAN_EVERY = 0.05
WALK_EVERY = 0.4
FORCE_TIMEOUT = 20.0
STUCK_MIN = 3
"""Refused transactions that show the stuck state: one for each enactor."""
ANSWERED_MAX = 0.05
COMMAND_TIMEOUT = 20.0


def play(stage: Stage) -> ActScore:
    """Play the act and score it.

    Raises:
        NotReached: The race could not be forced.

    """
    world = stage.world
    _start_automation(stage)
    epoch = world.direct(HISTORY)
    _warm_up(stage, epoch)
    stage.phase("steady")
    stage.tell(f"The automation of 2025 runs: three enactors, plan {OLD - 1} is live. All calls are answered.")
    stage.wait(stage.pace.steady)
    _force_the_race(stage)
    silence = _stay_empty(stage)
    _repair(stage)
    return _score(stage, silence, end=stage.settle())


def _warm_up(stage: Stage, epoch: int) -> None:
    # Connections open, caches filled; the act's time begins when every group has been answered.
    def answered() -> bool:
        calls = stage.world.evidence.calls.values()
        return all(any(call["epoch"] == epoch and call["ok"] for call in group) for group in calls)

    stage.until("the clients' first answers", answered, timeout=FORCE_TIMEOUT)
    stage.restart_clock()


def _start_automation(stage: Stage) -> None:
    world = stage.world
    stage.phase("starting the automation of 2025")
    endpoint = f"{HISTORY.east}."
    planner = {
        "plans": str(_plans(world)),
        "first": OLD - 1,
        "ceiling": OLD - 1,
        "every": PLAN_EVERY,
        "endpoints": {endpoint: list(REGIONS["us-east-1"])},
        "role": "hazard-planner",
    }
    _start_role(world, "hazard-planner", "planner", planner)
    for role in HAZARDS:
        enactor = {
            "role": role,
            "nameserver": "127.0.0.1",
            "port": world.port,
            "zone": f"{HISTORY.zone}.",
            "key_name": f"{role}.",
            "key_secret": world.keys.secret(role),
            "plans": str(_plans(world)),
            "trace": str(world.folder / f"{role}.trace"),
            "every": WALK_EVERY,
            "ttl": scale.RECORD_TTL,
        }
        _start_role(world, role, "enactor", enactor)
    stage.until("the first plan of 2025", lambda: bool(_versions(stage)), timeout=FORCE_TIMEOUT)


def _start_role(world: World, name: str, kind: str, options: dict[str, Any]) -> None:
    path = world.folder / f"{name}.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(options), encoding="utf-8")
    arguments = (kind, "--options", str(path), "--holds", str(world.holds))
    world.crew.start(name, "outlast.drill.hazard", *arguments)


def _plans(world: World) -> Path:
    return world.folder / "plans"


# --------------------------------------------------------------------------------------------------- the race


def _force_the_race(stage: Stage) -> None:
    stage.phase("forced race")
    plans = PlanStore(_plans(stage.world))
    # A and B must not take C's plan away, nor B A's: both stop before they fetch, and are told later where to stop next.
    for role in (A, B):
        _hold(stage, role, "FetchLatestPlan", None)
        _until_held(stage, role)
    _hold(stage, C, "BuildTree", OLD)
    plans.raise_ceiling(OLD)
    _until_held(stage, C)
    stage.tell(
        f"C finds plan {OLD} newer than what is live, once and for all, and is stopped before it builds its tree."
    )
    plans.raise_ceiling(NEW)
    stage.until(f"plan {NEW}", lambda: plans.numbers()[-1] == NEW, timeout=FORCE_TIMEOUT)
    _release(stage, A, then=holds.Hold(effect="ListTrees", where={"plan": NEW}))
    _until_held(stage, A)
    stage.tell(f"Plans go on to {NEW}. A installs {NEW} and is stopped before it lists what to clean up.")
    plans.raise_ceiling(NEXT)
    stage.until(f"plan {NEXT}", lambda: plans.numbers()[-1] == NEXT, timeout=FORCE_TIMEOUT)
    _release(stage, B, then=holds.Hold(effect="BuildTree", where={"plan": NEXT}))
    _until_held(stage, B)
    stage.tell(f"B takes plan {NEXT} and is stopped before it installs it.")
    _release(stage, C, then=holds.Hold(effect="FetchLatestPlan"))
    stage.until(f"plan {OLD} to be live again", lambda: _versions(stage)[-1].generation == OLD, timeout=FORCE_TIMEOUT)
    stage.tell(f"C goes on and installs plan {OLD} over plan {NEW}: nothing checks again.")
    _release(stage, A)
    stage.until("the record to go empty", lambda: not _versions(stage)[-1].addresses, timeout=FORCE_TIMEOUT)
    stage.tell(f"A goes on: plan {OLD} is far older than its own {NEW}, so its tree is deleted. The record is EMPTY.")
    plans.raise_ceiling(LATER)
    _release(stage, B)
    _release(stage, C)


def _hold(stage: Stage, role: str, effect: str, plan: int | None) -> None:
    where = {} if plan is None else {"plan": plan}
    holds.arm(stage.world.holds, role, effect, where=where)


def _until_held(stage: Stage, role: str) -> None:
    stage.until(f"{role} to be held", lambda: holds.is_held(stage.world.holds, role), timeout=FORCE_TIMEOUT)


def _release(stage: Stage, role: str, *, then: holds.Hold | None = None) -> None:
    holds.release(stage.world.holds, role, stage.world.crew.pid(role), then=then)


def _versions(stage: Stage) -> list[Version]:
    return stage.world.evidence.versions(HISTORY.east)


# ----------------------------------------------------------------------------------------- stuck, and the repair


def _stay_empty(stage: Stage) -> Silence:
    stage.phase("empty and stuck")
    empty = _first_empty(stage)
    stage.until(
        f"{STUCK_MIN} refused transactions",
        lambda: len(_stuck(stage, empty.at)) >= STUCK_MIN,
        timeout=FORCE_TIMEOUT,
    )
    stage.tell(f"B and all others install in vain: {_stuck(stage, empty.at)[0].reason}")
    _wait_since(stage, empty.at, scale.CONNECTION_AGE + scale.RECORD_TTL)
    silence = fall_silent(stage)
    stage.phase("empty and stuck")
    _wait_since(stage, empty.at, stage.pace.empty)
    return silence


def _wait_since(stage: Stage, instant: float, seconds: float) -> None:
    stage.wait(max(0.0, instant + seconds - time.monotonic()))


def _first_empty(stage: Stage) -> Version:
    found = first_empty(_versions(stage))
    if found is None:
        raise NotReached("the record never went empty")
    return found


def _stuck(stage: Stage, since: float) -> list[Any]:
    return [
        item for item in stage.world.evidence.refusals(since=since) if item.rcode == "REFUSED" and item.key in HAZARDS
    ]


def _repair(stage: Stage) -> None:
    stage.phase("repair")
    stage.world.crew.dismiss(*HAZARDS, "hazard-planner")
    stage.tell("A person stops the automation and takes the name over with: outlast break-glass --take-over --apply")
    _break_glass(stage)
    stage.until("the repair", lambda: bool(_versions(stage)[-1].addresses), timeout=FORCE_TIMEOUT)
    stage.phase("negative tail")
    stage.tell("The record is right again. The clients remember the empty answer until their negative TTL is over.")
    stage.wait(stage.pace.negative_ttl + 2.0)


def _break_glass(stage: Stage) -> None:
    world = stage.world
    addresses = [part for address in REGIONS["us-east-1"] for part in ("--address", address)]
    command = [sys.executable, "-m", "outlast.cli", "break-glass", HISTORY.east, *addresses]
    command += ["--ttl", str(scale.RECORD_TTL), "--realm", REALM, "--server", "127.0.0.1", "--port", str(world.port)]
    command += ["--zone", HISTORY.zone, "--key-file", str(world.keys.file(OPERATOR)), "--take-over", "--apply"]
    command += ["--reason", "the record is empty"]
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        stage.until("outlast break-glass", lambda: process.poll() is not None, timeout=COMMAND_TIMEOUT)
        said, _ = process.communicate()
    finally:
        process.kill()
        process.wait()
    (world.folder / "break-glass.log").write_text(said, encoding="utf-8")
    if process.returncode:
        raise NotReached(f"outlast break-glass ended with status {process.returncode}: {said.strip()[-300:]}")


# ------------------------------------------------------------------------------------------------------- the score


def _score(stage: Stage, silence: Silence, *, end: float) -> ActScore:
    evidence = stage.world.evidence
    start = stage.start
    versions = _versions(stage)
    empty = _first_empty(stage)
    repaired = next(version for version in versions if version.at > empty.at and version.addresses)
    stuck = _stuck(stage, empty.at)
    plain = calls_of(evidence, "plain", start=start, end=end)
    recovered = recovery_by_cache(evidence.answers["plain"], HISTORY.east, repaired=repaired.at)
    groups = score_groups(stage, end=end, fault_at=silence.begin)
    return score_act(
        stage,
        proves=PROVES,
        end=end,
        versions=versions,
        empty_answers=empty_samples(_samples(stage)),
        empty_seconds=empty_seconds(versions, end=end),
        # The hand's generation counts in sentinels, not in the plans of 2025: it is not compared with theirs.
        generation_regressions=regressions([version for version in versions if version.at < repaired.at]),
        stuck_transactions=len(stuck),
        first_success_after_repair_s=first_success(plain, since=repaired.at),
        expectations=(
            _went_empty(versions, _samples(stage)),
            at_least("transactions refused in the stuck state", len(stuck), STUCK_MIN),
            _dark(plain, empty.at, repaired.at),
            _recovered(recovered, stage.pace.negative_ttl),
            *resolver_alone(calls_of(evidence, "resolver", start=start, end=end), silence),
            *unmoved(groups),
            *kept(groups),
            enough(groups, stage.pace.judged),
        ),
        groups=groups,
    )


def _samples(stage: Stage) -> list[Line]:
    return [sample for sample in stage.world.evidence.samples if sample["name"] == HISTORY.east]


def _went_empty(versions: list[Version], samples: list[Line]) -> Expectation:
    from_generation = next((v.generation for v in versions if v.generation == NEW), 0)
    found = first_empty(versions)
    measured = f"plan {from_generation} live, then {found.generation if found else '?'}, then no address; "
    measured += f"{empty_samples(samples)} empty answers seen from outside"
    held = found is not None and found.generation == OLD and from_generation == NEW and empty_samples(samples) > 0
    return true("the record goes empty by the forced race", measured, held=held)


def _dark(calls: list[Line], empty: float, repaired: float) -> Expectation:
    begin = empty + scale.CONNECTION_AGE + scale.RECORD_TTL
    resolving = [call for call in calls if call["resolved"] and begin <= call["scheduled"] < repaired]
    # A call from just before the repair may be answered after it, within its deadline: that is no answer in the dark.
    dark = [call | {"ok": call["ok"] and call["ended"] <= repaired} for call in resolving]
    claim = "plain: share answered of the calls that had to resolve, once connections and TTL have run out, until the repair"
    return at_most(claim, share(dark), ANSWERED_MAX, unit=f"as a share of {len(resolving)} calls")


def _recovered(recovered: dict[int, float], negative_ttl: int) -> Expectation:
    slowest = max(recovered.values()) if len(recovered) == scale.CACHES else None
    claim = f"plain: the slowest of {scale.CACHES} caches recovers within the negative TTL and one second"
    return at_most(claim, cut(slowest), negative_ttl + 1.0, unit="s after the repair")
