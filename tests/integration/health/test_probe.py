"""Probes against real sockets that answer well, badly, slowly or not at all."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from outlast.errors import InvalidConfig
from outlast.health.probe import MAX_HEAD, HttpProbe, probe

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[int]:
    """A TCP server on a free port of 127.0.0.1, stopped with every connection at the end."""
    tasks: set[asyncio.Task[None]] = set()

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(on_connection, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def saying(answer: bytes) -> Serve:
    """A server that says this to everybody."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return serve


async def probed(serve: Serve, *, seconds: float = 2.0) -> str:
    """What the probe says of a server."""
    async with serving(serve) as port:
        return await probe(HttpProbe(port=port, timeout=seconds), "127.0.0.1", host="db.example.com")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", ""),
        (b"HTTP/1.0 204 \r\n\r\n", ""),
        (b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", ""),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", ""),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2/\r\n\r\n", ""),
        (b"HTTP/1.1 399 Last\r\n\r\n", ""),
        (b"HTTP/1.1 400 First\r\n\r\n", "status 400, expected 200 to 399"),
        (b"HTTP/1.1 503 Sorry\r\n\r\n", "status 503, expected 200 to 399"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\n", "closed the connection inside the response head"),
        (b"", "closed the connection without an answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAX_HEAD + b"\r\n\r\n", "a response head of more than 64 KiB"),
        (b"HTTP/1.1 100 Wait\r\n\r\n" * 4000, "a response head of more than 64 KiB"),
    ],
    ids=range(14),
)
def test_answers(answer: bytes, why: str) -> None:
    """The final status line decides; everything else is named in words."""
    assert why == asyncio.run(probed(saying(answer)))


def test_the_request() -> None:
    """The probe asks for the path, with the endpoint's name as host, and closes."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        seen.append(await reader.read())

    async def run() -> None:
        closed = asyncio.Event()

        async def serve_and_tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await serve(reader, writer)
            closed.set()

        async with serving(serve_and_tell) as port:
            await probe(HttpProbe(port=port), "127.0.0.1", host="db.example.com")
            await asyncio.wait_for(closed.wait(), 2)

    asyncio.run(run())

    head = b"GET /health HTTP/1.1\r\nHost: db.example.com\r\nUser-Agent: outlast-probe\r\nAccept: */*\r\n"
    assert [head + b"Connection: close\r\n\r\n", b""] == seen


def test_silence() -> None:
    """A target that accepts and says nothing fails at the deadline."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    assert "no answer within 0.1 s" == asyncio.run(probed(serve, seconds=0.1))


def test_dripping() -> None:
    """One deadline covers all phases: bytes that drip do not stretch it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"H")
            await writer.drain()
            await asyncio.sleep(0.02)

    assert "no answer within 0.1 s" == asyncio.run(probed(serve, seconds=0.1))


def test_refused() -> None:
    """A port that nobody listens on is named in the system's words."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]

    assert "connection refused" == asyncio.run(probe(HttpProbe(port=port), "127.0.0.1", host="x"))


def test_dialled_elsewhere() -> None:
    """A dialer maps address and port, for machines that have 127.0.0.1 only."""

    async def run() -> str:
        async with serving(saying(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
            places = {("192.0.2.1", 80): ("127.0.0.1", port)}
            return await probe(HttpProbe(), "192.0.2.1", host="x", dial=lambda address, at: places[address, at])

    assert "" == asyncio.run(run())


def test_every_fault_of_the_options_at_once() -> None:
    """Wrong options are all named together."""
    with pytest.raises(InvalidConfig) as caught:
        HttpProbe(port=0, path="health", host="a b", timeout=0, expect=(300, 200))

    assert ["port", "path", "host", "timeout", "expect"] == [fault.split()[0] for fault in caught.value.faults]
