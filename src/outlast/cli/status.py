"""`outlast status`: what each endpoint answers at each provider, and whether that is the plan."""

import asyncio
from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outlast.cli.hold import Others, chosen
from outlast.cli.options import DEFAULT_CONFIG, Config, Json, epilog
from outlast.cli.output import console, failed, printable, put, put_json
from outlast.cli.plan import warnings
from outlast.config import wire
from outlast.config.echoes import Echo, differing, listen
from outlast.config.overview import Overview, overlook
from outlast.config.parse import load
from outlast.config.reading import Line, read_places
from outlast.config.settings import Settings
from outlast.errors import Unavailable
from outlast.traffic.assessment import Agreement, unlisted
from outlast.traffic.content import describe
from outlast.traffic.plan import Entry, sets_to_json
from outlast.traffic.ports import Live, Place, Record, Registry, Tier

if TYPE_CHECKING:
    from rich.console import Console

ATTENTION = 1
COULD_NOT_TELL = 3
HEADINGS = ("endpoint", "provider", "agreement", "sentinel", "answers", "plan", "meaning")
GAP = 2
"""Cells between two columns."""
WHOLE_MAX = 3
"""How many columns are better not folded, the endpoint first."""
FOLDED_MIN = 5
"""Cells, with the gap, that this leaves to each of the others at least; where it cannot, the endpoint is folded as well."""

Echoes = Mapping[Place, tuple[Echo, ...]]
"""What secondaries say, by place."""
NOBODY: Echoes = {}

EPILOG = epilog(
    "outlast status",
    "outlast status db.example.com --json",
    status="0 everything is in step with the plan, 1 something needs attention (a hold, too little capacity and a control plane that is silent count), 2 the command line or the configuration is wrong, 3 it could not tell.",
)


def status(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Only these endpoints.")] = None,
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Read sentinel and records of every endpoint from every provider, and hold them against plan and record.

    What is ours and not in the file is listed too. What a floor keeps although it is ordered out is a line of its own, and
    so is each of a provider's secondaries that is behind, silent, or answers something else: an ALARM once the plan is older than the zone's refresh. That no prober speaks, or that no planner follows an order, is an
    ALARM below the table. It reads, and writes nothing. Works without the registry too, then it cannot tell more than what DNS says; before the
    first start it says so.
    """
    settings = load(config)
    registry = wire.registry(settings, is_reader=True)
    overview = asyncio.run(overlook(settings, registry))
    others = Others(overview.unlisted, overview.unread)
    try:
        places = chosen(settings, names or [], everything=not names, others=others)
    except Unavailable as error:
        failed(error)
        raise typer.Exit(COULD_NOT_TELL) from error
    try:
        wire.check_registry(settings)
    except Unavailable as error:
        failed(error)
    lines = asyncio.run(_read(settings, places, registry, overview))
    alarms, echoes = overview.alarms(places), asyncio.run(listen(settings, lines, registry))
    if as_json:
        put_json(to_json(settings, lines, alarms, notes=overview.notes(places), echoes=echoes))
    else:
        show(console(), settings.realm, lines)
        for words in alarms:
            put(printable(f"ALARM {words}"))
        for words in (*differing(echoes), *overview.notes(places)):
            put(printable(words))
    raise typer.Exit(exit_status(lines, alarms, echoes))


async def _read(
    settings: Settings, places: tuple[Place, ...], registry: Registry, overview: Overview
) -> tuple[Line, ...]:
    down = overview.unread if overview.is_down else ""
    providers = wire.providers(settings)
    lines = await read_places(settings, places, registry, providers, signals=overview.signals, down=down)
    return tuple(
        line._replace(assessment=unlisted(line.assessment, line.place.endpoint))
        if line.place in overview.unlisted and line.assessment.agreement is not Agreement.RETIRED
        else line
        for line in lines
    )


def exit_status(lines: tuple[Line, ...], alarms: tuple[str, ...] = (), echoes: Echoes = NOBODY) -> int:
    """0 all fine, 1 something needs attention, 3 could not tell; what needs attention comes first."""
    agreements = {line.assessment.agreement for line in lines}
    short = any(not isinstance(it.known, str) and it.known.entry and it.known.entry.shortage for it in lines)
    is_overdue = any(echo.is_overdue for found in echoes.values() for echo in found)
    if alarms or short or is_overdue or agreements - {Agreement.IN_STEP, Agreement.UNKNOWN}:
        return ATTENTION
    return COULD_NOT_TELL if Agreement.UNKNOWN in agreements or not lines else 0


# ------------------------------------------------------------------------------------------------------ what is said


def to_json(
    settings: Settings,
    lines: tuple[Line, ...],
    alarms: tuple[str, ...] = (),
    *,
    notes: tuple[str, ...] = (),
    echoes: Echoes = NOBODY,
) -> dict[str, Any]:
    """The output contract of `--json`."""
    return {
        "realm": settings.realm,
        "file": str(settings.path),
        "ok": exit_status(lines, alarms, echoes) == 0,
        "alarms": list(alarms),
        "notes": list(notes),
        "endpoints": [_line_to_json(line, echoes.get(line.place, ())) for line in lines],
    }


def _line_to_json(line: Line, echoes: tuple[Echo, ...]) -> dict[str, Any]:
    known, live = line.known, line.live
    return {
        "endpoint": line.place.endpoint,
        "provider": line.place.provider,
        "tier": line.tier.name,
        "agreement": str(line.assessment.agreement),
        "words": line.assessment.words,
        "sentinel": None if isinstance(live, str) else list(live.sentinel),
        "sets": None if isinstance(live, str) else sets_to_json(live.sets),
        "generation": None if isinstance(known, str) else known.generation,
        "plan": None if isinstance(known, str) else _entry_to_json(known.entry),
        "record": None if isinstance(known, str) else _record_to_json(known.record),
        "secondaries": [_echo_to_json(it) for it in echoes],
    }


def _echo_to_json(echo: Echo) -> dict[str, Any]:
    live = echo.live
    return {
        "server": echo.server,
        "reach": str(echo.reach),
        "words": echo.words,
        "serial": echo.serial,
        "sentinel": None if live is None else list(live.sentinel),
        "sets": None if live is None else sets_to_json(live.sets),
        "overdue": echo.is_overdue,
    }


def _entry_to_json(entry: Entry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    withheld = [{"address": item.address, "reason": item.reason, "since": item.since / 1e9} for item in entry.withheld]
    told = {"withheld": withheld, "shortage": entry.shortage, "waits_for": entry.waits_for}
    return {"gen": entry.generation, "sets": sets_to_json(entry.content.sets), **told}


def _record_to_json(record: Record | None) -> dict[str, Any] | None:
    return None if record is None else {"sentinel": record.sentinel.text, "sets": sets_to_json(record.content.sets)}


def show(console: "Console", realm: str, lines: tuple[Line, ...]) -> None:
    """Print what a person reads: a table, and what must be borne in mind of weaker providers."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"realm {realm}", title_justify="left", box=None, pad_edge=False)
    rows = [_cells(line) for line in lines]
    whole = _whole(rows, console.width)
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, overflow="fold", no_wrap=number < whole)
    for row in rows:
        # Text, never markup: a TXT record from the network may hold brackets.
        table.add_row(*map(Text, row))
    console.print(table)
    for words in weaknesses(lines):
        console.print(Text(words))


