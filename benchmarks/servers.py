"""The servers that are measured: each a process of its own on a free loopback port, ended by its pid."""

import base64
import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from servers.bind import bind

import outlast
from outlast.provider.rfc2136 import Rfc2136Provider

ZONE = "bench.test"
LOOPBACK = "127.0.0.1"
STOP_SECONDS = 10.0

ZONE_TEXT = f"""\
$ORIGIN {ZONE}.
$TTL 300
@ SOA ns admin 1 3600 600 86400 60
@ NS ns
ns A {LOOPBACK}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What the servers of one run share."""

    folder: Path
    key_file: Path
    key_secret: str = field(repr=False)
    key_name: str = "bench."

    @classmethod
    def make(cls, folder: Path) -> "Setup":
        """Make a key, and write it into a file that nobody else can read."""
        secret = base64.b64encode(secrets.token_bytes(32)).decode()
        setup = cls(folder=folder, key_file=folder / "tsig.key", key_secret=secret)
        setup.key_file.touch(mode=0o600)
        setup.key_file.write_text(f'key "{setup.key_name}" {{ algorithm hmac-sha256; secret "{secret}"; }};\n')
        return setup


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server."""

    name: str
    pid: int
    address: str
    port: int

    def cpu_seconds(self) -> float | None:
        """Seconds of CPU that all its threads have used; `None` where there is no /proc."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


AnyProvider = TypeVar("AnyProvider", bound=Rfc2136Provider)


def provider_at(server: Server, setup: Setup, kind: type[AnyProvider]) -> AnyProvider:
    """The provider of that kind for a server's zone."""
    return kind(
        name=server.name,
        zones=(ZONE,),
        address=server.address,
        port=server.port,
        key_name=setup.key_name,
        key_secret=setup.key_secret,
        timeout=10.0,
    )


@contextlib.contextmanager
def start_embedded(setup: Setup) -> Iterator[Server]:
    """Start the embedded name server with a zone kept on disk."""
    zone_file, errors = setup.folder / "embedded.zone", setup.folder / "embedded.log"
    zone_file.write_text(ZONE_TEXT)
    command = [
        sys.executable,
        "-m",
        "outlast.cli",
        "nameserver",
        "serve",
        "--zone",
        ZONE,
        "--zone-file",
        str(zone_file),
    ]
    command += ["--state", str(setup.folder / "embedded.state"), "--key-file", str(setup.key_file)]
    with errors.open("w") as log:
        process = subprocess.Popen(
            [*command, "--listen", f"{LOOPBACK}:0"], stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said.startswith("listening on "):
            raise RuntimeError(f"the embedded name server did not start: {errors.read_text().strip()}")
        port = int(said.rpartition(":")[2])
        yield Server(name=f"embedded ({outlast.__version__})", pid=process.pid, address=LOOPBACK, port=port)
    finally:
        process.terminate()
        process.communicate(timeout=STOP_SECONDS)


@contextlib.contextmanager
def start_bind(setup: Setup) -> Iterator[Server]:
    """Start BIND 9 with the same zone and key, as the tests do: on one thread, like the other."""
    folder = setup.folder / "bind"
    folder.mkdir()
    with bind(folder, zones={ZONE: ZONE_TEXT}, closed=(), key=setup.key_name, secret=setup.key_secret) as running:
        yield Server(name="BIND 9", pid=running.pid, address=running.address, port=running.port)
