"""`outlast pin`: an endpoint answers just these targets, whatever health says."""

import time
from typing import Annotated

import typer

from outlast.cli.hold import user
from outlast.cli.names import unknown_endpoints
from outlast.cli.options import DEFAULT_CONFIG, Apply, Config, Json, Reason, epilog
from outlast.cli.ordering import carry_out_order
from outlast.cli.ordering_preview import Wish
from outlast.config import scalars
from outlast.config.parse import load
from outlast.errors import InvalidConfig, did_you_mean
from outlast.traffic.orders import Kind, Order

EPILOG = epilog(
    "outlast pin db.example.com 192.0.2.1",
    'outlast pin db.example.com 192.0.2.1 192.0.2.2 --apply --reason "probes lie, INC-42"',
    "outlast pin api.example.com lb-2.west.example.net --apply      where targets are names",
    "outlast pin db.example.com --undo --apply",
    status="0 done and DNS follows (or would), 1 a provider did not follow in time, a pin or a hold is in the way, or the registry was not reached, 2 the command line or the configuration is wrong.",
)


def pin(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The endpoint.")],
    addresses: Annotated[list[str] | None, typer.Argument(metavar="TARGET", help="Of its targets.")] = None,
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Lift the pin: health decides again.")] = False,
    wait: Annotated[float, typer.Option("--wait", help="Seconds to watch DNS for it.", min=0, max=3600)] = 60.0,
    apply: Apply = False,
    reason: Reason = "",
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Let an endpoint answer just these of its targets, healthy or not, until the pin is lifted.

    For the day on which probes are wrong. Unlike break-glass it goes through the planner, and needs a registry. What
    would change is printed; nothing is written without --apply. A hold in its way is named, with the command that lifts it.
    """
    settings = load(config)
    name = name.lower().rstrip(".")
    endpoint = settings.topology.endpoint(name)
    there = endpoint.addresses if endpoint is not None else ()
    if endpoint is None and not undo:
        raise unknown_endpoints(settings, [name])
    if bool(addresses) == undo:
        raise InvalidConfig(("name the targets, or say --undo",), hint=f"targets: {', '.join(there)}")
    wanted = tuple(map(scalars.target, addresses or ()))
    strange = sorted(set(wanted) - set(there))
    if strange:
        faults = tuple(f"no target of {name}: {it}{did_you_mean(it, there)}" for it in strange)
        raise InvalidConfig(faults, hint=f"targets: {', '.join(there)}; for others use break-glass")
    order = Order(Kind.PIN, "", name, wanted, user(), time.time_ns(), reason)
    carry_out_order(settings, Wish(order=order, undo=undo, apply=apply, wait=wait, as_json=as_json))
