"""Checks whether an address still answers for a name, as the user chose: something accepts, or proves the name by TLS."""

import socket
import ssl
from collections.abc import Generator

from outlast.resolver.errand import Steps, Wait
from outlast.resolver.messages import Probed
from outlast.resolver.upstream import connect, family_of, words_of


def probe(address: str, check: str, *, name: str, context: ssl.SSLContext | None) -> Steps:
    """Check one address.

    Args:
        address: Where to connect.
        check: `tcp:PORT` or `tls:PORT`.
        name: The name that the certificate must be valid for.
        context: How TLS is spoken and who is trusted; needed for `tls`.

    """
    kind, _, port = check.partition(":")
    try:
        with socket.socket(family_of(address), socket.SOCK_STREAM) as stream:
            yield from connect(stream, (address, int(port)))
            if kind == "tls":
                assert context is not None, "tls is only chosen with a context"
                yield from _handshake(stream, name, context)
    except (OSError, ValueError) as error:  # TLS errors are OSErrors; a name TLS cannot carry is a ValueError
        return Probed(0, address, words_of(error))
    return Probed(0, address, "")


def _handshake(stream: socket.socket, name: str, context: ssl.SSLContext) -> Generator[Wait, None, None]:
    # An address that was given to somebody else cannot complete this, and gets no data.
    with context.wrap_socket(stream, server_hostname=name, do_handshake_on_connect=False) as secured:
        while True:
            try:
                return secured.do_handshake()
            except ssl.SSLWantReadError:
                yield Wait(secured, is_writing=False)
            except ssl.SSLWantWriteError:
                yield Wait(secured, is_writing=True)
