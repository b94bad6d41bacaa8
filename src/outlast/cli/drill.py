"""`outlast drill`: replays the outage on this machine, on real sockets and real processes."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from outlast.cli.options import epilog
from outlast.cli.output import console, put
from outlast.errors import InvalidConfig, Refused
from outlast.interrupts import uninterrupted

EPILOG = epilog(
    "outlast drill                                 every act of us-east-1-2025, about a minute",
    "outlast drill list                            which scenarios and acts there are",
    "outlast drill --act fenced --json result.json one act, and its figures in a file",
    "outlast drill --report report.html            the same as a page to look at and to mail",
    "outlast drill --trace empty.json              an interleaving that outlast verify --script has written",
    'outlast drill --client shop:buy --service "python app.py {address} {port}"   your own, beside ours',
    status="0 every expectation held, 1 one did not (it is named), 2 the command line is wrong, 130 interrupted.",
)
LIST = "list"
DEFAULT = "us-east-1-2025"
NEEDED = ("httpx", "stamina", "starlette", "uvicorn")


def drill(
    scenario: Annotated[str, typer.Argument(metavar="[SCENARIO]", help="What to replay, or: list.")] = DEFAULT,
    *,
    trace: Annotated[
        Path | None,
        typer.Option(
            "--trace",
            help="Force the interleaving of FILE, from outlast verify --script, on real processes.",
            metavar="FILE",
        ),
    ] = None,
    act: Annotated[list[str] | None, typer.Option("--act", help="Only this act; repeat for more.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the result into FILE.", metavar="FILE")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", help="Write the result as one HTML page into FILE.", metavar="FILE"),
    ] = None,
    client: Annotated[
        str | None,
        typer.Option("--client", help="Your own call, as a group beside ours.", metavar="MODULE:FUNCTION"),
    ] = None,
    service: Annotated[
        str | None,
        typer.Option("--service", help="Your own service, with {address} and {port} in it.", metavar="COMMAND"),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", help="Rules for your resolver: the [resolver] section.", metavar="FILE"),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Repeat the calls of an earlier drill.", min=0)] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep every process's files, and say where.")] = False,
) -> None:
    """Replay the outage in a world of its own on loopback: harmless, and every process is ended afterwards.

    What was forced, shortened or made smaller is printed with the results. Your function may take base_url, base_urls,
    resolver and deadline, by name; it returns if the call was answered correctly, and raises otherwise.
    """
    if trace is not None:
        others: dict[str, object] = {
            "SCENARIO": scenario != DEFAULT,
            "--act": act,
            "--report": report,
            "--client": client,
        }
        others |= {"--service": service, "--config": config, "--seed": seed is not None}
        raise typer.Exit(_replay(trace, json_file=json_file, keep=keep, others=others))
    # The processes that the drill starts import these, and would only die of it.
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise Refused(f"the drill needs {', '.join(missing)}: not installed", hint="pip install 'outlast[drill]'")
    with uninterrupted():
        from outlast.drill.main import SCENARIOS, DrillOptions, own_options, run_drill

    if scenario == LIST:
        for name, known in SCENARIOS.items():
            put(f"{name}: {known.text}")
            for act_name, details in known.acts.items():
                put(f"  --act {act_name}: {details.module.TITLE}")
        return
    own = own_options(client, service=service, config=config)
    options = DrillOptions(
        scenario=scenario,
        acts=tuple(act or ()),
        json_file=json_file,
        report_file=report,
        seed=seed,
        keep=keep,
        own=own,
    )
    if own is not None:
        own.check()
    raise typer.Exit(run_drill(options, console()))


def _replay(trace: Path, *, json_file: Path | None, keep: bool, others: Mapping[str, object]) -> int:
    """Play a script; everything else that was asked for is refused."""
    if given := tuple(
        f"{name} does not go with --trace: a script is played alone" for name, is_given in others.items() if is_given
    ):
        raise InvalidConfig(given)
    with uninterrupted():
        from outlast.drill.replay.main import ReplayOptions, run_replay

    return run_replay(ReplayOptions(trace=trace, json_file=json_file, keep=keep), console())
