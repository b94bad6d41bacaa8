"""`outlast verify`: explores every interleaving of the plan protocol, or of the automation of 2025."""

import os
import shlex
import sys
import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from outlast.cli.options import Json, epilog
from outlast.cli.output import put, put_json
from outlast.cli.verify_script import check_target, follow, tell_trace, write_script
from outlast.cli.verify_walks import run_walks
from outlast.drill.replay.writing import check_playable, script_of_2025
from outlast.errors import Refused
from outlast.incidents.exploration import MENDED, HazardOptions, hazard_protocol
from outlast.simulator.explorer import Progress
from outlast.simulator.plan_choice import Choice, choose
from outlast.simulator.plan_guards import GUARDS, machines_without
from outlast.simulator.plan_layout import Machines, PlanOptions
from outlast.simulator.plan_protocol import plan_protocol
from outlast.simulator.plan_troubles import TROUBLES
from outlast.simulator.protocol import Verdict
from outlast.simulator.verification import Limits, Report
from outlast.simulator.verification import verify as verified

EPILOG = epilog(
    "outlast verify                                          2 enactors, 3 plans, 1 crash: every interleaving",
    "outlast verify --enactors 3 --plans 4 --janitor         larger, with plans being deleted",
    "outlast verify --fault sentinel-lost --fault freezes    what strangers and people do, once each",
    "outlast verify --without recheck --fault sentinel-lost  without one guard: a trace of what it guards against",
    "outlast verify --protocol aws-2025 --plans 3            the automation of 20 October 2025",
    "outlast verify --protocol aws-2025 --script empty.json  the same, and its trace for: outlast drill --trace empty.json",
    "outlast verify --stops empty.json --script ours.json    outlast with the same stops, for the drill, too",
    "outlast verify --walks 1000 --seed 7 --enactors 5       random walks where exhaustion is out of reach",
    "outlast verify --list                                   faults, guards and hazards by name",
    status="0 PASS, 1 FAIL, 2 the command line is wrong, 3 UNDETERMINED (a budget of states or seconds was used up).",
)
JOBS = os.cpu_count() or 1
STATUSES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.UNDETERMINED: 3}
TELL_EVERY = 5.0
"""Seconds between two lines of progress."""
SETTABLE = TROUBLES.keys() - {"plans", "crashes", "lost-replies"}


class ProtocolName(StrEnum):
    """What can be explored."""

    OUTLAST = "outlast"
    AWS_2025 = "aws-2025"


def verify(
    *,
    protocol: Annotated[ProtocolName, typer.Option("--protocol", help="Which protocol.")] = ProtocolName.OUTLAST,
    enactors: Annotated[int, typer.Option("--enactors", help="Enactors at each endpoint.", min=1, max=5)] = 2,
    plans: Annotated[int, typer.Option("--plans", help="Versions of the plan.", min=1, max=20)] = 3,
    endpoints: Annotated[int, typer.Option("--endpoints", help="Endpoints in each plan.", min=1, max=8)] = 1,
    crashes: Annotated[int, typer.Option("--crashes", help="How often somebody dies.", min=0, max=5)] = 1,
    lost_replies: Annotated[int, typer.Option("--lost-replies", help="How many replies are lost.", min=0, max=5)] = 0,
    janitor: Annotated[bool, typer.Option("--janitor/--no-janitor", help="Whether plans are deleted.")] = False,
    fault: Annotated[
        list[str] | None, typer.Option("--fault", metavar="NAME[=N]", help="What else may happen, N times (once).")
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="NAME", help="Take a guard of outlast, or a hazard of aws-2025, away."),
    ] = None,
    recovery: Annotated[bool, typer.Option("--recovery/--no-recovery", help="Also see that all recovers.")] = True,
    max_seconds: Annotated[float, typer.Option("--max-seconds", help="CPU seconds before it gives up.", min=0.1)] = 600,
    max_states: Annotated[int, typer.Option("--max-states", help="States before it gives up.", min=1)] = 30_000_000,
    as_json: Json = False,
    walks: Annotated[int, typer.Option("--walks", help="Random walks instead of all interleavings.", min=0)] = 0,
    seed: Annotated[int, typer.Option("--seed", help="The first walk's seed.", min=0)] = 0,
    jobs: Annotated[
        int, typer.Option("--jobs", help="Processes that walk; one per processor by default.", min=1)
    ] = JOBS,
    providers: Annotated[int, typer.Option("--providers", help="Providers, in walks.", min=1, max=4)] = 1,
    script: Annotated[
        Path | None,
        typer.Option("--script", metavar="FILE", help="Write the trace of aws-2025, or that of --stops, for a drill."),
    ] = None,
    stops: Annotated[
        Path | None,
        typer.Option("--stops", metavar="FILE", help="Follow the stops of an aws-2025 script with outlast's machines."),
    ] = None,
    lists: Annotated[bool, typer.Option("--list", help="List faults, guards and hazards, and end.")] = False,
) -> None:
    """Checks outlast's own protocol; to check your set-up run `outlast doctor`.

    Explores every interleaving of the machines that ship, with that many faults, breadth first: no rule is broken, DNS
    never goes empty by their own doing, and from every state the system returns to health without a person, except from
    those listed with the command that a person gives.
    """
    if lists:
        _list()
        return
    if stops is not None:
        raise typer.Exit(STATUSES[follow(stops, script, is_outlast=protocol is ProtocolName.OUTLAST, as_json=as_json)])
    if script is not None and (walks or protocol is not ProtocolName.AWS_2025):
        raise Refused(
            "--script writes the trace of aws-2025, which has one", hint="for outlast, name such a script with --stops"
        )
    budgets = {name: count for name, count in (("crashes", crashes), ("lost-replies", lost_replies)) if count}
    budgets |= dict(map(_fault, fault or ()))
    arguments: tuple[str, ...] = ()
    hazard: HazardOptions | None = None
    if protocol is ProtocolName.AWS_2025:
        if fault or janitor:
            raise Refused("aws-2025 has neither --fault nor --janitor", hint="its own enactors clean up")
        hazards = _known(without, MENDED)
        hazard = HazardOptions(
            enactors=enactors,
            plans=plans,
            endpoints=endpoints,
            crashes=crashes,
            lost_replies=lost_replies,
            mended=hazards,
        )
        if script is not None:
            check_target(script)
            check_playable(hazard)
        chosen = hazard_protocol(hazard)
    else:
        size = {"enactors": enactors, "plans": plans, "endpoints": endpoints}
        choice = _choose(
            size, budgets, _known(without, GUARDS), has_janitor=janitor, providers=providers if walks else 0
        )
        chosen, arguments = plan_protocol(choice.options), choice.arguments
    if walks:
        verdict = run_walks(chosen, range(seed, seed + walks), jobs=jobs, question=_question(), as_json=as_json)
        raise typer.Exit(STATUSES[verdict])
    limits = _limits(max_seconds, max_states)
    expects_fault = bool(without) or protocol is ProtocolName.AWS_2025
    report = verified(chosen, limits, asks_recovery=recovery, expects_fault=expects_fault)
    if as_json:
        put_json({"protocol": str(protocol), "arguments": list(arguments), **report.to_dict()})
    else:
        _tell(report, arguments)
    if script is not None and hazard is not None:
        write_script(script, script_of_2025(hazard, report.steps, shows=report.reason))
    raise typer.Exit(STATUSES[report.verdict])


