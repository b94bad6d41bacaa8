"""The command line as a whole: which commands there are, and in which module each lives."""

from typing import Annotated

import typer

import outlast
from outlast.cli import (
    adopt,
    audit,
    break_glass,
    doctor,
    drill,
    enactor,
    evacuate,
    exporter,
    freeze,
    init,
    janitor,
    nameserver,
    pin,
    plan,
    planner,
    prober,
    resolver,
    retire,
    route53,
    status,
    thaw,
    up,
    verify,
)
from outlast.cli.options import epilog
from outlast.cli.output import put

app = typer.Typer(
    name="outlast",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: it starts fast and reads the same in a log
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)

EPILOG = epilog(
    "outlast init                                  write a commented outlast.toml",
    "outlast up                                    run the control plane",
    "outlast status                                what each endpoint answers, and whether that is the plan",
    "outlast evacuate us-east-1 --apply            nothing answers with that region any more",
    "outlast freeze --all --apply                  nobody writes until thaw",
    "outlast resolver ask db.example.com           a name's addresses, where they come from and why",
    "outlast doctor                                check your set-up",
    "outlast drill                                 replay the outage on this machine",
    "outlast verify                                every interleaving of its own protocol",
    status="0 as asked, 1 not as asked, 2 the command line or the configuration is wrong.",
)


def _version(wanted: bool) -> None:
    if wanted:
        put(f"outlast {outlast.__version__}")
        raise typer.Exit


@app.callback(epilog=EPILOG)
def _main(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Keep a service reachable when DNS, a region or a control plane fails."""


app.command("init", epilog=init.EPILOG)(init.init)
app.command("up", short_help="Run planner, prober, one enactor and janitor in one process.", epilog=up.EPILOG)(up.up)
app.add_typer(planner.app, name="planner")
app.add_typer(enactor.app, name="enactor")
app.add_typer(janitor.app, name="janitor")
app.add_typer(prober.app, name="prober")
app.add_typer(exporter.app, name="exporter")
app.add_typer(nameserver.app, name="nameserver", short_help="Serve zones that take signed updates.")
app.add_typer(resolver.app, name="resolver")
app.command("status", short_help="Compare what DNS answers with the plan.", epilog=status.EPILOG)(status.status)
app.add_typer(plan.app, name="plan")
app.command("evacuate", short_help="Take a region or a target out of the answers.", epilog=evacuate.EPILOG)(
    evacuate.evacuate
)
app.command("pin", short_help="Let an endpoint answer just these targets.", epilog=pin.EPILOG)(pin.pin)
app.command("freeze", short_help="Keep every enactor from changing an endpoint.", epilog=freeze.EPILOG)(freeze.freeze)
app.command("thaw", short_help="Lift the hold of freeze or break-glass.", epilog=thaw.EPILOG)(thaw.thaw)
app.command("adopt", short_help="Make a name ours that already has records.", epilog=adopt.EPILOG)(adopt.adopt)
app.command("retire", short_help="Let go of an endpoint for good.", epilog=retire.EPILOG)(retire.retire)
app.command("break-glass", short_help="Write addresses by hand and hold them.", epilog=break_glass.EPILOG)(
    break_glass.break_glass
)
app.add_typer(route53.app, name="route53", short_help="Leave a region while Route 53 takes no changes.")
app.command("audit", short_help="Show what people did by hand.", epilog=audit.EPILOG)(audit.audit)
app.command("doctor", short_help="Check your set-up.", epilog=doctor.EPILOG)(doctor.doctor)
app.command("drill", epilog=drill.EPILOG)(drill.drill)
app.command("verify", short_help="Explore every interleaving of outlast's own protocol.", epilog=verify.EPILOG)(
    verify.verify
)
