"""What each kind of registry does with the troubles that only its own server has. No message repeats a password."""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from registry_places import DB, EAST, connect, plan, record
from registry_refusals import own, refusal
from servers import etcd, postgres, s3
from servers.process import free_port

from outlast.errors import Unavailable, UnsafePlan
from outlast.registry.documents import DocumentRegistry
from outlast.registry.etcd import EtcdStore
from outlast.registry.s3 import S3Store

pytestmark = pytest.mark.slow

TIMEOUT = 10.0


# ---------------------------------------------------------------------------------------------------------------- etcd


def etcd_registry(*urls: str, prefix: str, user: str = "", password: str = "") -> DocumentRegistry:
    store = EtcdStore(urls, prefix=prefix, user=user, password=password, timeout=TIMEOUT)
    return DocumentRegistry(store, timeout=TIMEOUT)


def test_a_member_that_is_gone_is_passed_over(etcd_server: etcd.Etcd) -> None:
    """Reads and writes go to the next member when one does not listen."""
    registry = etcd_registry(f"http://127.0.0.1:{free_port()}", etcd_server.url, prefix=f"{own()}/")

    async def ask() -> tuple[object, ...]:
        return await registry.publish(plan(1), after=0), await registry.floor()

    assert (True, 1) == asyncio.run(ask())


def test_a_member_that_breaks_off_gets_reads_repeated_and_writes_not(etcd_server: etcd.Etcd) -> None:
    """A write whose answer is lost may have landed, so it is not sent to another member; a read is, and that one is kept to."""
    with careless(b"") as url:
        prefix = f"{own()}/"
        store = EtcdStore((url, etcd_server.url), prefix=prefix, timeout=TIMEOUT)
        said = refusal(lambda: store.swap("state", b"", seen=""))
        registry = etcd_registry(url, etcd_server.url, prefix=prefix)

        async def ask() -> tuple[int, bool]:
            return await registry.floor(), await registry.write_record(record(1))

        found = asyncio.run(ask())
    there = asyncio.run(etcd_registry(etcd_server.url, prefix=prefix).records())

    assert ((0, True), (record(1),), True) == (found, there, "see whether a member runs" in said)


def test_etcd_with_a_password(tmp_path: Path) -> None:
    """With users switched on the right password works, a wrong one and none say so, and none is repeated."""
    if not etcd.is_installed():
        pytest.skip("etcd not found: PEERS=install make test, or apt install etcd-server")
    with etcd.etcd(tmp_path) as server:
        server.ask("/v3/auth/user/add", {"name": "root", "password": postgres.PASSWORD})
        server.ask("/v3/auth/user/grant", {"user": "root", "role": "root"})
        server.ask("/v3/auth/enable", {})
        store = EtcdStore([server.url], prefix="x/", user="root", password=postgres.PASSWORD, timeout=TIMEOUT)
        right = DocumentRegistry(store, timeout=TIMEOUT)
        wrong = etcd_registry(server.url, prefix="x/", user="root", password=f"{postgres.PASSWORD[:-1]}?")
        none = etcd_registry(server.url, prefix="x/")

        async def ask() -> tuple[object, ...]:
            first = await right.publish(plan(1), after=0)
            store._token = "stale"  # as after five minutes without a call
            return first, await right.floor()

        answers = asyncio.run(ask())
        said = refusal(wrong.floor), refusal(none.floor)

    assert (True, 1) == answers
    assert ["see user and password" in said[0], "set user and password_file" in said[1]] == [True, True]


def test_a_plan_larger_than_a_request_is_stored_in_pieces(etcd_server: etcd.Etcd) -> None:
    """More than etcd takes at once, which is 1.5 MB: a plan whose text does not compress is stored and read all the same."""
    registry = etcd_registry(etcd_server.url, prefix=f"{own()}/")
    large = plan(1, reason=os.urandom(2_000_000).hex())

    async def ask() -> tuple[object, ...]:
        return await registry.publish(large, after=0), await registry.latest_plan()

    assert (True, large) == asyncio.run(ask())


def test_too_many_records_for_etcd_are_an_error_that_says_so(etcd_server: etcd.Etcd) -> None:
    """What does not fit into one request is refused with the ways out."""
    store = EtcdStore([etcd_server.url], prefix=f"{own()}/", timeout=TIMEOUT)

    assert "raise etcd's --max-request-bytes, or use" in refusal(
        lambda: store.swap("state", os.urandom(2_000_000), seen="")
    )


# ------------------------------------------------------------------------------------------------------ object storage


def test_a_bucket_that_is_not_there_is_named(s3_server: s3.S3) -> None:
    """The error says which bucket to make."""
    registry = DocumentRegistry(S3Store(bucket="elsewhere", endpoint=s3_server.url), timeout=TIMEOUT)
    said = refusal(lambda: registry.write_record(record(1)))
    registry.close()

    assert "make the bucket elsewhere" in said


def test_a_store_that_ignores_conditions_is_not_used(s3_server: s3.S3) -> None:
    """A store that carries every PUT out would let two planners win: it is found out before the first write."""
    with careless(b'HTTP/1.1 200 OK\r\nETag: "x"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n') as url:
        store = S3Store(bucket="plans", endpoint=url, timeout=TIMEOUT)
        said = refusal(lambda: store.swap("state", b"", seen=""))
        store.close()

    assert "ignores If-Match or If-None-Match" in said


# ----------------------------------------------------------------------------------------------- registries of documents


