"""One active HTTP probe, made of asyncio streams alone: the core depends on nothing that speaks HTTP.

A GET without redirects, without keep-alive and without reading the body: what the status line says is the whole answer.
One deadline covers name-less connect, request and response head, so a target that drips bytes fails like a silent one.
"""

import asyncio
import contextlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass

from outlast.errors import InvalidConfig

MAX_HEAD = 64 * 1024
"""Bytes of response head, interim responses included; nginx and Apache send at most 8 to 64 KiB."""
MAX_TIMEOUT = 60.0
"""Seconds; who answers later than this is of no use to a caller."""

_PATH = re.compile(r"/[!-~]*")
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]*")
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: |$)")

Dial = Callable[[str, int], tuple[str, int]]
"""Maps a target's address and port to the ones to connect to, for machines that have no other loopback address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpProbe:
    """What to ask of every target, and which answer counts as healthy.

    Args:
        port: The target's port.
        path: What to GET.
        host: The Host header; empty means the endpoint's name.
        timeout: Seconds from the first packet to the end of the response head.
        expect: Lowest and highest status that is healthy.

    Raises:
        InvalidConfig: Lists every fault at once.

    """

    port: int = 80
    path: str = "/health"
    host: str = ""
    timeout: float = 1.0
    expect: tuple[int, int] = (200, 399)

    def __post_init__(self) -> None:
        faults = tuple(self._faults())
        if faults:
            raise InvalidConfig(faults)

    def _faults(self) -> list[str]:
        low, high = self.expect
        checks = (
            (1 <= self.port <= 65_535, f"port = {self.port} is not within 1 and 65535"),
            (bool(_PATH.fullmatch(self.path)), f"path = {self.path!r} must begin with / and contain no spaces"),
            (bool(_HOST.fullmatch(self.host)), f"host = {self.host!r} is not a host name"),
            (0 < self.timeout <= MAX_TIMEOUT, f"timeout = {self.timeout:g} s is not within 0 and {MAX_TIMEOUT:g} s"),
            (
                200 <= low <= high <= 599,
                f"expect = [{low}, {high}] is not a range within 200 and 599, lowest status first",
            ),
        )
        return [fault for holds, fault in checks if not holds]


async def probe(options: HttpProbe, address: str, *, host: str, dial: Dial | None = None) -> str:
    """Probe one address once; return why it failed, in words, or an empty string if it is healthy.

    Never raises for what the network or the target does; cancellation passes through.

    Args:
        options: What to ask.
        address: The target's IP address.
        host: The Host header if the options name none.
        dial: Where to connect instead; `None` means to the address itself.

    """
    place = (address, options.port) if dial is None else dial(address, options.port)
    try:
        async with asyncio.timeout(options.timeout):
            return await _ask(place, options, options.host or host)
    except TimeoutError:
        return f"no answer within {options.timeout:g} s"
    except OSError as error:
        return _words(error)


async def _ask(place: tuple[str, int], options: HttpProbe, host: str) -> str:
    reader, writer = await asyncio.open_connection(*place, limit=MAX_HEAD)
    try:
        writer.write(
            f"GET {options.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: outlast-probe\r\n"
            "Accept: */*\r\nConnection: close\r\n\r\n".encode("ascii")
        )
        return _judge(await _final_status(reader), options.expect)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _final_status(reader: asyncio.StreamReader) -> int | str:
    left = MAX_HEAD
    while left > 0:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            return "closed the connection " + ("inside the response head" if error.partial else "without an answer")
        except asyncio.LimitOverrunError:
            break
        found = _STATUS.match(head.split(b"\r\n", 1)[0])
        if found is None:
            return "the answer is not HTTP"
        status = int(found.group(1))
        # RFC 9110 section 15.2: any number of interim responses may precede the final one.
        if status >= 200:
            return status
        left -= len(head)
    return f"a response head of more than {MAX_HEAD // 1024} KiB"


def _judge(status: int | str, expect: tuple[int, int]) -> str:
    if isinstance(status, str):
        return status
    low, high = expect
    return "" if low <= status <= high else f"status {status}, expected {low} to {high}"


def _words(error: OSError) -> str:
    # asyncio wraps the system's text into its own sentence with the address; the number gives the plain words.
    return os.strerror(error.errno).lower() if error.errno else str(error) or type(error).__name__
