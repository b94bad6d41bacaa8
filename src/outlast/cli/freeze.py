"""`outlast freeze`: nobody writes to an endpoint until it is thawed."""

from typing import Annotated

import typer

from outlast.cli.hold import Wanted, hold
from outlast.cli.options import DEFAULT_CONFIG, Apply, Config, Json, Reason, epilog
from outlast.traffic.hold_state import Command

EPILOG = epilog(
    "outlast freeze db.example.com",
    'outlast freeze --all --apply --reason "INC-42: provider is being repaired"',
    status="0 every provider is frozen (or would be), 1 one was not reached or refused, 2 the command line or the configuration is wrong.",
)


def freeze(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Endpoints.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every endpoint, and what is ours and no longer in the file.")
    ] = False,
    apply: Apply = False,
    reason: Reason = "",
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Keep every enactor from changing an endpoint, at every provider, until thaw.

    Records stay as they are, and damage to them is still mended. What is there and what would be written is printed;
    nothing is written without --apply. A provider that was not reached is listed as NOT FROZEN.
    """
    wanted = Wanted(
        names=names or [], everything=everything, apply=apply, reason=reason, as_json=as_json, config=config
    )
    hold(Command.FREEZE, wanted)
