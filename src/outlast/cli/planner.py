"""`outlast planner run`: plans, in a process of its own."""

from typing import Annotated

import typer

from outlast.cli.options import DEFAULT_CONFIG, Config, epilog
from outlast.cli.readiness import alone, check_needs
from outlast.cli.role import named, run_role
from outlast.config import wire
from outlast.config.parse import load
from outlast.config.run import run_planner

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

EPILOG = epilog(
    "outlast planner run --config outlast.toml --name planner-a",
    status="0 stopped by SIGINT or SIGTERM, 1 one of this name runs already, 2 the command line or the configuration is wrong.",
)


@app.callback(epilog=EPILOG)
def planner() -> None:
    """Turn topology and health signals into plans."""


@app.command(epilog=EPILOG)
def run(
    config: Config = DEFAULT_CONFIG,
    name: Annotated[str, typer.Option("--name", help="How it signs its plans.")] = "",
) -> None:
    """Plan until interrupted. Edits of the file's endpoints are followed."""
    settings = load(config)
    own = named(name, "planner")
    check_needs(settings, wire.registry, wire.readers)
    with alone(settings, own):
        run_role(own, lambda stop, tell: run_planner(settings, name=own, stop=stop, tell=tell))
