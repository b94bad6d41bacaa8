"""Runs a role in the foreground until SIGINT or SIGTERM, which end it with status 0."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable

from outlast.cli.output import log
from outlast.config.notices import Notice, Tell
from outlast.config.scalars import Misread, role_name
from outlast.errors import InvalidConfig
from outlast.traffic.messages import Note

Role = Callable[[asyncio.Event, Tell], Awaitable[None]]


def run_role(name: str, role: Role) -> None:
    """Run `role` until it is told to stop; log each notice on stderr."""
    asyncio.run(_run(name, role))


async def _run(name: str, role: Role) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    log(Notice(name, "", Note("started")))
    await role(stop, log)
    log(Notice(name, "", Note("stopped")))


def named(name: str, role: str) -> str:
    """Return the name under which a role signs, by default the role and this machine's name.

    Raises:
        InvalidConfig: The name would not survive in a sentinel.

    """
    if not name:
        host = "".join(character if character.isalnum() or character in "-._" else "-" for character in _host())
        return f"{role}-{host}"[:48] if host else role
    try:
        return role_name(name)
    except Misread as error:
        raise InvalidConfig((f"--name {name}: {error}",)) from error


def _host() -> str:
    name = socket.gethostname().split(".")[0]
    return name if name.isascii() else ""
