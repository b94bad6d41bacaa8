"""`outlast verify`: explores every interleaving of the plan protocol, or of the automation of 2025."""

import os
from pathlib import Path
from typing import Annotated

import typer

from outlast.cli.options import Json, epilog
from outlast.cli.output import BAD_CONFIG, failed
from outlast.cli.verify_question import ProtocolName, Question
from outlast.errors import Refused

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
    max_seconds: Annotated[
        float | None,
        typer.Option(
            "--max-seconds",
            help="CPU seconds before it gives up, 600 by default; in walks those of the clock, without end by default.",
            min=0.1,
            show_default=False,
        ),
    ] = None,
    max_states: Annotated[
        int, typer.Option("--max-states", help="States before it gives up; walks have no such limit.", min=1)
    ] = 30_000_000,
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
    try:
        from outlast.cli import verify_answer
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        failed(Refused("verify needs numpy: not installed", hint="pip install 'outlast[verify]'"))
        raise typer.Exit(BAD_CONFIG) from error
    if lists:
        verify_answer.list_names()
        return
    question = Question(
        protocol=protocol,
        enactors=enactors,
        plans=plans,
        endpoints=endpoints,
        crashes=crashes,
        lost_replies=lost_replies,
        has_janitor=janitor,
        faults=tuple(fault or ()),
        without=tuple(without or ()),
        asks_recovery=recovery,
        max_seconds=max_seconds,
        max_states=max_states,
        as_json=as_json,
        walks=walks,
        seed=seed,
        jobs=jobs,
        providers=providers,
        script=script,
        stops=stops,
    )
    try:
        status = verify_answer.answer(question)
    except Refused as error:
        failed(error)
        raise typer.Exit(BAD_CONFIG) from error  # 1 says that the protocol is refuted
    raise typer.Exit(status)
