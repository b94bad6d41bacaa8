"""`outlast drill --trace FILE`: plays a script on real processes, tells each step, and judges what was seen."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

import outlast
from outlast.drill.ending import FAILED, HELD, INTERRUPTED, Interrupts, file_faults
from outlast.drill.replay.automation import Automation
from outlast.drill.replay.control_plane import ControlPlane
from outlast.drill.replay.play import Seen, play
from outlast.drill.replay.reading import read
from outlast.drill.replay.script import AWS_2025, Script
from outlast.drill.replay.verdict import judge, verdict_of
from outlast.drill.replay.world import World
from outlast.drill.score import Expectation
from outlast.errors import InvalidConfig, OutlastError
from outlast.interrupts import uninterrupted


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """What to play.

    Args:
        trace: The script's file.
        json_file: Where the result goes, if anywhere.
        keep: Keep the folder with every process's files, and say where it is.

    Raises:
        InvalidConfig: The result could not be written there.

    """

    trace: Path
    json_file: Path | None = None
    keep: bool = False

    def __post_init__(self) -> None:
        if faults := file_faults("--json", self.json_file):
            raise InvalidConfig(tuple(faults))


def run_replay(options: ReplayOptions, console: Console) -> int:
    """Play the script and print what was seen to `console`; return the exit status.

    0: every step was as told and every expectation held. 1: one was not. 130: interrupted.

    Raises:
        InvalidConfig: Lists everything that is wrong with the script.

    """
    script = read(options.trace)
    interrupts = Interrupts()
    try:
        with interrupts:
            return _run(script, options, console, interrupts)
    except KeyboardInterrupt:
        _say(console, "interrupted: every process of the drill has been ended")
        return INTERRUPTED
    except (OutlastError, OSError) as error:
        _say(console, f"the trace could not be played: {error}", style="bold red")
        return FAILED


def _run(script: Script, options: ReplayOptions, console: Console, interrupts: Interrupts) -> int:
    began = time.monotonic()
    _say(console, f"{script.protocol}: {len(script.steps)} steps of {', '.join(script.actors)}, on real processes")
    _say(console, f"the explorer: {script.shows}")
    kind = Automation if script.protocol == AWS_2025 else ControlPlane
    world: World | None = None
    made: list[Seen] = []
    try:
        with uninterrupted():
            world = kind(script, is_interrupted=lambda: interrupts.is_noted)
        with world:
            _say(console, "[world] starting the name server, and each role stopped before its first effect")
            world.start()
            teller = _Teller(console, made)
            play(world, teller.tell)
            _say(console, "[world] everybody runs freely now, and DNS is watched")
            expectations = judge(world, made)
    except OutlastError as error:
        _write(options, script, made, (), verdict=f"NOT AS TOLD: {error}")
        raise
    finally:
        if world is not None:
            _leave(world, options, console)
    verdict = verdict_of(script.protocol, expectations)
    _show(console, expectations, f"{verdict}; {time.monotonic() - began:.1f} s")
    _write(options, script, made, expectations, verdict=verdict)
    return HELD if all(expectation.held for expectation in expectations) else FAILED


class _Teller:
    """Keeps steps, and prints them as `outlast verify` does: the actor and what DNS answers, where they change."""

    def __init__(self, console: Console, made: list[Seen]) -> None:
        self._console = console
        self._made = made
        self._actor = ""
        self._answer = ""

    def tell(self, seen: Seen) -> None:
        self._made.append(seen)
        step = seen.step
        answer = ", ".join(f"{name} {found}" for name, found in seen.dns.items())
        actor = step.actor if step.actor != self._actor else ""
        dns = f"   DNS over UDP: {answer}" if answer != self._answer else ""
        _say(self._console, f"{seen.number:3} {actor:9} {step.words or step.effect}{dns}")
        self._actor, self._answer = step.actor, answer


def _show(console: Console, expectations: tuple[Expectation, ...], conclusion: str) -> None:
    for item in expectations:
        mark, style = ("held  ", "green") if item.held else ("FAILED", "bold red")
        _say(console, f"  {mark}  {item.claim}  [{item.measured}]", style=style)
    _say(console, f"\n{conclusion}")


def _leave(world: World, options: ReplayOptions, console: Console) -> None:
    if options.keep:
        _say(console, f"every process's files: {world.folder}")
    else:
        with uninterrupted():
            world.remove_folder()


def _write(
    options: ReplayOptions,
    script: Script,
    made: list[Seen],
    expectations: tuple[Expectation, ...],
    *,
    verdict: str,
) -> None:
    if options.json_file is None:
        return
    result = {
        "protocol": script.protocol,
        "version": outlast.__version__,
        "verdict": verdict,
        "shows": script.shows,
        "steps": [seen.to_dict() for seen in made],
        "expectations": [asdict(expectation) for expectation in expectations],
    }
    options.json_file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style or None, markup=False, highlight=False, soft_wrap=True)
