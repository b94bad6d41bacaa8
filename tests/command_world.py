"""The real command as a process, and a small world for it: a name server, targets that answer HTTP, a configuration."""

import contextlib
import http.server
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rdatatype
import pytest

from outlast.cli import main

KEY = "outlast:hmac-sha256:c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"
COMMAND = (sys.executable, "-m", "outlast.cli")
ENVIRONMENT = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200", "TERM": "dumb"}
WAIT_SECONDS = 15.0

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def wait_for(check: Callable[[], Any]) -> Any:
    """Return what `check` returns as soon as it is true."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"it did not become true within {WAIT_SECONDS:g} s")


class Targets:
    """HTTP servers on several loopback addresses and one port; each can be made to answer 503."""

    def __init__(self, *addresses: str) -> None:
        self.sick: set[str] = set()
        self._servers: list[http.server.ThreadingHTTPServer] = []
        self.port = 0
        for address in addresses:
            server = http.server.ThreadingHTTPServer((address, self.port), self._handler(address))
            self.port = server.server_address[1]
            self._servers.append(server)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def _handler(self, address: str) -> type[http.server.BaseHTTPRequestHandler]:
        sick = self.sick

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(503 if address in sick else 200)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        return Handler

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


class World:
    """A folder with a configuration, and the processes started in it."""

    def __init__(self, folder: Path, targets: Targets) -> None:
        self.folder = folder
        self.targets = targets
        self.load = 0
        self.max_signal_age = "5s"
        self.asks_here = True
        """Not where a registry's connections are left for the end of the process to close."""
        self.processes: list[subprocess.Popen[str]] = []

    def open(self) -> None:
        """Start the name server and write the configuration."""
        self.nameserver = self.start(
            "nameserver", "serve", "--zone", "example.com", "--key-file", KEY, "--listen", "127.0.0.1:0"
        )
        assert self.nameserver.stdout is not None
        line = self.nameserver.stdout.readline()
        assert line.startswith("listening on 127.0.0.1:"), line
        self.port = int(line.rsplit(":", 1)[1])
        (self.folder / "tsig.key").touch(mode=0o600)
        (self.folder / "tsig.key").write_text(
            f'key "outlast" {{ algorithm hmac-sha256; secret "{KEY.split(":")[2]}"; }};\n'
        )
        self.configure("127.0.0.1", "127.0.0.2")

    def configure(self, *addresses: str) -> None:
        """Write the configuration, whole or not at all."""
        fresh = self.folder / "outlast.toml.new"
        fresh.write_text(f"""
            realm = "shop"
            [registry]
            kind = "sqlite"
            path = "outlast.db"
            [provider.primary]
            kind = "rfc2136"
            address = "127.0.0.1"
            port = {self.port}
            zones = ["example.com"]
            key_secret_file = "tsig.key"
            timeout = "1s"
            [health]
            port = {self.targets.port}
            interval = "100ms"
            timeout = "1s"
            max_signal_age = "{self.max_signal_age}"
            [planner]
            interval = "100ms"
            [enactor]
            interval = "100ms"
            [endpoint."db.example.com"]
            soak = "0s"
            velocity_window = "0s"
            load = {self.load}
            [endpoint."db.example.com".targets]
            east = {json.dumps(addresses)}
        """)
        fresh.rename(self.folder / "outlast.toml")

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command that goes on; its stderr is kept in a file."""
        name = "-".join(arguments[:2]).replace("/", "-")
        with (self.folder / f"{name}.log").open("a") as log:
            process = subprocess.Popen(
                [*COMMAND, *arguments], cwd=self.folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.processes.append(process)
        return process

    def stop(self, process: "subprocess.Popen[str]", number: int = signal.SIGTERM) -> int:
        """End one process and return its exit status."""
        process.send_signal(number)
        status = process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()
        return status

    def status(self) -> dict[str, Any]:
        """What `outlast status --json` says of the one endpoint, with its exit status as `exit`.

        In this process if it `asks_here`, because it is asked again and again: one of its own takes half a second to start.
        """
        if not self.asks_here:
            done = self.run("status", "--json")
            return {**json.loads(done.stdout)["endpoints"][0], "exit": done.returncode}
        told = io.StringIO()
        with (
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(told),
            pytest.MonkeyPatch.context() as environment,
        ):
            for name, value in ENVIRONMENT.items():
                environment.setenv(name, value)
            try:
                main(("status", "--json"))
            except SystemExit as ended:
                return {**json.loads(told.getvalue())["endpoints"][0], "exit": ended.code or 0}
        raise AssertionError("main ends with an exit status")

    def addresses(self) -> list[str]:
        """What the name server answers."""
        query = dns.message.make_query("db.example.com", dns.rdatatype.A)
        reply = dns.query.tcp(query, "127.0.0.1", port=self.port, timeout=2)
        return sorted(str(item) for rrset in reply.answer for item in rrset)

    def settle(self) -> None:
        """Let the control plane publish both targets, then stop it."""
        process = self.start("up", "--name", "a")
        wait_for(lambda: self.is_settled("127.0.0.1", "127.0.0.2"))
        self.stop(process)

    def is_settled(self, *addresses: str) -> bool:
        """Whether DNS answers exactly these and everything agrees."""
        return self.addresses() == list(addresses) and self.status()["exit"] == 0

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait(timeout=10)
            if process.stdout is not None:
                process.stdout.close()
