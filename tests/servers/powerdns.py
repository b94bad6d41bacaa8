"""A real PowerDNS authoritative server on SQLite, with its HTTP API, on loopback, stopped by its pid."""

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from servers.process import find_program, free_port, serving, wait_for_port

API_KEY = "outlast-contract-tests-only"
SCHEMAS = (
    Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"),
    Path("/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql"),
    Path("/usr/share/doc/pdns/schema.sqlite3.sql"),
)
"""Where packages put the tables' definition."""

# All that is not named is as it comes, caches included: what a reader must bear there, it must bear here.
_CONFIGURATION = """
launch=gsqlite3
gsqlite3-database={folder}/pdns.sqlite3
gsqlite3-pragma-synchronous=0
local-address=127.0.0.1
local-port={port}
socket-dir={folder}
daemon=no
guardian=no
security-poll-suffix=
receiver-threads=1
distributor-threads=2
dnsupdate=yes
allow-dnsupdate-from=
api=yes
api-key={api_key}
webserver=yes
webserver-address=127.0.0.1
webserver-port={web_port}
webserver-allow-from=127.0.0.1
webserver-loglevel=none
"""


class PowerDns(NamedTuple):
    """A running pdns_server."""

    address: str
    port: int
    url: str


def is_installed() -> bool:
    return find_program("pdns_server") is not None and _schema() is not None


def _schema() -> Path | None:
    return next((path for path in SCHEMAS if path.exists()), None)


@contextmanager
def powerdns(
    folder: Path, *, zones: dict[str, str], closed: tuple[str, ...], key: str, secret: str
) -> Iterator[PowerDns]:
    """Run pdns_server until the block ends; the arguments are those of `servers.bind.bind`."""
    web_port = 0

    def launch(port: int) -> list[str]:
        nonlocal web_port
        web_port = free_port()
        text = _CONFIGURATION.format(folder=folder, port=port, web_port=web_port, api_key=API_KEY)
        (folder / "pdns.conf").write_text(text)
        if not (folder / "pdns.sqlite3").exists():
            _fill(folder, zones, closed, key=key, secret=secret)
        return [find_program("pdns_server") or "pdns_server", f"--config-dir={folder}"]

    with serving("pdns_server", folder, launch) as server:
        assert wait_for_port(web_port), "pdns_server answers no HTTP"
        yield PowerDns(server.address, server.port, f"http://127.0.0.1:{web_port}")


def _fill(folder: Path, zones: dict[str, str], closed: tuple[str, ...], *, key: str, secret: str) -> None:
    schema = _schema()
    assert schema is not None
    with sqlite3.connect(folder / "pdns.sqlite3") as database:
        database.executescript(schema.read_text())
    database.close()
    _pdnsutil(folder, "import-tsig-key", key.rstrip("."), "hmac-sha256", secret)
    for zone, text in zones.items():
        file = folder / f"{zone}.zone"
        file.write_text(text)
        _pdnsutil(folder, "load-zone", zone, str(file))
        if zone not in closed:
            # As a zone has it that was made by the API; without it a change by the API does not raise the serial.
            _pdnsutil(folder, "set-meta", zone, "SOA-EDIT-API", "DEFAULT")
            _pdnsutil(folder, "set-meta", zone, "ALLOW-DNSUPDATE-FROM", "127.0.0.0/8")
            _pdnsutil(folder, "set-meta", zone, "TSIG-ALLOW-DNSUPDATE", key.rstrip("."))


def _pdnsutil(folder: Path, *words: str) -> None:
    command = [find_program("pdnsutil") or "pdnsutil", f"--config-dir={folder}", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
