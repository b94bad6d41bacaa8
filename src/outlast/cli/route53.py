"""`outlast route53`: names that leave a region while Route 53 takes no changes: prepared, left, returned to, watched."""

import asyncio
from typing import Annotated

import typer

from outlast.cli.options import DEFAULT_CONFIG, Apply, Config, Json, Reason, epilog
from outlast.cli.output import put
from outlast.cli.readiness import check_needs
from outlast.cli.role import run_role
from outlast.config import scalars, wire
from outlast.config.notices import Tell
from outlast.config.parse import load
from outlast.config.settings import Settings
from outlast.errors import InvalidConfig, OutlastError

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

PREPARE = epilog(
    "outlast route53 prepare shop.example.com",
    'outlast route53 prepare shop.example.com --apply --reason "a region can be left without a change"',
    "outlast route53 prepare shop.example.com --primary east --apply",
    status="0 it is prepared (or would be), 1 something is in the way or Route 53 refused, 2 the command line or the configuration is wrong.",
)
STATUS = "0 the watches say so (or would), 1 not enough of them do, or it is refused, 2 the command line or the configuration is wrong."
LEAVE = epilog(
    "outlast route53 leave us-east-1",
    'outlast route53 leave us-east-1 --apply --reason "INC-42"',
    "outlast route53 leave us-east-1 --here --apply        at a watch's machine, with the registry down",
    status=STATUS,
)
RETURN = epilog("outlast route53 return us-east-1", "outlast route53 return us-east-1 --apply", status=STATUS)
WATCH = epilog(
    "outlast route53 watch",
    "curl http://127.0.0.1:8053/evacuated/shop.example.com/us-east-1",
    status="0 stopped by SIGINT or SIGTERM, 1 it cannot listen, 2 the command line or the configuration is wrong.",
)
Region = Annotated[str, typer.Argument(metavar="REGION", help="As in the targets.")]
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Prepared names; by default all in that region.")
]
Here = Annotated[
    bool, typer.Option("--here", help="Say it at this machine's watch alone; needs no registry and no network.")
]
Wait = Annotated[float, typer.Option("--wait", help="Seconds to ask the watches for it.", min=0, max=3600)]


@app.callback(epilog=PREPARE)
def route53() -> None:
    """Leave a region while Route 53 takes no changes: names prepared ahead, and the signal that moves them."""


@app.command(epilog=PREPARE)
def prepare(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name above the regional endpoints.")],
    primary: Annotated[
        str, typer.Option("--primary", help="The region that answers alone; by default all share.")
    ] = "",
    apply: Apply = False,
    reason: Reason = "",
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Put an alias to each regional endpoint at a name of Route 53, each with a health check that asks our watches.

    Do it while Route 53 takes changes: afterwards a region is left without one. The regional endpoints REGION.NAME are in
    the configuration, and so are the provider's watches. A name that is an endpoint already is let go of first: outlast
    retire. What goes and what comes is printed; nothing is written without --apply.
    """
    from outlast.cli.route53_preparing import Wanted, prepare_name

    wanted = Wanted(name=name, primary=primary, apply=apply, reason=reason, as_json=as_json)
    prepare_name(load(config), wanted)


@app.command(epilog=LEAVE)
def leave(
    region: Region,
    names: Names = None,
    here: Here = False,
    wait: Wait = 15.0,
    apply: Apply = False,
    reason: Reason = "",
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Have the watches say that a region is left: Route 53's health checkers take it out of the prepared names.

    No change is sent to Route 53, and its answers follow about half a minute after the watches. The last region of a name
    is refused: Route 53 would then answer with all of them. Nothing is said without --apply. It stands until outlast
    route53 return.
    """
    from outlast.cli.route53_leaving import Signal, signal

    wish = Signal(left=True, region=region, here=here, wait=wait, apply=apply, reason=reason, as_json=as_json)
    signal(load(config), names or [], wish)


@app.command("return", epilog=RETURN)
def come_back(
    region: Region,
    names: Names = None,
    here: Here = False,
    wait: Wait = 15.0,
    apply: Apply = False,
    reason: Reason = "",
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Have the watches say that a region is not left any more: the prepared names answer with it again.

    See that the region is well first: all of its share comes back at once. Nothing is said without --apply.
    """
    from outlast.cli.route53_leaving import Signal, signal

    wish = Signal(left=False, region=region, here=here, wait=wait, apply=apply, reason=reason, as_json=as_json)
    signal(load(config), names or [], wish)


@app.command(epilog=WATCH)
def watch(
    listen: Annotated[str, typer.Option("--listen", help="ADDRESS:PORT, of this machine only.")] = "127.0.0.1:8053",
    path: Annotated[str, typer.Option("--path", help="What is asked for begins with it.")] = "/evacuated",
    interval: Annotated[float, typer.Option("--interval", help="Seconds between two looks.", min=0.1, max=60)] = 1.0,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Answer Route 53's health checkers: 200 for a region that is left, 404 for any other.

    Run two or more, in different places, outside the regions that they speak of, each behind a web server with the address
    that is in `watches`. It follows the orders in the registry and keeps them on its disk: without the registry it goes on
    saying what they said last.
    """
    settings = load(config)
    address, port = _listening(listen)
    check_needs(settings, wire.registry, _kept)

    def started(bound: int) -> None:
        put(f"http://{address}:{bound}{path}")

    async def role(stop: asyncio.Event, tell: Tell) -> None:
        from outlast.config.leaving import WATCH_NAME, Listening, run_watch

        listening = Listening(address, port, path.rstrip("/"), interval)
        try:
            registry = wire.registry(settings)
            await run_watch(
                settings, listening, name=WATCH_NAME, registry=registry, stop=stop, started=started, tell=tell
            )
        except OSError as error:
            raise OutlastError(f"{listen}: {error.strerror}", hint="name another port, or see to the disk") from error

    run_role("watch", role)


def _kept(settings: Settings) -> None:
    from outlast.config import leaving

    found = leaving.places(settings, leaving.WATCH_NAME)
    leaving.load_ordered(found)
    leaving.load_here(found)


def _listening(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    try:
        return scalars.ip_address(address.strip("[]")), int(port)
    except (scalars.Misread, ValueError):
        raise InvalidConfig((f"--listen {text}: write ADDRESS:PORT, as in 127.0.0.1:8053",)) from None
