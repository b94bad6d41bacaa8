"""`outlast enactor run`: brings DNS to the plan, in a process of its own."""

from typing import Annotated

import typer

from outlast.cli.options import DEFAULT_CONFIG, Config, epilog
from outlast.cli.readiness import alone, check_needs
from outlast.cli.role import named, run_role
from outlast.config import wire
from outlast.config.parse import load
from outlast.config.run import run_enactor

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

EPILOG = epilog(
    "outlast enactor run --config outlast.toml --name enactor-a",
    status="0 stopped by SIGINT or SIGTERM, 1 one of this name runs already, 2 the command line or the configuration is wrong.",
)


@app.callback(epilog=EPILOG)
def enactor() -> None:
    """Bring DNS to the plan."""


@app.command(epilog=EPILOG)
def run(
    config: Config = DEFAULT_CONFIG,
    name: Annotated[str, typer.Option("--name", help="How it signs its writes; unique.")] = "",
) -> None:
    """Bring every endpoint at every provider to the latest plan, until interrupted.

    Run two or more, in different places, each with a name of its own: none leads, and all but one may die.
    """
    settings = load(config)
    own = named(name, "enactor")
    check_needs(settings, wire.registry, wire.providers)
    with alone(settings, own):
        run_role(own, lambda stop, tell: run_enactor(settings, name=own, stop=stop, tell=tell))
