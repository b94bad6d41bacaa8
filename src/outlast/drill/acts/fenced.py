"""Act *fenced*: the same stop and continue of an enactor, this time one of ours. Nothing goes empty, nothing goes back.

The enactor that was first the last time has decided on plan g and is stopped right before it sends its transaction. The
others enact g and what comes after it; the janitor deletes plan g. Then the sleeper goes on and sends what it decided long ago. The
provider compares the sentinel and the records with what the sleeper had read, and refuses: NXRRSET.
"""

from dataclasses import dataclass

from outlast.drill import holds, scale
from outlast.drill.acts.scoring import score_act
from outlast.drill.addresses import REGIONS
from outlast.drill.evidence import Refusal, Version
from outlast.drill.expectation import at_least, at_most, true
from outlast.drill.names import FENCED
from outlast.drill.score import (
    ActScore,
    Expectation,
    empty_samples,
    empty_seconds,
    empty_versions,
    regressions,
    score_group,
)
from outlast.drill.stage import NotReached, Stage
from outlast.drill.tail import Line

NAME = "fenced"
TITLE = "the same stop and continue, with our control plane"
PROVES = (
    "The provider itself refuses the stale write, because the transaction carries what its sender had read: an enactor "
    "may sleep for ever and wake with a deleted plan, and nothing goes empty and nothing goes back."
)
SECONDS = 24.0
BETWEEN = 0.5
TRIES = 5
"""How often an enactor may be stopped for nothing, because another was first."""
TIMEOUT = 15.0
SWITCH_TIMEOUT = 60.0
"""The clients may first have to work off a thousand retries of the act before; those are given up at the switch."""
AVAILABILITY_MIN = 0.995
BOTH = REGIONS["us-east-1"]
MOVES = (BOTH[:1], BOTH, BOTH[1:], BOTH)
"""Capacity moves: what stands behind the eastern name, one after the other."""


@dataclass(slots=True)
class Sleeper:
    """The held enactor: what it carried, and when it went on."""

    role: str
    generation: int = 0
    woken: float = 0.0
    plan_was_deleted: bool = False


def play(stage: Stage) -> ActScore:
    """Play the act and score it.

    Raises:
        NotReached: The enactor could not be held, or the others did not go on without it.

    """
    epoch = stage.world.direct(FENCED)
    stage.until("the clients' first answers", lambda: _all_answered(stage, epoch), timeout=SWITCH_TIMEOUT)
    stage.restart_clock()
    stage.phase("steady")
    stage.tell(f"Planner, three enactors and janitor run; generation {_live(stage).generation} is live.")
    stage.wait(stage.pace.steady)
    for move in MOVES[:2]:
        _move(stage, move)
    sleeper = _hold_first(stage)
    _go_on_without(stage, sleeper)
    _wake(stage, sleeper)
    stage.phase("afterwards")
    stage.wait(stage.pace.afterwards)
    stage.until(f"{stage.pace.samples} samples", lambda: len(_samples(stage)) >= stage.pace.samples, timeout=TIMEOUT)
    return _score(stage, sleeper, end=stage.settle())


def _all_answered(stage: Stage, epoch: int) -> bool:
    # Every host of every group: an act must not be charged for the switch of names before it.
    answered = (
        {call["host"] for call in calls if call["epoch"] == epoch and call["ok"]}
        for calls in stage.world.evidence.calls.values()
    )
    return all(len(hosts) == scale.CACHES for hosts in answered)


def _live(stage: Stage) -> Version:
    return stage.world.evidence.versions(FENCED.east)[-1]


def _move(stage: Stage, east: tuple[str, ...]) -> None:
    """Edit the configuration, and see the change arrive in DNS."""
    before = _live(stage).generation
    stage.world.write_topology(east)
    stage.until("the next generation", lambda: _live(stage).generation > before, timeout=TIMEOUT)
    stage.tell(f"Capacity moves to {' and '.join(east)}: generation {_live(stage).generation} is live.")
    stage.wait(BETWEEN)


def _hold_first(stage: Stage) -> Sleeper:
    stage.phase("an enactor is stopped")
    role = _move_until_held(stage)
    held = holds.wait_until_held(stage.world.holds, role, TIMEOUT)
    sleeper = Sleeper(role, generation=held["detail"]["transaction"]["sentinel"]["gen"])
    stage.tell(f"{role} has decided on generation {sleeper.generation} and is stopped before it sends its transaction.")
    stage.until("its peers to take over", lambda: _live(stage).generation >= sleeper.generation, timeout=TIMEOUT)
    stage.tell(f"Its peers enact generation {_live(stage).generation} without it.")
    return sleeper


