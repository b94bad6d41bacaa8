"""`outlast prober run`: watches targets, in a process of its own."""

from typing import Annotated

import typer

from outlast.cli.options import DEFAULT_CONFIG, Config, epilog
from outlast.cli.readiness import alone, check_needs
from outlast.cli.role import named, run_role
from outlast.config import wire
from outlast.config.parse import load
from outlast.config.run import run_prober

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

EPILOG = epilog(
    "outlast prober run --config outlast.toml --name prober-a",
    status="0 stopped by SIGINT or SIGTERM, 1 one of this name runs already, 2 the command line or the configuration is wrong.",
)


@app.callback(epilog=EPILOG)
def prober() -> None:
    """Probe targets and hand on what they answer."""


@app.command(epilog=EPILOG)
def run(
    config: Config = DEFAULT_CONFIG,
    name: Annotated[str, typer.Option("--name", help="How it signs its signals; unique.")] = "",
) -> None:
    """Probe every target of every probed endpoint, until interrupted.

    Run several in different places: a target counts as unhealthy only if all of them say so.
    """
    settings = load(config)
    own = named(name, "prober")
    check_needs(settings, wire.registry)
    with alone(settings, own):
        run_role(own, lambda stop, tell: run_prober(settings, name=own, stop=stop, tell=tell))
