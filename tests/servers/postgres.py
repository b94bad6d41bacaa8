"""A real PostgreSQL on loopback, in a folder of its own, stopped by its pid. It refuses to run as root."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from servers.certificates import Authority
from servers.process import ServerProcess

USER = "postgres"
PASSWORD = "s3cr3t-of-the-tests"
"""Whoever sees it in a message has found a leak."""
_LANGUAGE = ("--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US")
"""A database that sorts as a language does, which is not as bytes do."""
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",  # no power fails here
    "max_connections": "40",
    "shared_buffers": "16MB",
    "autovacuum": "off",
}


class Postgres(ServerProcess):
    """A running postmaster."""

    options: ClassVar[dict[str, str]] = _OPTIONS

    def initialize(self) -> None:
        """Make the data folder."""
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        self.own(self.folder)
        command = [_binary("initdb"), "-D", str(self.data), "-U", USER, "--auth=scram-sha-256", "--no-sync", *_LANGUAGE]
        done = subprocess.run(
            [*_as_user(), *command, f"--pwfile={secret}"], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def command(self) -> list[str]:
        options = [f"-c{key}={value}" for key, value in self.options.items()]
        return [*_as_user(), _binary("postgres"), "-D", str(self.data), f"-p{self.port}", *options]

    def is_ready(self) -> bool:
        command = [_binary("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0

    def stop(self, how: int = 2) -> None:
        """SIGINT: its fast shutdown, which does not wait for clients."""
        super().stop(how)

    def own(self, folder: Path) -> None:
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, USER, USER)

    @property
    def dsn(self) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"


def is_installed() -> bool:
    return bool(_binary("postgres") and _binary("initdb") and _binary("pg_isready"))


def _binary(name: str) -> str:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    path = os.pathsep.join([*map(str, folders), "/opt/homebrew/bin", os.environ.get("PATH", "")])
    return shutil.which(name, path=path) or ""


def _as_user() -> list[str]:
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--"] if os.geteuid() == 0 else []


class PostgresTls(Postgres):
    """One that speaks TLS, and asks each client for a certificate of the same authority."""

    options: ClassVar[dict[str, str]] = {
        **_OPTIONS, "ssl": "on", "ssl_cert_file": "server.crt", "ssl_key_file": "server.key", "ssl_ca_file": "ca.crt"
    }  # fmt: skip

    def secure(self, authority: Authority) -> None:
        """Give it a certificate; who connects must have one too."""
        pair = authority.sign("postgres-server")
        for source, name in ((pair.cert, "server.crt"), (pair.key, "server.key"), (authority.file, "ca.crt")):
            shutil.copy(source, self.data / name)
        (self.data / "server.key").chmod(0o600)
        (self.data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n")
        self.own(self.data)


@contextmanager
def postgres(*, authority: Authority | None = None) -> Iterator[Postgres]:
    """Run PostgreSQL until the block ends, in a temporary folder that its user can reach; with an authority, with TLS."""
    with tempfile.TemporaryDirectory(prefix="outlast-postgres-") as name:
        folder = Path(name)
        server = Postgres(folder) if authority is None else PostgresTls(folder)
        server.initialize()
        if authority is not None and isinstance(server, PostgresTls):
            server.secure(authority)
        server.start_somewhere()
        try:
            yield server
        finally:
            server.stop()
