"""`outlast adopt`: a name that has records already, and that nobody has claimed, becomes ours."""

from typing import Annotated

import typer

from outlast.cli.hold import Wanted, hold
from outlast.cli.options import DEFAULT_CONFIG, Apply, Config, Json, Reason, epilog
from outlast.traffic.hold_state import Command

EPILOG = epilog(
    "outlast adopt db.example.com",
    'outlast adopt db.example.com --apply --reason "taken over from Terraform"',
    status="0 it is ours everywhere (or would be), 1 a provider was not reached or refused, 2 the command line or the configuration is wrong.",
)


def adopt(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Endpoints of the configuration.")],
    apply: Apply = False,
    reason: Reason = "",
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Make a name ours that already has records, or that was retired, at every provider.

    Its records stay as they are for now: only a sentinel is written beside them. From then on enactors follow the plan,
    so look at it first (outlast plan show), and see that whoever wrote the records until now no longer does. What is
    there and what would be written is printed; nothing is written without --apply.
    """
    wanted = Wanted(names=names, everything=False, apply=apply, reason=reason, as_json=as_json, config=config)
    hold(Command.ADOPT, wanted)
