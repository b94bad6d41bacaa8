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


def epilog(*examples: str, status: str) -> str:
    """The end of a command's help: lines to paste, and what its exit status means."""
    lines = "\n".join(f"  {example}" for example in examples)
    # A backspace alone on a line tells the help formatter to leave the lines of a paragraph as they are.
    return f"\b\nExamples:\n{lines}\n\nExit status: {status}"
