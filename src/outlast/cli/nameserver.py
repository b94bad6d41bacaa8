"""`outlast nameserver serve`: the embedded authoritative name server."""

import asyncio
import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outlast.cli.options import epilog
from outlast.config.key import read_key
from outlast.errors import InvalidConfig

if TYPE_CHECKING:
    from outlast.nameserver.keys import UpdateKey
    from outlast.nameserver.server import Nameserver

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

EPILOG = epilog(
    "umask 077; tsig-keygen outlast > tsig.key",
    "outlast nameserver serve --zone example.com --state example.com.zone --key-file tsig.key --listen 127.0.0.1:5353",
    status="0 stopped by SIGINT or SIGTERM, 1 the port or address cannot be had, 2 the command line is wrong.",
)


@app.callback(epilog=EPILOG)
def nameserver() -> None:
    """Serve zones that take signed updates (RFC 2136): one machine is enough to begin with."""


@app.command("serve", epilog=EPILOG)
def serve_zones(
    *,
    zone: Annotated[list[str], typer.Option("--zone", help="A zone to serve; repeat for more.")],
    zone_file: Annotated[
        list[str] | None, typer.Option("--zone-file", metavar="[ZONE=]FILE", help="Where the zone starts from.")
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="[ZONE=]FILE", help="Where the zone is kept; wins over --zone-file."),
    ] = None,
    listen: Annotated[
        str, typer.Option("--listen", metavar="ADDRESS:PORT", help="Over UDP and TCP; port 0 picks a free one.")
    ] = "127.0.0.1:5353",
    allow: Annotated[
        list[str] | None, typer.Option("--allow", metavar="NETWORK", help="Who is heard; needed beyond loopback.")
    ] = None,
    key_file: Annotated[
        list[str] | None,
        typer.Option("--key-file", help="Who may update: a BIND key file, or name:algorithm:base64. Repeat for more."),
    ] = None,
    negative_ttl: Annotated[int, typer.Option("--negative-ttl", help="Seconds a negative answer is kept.")] = 60,
    journal: Annotated[
        Path | None, typer.Option("--journal", help="Append a JSON line for each update received to this file.")
    ] = None,
    route53_aliases: Annotated[
        bool, typer.Option("--route53-aliases", help="Drills only: TYPE65280 records act as aliases.")
    ] = False,
) -> None:
    """Answer for zones until interrupted. Unsigned updates and zone transfers are refused.

    Prints one line on stdout once it answers: `listening on ADDRESS:PORT`.
    """
    from outlast.nameserver.options import ServerOptions, ZoneOptions
    from outlast.nameserver.server import serve

    address, port = _place(listen)
    files, states = _by_zone(zone_file or [], zone, "--zone-file"), _by_zone(state or [], zone, "--state")
    zones = tuple(
        ZoneOptions(name=name, negative_ttl=negative_ttl, file=files.get(name), state=states.get(name)) for name in zone
    )
    options = ServerOptions(
        zones=zones,
        keys=tuple(_update_key(source) for source in key_file or []),
        address=address,
        port=port,
        allow=_networks(allow),
        journal=journal,
        route53_aliases=route53_aliases,
    )
    asyncio.run(serve(options, ready=_announce))


def _announce(server: "Nameserver") -> None:
    address = f"[{server.address}]" if ":" in server.address else server.address
    typer.echo(f"listening on {address}:{server.port}")


def _place(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    if not address or not port.isdecimal():
        raise InvalidConfig((f"--listen {text}: write ADDRESS:PORT such as 127.0.0.1:5353 or [::1]:5353",))
    return address.strip("[]"), int(port)


def _by_zone(given: list[str], zones: list[str], option: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for text in given:
        name, is_named, file = text.partition("=")
        if not is_named and len(zones) == 1:
            name, file = zones[0], text
        if name not in zones:
            raise InvalidConfig((f"{option} {text}: write {zones[0]}=FILE, with a zone that --zone names",))
        found[name] = Path(file)
    return found


def _update_key(source: str) -> "UpdateKey":
    from outlast.nameserver.keys import UpdateKey

    key = read_key(source)
    return UpdateKey(name=key.name, secret=key.secret, algorithm=key.algorithm)


def _networks(given: list[str] | None) -> tuple[Network, ...] | None:
    if not given:
        return None
    try:
        return tuple(ipaddress.ip_network(text) for text in given)
    except ValueError as error:
        raise InvalidConfig((f"--allow: {error}; write a network such as 192.0.2.0/24",)) from error
