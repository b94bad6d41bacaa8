"""docs/CLI.md is made from the commands and current; every `--help` shows how to use the command and how it ends."""

import cli_reference
import pytest
from cli_reference import Command

COMMANDS = cli_reference.commands()


def section(command: Command) -> str:
    """Return a command's part of the page as it stands in the repository."""
    _, _, rest = cli_reference.PAGE.read_text(encoding="utf-8").partition(f"\n## {command.title}\n")
    return rest.partition("\n## ")[0]


def test_the_page_is_current() -> None:
    """The page says what the commands say: `make docs` writes it."""
    assert cli_reference.page() == cli_reference.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.title)
def test_every_command_and_option_is_documented(command: Command) -> None:
    """A command has a section of its own, and each of its options stands in it."""
    text = section(command)

    assert text
    assert [] == [option for option in command.options if option not in text]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.title)
def test_every_help_has_an_example_and_an_exit_status(command: Command) -> None:
    """Each help shows at least one line to paste, of this very command, and says what the exit status means."""
    text = cli_reference.help_of(command)
    _, _, examples = text.partition("Examples:\n")

    assert any(line.strip().startswith(command.title) for line in examples.splitlines()), text
    assert "Exit status: 0 " in examples
    assert " 2 the command line " in " ".join(examples.split())
