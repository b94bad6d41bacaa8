"""`outlast audit`: what people did by hand; and how the other commands write it down."""

import asyncio
import sys
import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from outlast.cli.options import DEFAULT_CONFIG, Config, Json, epilog
from outlast.cli.output import printable, put, put_json
from outlast.config import wire
from outlast.config.parse import load
from outlast.errors import OutlastError
from outlast.traffic.orders import Deed
from outlast.traffic.ports import Registry

EPILOG = epilog(
    "outlast audit",
    "outlast audit --last 200 --json",
    status="0 printed, 1 the registry was not reached, 2 the command line or the configuration is wrong.",
)


def audit(
    last: Annotated[int, typer.Option("--last", help="How many lines, the newest.", min=1, max=100_000)] = 20,
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Show who did what by hand, when, why, and what came of it: newest first.

    Every command given with --apply is here, if the registry could be reached then. One that was refused, or that changed
    nothing, says so.
    """
    settings = load(config)
    wire.check_registry(settings)
    deeds = asyncio.run(wire.registry(settings, is_reader=True).logged(last))
    if as_json:
        put_json([{**deed._asdict(), "at": deed.at / 1e9} for deed in deeds])
        return
    for deed in deeds:
        why = f" ({deed.why})" if deed.why else ""
        put(printable(f"{when(deed.at)}  {deed.by}  {deed.what} {deed.subject}: {deed.outcome}{why}"))


def unchanged(why: str) -> str:
    """The outcome of a command after which all is as it was: whoever looks for what did it must not take it for that."""
    return f"nothing changed: {why}"


def when(wall: int) -> str:
    """Wall-clock nanoseconds as people read them, in UTC."""
    return datetime.fromtimestamp(wall / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


async def write_down(registry: Registry | None, *, by: str, what: str, subject: str, why: str, outcome: str) -> None:
    """Add a line to the audit log. The hand works without a registry: what could not be written down is said."""
    if registry is None:
        return
    try:
        await registry.log(Deed(time.time_ns(), by, what, subject, why, outcome))
    except OutlastError as error:
        sys.stderr.write(f"outlast: not in the audit log: {error}\n")
