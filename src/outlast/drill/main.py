"""Runs a drill: builds the world, plays the acts, shows what came of it, and leaves nothing behind."""

import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from rich.console import Console

import outlast
from outlast.drill import report, scale
from outlast.drill.acts import fenced, history, region_dark
from outlast.drill.acts.scoring import failed_act
from outlast.drill.ending import FAILED, HELD, INTERRUPTED, Interrupts, file_faults
from outlast.drill.html import page
from outlast.drill.names import EVERYWHERE, FENCED, HISTORY
from outlast.drill.own import OwnOptions
from outlast.drill.score import ActScore
from outlast.drill.screen import LineScreen, LiveScreen
from outlast.drill.stage import NotReached, Stage
from outlast.drill.world import World, WorldOptions
from outlast.errors import InvalidConfig, OutlastError, did_you_mean
from outlast.interrupts import uninterrupted


class Act(NamedTuple):
    """One act: where it plays and how."""

    module: ModuleType
    endpoint: str
    hazard: bool


class Scenario(NamedTuple):
    """A named sequence of acts."""

    text: str
    acts: dict[str, Act]


SCENARIOS: dict[str, Scenario] = {
    "us-east-1-2025": Scenario(
        "20 October 2025: one DNS record goes empty, and with our control plane it does not",
        {
            history.NAME: Act(history, HISTORY.east, hazard=True),
            fenced.NAME: Act(fenced, FENCED.east, hazard=False),
            region_dark.NAME: Act(region_dark, EVERYWHERE, hazard=False),
        },
    ),
}
DEFAULT = "us-east-1-2025"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillOptions:
    """What to run.

    Args:
        scenario: One of `SCENARIOS`.
        acts: Names of its acts, in any order; none means all.
        json_file: Where the result goes, if anywhere.
        report_file: Where the result goes as a page for people, if anywhere.
        seed: Decides which calls write and which keys are read; `None` draws one and prints it.
        keep: Keep the folder with every process's files, and say where it is.
        fence: False takes the prerequisites out of our transactions; only the drill's own test does that.
        pace: How long things last; tests are in more of a hurry.
        one_address: Use 127.0.0.1 alone, as where nothing else is bound to the loopback interface.
        own: The user's own client and service, if they take part.

    Raises:
        InvalidConfig: An unknown scenario or act, or a file that could not be written; each with its fix.

    """

    scenario: str = DEFAULT
    acts: tuple[str, ...] = ()
    json_file: Path | None = None
    report_file: Path | None = None
    seed: int | None = None
    keep: bool = False
    fence: bool = True
    pace: scale.Pace = scale.FULL
    one_address: bool = False
    own: OwnOptions | None = None

    def __post_init__(self) -> None:
        known = SCENARIOS.get(self.scenario)
        faults = []
        if known is None:
            faults.append(
                f"SCENARIO {self.scenario!r} is unknown{did_you_mean(self.scenario, SCENARIOS)}: see 'outlast drill list'"
            )
        acts = known.acts if known is not None else {}
        unknown = [name for name in self.acts if known is not None and name not in acts]
        faults += [f"--act {name!r} is unknown{did_you_mean(name, acts)}: one of {', '.join(acts)}" for name in unknown]
        faults += file_faults("--json", self.json_file) + file_faults("--report", self.report_file)
        if faults:
            raise InvalidConfig(tuple(faults))


def own_options(client: str | None, *, service: str | None, config: Path | None) -> OwnOptions | None:
    """What of the user's takes part, from the current folder; `None` if nothing does.

    Raises:
        InvalidConfig: Something is wrong with it, or a service or a configuration comes without a client to use it.

    """
    if client is not None:
        return OwnOptions(client=client, service=service, config=config, folder=Path.cwd())
    given = (("--service", service), ("--config", config))
    faults = tuple(f"{option} needs --client: nobody would use it" for option, value in given if value is not None)
    if faults:
        raise InvalidConfig(faults)
    return None


