"""A watch: tells Route 53's health checkers over HTTP which regions are left, and nothing else; and how it is asked.

It hears loopback alone. The web server of the machine, which has the certificate and the public address, hands requests
on to it. One answer and the connection ends: a checker asks every ten seconds and keeps nothing open.
"""

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from outlast.errors import InvalidConfig
from outlast.provider.route53_failover import Watch

IsLeft = Callable[[str, str], bool]
"""Whether a name's region is left."""

CONNECTIONS_MAX = 256
"""Requests answered at once; another one is closed unanswered, which is "not left"."""
REQUEST_SECONDS = 5.0
"""For the whole request; Route 53's checkers give up on a connection after four."""
REQUEST_BYTES_MAX = 8192

LEFT, STAYS, ELSEWHERE = "200 OK", "404 Not Found", "400 Bad Request"


def answer(request: str, path: str, is_left: IsLeft) -> str:
    """The status of the answer to a request's first line. Only what is left gets a status that a checker takes for yes."""
    method, _, rest = request.partition(" ")
    asked = rest.partition(" ")[0]
    if method not in {"GET", "HEAD"} or not asked.startswith(f"{path}/"):
        return ELSEWHERE
    name, _, region = asked[len(path) + 1 :].partition("/")
    return LEFT if is_left(name.lower(), region) else STAYS


@asynccontextmanager
async def watching(is_left: IsLeft, *, address: str, port: int, path: str) -> AsyncIterator[int]:
    """Answer until the block ends; gives the port, for 0 a free one.

    Raises:
        InvalidConfig: The address is not of this machine alone.
        OSError: It cannot be listened on.

    """
    if not ipaddress.ip_address(address).is_loopback:
        fix = "have your web server, which has the certificate, hand its requests on to 127.0.0.1"
        raise InvalidConfig((f"--listen {address}: a watch listens on loopback only; {fix}",))
    open_now = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now
        open_now += 1
        with contextlib.suppress(OSError, ValueError, TimeoutError, asyncio.IncompleteReadError):
            if open_now <= CONNECTIONS_MAX:
                async with asyncio.timeout(REQUEST_SECONDS):
                    await _serve(reader, writer, lambda line: answer(line, path, is_left))
        open_now -= 1
        writer.close()

    server = await asyncio.start_server(serve, address, port, limit=REQUEST_BYTES_MAX)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: Callable[[str], str]) -> None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        words = status(head.decode("latin-1").partition("\r\n")[0])
    except asyncio.LimitOverrunError:
        words = ELSEWHERE
    body = f"{words}\n"
    writer.write(f"HTTP/1.1 {words}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
    await writer.drain()


async def asks(watch: Watch, endpoint: str, region: str, *, seconds: float) -> bool | str:
    """Ask a watch as Route 53's health checkers do, certificates unchecked: whether a region is left, or why it is not told.

    Args:
        watch: Whom.
        endpoint: The prepared name.
        region: Its region.
        seconds: For all of it.

    """
    # Health checkers do not validate certificates (Developer Guide, "Values that you specify when you create or update
    # health checks", Protocol): to refuse one here would tell something else than what they see.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = f"GET {watch.path_of(endpoint, region)} HTTP/1.1\r\nHost: {watch.host}\r\nConnection: close\r\n\r\n"
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(watch.host, watch.port, ssl=context)
            try:
                writer.write(request.encode())
                line = (await reader.readuntil(b"\r\n")).decode("latin-1").split()
            finally:
                writer.close()
    except TimeoutError:
        return f"no answer within {seconds:g} s"
    except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        return f"{type(error).__name__}: {error}"
    status = int(line[1]) if len(line) > 1 and line[1].isdecimal() else 0
    return 200 <= status < 400 if status else "no HTTP answer"
