"""Every registry down for the length of a test: DNS stays, and an enactor mends records from its own copy."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import dns.query
import dns.rcode
import dns.tsig
import dns.update
import pytest
from command_world import KEY, World, wait_for
from servers import etcd, postgres
from servers.process import ServerProcess

pytestmark = pytest.mark.slow
BOTH = ["127.0.0.1", "127.0.0.2"]


@pytest.fixture(params=["etcd", pytest.param("postgres", marks=pytest.mark.long)])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, world: World
) -> Iterator[ServerProcess]:
    """A registry's server, and a world that is configured for it."""
    program = {"postgres": postgres, "etcd": etcd}[request.param]
    if not program.is_installed():
        reason = f"{request.param} not found: PEERS=install make test"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    if request.param == "postgres":
        with postgres.postgres() as database:
            world.asks_here = False
            (world.folder / "registry.password").write_text(postgres.PASSWORD)
            configure(world, f'kind = "postgres"\ndsn = "{database.dsn}"\npassword_file = "registry.password"')
            yield database
        return
    with etcd.etcd(tmp_path_factory.mktemp("etcd")) as store:
        configure(world, f'kind = "etcd"\nendpoints = ["{store.url}"]')
        yield store


def configure(world: World, registry: str) -> None:
    """Put this registry in the place of the file."""
    path = world.folder / "outlast.toml"
    path.write_text(path.read_text().replace('kind = "sqlite"\n            path = "outlast.db"', registry))


def damage(world: World, *addresses: str) -> None:
    """Do to the records what a person's mistake would; without addresses they go altogether."""
    name, algorithm, secret = KEY.split(":")
    update = dns.update.UpdateMessage("example.com", keyring=dns.tsig.Key(name, secret, algorithm))
    update.delete("db", "A")
    for address in addresses:
        update.add("db", 5, "A", address)
    assert dns.rcode.NOERROR == dns.query.tcp(update, "127.0.0.1", port=world.port, timeout=2).rcode()


def test_dns_stays_and_is_mended_without_any_registry(world: World, server: ServerProcess) -> None:
    """With the registry killed, answers stay, damage is mended, also by an enactor begun anew; then all agrees again."""
    path = world.folder / "outlast.toml"
    path.write_text(path.read_text().replace('max_signal_age = "5s"', 'max_signal_age = "1h"'))  # no prober runs on
    world.settle()
    enactor = world.start("enactor", "run", "--name", "enactor-a")
    server.stop(signal.SIGKILL)
    before = world.addresses()
    damage(world, "192.0.2.66")
    wait_for(lambda: world.addresses() == BOTH)
    first = world.stop(enactor)
    enactor = world.start("enactor", "run", "--name", "enactor-a")
    damage(world)
    wait_for(lambda: world.addresses() == BOTH)
    alone = world.status()
    assert server.start()
    wait_for(lambda: world.is_settled(*BOTH))
    second = world.stop(enactor)

    writes = re.search(r" n=(\d+) gen=1 ", alone["sentinel"][0])
    copy = world.folder / "shop.enactor-a.copy"
    assert (BOTH, 0, 0, 0o600) == (before, first, second, copy.stat().st_mode & 0o777)
    assert writes is not None
    assert 3 == int(writes.group(1))
    assert postgres.PASSWORD not in "".join(path.read_text() for path in sorted(Path(world.folder).glob("*.log")))
