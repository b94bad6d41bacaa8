"""The command line as a whole: which commands there are, and in which module each lives."""

from typing import Annotated

import typer

import outlast
from outlast.cli import break_glass, enactor, freeze, init, janitor, nameserver, planner, prober, status, thaw, up
from outlast.cli.output import put

app = typer.Typer(
    name="outlast",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: it starts fast and reads the same in a log
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        put(f"outlast {outlast.__version__}")
        raise typer.Exit


@app.callback()
def _main(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Keep a service reachable when DNS, a region or a control plane fails.

    \b
    Examples:
      outlast init                                  write a commented outlast.toml
      outlast up                                    run the control plane
      outlast status                                what each endpoint answers, and whether that is the plan
      outlast freeze --all --apply                  nobody writes until thaw
      outlast drill                                 replay the outage on this machine
    \b
    Exit status: 0 as asked, 1 not as asked, 2 the command line or the configuration is wrong.
    """


app.command("init")(init.init)
app.command("up")(up.up)
app.add_typer(planner.app, name="planner")
app.add_typer(enactor.app, name="enactor")
app.add_typer(janitor.app, name="janitor")
app.add_typer(prober.app, name="prober")
app.add_typer(nameserver.app, name="nameserver")
app.command("status")(status.status)
app.command("freeze")(freeze.freeze)
app.command("thaw")(thaw.thaw)
app.command("break-glass")(break_glass.break_glass)
