"""`outlast retire`: outlast lets go of a name for good."""

from typing import Annotated

import typer

from outlast.cli.hold import Wanted, hold
from outlast.cli.options import DEFAULT_CONFIG, Apply, Config, Json, Reason, epilog
from outlast.traffic.hold_state import Command

EPILOG = epilog(
    "outlast retire old.example.com",
    'outlast retire old.example.com --apply --reason "moved to new.example.com"',
    status="0 it is retired everywhere (or would be), 1 a provider was not reached or refused, 2 the command line or the configuration is wrong.",
)


def retire(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Endpoints.")],
    apply: Apply = False,
    reason: Reason = "",
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Let go of an endpoint, at every provider: nobody writes to it any more, whatever becomes of its records.

    The records stay as they are, for whoever owns the name now to change or to delete. Resolvers that keep what was good
    give it up once its records are gone. It stands in DNS, so take the endpoint out of the configuration afterwards, not
    before; a name that the registry alone still knows is let go all the same. To have the name back: outlast adopt. What is there and what would be written is printed;
    nothing is written without --apply.
    """
    wanted = Wanted(names=names, everything=False, apply=apply, reason=reason, as_json=as_json, config=config)
    hold(Command.RETIRE, wanted)
