"""What `outlast verify` answers: it explores, walks or follows a script, and tells what came of it."""

import shlex
import sys
import time
from collections.abc import Mapping

import typer

from outlast.cli.output import put, put_json
from outlast.cli.verify_question import Question
from outlast.cli.verify_script import check_target, follow, tell_trace, write_script
from outlast.cli.verify_walks import Wanted, run_walks
from outlast.drill.replay.writing import check_playable, script_of_2025
from outlast.errors import Refused
from outlast.incidents.exploration import MENDED, HazardOptions, hazard_protocol
from outlast.simulator.explorer import Progress
from outlast.simulator.plan_choice import Choice, choose
from outlast.simulator.plan_guards import GUARDS, machines_without
from outlast.simulator.plan_layout import Machines, PlanOptions
from outlast.simulator.plan_protocol import plan_protocol
from outlast.simulator.plan_troubles import TROUBLES
from outlast.simulator.protocol import Protocol, Verdict
from outlast.simulator.verification import Limits, Report, verify

STATUSES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.UNDETERMINED: 3}
SEARCH_SECONDS = 600.0
"""For a search that nobody has limited. Walks end by themselves."""
TELL_EVERY = 5.0
"""Seconds between two lines of progress."""
SETTABLE = TROUBLES.keys() - {"plans", "crashes", "lost-replies"}


def answer(asked: Question) -> int:
    """Do what is asked; return the exit status.

    Raises:
        Refused: The options do not go together.

    """
    if asked.stops is not None:
        verdict = follow(asked.stops, asked.script, is_outlast=asked.is_outlast, as_json=asked.as_json)
    elif asked.script is not None and (asked.walks or asked.is_outlast):
        raise Refused(
            "--script writes the trace of aws-2025, which has one", hint="for outlast, name such a script with --stops"
        )
    elif asked.is_outlast:
        choice = _choose(asked)
        verdict = _walked_or_explored(asked, plan_protocol(choice.options), choice.arguments)
    else:
        verdict = _hazardous(asked)
    return STATUSES[verdict]


def _hazardous(asked: Question) -> Verdict:
    hazard = _hazard(asked)
    if asked.script is None:
        return _walked_or_explored(asked, hazard_protocol(hazard), ())
    check_target(asked.script)
    check_playable(hazard)
    report = _explored(asked, hazard_protocol(hazard), ())
    if report.verdict is Verdict.UNDETERMINED:
        sys.stderr.write(f"{asked.script}: not written, for the search was given up\n")
        return report.verdict
    write_script(asked.script, script_of_2025(hazard, report.steps, shows=report.reason))
    return report.verdict


def _walked_or_explored(asked: Question, protocol: Protocol, arguments: tuple[str, ...]) -> Verdict:
    if asked.walks:
        seeds = range(asked.seed, asked.seed + asked.walks)
        wanted = Wanted(seeds, asked.jobs, asked.asks_recovery, asked.max_seconds, _question(), asked.as_json)
        return run_walks(protocol, wanted)
    return _explored(asked, protocol, arguments).verdict


def _explored(asked: Question, protocol: Protocol, arguments: tuple[str, ...]) -> Report:
    limits = _limits(SEARCH_SECONDS if asked.max_seconds is None else asked.max_seconds, asked.max_states)
    expects_fault = bool(asked.without) or not asked.is_outlast
    report = verify(protocol, limits, asks_recovery=asked.asks_recovery, expects_fault=expects_fault)
    if asked.as_json:
        put_json({"protocol": str(asked.protocol), "arguments": list(arguments), **report.to_dict()})
    else:
        _tell(report, arguments)
    return report


def _choose(asked: Question) -> Choice:
    machines, lacks = machines_without(_known(asked.without, GUARDS))
    budgets = {"crashes": asked.crashes, "lost-replies": asked.lost_replies, **dict(map(_fault, asked.faults))}
    budgets = _possible({name: count for name, count in budgets.items() if count})
    if asked.providers > 1 and not asked.walks:
        raise Refused("--providers is for --walks", hint="providers do not touch each other: one is explored for all")
    if asked.walks:
        # A walk needs no reduction: every endpoint has its primaries and enactors, and each of these its name.
        options = PlanOptions(
            enactors=asked.enactors,
            plans=asked.plans,
            endpoints=asked.endpoints,
            coupled=asked.endpoints,
            providers=asked.providers,
            has_janitor=asked.has_janitor,
            budgets=budgets,
            machines=machines or Machines(),
            lacks=lacks,
            are_named=True,
        )
        return Choice(options, ())
    return choose(
        enactors=asked.enactors,
        plans=asked.plans,
        endpoints=asked.endpoints,
        has_janitor=asked.has_janitor,
        budgets=budgets,
        machines=machines,
        lacks=lacks,
    )


def _possible(budgets: dict[str, int]) -> dict[str, int]:
    # Where one trouble needs another to happen at all, the other comes with it, or nothing would have been tried.
    if "registry-restored" in budgets:
        budgets.setdefault("backups", budgets["registry-restored"])
    if "thaws" in budgets and not budgets.keys() & {"freezes", "break-glasses"}:
        raise Refused("there is nothing to thaw", hint="add --fault freezes or --fault break-glasses")
    return budgets


def _hazard(asked: Question) -> HazardOptions:
    if asked.faults or asked.has_janitor:
        raise Refused("aws-2025 has neither --fault nor --janitor", hint="its own enactors clean up")
    return HazardOptions(
        enactors=asked.enactors,
        plans=asked.plans,
        endpoints=asked.endpoints,
        crashes=asked.crashes,
        lost_replies=asked.lost_replies,
        mended=_known(asked.without, MENDED),
    )


def _question() -> str:
    # The command line as it was given, without what the replay says itself, and without haste.
    words, skip, left_out = ["outlast"], False, ("--walks", "--seed", "--max-seconds")
    for word in sys.argv[1:]:
        if not skip and not word.startswith(left_out):
            words.append(word)
        skip = word in left_out
    return shlex.join(words)


def list_names() -> None:
    """Print what can be named: faults, guards, hazards."""
    for title, known in (("faults", TROUBLES), ("guards of outlast", GUARDS), ("hazards of aws-2025", MENDED)):
        put(f"{title}:")
        for name, text in known.items():
            put(f"  {name:22} {text if isinstance(text, str) else text.text}")


def _fault(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    if name not in SETTABLE or not (count or "1").isdecimal() or not 1 <= int(count or "1") <= 5:
        raise typer.BadParameter(f"{text!r} is no fault, or not one that happens 1 to 5 times; see --list")
    return name, int(count or "1")


def _known(names: tuple[str, ...], known: Mapping[str, object]) -> frozenset[str]:
    unknown = sorted(set(names) - known.keys())
    if unknown:
        raise typer.BadParameter(f"there is no {', '.join(unknown)} to be without; see --list")
    return frozenset(names)


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
