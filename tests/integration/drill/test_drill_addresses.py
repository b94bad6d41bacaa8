"""The load balancers' addresses on real sockets."""

import socket

import pytest

from outlast.drill.addresses import REGIONS, Listeners, listen


def addresses(listeners: Listeners) -> list[tuple[str, int]]:
    """Where they listen."""
    return [one.getsockname() for sockets in listeners.sockets.values() for one in sockets]


def test_each_load_balancer_has_an_address_of_its_own_on_one_port() -> None:
    """Four addresses, one port, nothing to map."""
    try:
        socket.create_server(("127.0.1.1", 0)).close()
    except OSError:
        pytest.skip("127.0.1.1 is not an address of this machine: sudo ifconfig lo0 alias 127.0.1.1")
    listeners = listen()
    found = addresses(listeners)
    listeners.close()

    assert [(address, listeners.port) for of in REGIONS.values() for address in of] == found
    assert {} == listeners.address_map


def test_one_address_maps_each_to_a_port() -> None:
    """All listen on 127.0.0.1; the map leads each address to the socket of its own region."""
    listeners = listen(one_address=True)
    found = addresses(listeners)
    listeners.close()

    assert [listeners.address_map[address] for of in REGIONS.values() for address in of] == found
    assert ({"127.0.0.1"}, 4) == ({address for address, _ in found}, len({port for _, port in found}))


def test_closing_gives_every_port_back() -> None:
    """What was bound can be bound again at once."""
    listeners = listen(one_address=True)
    found = addresses(listeners)
    listeners.close()
    for place in found:
        socket.create_server(place).close()

    assert [-1] * 4 == [one.fileno() for sockets in listeners.sockets.values() for one in sockets]
