"""The `outlast` command, one module per command.

Exit statuses are the same everywhere: 0 as asked, 1 not (or something needs attention), 2 the command line or the
configuration is wrong. `outlast status` adds 3: it could not tell. Output that cannot be written is 1, whatever was done.
"""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit. Errors of ours end as one or two lines on stderr, never as a traceback.

    Args:
        arguments: Without the command's own name; `None` means those of this process.

    """
    try:
        # Imported in here, so that a Ctrl-C in the meantime ends as any other does.
        from outlast.cli.stdout import checked_stdout

        with checked_stdout():
            _run(arguments)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _run(arguments: Sequence[str] | None) -> None:
    from outlast.interrupts import uninterrupted

    try:
        # Two thirds of a command's first half second are imports, in which Python can lose a Ctrl-C.
        with uninterrupted():
            from outlast.cli.app import app
            from outlast.cli.output import failed
            from outlast.errors import OutlastError
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in {"typer", "rich"}:
            raise
        sys.stderr.write("outlast: the commands are not installed; pip install 'outlast[cli]'\n")
        raise SystemExit(1) from None
    try:
        app(None if arguments is None else list(arguments), prog_name="outlast")
    except OutlastError as error:
        raise SystemExit(failed(error)) from None
