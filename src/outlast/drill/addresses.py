"""Which loopback addresses stand for the load balancers.

Where all of 127.0.0.0/8 is bound to the loopback interface (Linux), each load balancer has an address of its own, on
one port. Where only 127.0.0.1 is (macOS), DNS still answers the same addresses, and one dialer, shared by all groups,
maps each to 127.0.0.1 and a port; the output says so.
"""

import socket
from typing import NamedTuple

from outlast.errors import Unavailable

REGIONS: dict[str, tuple[str, ...]] = {
    "us-east-1": ("127.0.1.1", "127.0.1.2"),
    "us-west-2": ("127.0.2.1", "127.0.2.2"),
}
EAST, WEST = REGIONS
THIRD = "eu-central-1"
"""A place without targets: one more point of view."""
PLACES = {
    "planner-east": EAST,
    "enactor-a": EAST,
    "prober-east": EAST,
    "planner-west": WEST,
    "enactor-b": WEST,
    "prober-west": WEST,
    "janitor": WEST,
    "enactor-c": THIRD,
    "prober-third": THIRD,
}
"""Where each role of our control plane runs."""
BACKLOG = 512
TRIES = 20
REACH_SECONDS = 2.0
"""A connection over loopback takes microseconds; a firewall that swallows it must not hang the drill."""


class Listeners(NamedTuple):
    """Bound sockets by region, the port behind every address, and where to dial instead, if anywhere."""

    sockets: dict[str, list[socket.socket]]
    port: int
    address_map: dict[str, tuple[str, int]]

    def places(self, region: str) -> list[tuple[str, int]]:
        """Address and port to connect to, of each load balancer of a region."""
        return [self.address_map.get(address, (address, self.port)) for address in REGIONS[region]]

    def close(self) -> None:
        for sockets in self.sockets.values():
            for listening in sockets:
                listening.close()


def listen(*, one_address: bool = False) -> Listeners:
    """Bind every load balancer's address.

    Args:
        one_address: Use 127.0.0.1 alone even if more are there.

    Raises:
        Unavailable: Not even 127.0.0.1 can be bound, or what is bound cannot be reached.

    """
    found = None
    if not one_address and _is_bindable(REGIONS["us-east-1"][0]):
        tries = (_listen_on_one_port() for _ in range(TRIES))
        found = next((listeners for listeners in tries if listeners is not None), None)
    found = found or _listen_on_one_address()
    try:
        _check_reachable(found)
    except OSError as error:
        found.close()
        raise Unavailable(f"loopback cannot be reached: {error}", hint="bring it up: ip link set lo up") from error
    return found


def bind_again(listeners: Listeners, region: str) -> Listeners:
    """Bind the addresses of a region again, after whoever listened there has ended.

    Raises:
        Unavailable: One was taken meanwhile.

    """
    try:
        # Connections of the server that ended may linger on its port; on POSIX create_server binds all the same.
        sockets = [socket.create_server(place, backlog=BACKLOG) for place in listeners.places(region)]
        return listeners._replace(sockets={region: sockets})
    except OSError as error:
        raise Unavailable(
            f"{region} cannot listen again: {error}", hint="a port was taken; play the act again"
        ) from error


def _check_reachable(listeners: Listeners) -> None:
    # Linux binds the addresses of a loopback interface that is down; only a connection tells.
    for sockets in listeners.sockets.values():
        for listening in sockets:
            socket.create_connection(listening.getsockname(), timeout=REACH_SECONDS).close()


def _is_bindable(address: str) -> bool:
    try:
        _bind(address, 0).close()
    except OSError:
        return False
    return True


def _listen_on_one_port() -> Listeners | None:
    # The kernel picks a port for the first address; it may be taken on another one, then we pick again.
    sockets: dict[str, list[socket.socket]] = {region: [] for region in REGIONS}
    port = 0
    try:
        for region, addresses in REGIONS.items():
            for address in addresses:
                listening = _bind(address, port)
                sockets[region].append(listening)
                port = listening.getsockname()[1]
    except OSError:
        Listeners(sockets, port, {}).close()
        return None
    return Listeners(sockets, port, {})


def _listen_on_one_address() -> Listeners:
    sockets: dict[str, list[socket.socket]] = {}
    address_map: dict[str, tuple[str, int]] = {}
    try:
        for region, addresses in REGIONS.items():
            sockets[region] = [_bind("127.0.0.1", 0) for _ in addresses]
            bound = (listening.getsockname()[1] for listening in sockets[region])
            address_map |= {address: ("127.0.0.1", port) for address, port in zip(addresses, bound, strict=True)}
    except OSError as error:
        raise Unavailable(
            f"127.0.0.1 cannot be bound: {error}", hint="the drill needs the loopback interface"
        ) from error
    return Listeners(sockets, 80, address_map)


def _bind(address: str, port: int) -> socket.socket:
    listening = socket.socket()
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening
