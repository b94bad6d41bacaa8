"""`outlast thaw`: lifts a hold."""

from typing import Annotated

import typer

from outlast.cli.hold import Hand, carry_out, chosen, operator
from outlast.cli.options import DEFAULT_CONFIG, Apply, Config, Json, Reason, epilog
from outlast.config import wire
from outlast.config.parse import load
from outlast.traffic.hold import Command, HoldState

EPILOG = epilog(
    "outlast thaw db.example.com",
    'outlast thaw --all --apply --reason "INC-42: provider is being repaired"',
    status="0 every provider is thawed (or would be), 1 one was not reached or refused, 2 the configuration is wrong.",
)


def thaw(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Endpoints.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every endpoint.")] = False,
    apply: Apply = False,
    reason: Reason = "",
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Lift the hold of freeze or break-glass: enactors follow the plan again.

    What is there and what would be written is printed; nothing is written without --apply.
    """
    settings = load(config)
    places = chosen(settings, names or [], everything=everything)
    me = operator(Command.THAW)
    states = tuple(HoldState(Command.THAW, me, settings.realm, place.provider, place.endpoint) for place in places)
    hand = Hand(registry=wire.registry(settings), providers=wire.providers(settings), apply=apply, reason=reason)
    carry_out(states, hand, as_json=as_json)
