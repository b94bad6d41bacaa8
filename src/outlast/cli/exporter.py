"""`outlast exporter run`: what a monitoring system asks for, as Prometheus metrics."""

import asyncio
from typing import Annotated

import typer

from outlast.cli.options import DEFAULT_CONFIG, Config, epilog
from outlast.cli.output import put
from outlast.cli.readiness import check_needs
from outlast.cli.role import named, run_role
from outlast.config import scalars, wire
from outlast.config.exporter import Listening, run_exporter
from outlast.config.notices import Tell
from outlast.config.parse import load
from outlast.errors import InvalidConfig, OutlastError

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

EPILOG = epilog(
    "outlast exporter run",
    "outlast exporter run --listen 127.0.0.1:9477 --interval 5",
    "curl http://127.0.0.1:9477/metrics",
    status="0 stopped by SIGINT or SIGTERM, 1 it cannot listen, 2 the command line or the configuration is wrong.",
)


@app.callback(epilog=EPILOG)
def exporter() -> None:
    """Watch the control plane and serve metrics."""


@app.command(epilog=EPILOG)
def run(
    listen: Annotated[str, typer.Option("--listen", help="ADDRESS:PORT, of this machine only.")] = "127.0.0.1:9477",
    interval: Annotated[float, typer.Option("--interval", help="Seconds between two looks.", min=0.1, max=3600)] = 5.0,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Look at every endpoint at every provider and at the registry, and serve what is there at /metrics.

    Worth an alarm: outlast_agreement other than "in step" (above all "dangling": clients get nothing), outlast_held, outlast_not_frozen, outlast_divergence,
    outlast_short_of_capacity, outlast_ahead, outlast_probers_silent, outlast_orders_not_followed, outlast_unlisted, outlast_planned_elsewhere,
    outlast_registry_up at 0, an old
    outlast_last_enactment_timestamp_seconds beside a new outlast_plan_timestamp_seconds, and an old outlast_look_timestamp_seconds.
    It reads, and changes nothing. Needs pip install 'outlast[prometheus]'.
    """
    settings = load(config)
    listening = _listening(listen, interval)
    check_needs(settings, wire.registry, wire.readers)

    def started(port: int) -> None:
        put(f"http://{listening.address}:{port}/metrics")

    async def role(stop: asyncio.Event, tell: Tell) -> None:
        try:
            await run_exporter(settings, listening, stop=stop, started=started, tell=tell)
        except OSError as error:
            raise OutlastError(f"--listen {listen}: {error.strerror}", hint="name another port") from error

    run_role(named("", "exporter"), role)


def _listening(text: str, interval: float) -> Listening:
    try:
        from outlast.telemetry.prometheus import served  # the other commands do without the library
    except ModuleNotFoundError as error:
        raise OutlastError("the exporter's library is missing: pip install 'outlast[prometheus]'") from error
    address, _, port = text.rpartition(":")
    try:
        return Listening(served, scalars.ip_address(address.strip("[]")), int(port), interval)
    except (scalars.Misread, ValueError):
        raise InvalidConfig((f"--listen {text}: write ADDRESS:PORT, as in 127.0.0.1:9477",)) from None
