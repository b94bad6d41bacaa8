"""The name server on real sockets: both transports, start and stop, faults."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import dns.asyncquery
import dns.message
import dns.tsig
import dns.update
import pytest
from dns.rcode import Rcode

from outlast.errors import InvalidConfig, Unavailable
from outlast.listener.limits import ListenerOptions
from outlast.listener.server import Listener, Peer, Transport
from outlast.nameserver.keys import UpdateKey
from outlast.nameserver.options import ServerOptions, ZoneOptions
from outlast.nameserver.server import Nameserver

KEY = UpdateKey.generate("main.key")
ZONES = (ZoneOptions(name="example.test", negative_ttl=3), ZoneOptions(name="other.test"))
TIMEOUT_SECONDS = 5.0


def _run(work: Callable[[Nameserver], Awaitable[None]], options: ServerOptions) -> None:
    async def main() -> None:
        async with Nameserver(options) as server:
            await work(server)

    asyncio.run(main())


async def _send(server: Nameserver, message: dns.message.Message, *, tcp: bool = True) -> dns.message.Message:
    send = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
    return await send(message, server.address, port=server.port, timeout=TIMEOUT_SECONDS)


@pytest.mark.parametrize("tcp", [True, False])
def test_a_change_is_seen_by_the_next_question(*, tcp: bool) -> None:
    """A signed update over either transport, then the answer; the negative TTL is the option's."""

    async def work(server: Nameserver) -> None:
        before = await _send(server, dns.message.make_query("www.example.test", "A"), tcp=tcp)
        update = dns.update.UpdateMessage("example.test", keyring=KEY.tsig_key())
        update.absent("www")
        update.add("www", 5, "A", "192.0.2.1")
        reply = await _send(server, update, tcp=tcp)
        again = await _send(server, update, tcp=tcp)
        after = await _send(server, dns.message.make_query("www.example.test", "A"), tcp=tcp)

        assert [reply.rcode(), again.rcode()] == [Rcode.NOERROR, Rcode.YXDOMAIN]
        assert (before.rcode(), before.authority[0].ttl) == (Rcode.NXDOMAIN, 3)
        assert after.answer[0][0].to_text() == "192.0.2.1"

    _run(work, ServerOptions(zones=ZONES, keys=(KEY,)))


def test_unsigned_updates_and_transfers_are_refused() -> None:
    """Both are answered REFUSED over TCP."""

    async def work(server: Nameserver) -> None:
        update = dns.update.UpdateMessage("example.test")
        update.add("www", 5, "A", "192.0.2.1")
        replies = [await _send(server, message) for message in (update, dns.message.make_query("example.test", "AXFR"))]

        assert [reply.rcode() for reply in replies] == [Rcode.REFUSED] * 2

    _run(work, ServerOptions(zones=ZONES, keys=(KEY,)))


def test_a_stranger_is_told_badkey() -> None:
    """Dnspython's client understands the unsigned error."""

    async def work(server: Nameserver) -> None:
        update = dns.update.UpdateMessage("example.test", keyring=UpdateKey.generate("stranger").tsig_key())
        with pytest.raises(dns.tsig.PeerBadKey):
            await _send(server, update)

    _run(work, ServerOptions(zones=ZONES, keys=(KEY,)))


