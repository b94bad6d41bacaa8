"""A real etcd of one member on loopback, in a folder of its own, stopped by its pid."""

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers.process import ServerProcess, free_port


class Etcd(ServerProcess):
    """A running etcd."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.peer_port = free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        peer = f"http://127.0.0.1:{self.peer_port}"
        return [
            _etcd(), "--data-dir", str(self.data), "--name", "one", "--log-level", "error",
            "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"one={peer}",
        ]  # fmt: skip

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=1) as answer:
                return bool(json.load(answer)["health"] == "true")
        except (OSError, urllib.error.URLError):
            return False

    def ask(self, path: str, body: object) -> None:
        """Ask the JSON gateway for something that is not a registry's business."""
        request = urllib.request.Request(self.url + path, json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=5) as answer:
            answer.read()


def is_installed() -> bool:
    return bool(_etcd())


def _etcd() -> str:
    return shutil.which("etcd") or ""


@contextmanager
def etcd(folder: Path) -> Iterator[Etcd]:
    """Run etcd until the block ends."""
    server = Etcd(folder)
    server.start_somewhere()
    try:
        yield server
    finally:
        server.stop()
