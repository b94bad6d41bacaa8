"""Last-known-good addresses are checked as the user chose: somebody accepts there, or proves to be the name."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from outlast.errors import InvalidConfig, ResolutionFailed
from outlast.resolver import Protect, Resolver
from outlast.testing.scripted_dns import ScriptedDns

NAME = "db.example.com"
CERTIFICATE = Path(__file__).with_name("certificate.pem")
"""Of db.example.com, signed by itself, valid for a century, with a key that is worth nothing."""


@contextmanager
def listening(*, is_tls: bool = False) -> Iterator[int]:
    """A server that accepts connections, and with TLS proves to be db.example.com."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return  # closed by the test
            try:
                connection.settimeout(2)
                if is_tls:
                    connection = context.wrap_socket(connection, server_side=True)
                connection.recv(1)
            except OSError:
                pass  # the checker does not trust us, or left
            finally:
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def denied(dns: ScriptedDns, clock: Any, verify: str, *, name: str = NAME) -> Resolver:
    """A resolver that knows the name, whose upstream denies it now."""
    dns.serve(name, ["127.0.0.1"], ttl=2)
    resolver = Resolver(clock=clock, upstreams=[dns.address], names={name: Protect(verify=verify)}, ca_file=CERTIFICATE)
    resolver.resolve(name)
    clock.let_pass(3)
    dns.set(name, "nodata")
    return resolver


@pytest.mark.parametrize("kind", ["tcp", "tls"])
def test_an_address_that_passes_is_answered(kind: str, dns: ScriptedDns, clock: Any) -> None:
    """The answer says which check it passed."""
    with listening(is_tls=kind == "tls") as port:
        answer = denied(dns, clock, f"{kind}:{port}").resolve(NAME)

    assert ("last-known-good", ("127.0.0.1",)) == (answer.source, answer.addresses)
    assert f"passed {kind}:{port}" in answer.reason


@pytest.mark.parametrize("kind", ["tcp", "tls"])
def test_an_address_where_nobody_listens_is_not(kind: str, dns: ScriptedDns, clock: Any) -> None:
    """Nobody accepts: the denial is the answer, and the trail has the check."""
    with listening() as port:
        pass
    resolver = denied(dns, clock, f"{kind}:{port}")
    with pytest.raises(ResolutionFailed, match="no last-known-good address passed") as caught:
        resolver.resolve(NAME)

    assert any("127.0.0.1: Connection refused" in line for line in caught.value.trail)


def test_an_address_that_belongs_to_somebody_else_is_not(dns: ScriptedDns, clock: Any) -> None:
    """Who cannot prove the name by TLS is not answered: an address given to somebody else receives no data."""
    with listening(is_tls=True) as port:
        resolver = denied(dns, clock, f"tls:{port}", name="bank.example.com")
        with pytest.raises(ResolutionFailed, match="no last-known-good address passed"):
            resolver.resolve("bank.example.com")


def test_authorities_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    """A wrong file of authorities is found at construction, not in the outage."""
    with pytest.raises(InvalidConfig, match="ca_file"):
        Resolver(names={NAME: Protect(verify="tls:443")}, ca_file=tmp_path / "missing.pem")
