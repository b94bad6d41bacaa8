"""A web server's part before a watch: it has the certificate, and hands each request on to a port of this machine."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from servers.certificates import Pair

SECONDS = 5.0


class TlsFront:
    """Takes HTTPS on `port` of 127.0.0.1 for what listens on `behind`; with 0 there, every request ends unanswered."""

    def __init__(self, pair: Pair) -> None:
        self.behind = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pair.cert, pair.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            plain.settimeout(SECONDS)
            with plain, contextlib.suppress(OSError), self._context.wrap_socket(plain, server_side=True) as client:
                self._hand_on(client)

    def _hand_on(self, client: ssl.SSLSocket) -> None:
        with socket.create_connection(("127.0.0.1", self.behind), SECONDS) as server:
            server.sendall(client.recv(65_536))
            while data := server.recv(65_536):
                client.sendall(data)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@contextmanager
def tls_front(pair: Pair) -> Iterator[TlsFront]:
    """One until the block ends."""
    front = TlsFront(pair)
    try:
        yield front
    finally:
        front.close()
