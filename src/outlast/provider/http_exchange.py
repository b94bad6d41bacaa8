"""One HTTP request to a provider's API: out, its whole answer back, and whether anything can have arrived.

asyncio's streams carry it, so that one deadline covers connection, handshake, request and answer, and a server that
drips bytes fails like a silent one; the standard library's parser reads the answer. The control plane needs no HTTP
library for that. A connection serves one request: `Connection: close` ends the answer, whatever frames it.
"""

import asyncio
import io
import ipaddress
import os
import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from outlast.provider.exchange import NoReply, NotSent

MAX_ANSWER = 16 * 1024 * 1024
"""Bytes; a server too old to select by name answers with all records of a zone: about 2 MB for 10,000 of them."""


class Api(NamedTuple):
    """Where an API listens, and what its paths begin with."""

    is_secure: bool
    address: str
    port: int
    prefix: str

    @property
    def host(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def __str__(self) -> str:
        return f"{'https' if self.is_secure else 'http'}://{self.host}{self.prefix}"


class Request(NamedTuple):
    """What to ask. `headers` may hold a secret: this is never shown."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""

    def wire(self, api: Api) -> bytes:
        head = {"Host": api.host, "Connection": "close", "Content-Length": str(len(self.body)), **self.headers}
        lines = (f"{self.method} {api.prefix}{self.path} HTTP/1.1", *(f"{name}: {text}" for name, text in head.items()))
        return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1") + self.body


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    body: bytes


def read_url(url: str) -> Api | None:
    """Take a URL apart; `None` if it is none that a secret may be sent to.

    Plain HTTP goes to this machine only, all else needs TLS. The host is an IP address, so that it works while DNS does
    not. User, query and fragment have no place in it.
    """
    if not url.isascii() or not url.isprintable() or set(url) & set(" ?#@"):
        return None
    try:
        parts = urlsplit(url)
        address = ipaddress.ip_address(parts.hostname or "")
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    if parts.scheme == "https" or (parts.scheme == "http" and address.is_loopback):
        return Api(parts.scheme == "https", str(address), port, parts.path.rstrip("/"))
    return None


async def ask(api: Api, request: Request, *, tls: ssl.SSLContext | None, deadline: float) -> Answer:
    """Send one request and return its answer. `deadline` is a moment of the running loop's clock.

    Raises:
        NotSent: No connection within the deadline, or no trust in who answered: nothing was sent.
        NoReply: The request may have arrived, and there is no whole answer.

    """
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout_at(deadline):
            reader, writer = await asyncio.open_connection(api.address, api.port, ssl=tls if api.is_secure else None)
            writer.write(request.wire(api))
            return _parsed(await _whole(reader), request.method)
    except (OSError, HTTPException) as error:
        kind = NotSent if writer is None else NoReply
        raise kind(f"{api}: {_reason(error)}", hint="is the API up, and is this its address?") from error
    finally:
        if writer is not None:
            writer.close()


async def _whole(reader: asyncio.StreamReader) -> bytes:
    whole = bytearray()
    while part := await reader.read(2**16):
        whole += part
        if len(whole) > MAX_ANSWER:
            raise HTTPException(f"an answer of more than {MAX_ANSWER // 1024 // 1024} MiB")
    return bytes(whole)


class _Received:
    # What HTTPResponse takes for a socket.
    def __init__(self, wire: bytes) -> None:
        self._wire = wire

    def makefile(self, _: str) -> io.BytesIO:
        return io.BytesIO(self._wire)


def _parsed(wire: bytes, method: str) -> Answer:
    with HTTPResponse(cast(socket.socket, _Received(wire)), method=method) as response:
        response.begin()
        return Answer(response.status, response.read())


def _reason(error: OSError | HTTPException) -> str:
    match error:
        case HTTPException():
            if isinstance(error, OSError):  # RemoteDisconnected is both
                return "the connection was closed before the answer"
            return f"unreadable answer: {str(error) or type(error).__name__}"
        case TimeoutError():
            return "no answer in time"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return f"no TLS: {error.reason}"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
    return str(error)
