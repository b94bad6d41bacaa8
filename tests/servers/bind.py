"""A real BIND 9 on loopback, in a folder of its own, stopped by its pid."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 20.0
STOP_SECONDS = 10.0
ATTEMPTS = 5
"""A free port may be taken by somebody else before the server binds it."""

_CONFIGURATION = """
options {{
    directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key";
    listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
    recursion no; notify no; dnssec-validation no; minimal-responses yes; empty-zones-enable no;
    max-records-per-type 1000; tcp-idle-timeout 50;
}};
controls {{ }};
key "{key}" {{ algorithm hmac-sha256; secret "{secret}"; }};
{zones}
"""
_ZONE = 'zone "{zone}" {{ type primary; file "{folder}/{zone}.zone"; {policy} }};\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """A running named."""

    address: str
    port: int
    pid: int


def is_installed() -> bool:
    return _named() is not None


def _named() -> str | None:
    return shutil.which("named", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")


@contextmanager
def bind(folder: Path, *, zones: dict[str, str], closed: tuple[str, ...], key: str, secret: str) -> Iterator[Bind]:
    """Run named until the block ends.

    Args:
        folder: An empty folder for all its files.
        zones: Zone files by zone name.
        closed: The zones among them that the key may not change.
        key: The TSIG key's name.
        secret: Its secret in base64, for HMAC-SHA256.

    """
    for zone, text in zones.items():
        (folder / f"{zone}.zone").write_text(text)
    for attempt in range(ATTEMPTS):
        port = _free_port()
        statements = "".join(
            _ZONE.format(zone=zone, folder=folder, policy="" if zone in closed else f'allow-update {{ key "{key}"; }};')
            for zone in zones
        )
        configuration = folder / "named.conf"
        configuration.write_text(
            _CONFIGURATION.format(folder=folder, port=port, key=key, secret=secret, zones=statements)
        )
        with _running(folder, configuration) as process:
            if _wait_for(port, process):
                yield Bind(address="127.0.0.1", port=port, pid=process.pid)
                return
        log = (folder / "named.log").read_text()
        assert "address in use" in log, f"named did not start (attempt {attempt}):\n{log[-2000:]}"
    raise AssertionError("named found no free port")


@contextmanager
def _running(folder: Path, configuration: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [_named() or "named", "-g", "-n", "1", "-c", str(configuration)]
    with (folder / "named.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(port):
            return True
        time.sleep(0.02)
    return False


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", tcp.getsockname()[1]))
        return int(tcp.getsockname()[1])
