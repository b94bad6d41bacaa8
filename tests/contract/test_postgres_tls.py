"""The registry on a real PostgreSQL that speaks TLS only: certificates that fit, and what is said of those that do not."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from registry_places import plan
from servers import postgres
from servers.certificates import Authority

from outlast.errors import Unavailable
from outlast.registry.postgres import PostgresRegistry

pytestmark = pytest.mark.slow

TIMEOUT = 10.0


class Secured(NamedTuple):
    """A PostgreSQL with TLS, and what a client of it needs."""

    server: postgres.Postgres
    files: dict[str, Any]

    def registry(self, dsn: str = "", **files: Any) -> PostgresRegistry:
        options = {"password": postgres.PASSWORD, "timeout": TIMEOUT, **self.files, **files}
        return PostgresRegistry(dsn or self.server.dsn, **options)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    if not postgres.is_installed():
        pytest.skip("postgres not found: PEERS=install make test, or apt install postgresql")
    authority = Authority(tmp_path_factory.mktemp("postgres-tls"))
    pair = authority.sign("client")
    with postgres.postgres(authority=authority) as server:
        yield Secured(server, {"ca_file": authority.file, "cert_file": pair.cert, "key_file": pair.key})


def test_certificates_on_both_sides(secured: Secured) -> None:
    """The server's is checked, ours is shown; plans are written and read."""
    registry = secured.registry()

    async def ask() -> tuple[object, ...]:
        return await registry.publish(plan(1), after=0), await registry.floor()

    found = asyncio.run(ask())
    registry.close()

    assert (True, 1) == found


def refusal(registry: PostgresRegistry) -> str:
    async def ask() -> None:
        await registry.floor()

    with pytest.raises(Unavailable) as caught:
        asyncio.run(ask())
    return caught.value.hint


def test_a_server_of_another_authority_is_not_believed(secured: Secured, tmp_path: Path) -> None:
    """Nor one whose certificate has another name than the one that was connected to."""
    other = Authority(tmp_path, "other")
    by_name = secured.server.dsn.replace("127.0.0.1", "localhost.localdomain") + "?hostaddr=127.0.0.1"

    assert "set ca_file to the authority that signed" in refusal(secured.registry(ca_file=other.file))
    assert "name it as the certificate does" in refusal(secured.registry(by_name))


def test_a_client_whom_the_server_does_not_know(secured: Secured, tmp_path: Path) -> None:
    """Without a certificate, or with another authority's, the server refuses; the hint names both settings."""
    pair = Authority(tmp_path, "other").sign("stranger")
    refused = [
        refusal(secured.registry(cert_file=None, key_file=None)),
        refusal(secured.registry(cert_file=pair.cert, key_file=pair.key)),
    ]

    assert ["it asks for a client certificate that it trusts: see cert_file and key_file"] * 2 == refused


def test_a_server_without_tls_is_not_used(postgres_server: postgres.Postgres, secured: Secured) -> None:
    """With ca_file nothing goes over the network in the clear, least of all the password."""
    registry = secured.registry(postgres_server.dsn)

    assert "switch TLS on in the server" in refusal(registry)
