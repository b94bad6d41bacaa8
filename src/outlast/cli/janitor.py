"""`outlast janitor run`: retires old plans, in a process of its own."""

from typing import Annotated

import typer

from outlast.cli.options import DEFAULT_CONFIG, Config, epilog
from outlast.cli.readiness import alone, check_needs
from outlast.cli.role import named, run_role
from outlast.config import wire
from outlast.config.parse import load
from outlast.config.run import run_janitor

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

EPILOG = epilog(
    "outlast janitor run --config outlast.toml --name janitor-a",
    status="0 stopped by SIGINT or SIGTERM, 1 one of this name runs already, 2 the command line or the configuration is wrong.",
)


@app.callback(epilog=EPILOG)
def janitor() -> None:
    """Delete plans that nothing needs any more."""


@app.command(epilog=EPILOG)
def run(
    config: Config = DEFAULT_CONFIG,
    name: Annotated[str, typer.Option("--name", help="How it calls itself in its log.")] = "",
) -> None:
    """Retire old plans until interrupted. It cannot change DNS."""
    settings = load(config)
    own = named(name, "janitor")
    check_needs(settings, wire.registry, wire.readers)
    with alone(settings, own):
        run_role(own, lambda stop, tell: run_janitor(settings, name=own, stop=stop, tell=tell))