def _move_until_held(stage: Stage) -> str:
    # Planner and enactors look at steady intervals, so whoever was first the last time mostly is again, preferred or
    # not. If another one is, nothing is left to send for the one that waits, and only the next plan brings somebody to
    # a hold.
    world = stage.world
    for _ in range(TRIES):
        before = _live(stage).generation
        role = world.evidence.writer(FENCED.east)
        holds.arm(world.holds, role, "Commit", where={"transaction.endpoint": FENCED.east})
        world.write_topology(MOVES[2])
        _until_held_or_beaten(stage, role, before)
        if holds.is_held(world.holds, role):
            return role
        holds.release(world.holds, role, world.crew.pid(role))
        stage.tell(
            f"A peer of {role} enacted generation {_live(stage).generation} before it; capacity moves once more."
        )
        _move(stage, MOVES[3])
    raise NotReached(f"an enactor to be held: another was first {TRIES} times", hint="the machine may be overloaded")


def _until_held_or_beaten(stage: Stage, role: str, before: int) -> None:
    stage.until(
        f"{role} to be held",
        lambda: holds.is_held(stage.world.holds, role) or _live(stage).generation > before,
        timeout=TIMEOUT,
    )
    if not holds.is_held(stage.world.holds, role):
        stage.wait(BETWEEN)  # it may be on its way to the same plan


def _go_on_without(stage: Stage, sleeper: Sleeper) -> None:
    stage.phase("the others go on")
    for move in (MOVES[3], MOVES[0], MOVES[1]):
        _move(stage, move)
    stage.until(
        f"the janitor to delete plan {sleeper.generation}",
        lambda: sleeper.generation not in stage.world.stored_generations(),
        timeout=TIMEOUT,
    )
    sleeper.plan_was_deleted = True
    stage.tell(f"The janitor has deleted plan {sleeper.generation}. DNS does not notice: records are values.")


def _wake(stage: Stage, sleeper: Sleeper) -> None:
    stage.phase("the enactor goes on")
    world = stage.world
    sleeper.woken = stage.start + stage.elapsed
    live = _live(stage).generation
    holds.release(world.holds, sleeper.role, world.crew.pid(sleeper.role))
    if not world.options.fence:
        stage.wait(stage.pace.afterwards)
        return
    stage.until("the provider's answer to the stale write", lambda: bool(_refused(stage, sleeper)), timeout=TIMEOUT)
    stage.tell(
        f"{sleeper.role} goes on and sends generation {sleeper.generation} over {live}. "
        f"The provider refuses it: {_refused(stage, sleeper)[0].rcode}."
    )


def _refused(stage: Stage, sleeper: Sleeper) -> list[Refusal]:
    found = stage.world.evidence.refusals(since=sleeper.woken)
    return [item for item in found if item.key == sleeper.role and item.rcode == "NXRRSET"]


def _samples(stage: Stage) -> list[Line]:
    return [s for s in stage.world.evidence.samples if s["name"] == FENCED.east and s["t"] >= stage.start]


def _score(stage: Stage, sleeper: Sleeper, *, end: float) -> ActScore:
    evidence = stage.world.evidence
    versions = evidence.versions(FENCED.east)
    plain = score_group(evidence, "plain", start=stage.start, end=end)
    refused = len(_refused(stage, sleeper))
    return score_act(
        stage,
        proves=PROVES,
        end=end,
        versions=versions,
        empty_answers=empty_samples(_samples(stage)),
        empty_seconds=empty_seconds(versions, end=end),
        generation_regressions=regressions(versions),
        stale_refused=refused,
        expectations=(
            *_nothing_bad(versions, _samples(stage), stage.pace.samples),
            at_least("stale transactions of the woken enactor refused with NXRRSET", refused, 1),
            true(
                "the plan it carried had been deleted before it woke",
                f"plan {sleeper.generation}, carried by {sleeper.role}",
                held=sleeper.plan_was_deleted,
            ),
            at_least(
                "plain: availability", plain.availability, AVAILABILITY_MIN, unit=f"as a share of {plain.calls} calls"
            ),
        ),
    )


def _nothing_bad(versions: list[Version], samples: list[Line], wanted: int) -> tuple[Expectation, ...]:
    generations = [line for line in samples if line["sentinel"]]
    return (
        at_most("zone versions without an address", empty_versions(versions), 0, unit=f"of {len(versions)} versions"),
        at_most("empty answers seen from outside", empty_samples(samples), 0, unit=f"of {len(samples)} samples"),
        at_most(
            "zone versions with an older generation", regressions(versions), 0, unit=f"of {len(versions)} versions"
        ),
        at_least("samples", len(generations), wanted),
    )
