"""Writes docs/CLI.md from the commands themselves: `python scripts/cli_reference.py`; `--check` only compares.

What stands there is what `--help` says at 80 columns, command by command in the order of the help. A test fails when the
page is stale.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import typer.main
from typer.testing import CliRunner

from outlast.cli.app import app

PAGE = Path(__file__).parents[1] / "docs" / "CLI.md"
WIDTH = 80

HEAD = """\
# Commands

Made by `make docs` from the commands' own `--help`; edit those, not this page.

Results go to standard output, everything else to standard error. `--json` prints what scripts may rely on. Commands that
change something only say what they would do until `--apply` is given.
"""


class Command(NamedTuple):
    """One command or group of commands: its words after `outlast`, and the options and arguments it declares."""

    words: tuple[str, ...]
    is_group: bool
    options: tuple[str, ...]

    @property
    def title(self) -> str:
        return " ".join(("outlast", *self.words))


def commands() -> tuple[Command, ...]:
    """Return every command, groups before their members, in the order of the help."""
    return tuple(_walk(typer.main.get_command(app), ()))


def _walk(command: object, words: tuple[str, ...]) -> Iterator[Command]:
    members: dict[str, object] = getattr(command, "commands", {})
    parameters = getattr(command, "params", [])
    options = tuple(option for parameter in parameters for option in (*parameter.opts, *parameter.secondary_opts))
    yield Command(words, bool(members), tuple(option for option in options if option.startswith("-")))
    for name, member in members.items():
        yield from _walk(member, (*words, name))


def help_of(command: Command) -> str:
    """Return what `--help` prints, the same on every terminal."""
    # Colours and the width of the terminal at hand are no part of the reference.
    result = CliRunner().invoke(
        app,
        [*command.words, "--help"],
        prog_name="outlast",
        env={"COLUMNS": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb"},
    )
    if result.exit_code != 0:
        raise RuntimeError(f"{command.title} --help ended with {result.exit_code}: {result.output}")
    return "\n".join(line.rstrip() for line in result.output.strip().splitlines())


def page() -> str:
    """Return the whole page."""
    parts = [f"## {command.title}\n\n```text\n{help_of(command)}\n```\n" for command in commands()]
    return "\n".join((HEAD, *parts))


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` say whether it is current; return the exit status."""
    if arguments == ["--check"]:
        is_current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page()
        sys.stdout.write("" if is_current else f"{PAGE.name} is stale: make docs\n")
        return 0 if is_current else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
