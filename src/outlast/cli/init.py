"""`outlast init`: writes a commented configuration."""

from pathlib import Path
from typing import Annotated

import typer

from outlast.cli.options import DEFAULT_CONFIG, epilog
from outlast.cli.output import put
from outlast.config.example import EXAMPLE
from outlast.errors import Refused, Unavailable

EPILOG = epilog(
    "outlast init",
    "outlast init /etc/outlast/outlast.toml",
    status="0 written, 1 the file is there already or cannot be written, 2 the command line is wrong.",
)


def init(
    path: Annotated[Path, typer.Argument(metavar="[FILE]", help="Where to write it.")] = DEFAULT_CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Write a commented outlast.toml to start from."""
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(EXAMPLE)
    except FileExistsError as error:
        raise Refused(f"{path} is there already", hint="add --force to overwrite it") from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}", hint="choose another place") from error
    put(f"{path} written: put your provider, endpoints and targets into it, then: outlast up --config {path}")