def run_drill(options: DrillOptions, console: Console) -> int:
    """Run the drill and print its results to `console`; return the exit status.

    0: every expectation held. 1: one did not, or the drill could not be played. 130: interrupted.
    """
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1_000_000)
    interrupts = Interrupts()
    try:
        with interrupts:
            return _run(options, console, seed=seed, interrupts=interrupts)
    except KeyboardInterrupt:
        console.print("interrupted: every process of the drill has been ended")
        return INTERRUPTED
    except (OutlastError, OSError) as error:
        # OSError: no descriptor, process, space or permission left; the machine's word for it is clear enough.
        console.print(f"the drill could not be played: {error}", markup=False, style="bold red", soft_wrap=True)
        return FAILED


def _run(options: DrillOptions, console: Console, *, seed: int, interrupts: Interrupts) -> int:
    began = time.monotonic()
    scenario = SCENARIOS[options.scenario]
    chosen = {name: act for name, act in scenario.acts.items() if not options.acts or name in options.acts}
    console.print(f"{options.scenario}: {scenario.text} (seed {seed})", markup=False, soft_wrap=True)
    hazard = any(act.hazard for act in chosen.values())
    world: World | None = None
    try:
        with uninterrupted():
            world = World(
                WorldOptions(
                    seed=seed,
                    hazard=hazard,
                    fence=options.fence,
                    pace=options.pace,
                    one_address=options.one_address,
                    own=options.own,
                ),
                is_interrupted=lambda: interrupts.is_noted,
            )
        with world, _screen(console) as screen:
            world.start(screen.progress)
            factors = scale.factors(options.pace, own_addresses=world.own_addresses)
            if world.own is not None:
                factors["own"] = world.own.factor()
            acts = [_play(name, act, world, screen) for name, act in chosen.items()]
    finally:
        if world is not None:
            _leave(world, options, console)
    seconds = time.monotonic() - began
    report.show(console, acts, factors=factors)
    result = report.to_json(
        scenario=options.scenario,
        seed=seed,
        factors=factors,
        seconds=seconds,
        version=outlast.__version__,
        acts=acts,
    )
    return _conclude(result, acts, options, console)


def _play(name: str, act: Act, world: World, screen: LineScreen | LiveScreen) -> ActScore:
    module = act.module
    stage = Stage(world, screen, name=name, title=module.TITLE, endpoint=act.endpoint, seconds=module.SECONDS)
    try:
        score: ActScore = module.play(stage)
    except NotReached as error:
        return failed_act(stage, proves=module.PROVES, reason=f"{error}{_complaint(world)}")
    return score


def _complaint(world: World) -> str:
    # Acts wait for every group's first answer: if a user's function never gives one, they want to know why.
    own = world.own
    if own is None or any(call["ok"] for call in world.evidence.calls[own.options.group]):
        return ""
    return f"; {own.complaint()}"


def _screen(console: Console) -> LineScreen | LiveScreen:
    return LiveScreen(console) if console.is_terminal else LineScreen(console.file)  # type: ignore[arg-type]  # rich types it as IO[str], which is what TextIO is


def _leave(world: World, options: DrillOptions, console: Console) -> None:
    if options.keep:
        console.print(f"every process's files: {world.folder}", markup=False, soft_wrap=True)
    else:
        with uninterrupted():
            world.remove_folder()


def _conclude(result: dict[str, Any], acts: Sequence[ActScore], options: DrillOptions, console: Console) -> int:
    if options.json_file is not None:
        options.json_file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if options.report_file is not None:
        options.report_file.write_text(page(result), encoding="utf-8")
    failed = [(act.name, item) for act in acts for item in act.expectations if not item.held]
    for name, item in failed:
        console.print(f"FAILED {name}: {item.claim} [{item.measured}]", markup=False, style="bold red", soft_wrap=True)
    verdict = f"{len(failed)} expectations failed" if failed else "every expectation held"
    console.print(f"\n{verdict}; {result['seconds']:g} s", markup=False)
    return FAILED if failed else HELD
