"""Binding one port over UDP and TCP, with errors that name the fix."""

import contextlib
import errno
import socket
from typing import NamedTuple

from outlast.errors import Unavailable
from outlast.listener.limits import PORT_ATTEMPTS

_BACKLOG = 128
_RECEIVE_BUFFER_BYTES = 1 << 20  # a burst of queries while an update is written to disk; the system may grant less


class Sockets(NamedTuple):
    """The two sockets of one address and port, both non-blocking."""

    udp: socket.socket
    tcp: socket.socket


def bind(address: str, port: int) -> Sockets:
    """Bind `port` of `address` over UDP and TCP; 0 picks a port that is free for both.

    Raises:
        Unavailable: The port is taken, needs a privilege, or the address is missing on this machine.

    """
    attempts = PORT_ATTEMPTS if port == 0 else 1
    for attempt in range(1, attempts + 1):
        try:
            return _bind_both(address, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or attempt == attempts:
                raise Unavailable(
                    f"cannot listen on {address} port {port}: {error.strerror}", hint=_hint(error.errno, address, port)
                ) from error
    raise AssertionError("the last attempt returns or raises")


def _bind_both(address: str, port: int) -> Sockets:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with contextlib.ExitStack() as undo:
        tcp = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        # A restart must not wait for the connections of its predecessor to leave TIME_WAIT. UDP has no such state, and
        # there the option would let two servers share the port.
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind((address, port))
        tcp.listen(_BACKLOG)
        udp = undo.enter_context(socket.socket(family, socket.SOCK_DGRAM))
        udp.bind((address, tcp.getsockname()[1]))
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        udp.settimeout(0)
        tcp.settimeout(0)
        undo.pop_all()
    return Sockets(udp, tcp)


def _hint(number: int | None, address: str, port: int) -> str:
    if number == errno.EADDRINUSE:
        return f"stop the program that has port {port}, choose another port, or 0 for a free one"
    if number == errno.EADDRNOTAVAIL:
        return f"add the address to this machine (`sudo ifconfig lo0 alias {address}` on macOS) or use 127.0.0.1"
    if number in (errno.EACCES, errno.EPERM):
        return "choose a port from 1024 upwards, or give the process the right to bind low ports"
    return "check the address and the port"
