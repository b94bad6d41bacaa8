"""Names resolved by outlast over TLS: the connection goes to an address, and everything else stays the name's."""

import asyncio
import http.server
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import httpx
import pytest

from outlast.client import Regions, explain, protect
from outlast.client.boto import regional
from outlast.errors import Unavailable
from outlast.policy import Policy, Retry, transient

NAME = "db.example.com"
CERTIFICATE = Path(__file__).parents[1] / "resolver" / "certificate.pem"
"""Of db.example.com, signed by itself, valid for a century, with a key that is worth nothing."""


class Answer:
    """What a resolver found."""

    source, age, reason = "fresh", 0.0, ""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses


class Names:
    """A resolver for which every name but one is at this machine, behind an address where nobody listens."""

    def resolve(self, name: str, *, deadline: float | None = None) -> Answer:
        assert deadline is not None
        if name == "gone.example.com":
            raise Unavailable(f"{name}: no address")
        return Answer("127.0.0.99", "127.0.0.1")

    async def aresolve(self, name: str, *, deadline: float | None = None) -> Answer:
        return self.resolve(name, deadline=deadline)


class Secure(http.server.ThreadingHTTPServer):
    """A service that proves to be db.example.com, and notes which names it was asked for by TLS and by HTTP."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str | None] = []
        self.hosts: list[str] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        context.sni_callback = lambda _, name, __: self.asked.append(name)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, *_: Any) -> None:
        """Clients that do not trust us leave in the middle of the handshake; the tests' output is kept free of that."""

    def url(self, host: str = NAME) -> str:
        return f"https://{host}:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Secure

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.hosts.append(self.headers["host"])
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: Any) -> None:
        """Keep the tests' output free of requests."""


@pytest.fixture
def service() -> Iterator[Secure]:
    with Secure() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ask(url: str, **protection: Any) -> httpx.Response:
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    with protect(httpx.Client(trust_env=False, verify=context), **protection) as client:
        return client.get(url)


def ask_async(url: str, **protection: Any) -> httpx.Response:
    async def run() -> httpx.Response:
        context = ssl.create_default_context(cafile=str(CERTIFICATE))
        async with protect(httpx.AsyncClient(trust_env=False, verify=context), **protection) as client:
            return await client.get(url)

    return asyncio.run(run())


BOTH = pytest.mark.parametrize("ask", [ask, ask_async])
Ask = Callable[..., httpx.Response]


@BOTH
def test_server_name_and_host_stay_the_requests(ask: Ask, service: Secure) -> None:
    """The server is asked for the name, not for the address, by TLS and by HTTP, and its certificate is checked for it."""
    response = ask(f"{service.url()}/x", policy=Policy("p"), resolver=Names())

    assert (200, [NAME]) == (response.status_code, service.asked)
    assert [service.url().removeprefix("https://")] == service.hosts


@BOTH
def test_another_name_is_not_believed(ask: Ask, service: Secure) -> None:
    """An address that cannot prove the name asked for receives no request, whatever the resolver said."""
    with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        ask(service.url("bank.example.com"), policy=Policy("p"), resolver=Names())

    assert (["bank.example.com"], []) == (service.asked, service.hosts)


@BOTH
def test_a_region_is_asked_for_its_own_name(ask: Ask, service: Secure) -> None:
    """After a failover server name and Host are the other region's."""
    regions = Regions({"east": service.url("gone.example.com"), "west": service.url()})
    policy = Policy("p", retry=Retry(on=transient, base=0.001, cap=0.001))
    response = ask("/x", policy=policy, regions=regions, resolver=Names())

    assert (200, [NAME], [service.url().removeprefix("https://")]) == (
        response.status_code,
        service.asked,
        service.hosts,
    )


def test_botocore_keeps_name_and_host_too(service: Secure) -> None:
    """A client of botocore connects to the resolver's address, asks for the name, and fails over to the other region's."""
    regions = Regions({"us-east-1": service.url("gone.example.com"), "us-west-2": service.url()})
    policy = Policy("p", retry=Retry(on=transient, base=0.001, cap=0.001))
    client = regional(
        botocore.session.Session(),
        "dynamodb",
        regions=regions,
        policy=policy,
        resolver=Names(),
        verify=str(CERTIFICATE),
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    tables = client.list_tables()
    client.close()

    assert (200, [NAME]) == (tables["ResponseMetadata"]["HTTPStatusCode"], service.asked)
    assert [service.url().removeprefix("https://")] == service.hosts
    assert "resolver" in [item.what for item in explain(client).applied]
