"""`outlast evacuate`: moves production traffic away from a region or a target."""

import time
from typing import Annotated

import typer

from outlast.cli.hold import user
from outlast.cli.names import listed, unknown_endpoints
from outlast.cli.options import DEFAULT_CONFIG, Apply, Config, Json, Reason, epilog
from outlast.cli.ordering import carry_out_order
from outlast.cli.ordering_preview import Wish
from outlast.config import scalars
from outlast.config.parse import load
from outlast.config.settings import Settings
from outlast.errors import InvalidConfig, did_you_mean
from outlast.traffic.orders import Kind, Order

EPILOG = epilog(
    "outlast evacuate us-east-1",
    'outlast evacuate us-east-1 --apply --reason "INC-42"',
    "outlast evacuate 192.0.2.1 --endpoint db.example.com --apply",
    "outlast evacuate us-east-1 --all --apply",
    "outlast evacuate us-east-1 --undo --apply",
    status="0 done and DNS follows (or would), 1 a provider did not follow in time, a pin or a hold is in the way, or the registry was not reached, 2 the command line or the configuration is wrong.",
)


def evacuate(
    subject: Annotated[
        str, typer.Argument(metavar="REGION|TARGET", help="A region, or one target, an address or a name.")
    ],
    *,
    endpoint: Annotated[str, typer.Option("--endpoint", help="Only at this endpoint.")] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="All of it, even if what remains cannot bear the endpoint's load.")
    ] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Lift the order: the targets come back.")] = False,
    wait: Annotated[float, typer.Option("--wait", help="Seconds to watch DNS for it.", min=0, max=3600)] = 60.0,
    apply: Apply = False,
    reason: Reason = "",
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Take a region or a target out of every answer, or of one endpoint's, until the order is lifted.

    It passes every guard but the floors: no endpoint is left with fewer addresses than its minimum, and where a load is
    configured, as many targets stay as the rest needs to bear it, unless --all is said. What would change is printed; nothing is written without --apply. Then the planner follows the order, and each provider is watched until
    it answers accordingly; the slowest is reported, and of the secondaries that the configuration names, too. A pin or a hold in its way is named, with the command that lifts it.
    """
    settings = load(config)
    endpoint = endpoint.lower().rstrip(".")
    subject = _found(settings, subject, endpoint, is_lifted=undo)
    kind = Kind.EVACUATE_ALL if everything else Kind.EVACUATE
    order = Order(kind, subject, endpoint, (), user(), time.time_ns(), reason)
    carry_out_order(settings, Wish(order=order, undo=undo, apply=apply, wait=wait, as_json=as_json))


def _found(settings: Settings, subject: str, endpoint: str, *, is_lifted: bool) -> str:
    if endpoint and settings.topology.endpoint(endpoint) is None and not is_lifted:
        raise unknown_endpoints(settings, [endpoint])
    targets = [it for item in settings.topology.endpoints if endpoint in {"", item.name} for it in item.targets]
    known = {word for target in targets for word in (target.region, target.address)}
    # A target that is a name may be written without its last dot.
    found = next((word for word in (subject, scalars.target(subject)) if word in known), "")
    if not found and is_lifted:
        return subject  # what stands can be lifted although it is not configured any more
    if not found:
        where = f"at {endpoint} in {settings.path}" if endpoint else f"in {settings.path}"
        regions = listed(sorted({target.region for target in targets}))
        fault = f"no region and no target {subject!r} {where}{did_you_mean(subject, known)}"
        raise InvalidConfig((fault,), hint=f"regions: {regions}")
    return found
