"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path, typer.Option("--config", "-c", envvar="OUTLAST_CONFIG", help="The configuration file.", show_default=True)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Apply = Annotated[bool, typer.Option("--apply", help="Really write; without it nothing is changed.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the output.")]

DEFAULT_CONFIG = Path("outlast.toml")
