"""`outlast doctor`: what of a set-up would make an outage, or make it longer, and what to change."""

import asyncio
from typing import Annotated

import typer

from outlast.audit.findings import Finding, Level, worst
from outlast.audit.prove import SCRATCH
from outlast.cli.doctor_examination import examine
from outlast.cli.options import DEFAULT_CONFIG, Config, Json, epilog
from outlast.cli.output import printable, put, put_json
from outlast.config import scalars
from outlast.config.parse import load
from outlast.errors import InvalidConfig

ATTENTION = 1
COULD_NOT_TELL = 3

EPILOG = epilog(
    "outlast doctor",
    "outlast doctor --resolver 9.9.9.9            also what the parent zone says of yours",
    f"outlast doctor --prove-cas                   writes {SCRATCH}.ZONE, and tries to overwrite it with a stale write",
    status="0 all is well, 1 something needs attention, 2 the command line or the configuration is wrong, 3 something could not be looked at.",
)


def doctor(
    *,
    prove: Annotated[
        bool, typer.Option("--prove-cas", help="Try whether providers refuse stale writes, on a scratch name.")
    ] = False,
    resolver: Annotated[str, typer.Option("--resolver", help="ADDRESS[:PORT] to ask about the parent zones.")] = "",
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Check your set-up: zones, delegation, signatures, TTLs, keys, who else writes, who is silent, what the providers promise.

    It changes nothing, unless --prove-cas is given: then one scratch name in each zone is written, which stays there, retired.
    Whether a key may write it asks by an update that cannot be carried out; some servers say only at a real one which names it may not change.
    To check outlast's own protocol run `outlast verify`.
    """
    asked = _server(resolver) if resolver else None
    settings = load(config)
    findings = asyncio.run(examine(settings, asked, prove=prove))
    if as_json:
        put_json({"ok": worst(findings) is Level.OK, "findings": [item._asdict() for item in findings]})
    else:
        _print(findings)
    raise typer.Exit({Level.OK: 0, Level.UNKNOWN: COULD_NOT_TELL}.get(worst(findings), ATTENTION))


def _server(text: str) -> tuple[str, int]:
    try:
        return scalars.server(text)
    except scalars.Misread as error:
        raise InvalidConfig((f"--resolver {text}: {error}",)) from error


def _print(findings: list[Finding]) -> None:
    for item in findings:
        put(printable(f"{item.level:8}{item.check}  {item.subject}: {item.there}"))
        if item.fix:
            put(printable(f"        fix: {item.fix}"))
    counts = {level: sum(item.level is level for item in findings) for level in Level}
    put(", ".join(f"{count} {level}" for level, count in counts.items() if count))
