"""The registry on a real etcd of three members with TLS: members die, hang and come back; certificates that do not fit."""

import asyncio
import signal
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from patience import SECONDS
from registry_places import leases_of, plan, record
from servers import etcd
from servers.certificates import Authority
from servers.etcd import Member

from outlast.errors import Unavailable
from outlast.registry.documents import DocumentRegistry
from outlast.registry.etcd import EtcdStore
from outlast.traffic.ports import Lease

pytestmark = pytest.mark.slow

TIMEOUT = 3.0


class Cluster(NamedTuple):
    """Three members, and who signs for them."""

    members: tuple[Member, ...]
    authority: Authority
    files: dict[str, Any]

    def registry(self, *, first: int = 0, timeout: float = TIMEOUT, **files: Any) -> DocumentRegistry:
        """A registry of its own, whose list of members begins with this one."""
        urls = [self.members[(first + at) % 3].url for at in range(3)]
        store = EtcdStore(urls, prefix=f"{uuid.uuid4().hex}/", timeout=timeout, **(self.files | files))
        return DocumentRegistry(store, timeout=timeout)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if not etcd.is_installed():
        pytest.skip("etcd not found: PEERS=install make test, or apt install etcd-server")
    folder = tmp_path_factory.mktemp("cluster")
    authority = Authority(folder)
    pair = authority.sign("client")
    files = {"ca_file": authority.file, "cert_file": pair.cert, "key_file": pair.key}
    with etcd.cluster(folder, authority) as members:
        made = Cluster(members, authority, files)
        asyncio.run(answering(made.registry()))
        yield made


@pytest.fixture
def cluster(running: Cluster) -> Iterator[Cluster]:
    """The cluster, whole before and after."""
    yield running
    for member in running.members:
        member.resume()
        if not member.is_running:
            assert member.start()
    asyncio.run(answering(running.registry()))


async def answering(registry: DocumentRegistry) -> int:
    """Wait until a majority has a leader; elections take their time."""
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                return await registry.floor()
            except Unavailable:
                await asyncio.sleep(0.1)


async def used(registry: DocumentRegistry, generation: int) -> tuple[bool | int, ...]:
    """Plans, records and leases, written and read."""
    held = await leases_of(registry).lease("l")
    after = Lease("l", "one", generation, 0)
    return (
        await registry.publish(plan(generation), after=generation - 1),
        await registry.write_record(record(generation)),
        await leases_of(registry).swap_lease(after, seen=held),
        await registry.floor(),
        len(await registry.records()),
        await leases_of(registry).lease("l") == after,
    )


@pytest.mark.parametrize("how", ["killed", "standing still"])
def test_one_member_less_is_not_noticed(cluster: Cluster, how: str) -> None:
    """With the first member of the list killed, or hanging with its port open, everything works on the next one."""
    registry = cluster.registry()

    async def act() -> list[tuple[bool | int, ...]]:
        before = await used(registry, 1)
        if how == "killed":
            cluster.members[0].stop(signal.SIGKILL)
        else:
            cluster.members[0].pause()
        await answering(registry)  # it may have been the leader
        return [before, await used(registry, 2), await used(registry, 3)]

    assert [(True, True, True, number, 1, True) for number in (1, 2, 3)] == asyncio.run(act())


def test_two_members_less_is_a_registry_that_is_down_and_comes_back(cluster: Cluster) -> None:
    """Without a majority nothing is read or written and the fix is named; with one member back all is there again."""
    registry = cluster.registry(first=2)

    async def act() -> tuple[tuple[bool | int, ...], list[str], int, tuple[bool | int, ...]]:
        before = await used(registry, 1)
        for member in cluster.members[:2]:
            member.stop(signal.SIGKILL)
        said = []
        for call in (registry.floor, lambda: registry.write_record(record(9)), lambda: leases_of(registry).lease("l")):
            with pytest.raises(Unavailable) as caught:
                await call()
            said.append(caught.value.hint)
        assert await asyncio.to_thread(cluster.members[0].start)
        await answering(registry)
        return before, said, await registry.floor(), await used(registry, 2)

    before, said, floor, after = asyncio.run(act())

    assert ((True, True, True, 1, 1, True), 1, (True, True, True, 2, 1, True)) == (before, floor, after)
    assert all("etcdctl endpoint status" in hint for hint in said)


def refusal(registry: DocumentRegistry) -> str:
    async def ask() -> None:
        await registry.floor()

    with pytest.raises(Unavailable) as caught:
        asyncio.run(ask())
    return caught.value.hint


def test_members_of_another_authority_are_not_believed(cluster: Cluster, tmp_path: Any) -> None:
    """A certificate that ca_file did not sign, or the system's authorities did not, ends the connection; the hint says so."""
    other = Authority(tmp_path, "other")

    assert [True, True] == [
        "set ca_file to the authority" in refusal(cluster.registry(ca_file=ca)) for ca in (other.file, None)
    ]


def test_a_client_whom_the_cluster_does_not_know(cluster: Cluster, tmp_path: Any) -> None:
    """Without a certificate, or with one of another authority, the cluster refuses; the hint names both settings."""
    pair = Authority(tmp_path, "other").sign("stranger")

    assert [True, True] == [
        "see cert_file and key_file" in refusal(cluster.registry(cert_file=cert, key_file=key))
        for cert, key in ((None, None), pair)
    ]


def test_plain_http_to_a_cluster_with_tls_is_told(cluster: Cluster) -> None:
    """The address must begin with https, and the hint says so."""
    urls = [member.url.replace("https:", "http:") for member in cluster.members]
    registry = DocumentRegistry(EtcdStore(urls, timeout=TIMEOUT), timeout=TIMEOUT)

    assert refusal(registry).endswith("or if it speaks TLS, write https:// in its address")