def _whole(rows: list[tuple[str, ...]], width: int) -> int:
    # How many of the first columns are never folded. Never all: rich would rather cut those off than be too wide.
    columns = list(zip(HEADINGS, *rows, strict=True))
    taken = accumulate(max(map(len, column)) + GAP for column in columns[:WHOLE_MAX])
    return sum(it + FOLDED_MIN * (len(columns) - number) <= width for number, it in enumerate(taken, start=1))


def weaknesses(lines: tuple[Line, ...]) -> tuple[str, ...]:
    """What must be borne in mind of each provider that promises less than T1."""
    tiers = dict.fromkeys((line.place.provider, line.tier) for line in lines if line.tier is not Tier.T1)
    half = {Tier.T4: "a write may be seen half done, and "}
    return tuple(
        f"{provider} is {tier.name}, {tier}: {half.get(tier, '')}a write or a hold may be undone by one decided before it, "
        "until the next pass"
        for provider, tier in tiers
    )


def _cells(line: Line) -> tuple[str, ...]:
    known, live = line.known, line.live
    there = ("?", "?") if isinstance(live, str) else (_short(live), describe(live.sets))
    planned = "?" if isinstance(known, str) else _plan_words(known.entry)
    assessment = line.assessment
    return (line.place.endpoint, line.place.provider, str(assessment.agreement), *there, planned, assessment.words)


def _short(live: Live) -> str:
    words = " ".join(live.sentinel).split()
    return " ".join(word for word in words if not word.startswith(("v=", "realm=", "plan="))) or "none"


def _plan_words(entry: Entry | None) -> str:
    if entry is None:
        return "none"
    out = "".join(f"; without {item.address}: {item.reason}" for item in entry.withheld)
    out += "".join(f"; {words}" for words in warnings(entry))
    return f"gen={entry.generation} {entry.content}{out}"