@pytest.fixture(params=["etcd", "s3"])
def documents(request: pytest.FixtureRequest) -> Iterator[DocumentRegistry]:
    url = request.getfixturevalue(f"{request.param}_server").url
    words = {"endpoints": [url]} if request.param == "etcd" else {"bucket": s3.BUCKET, "endpoint": url}
    registry = connect({"kind": request.param, "prefix": f"{own()}/", **words})
    assert isinstance(registry, DocumentRegistry)
    yield registry
    registry.close()


def test_texts_that_nobody_lists_are_swept(documents: DocumentRegistry) -> None:
    """A deletion takes along what dead publishers left, but nothing that could still be listed."""
    store = documents._store

    async def ask() -> tuple[object, ...]:
        for generation in (1, 2):
            assert await documents.publish(plan(generation), after=generation - 1)
        await store.put("plans/1-left", b"x")
        await store.put("plans/9-coming", b"x")
        lost = await documents.publish(plan(4), after=1)
        with pytest.raises(UnsafePlan):
            await documents.publish(plan(2), after=2)
        before = sorted(name.partition("-")[0] for name in await store.names("plans/"))
        await documents.tombstone(1, at=1)
        deleted = await documents.delete_plan(1, keep=1, tombstoned_before=2)
        return lost, before, deleted, sorted(name.partition("-")[0] for name in await store.names("plans/"))

    expected = False, ["plans/1", "plans/1", "plans/2", "plans/9"], True, ["plans/2", "plans/9"]
    assert expected == asyncio.run(ask())


def test_a_text_that_is_missing_or_damaged_is_an_error(documents: DocumentRegistry) -> None:
    """A plan on the list whose text is not there, or is not what was stored, is never handed out."""
    store = documents._store

    async def lose() -> None:
        assert await documents.publish(plan(1), after=0)
        (name,) = await store.names("plans/")
        await store.delete(name)

    async def spoil() -> None:
        shelf = await documents._state.load()
        await store.put(shelf.plans[1].text, b"no plan")

    asyncio.run(lose())
    missing = refusal(documents.latest_plan)
    asyncio.run(spoil())
    damaged = refusal(documents.latest_plan)

    assert ("the text of plan 1 is missing" in missing, "is damaged: plan 1" in damaged) == (True, True)


@pytest.mark.parametrize("name", ["state", "signals"])
def test_a_damaged_document_is_an_error(documents: DocumentRegistry, name: str) -> None:
    """A document that cannot be read back is named as damaged, and nothing is written over it."""

    async def spoil() -> bool:
        return await documents._store.swap(name, b"nothing of ours", seen="")

    assert asyncio.run(spoil())
    calls = {"state": documents.floor, "signals": documents.signals}
    writes = {"state": lambda: documents.write_record(record(1)), "signals": lambda: documents.put_signals(())}

    assert "is damaged" in refusal(calls[name])
    assert "is damaged" in refusal(writes[name])


def test_many_calls_of_one_process_share_a_swap(documents: DocumentRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty records written at once cost a few swaps, all are stored, and one that is refused refuses no other."""
    swaps = 0
    store = documents._store
    real = store.swap

    async def counted(name: str, data: bytes, *, seen: str) -> bool:
        nonlocal swaps
        swaps += 1
        return await real(name, data, seen=seen)

    monkeypatch.setattr(store, "swap", counted)

    async def ask() -> tuple[object, ...]:
        await documents.write_record(record(5))
        writes = [documents.write_record(record(1, endpoint=f"e{at}.example.com")) for at in range(40)]
        return await asyncio.gather(*writes, documents.write_record(record(4))), len(await documents.records())

    assert ([True] * 40 + [False], 41) == asyncio.run(ask())
    assert swaps <= 4


def test_who_stops_waiting_harms_nobody(documents: DocumentRegistry) -> None:
    """A caller that is cancelled in a shared round leaves the others their answers, and the next call works."""

    async def ask() -> tuple[object, ...]:
        calls = [asyncio.create_task(documents.write_record(record(at))) for at in range(1, 5)]
        await asyncio.sleep(0)
        calls[0].cancel()
        rest = await asyncio.gather(*calls[1:])
        return rest, calls[0].cancelled(), await documents.find_content(DB, EAST.digest)

    assert ([True] * 3, True, None) == asyncio.run(ask())


@contextmanager
def careless(answer: bytes) -> Iterator[str]:
    """A server that answers every request with the same bytes and closes; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, answer))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, answer: bytes) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.recv(65_536)
            connection.sendall(answer)


def test_a_swap_that_was_sent_twice_has_landed(documents: DocumentRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that sends a conditional write again after a lost reply is told that it lost: the plan is there for all that."""
    store = documents._store
    real = store.swap

    async def resent(name: str, data: bytes, *, seen: str) -> bool:
        await real(name, data, seen=seen)
        return await real(name, data, seen=seen)

    assert asyncio.run(documents.publish(plan(1), after=0))
    monkeypatch.setattr(store, "swap", resent)
    published = asyncio.run(documents.publish(plan(2), after=1))
    monkeypatch.undo()

    assert (True, plan(2)) == (published, asyncio.run(documents.latest_plan()))


@pytest.mark.parametrize("body", [b"<html>Please sign in</html>", b"{}", b"[]"])
def test_who_answers_and_is_not_etcd_is_told(body: bytes) -> None:
    """A proxy's page is a registry that is down, not the end of an enactor."""

    async def act() -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            registry = DocumentRegistry(EtcdStore([f"http://127.0.0.1:{port}"]), timeout=TIMEOUT)
            with pytest.raises(Unavailable, match="answers, and not as etcd does") as caught:
                await registry.latest_plan()
            return caught.value.hint

    assert "a proxy before it must hand its answers on" in asyncio.run(act())