def _choose(
    size: dict[str, int], budgets: dict[str, int], guards: frozenset[str], *, has_janitor: bool, providers: int
) -> Choice:
    machines, lacks = machines_without(guards)
    if providers:
        # A walk needs no reduction: every endpoint has its primaries and enactors, and each of these its name.
        options = PlanOptions(
            enactors=size["enactors"],
            plans=size["plans"],
            endpoints=size["endpoints"],
            coupled=size["endpoints"],
            providers=providers,
            has_janitor=has_janitor,
            budgets=budgets,
            machines=machines or Machines(),
            lacks=lacks,
            are_named=True,
        )
        return Choice(options, ())
    return choose(
        enactors=size["enactors"],
        plans=size["plans"],
        endpoints=size["endpoints"],
        has_janitor=has_janitor,
        budgets=budgets,
        machines=machines,
        lacks=lacks,
    )


def _question() -> str:
    # The command line as it was given, without what the replay says itself.
    words, skip = ["outlast"], False
    for word in sys.argv[1:]:
        if not skip and not word.startswith(("--walks", "--seed")):
            words.append(word)
        skip = word in {"--walks", "--seed"}
    return shlex.join(words)


def _list() -> None:
    for title, known in (("faults", TROUBLES), ("guards of outlast", GUARDS), ("hazards of aws-2025", MENDED)):
        put(f"{title}:")
        for name, text in known.items():
            put(f"  {name:22} {text if isinstance(text, str) else text.text}")


def _fault(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    if name not in SETTABLE or not (count or "1").isdecimal() or not 1 <= int(count or "1") <= 5:
        raise typer.BadParameter(f"{text!r} is no fault, or not one that happens 1 to 5 times; see --list")
    return name, int(count or "1")


def _known(names: list[str] | None, known: Mapping[str, object]) -> frozenset[str]:
    unknown = sorted(set(names or ()) - known.keys())
    if unknown:
        raise typer.BadParameter(f"there is no {', '.join(unknown)} to be without; see --list")
    return frozenset(names or ())


def _limits(max_seconds: float, max_states: int) -> Limits:
    start = time.process_time()
    told = [time.monotonic()]

    def tell(progress: Progress) -> None:
        if time.monotonic() - told[0] >= TELL_EVERY:
            told[0] = time.monotonic()
            sys.stderr.write(f"{progress.states:,} states found, {progress.explored:,} explored\n")

    return Limits(
        cpu_seconds=lambda: time.process_time() - start, max_seconds=max_seconds, max_states=max_states, tell=tell
    )


def _tell(report: Report, arguments: tuple[str, ...]) -> None:
    put(f"{report.verdict}: {report.reason}")
    put(
        f"{report.states:,} states, {report.transitions:,} moves, depth {report.depth}, {report.seconds:.1f} CPU s "
        f"({report.states_per_cpu_second:,} states/s)"
    )
    for text in arguments:
        put(f"resting on: {text}")
    for command, count in report.waits.items():
        put(f"waits for a person in {count:,} states: {command}")
    tell_trace(report.trace)
    if report.stuck is not None and report.stuck.states:
        put(f"{report.stuck.states:,} states from which nothing the system does leads back to health")
        if report.stuck.entry != report.trace:
            put("The shortest way into them:")
            tell_trace(report.stuck.entry)
    elif report.stuck is not None:
        put("The system recovers by itself from all that follows.")
