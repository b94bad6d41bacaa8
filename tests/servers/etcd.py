"""A real etcd of one member on loopback, in a folder of its own, stopped by its pid."""

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers.certificates import Authority, Pair
from servers.process import ServerProcess, answers, free_port


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


class Member(Etcd):
    """One member of a cluster whose members know one another, and their clients, by certificates."""

    def __init__(self, folder: Path, name: str, pair: Pair, authority: Path) -> None:
        folder.mkdir()
        super().__init__(folder)
        self.name = name
        self.cluster = ""
        self._files = {"cert-file": pair.cert, "key-file": pair.key, "trusted-ca-file": authority}

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def peer_url(self) -> str:
        return f"https://127.0.0.1:{self.peer_port}"

    def command(self) -> list[str]:
        tls = [word for key, path in self._files.items() for word in (f"--{key}={path}", f"--peer-{key}={path}")]
        return [
            _etcd(), "--data-dir", str(self.data), "--name", self.name, "--log-level", "error",
            "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
            "--listen-peer-urls", self.peer_url, "--initial-advertise-peer-urls", self.peer_url,
            "--initial-cluster", self.cluster, "--client-cert-auth", "--peer-client-cert-auth", *tls,
        ]  # fmt: skip

    def is_ready(self) -> bool:
        return answers(self.port)  # it needs the others to be healthy


@contextmanager
def cluster(folder: Path, authority: Authority) -> Iterator[tuple[Member, ...]]:
    """Run three members until the block ends."""
    members = tuple(Member(folder / name, name, authority.sign(name), authority.file) for name in ("a", "b", "c"))
    try:
        for member in members:
            member.cluster = ",".join(f"{it.name}={it.peer_url}" for it in members)
            assert member.start(), member.log.read_text()[-2000:]
        yield members
    finally:
        for member in members:
            member.stop()


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