def test_requests_may_be_pipelined_and_nonsense_between_them_harms_nobody() -> None:
    """Three questions and a malformed packet in one segment: four answers on the same connection."""

    async def work(server: Nameserver) -> None:
        reader, writer = await asyncio.open_connection(server.address, server.port)
        wires = [dns.message.make_query("example.test", "SOA", id=number).to_wire() for number in range(4)]
        wires[2] += b"junk"
        writer.write(b"".join(len(wire).to_bytes(2, "big") + wire for wire in wires))
        writer.write_eof()
        answers = [await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big")) for _ in wires]
        writer.close()
        await writer.wait_closed()

        assert [answer[1] for answer in answers] == [0, 1, 2, 3]
        assert [answer[3] & 15 for answer in answers] == [0, 0, Rcode.FORMERR, 0]

    _run(work, ServerOptions(zones=ZONES))


def test_a_taken_port_and_a_missing_address_name_the_fix() -> None:
    """Starting fails with a hint, and leaves nothing open."""

    async def work(server: Nameserver) -> None:
        with pytest.raises(Unavailable, match="choose another port"):
            await Nameserver(ServerOptions(zones=ZONES, port=server.port)).start()
        assert (await _send(server, dns.message.make_query("example.test", "SOA"))).answer

    _run(work, ServerOptions(zones=ZONES))


def test_a_port_taken_over_udp_only_is_taken() -> None:
    """Both transports are needed; the TCP half is given back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.raises(Unavailable, match="use"):
            asyncio.run(Nameserver(ServerOptions(zones=ZONES, port=port)).start())


def test_options_name_all_their_faults_at_once(tmp_path: Path) -> None:
    """Four faults, four lines."""
    with pytest.raises(InvalidConfig) as caught:
        ServerOptions(zones=(), address="192.0.2.1", port=70_000, journal=tmp_path / "no" / "journal")

    assert len(caught.value.faults) == 4


def test_a_broken_zone_file_is_named(tmp_path: Path) -> None:
    """The fault has the file's name in it."""
    file = tmp_path / "broken.zone"
    file.write_text("@ IN A 1.2.3\n")
    with pytest.raises(InvalidConfig, match=r"broken\.zone"):
        asyncio.run(Nameserver(ServerOptions(zones=(ZoneOptions(name="example.test", file=file),))).start())


@asynccontextmanager
async def _listening(
    handle: Callable[[bytes, Peer, Transport], Awaitable[bytes | None]], **options: float
) -> AsyncIterator[Listener]:
    listener = Listener(
        ListenerOptions(
            connections_max=int(options.get("connections_max", 9)), idle_timeout=options.get("idle_timeout", 9.0)
        ),
        handle,
        fallback=lambda wire: b"failed " + wire,
    )
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()


async def _first_byte(listener: Listener) -> bytes:
    reader, writer = await asyncio.open_connection(listener.address, listener.port)
    try:
        return await asyncio.wait_for(reader.read(1), TIMEOUT_SECONDS)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def test_a_handler_that_raises_is_counted_and_the_fallback_answers() -> None:
    """An async handler's fault reaches the sender as the fallback's bytes; the listener lives on."""

    async def handle(wire: bytes, _peer: Peer, _transport: Transport) -> bytes | None:
        if wire == b"bad":
            raise RuntimeError("as asked")
        return wire

    async def main() -> None:
        async with _listening(handle) as listener:
            reader, writer = await asyncio.open_connection(listener.address, listener.port)
            writer.write(b"\0\3bad\0\4good")
            found = await reader.readexactly(2 + len(b"failed bad") + 2 + len(b"good"))
            writer.close()

            assert sorted([b"failed bad" in found, b"good" in found, listener.stats().faults == 1]) == [True] * 3

    asyncio.run(main())


def test_an_idle_connection_and_one_too_many_are_closed() -> None:
    """A connection that says nothing ends at the idle timeout; beyond the limit one is closed on arrival."""

    async def handle(wire: bytes, _peer: Peer, _transport: Transport) -> bytes | None:
        return wire

    async def main() -> None:
        async with _listening(handle, connections_max=1, idle_timeout=0.2) as listener:
            reader, writer = await asyncio.open_connection(listener.address, listener.port)
            writer.write(b"\0\2hi")
            answer = await reader.readexactly(4)
            refused = await _first_byte(listener)
            idle = await reader.read(1)
            writer.close()

            assert (answer, refused, idle, listener.stats().connections_refused) == (b"\0\2hi", b"", b"", 1)

    asyncio.run(main())


def test_a_process_ends_cleanly_on_sigterm(tmp_path: Path) -> None:
    """`serve` reports when it answers, and SIGTERM ends it with status 0 and a whole journal."""
    code = (
        "import asyncio, sys, pathlib\n"
        "from outlast.nameserver import ServerOptions, ZoneOptions, serve\n"
        "options = ServerOptions(zones=(ZoneOptions(name='example.test'),), journal=pathlib.Path(sys.argv[1]))\n"
        "asyncio.run(serve(options, ready=lambda server: print(server.port, flush=True)))\n"
    )
    journal = tmp_path / "journal"
    with subprocess.Popen([sys.executable, "-c", code, str(journal)], stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            port = int(child.stdout.readline())
            os.kill(child.pid, signal.SIGTERM)
            status = child.wait(TIMEOUT_SECONDS)
        finally:
            child.kill()

    assert (status, port > 0, journal.read_text().count("loaded")) == (0, True, 1)
