"""`outlast up`: the whole control plane in one process."""

from typing import Annotated

import typer

from outlast.cli.options import DEFAULT_CONFIG, Config, epilog
from outlast.cli.readiness import alone, check_needs
from outlast.cli.role import named, run_role
from outlast.config import wire
from outlast.config.parse import load
from outlast.config.run import run_all

ROLES = ("enactor", "planner", "prober", "janitor")
"""What `run_all` runs; each goes by its own word and the name."""
EPILOG = epilog(
    "outlast up",
    "outlast up --config /etc/outlast/outlast.toml --name host-a",
    status="0 stopped by SIGINT or SIGTERM, 1 one of this name runs already, 2 the command line or the configuration is wrong.",
)


def up(
    config: Config = DEFAULT_CONFIG,
    name: Annotated[str, typer.Option("--name", help="Where this runs; part of each role's name.")] = "",
) -> None:
    """Run planner, prober, one enactor and janitor in one process, until interrupted.

    Edits of the file's endpoints are followed while it runs. Run it on two machines with one registry, or add enactors
    elsewhere, and any of them may die.
    """
    settings = load(config)
    own = named(name, "up").removeprefix("up-")[:36]
    check_needs(settings, wire.registry, wire.providers)
    with alone(settings, *(f"{role}-{own}" for role in ROLES)):
        run_role(f"up-{own}", lambda stop, tell: run_all(settings, name=own, stop=stop, tell=tell))
