"""A control plane of real processes on a real BIND, tormented at random, and somebody outside who watches."""

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import dns.exception
import dns.message
import dns.query
from dns.rcode import Rcode
from dns.rdatatype import TXT, A
from servers.bind import bind
from servers.process import find_program, wait_for_port

ZONE = "soak.test"
KEY, SECRET = "outlast.", "b3V0bGFzdCBzb2FrIHRlc3RzIG9ubHkhISEhISEhISE="
ZONE_TEXT = f"$ORIGIN {ZONE}.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 1209600 5\n@ NS ns\nns A 127.0.0.1\n"
ENDPOINTS = tuple(f"e{number}.{ZONE}" for number in range(4))
POOL = tuple(f"192.0.2.{number}" for number in range(1, 7))
ROLES = ("planner-a", "planner-b", "enactor-a", "enactor-b", "enactor-c", "janitor-a")
FILES = {"planner-b": "planner-b.toml"}
"""Who has a file of its own, as on another host; the others share one."""
SHARED = "outlast.toml"
LOOK_EVERY = 0.01
SETTLE_SECONDS = 90.0


class Observer(threading.Thread):
    """Asks the primary all the time, one endpoint after another; counts what must never be."""

    def __init__(self, port: Callable[[], int]) -> None:
        super().__init__(daemon=True)
        self._port = port
        self.stopped = threading.Event()
        self.answers = 0
        self.faults: list[str] = []
        self.generations: dict[str, int] = {}

    def run(self) -> None:
        while not self.stopped.wait(LOOK_EVERY):
            for name in ENDPOINTS:
                with contextlib.suppress(OSError, EOFError, dns.exception.DNSException):
                    self._look(name)

    def _look(self, name: str) -> None:
        texts = self._ask(f"_outlast.{name}", TXT)
        addresses = self._ask(name, A)
        if texts is None or addresses is None:
            return  # BIND is away: silence is no answer
        self.answers += 1
        if name in self.generations and not addresses:
            self.faults.append(f"{name} answers no address")
        fields = dict(part.split("=", 1) for part in texts[0].strip('"').split(" ")) if texts else {}
        generation = int(fields.get("gen", 0))
        if name in self.generations and generation < self.generations[name]:
            self.faults.append(f"{name} went back from generation {self.generations[name]} to {generation}")
        if addresses and texts:
            self.generations[name] = max(generation, self.generations.get(name, 0))

    def _ask(self, name: str, rdtype: Any) -> list[str] | None:
        query = dns.message.make_query(f"{name}.", rdtype)
        answer = dns.query.tcp(query, "127.0.0.1", port=self._port(), timeout=1)
        if answer.rcode() not in {Rcode.NOERROR, Rcode.NXDOMAIN}:
            return None
        return [item.to_text() for rrset in answer.answer if rrset.rdtype == rdtype for item in rrset]


class SoakWorld:
    """Two planners, three enactors, a janitor, BIND, and a registry; every one of them can be hurt and comes back."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.hurt: dict[str, int] = {}
        self.port = 0
        self._named: subprocess.Popen[bytes] | None = None
        self._roles: dict[str, subprocess.Popen[bytes]] = {}
        self._backup = folder / "backup.db"
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        zones = self.folder / "bind"
        zones.mkdir()
        server = self._stack.enter_context(bind(zones, zones={ZONE: ZONE_TEXT}, closed=(), key=KEY, secret=SECRET))
        self.port, self._named_pid = server.port, server.pid
        (self.folder / "tsig.key").write_text(f'key "{KEY}" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n')
        self._write(SHARED, *FILES.values())
        for role in ROLES:
            self._start(role)
        return self

    def __exit__(self, *_: object) -> None:
        for process in [*self._roles.values(), *([self._named] if self._named is not None else [])]:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        self._stack.close()

    # --------------------------------------------------------------------------------------------- what is configured

    def configure(self) -> None:
        """Somebody edits the files, or one of them: then the planners have two until the next edit."""
        self._write(*self.chance.choice(((SHARED, *FILES.values()), (SHARED,), tuple(FILES.values()))))

    def _write(self, *files: str) -> None:
        """Each endpoint gets some of the pool's addresses."""
        endpoints = "".join(
            f'[endpoint."{name}"]\nprobed = false\n[endpoint."{name}".targets]\n'
            f"here = {json.dumps(sorted(self.chance.sample(POOL, self.chance.randint(1, 4))))}\n"
            for name in ENDPOINTS
        )
        peers = json.dumps([role for role in ROLES if role.startswith("enactor")])
        text = (
            f'realm = "soak"\n[registry]\nkind = "sqlite"\npath = "registry.db"\n'
            f'[provider.primary]\nkind = "rfc2136"\naddress = "127.0.0.1"\nport = {self.port}\nzones = ["{ZONE}"]\n'
            'key_secret_file = "tsig.key"\ntimeout = "1s"\n'
            '[planner]\ninterval = "200ms"\n'
            f'[enactor]\ninterval = "200ms"\nstand_back = "50ms"\npeers = {peers}\n'
            '[janitor]\ninterval = "300ms"\nkeep = 2\ngrace = "500ms"\nwait = "300ms"\n'
            f"{endpoints}"
        )
        for file in files:
            fresh = self.folder / f"{file}.new"
            fresh.write_text(text)
            fresh.replace(self.folder / file)

    # -------------------------------------------------------------------------------------------------- what is hurt

    def torment(self) -> None:
        """One more evil, by chance."""
        evils = (self._kill_role, self._kill_role, self._freeze_role, self._freeze_role, self._kill_bind,
                 self._back_up, self._restore, self.configure, self.configure, self.configure)  # fmt: skip
        evil = self.chance.choice(evils)
        self.hurt[evil.__name__.strip("_")] = self.hurt.get(evil.__name__.strip("_"), 0) + 1
        evil()

    def _kill_role(self) -> None:
        role = self.chance.choice(ROLES)
        self._roles[role].kill()
        self._roles[role].wait()
        self._start(role)

    def _freeze_role(self) -> None:
        process = self._roles[self.chance.choice(ROLES)]
        process.send_signal(signal.SIGSTOP)
        time.sleep(self.chance.uniform(0.2, 2.0))
        process.send_signal(signal.SIGCONT)

    def _kill_bind(self) -> None:
        os.kill(self._named_pid, signal.SIGKILL)
        if self._named is not None:
            self._named.wait()
        time.sleep(self.chance.uniform(0.0, 1.0))
        command = [find_program("named") or "named", "-g", "-n", "1", "-c", str(self.folder / "bind" / "named.conf")]
        with (self.folder / "bind" / "again.log").open("ab") as log:
            self._named = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder / "bind")
        self._named_pid = self._named.pid
        assert wait_for_port(self.port, self._named), (self.folder / "bind" / "again.log").read_text()[-2000:]

    def _back_up(self) -> None:
        if (self.folder / "registry.db").exists():
            with (
                contextlib.closing(sqlite3.connect(self.folder / "registry.db", timeout=5)) as source,
                contextlib.closing(sqlite3.connect(self._backup)) as target,
            ):
                source.backup(target)

    def _restore(self) -> None:
        if self._backup.exists():
            copy = self.folder / "restored.db"
            copy.write_bytes(self._backup.read_bytes())
            for suffix in ("-wal", "-shm"):
                (self.folder / f"registry.db{suffix}").unlink(missing_ok=True)
            copy.replace(self.folder / "registry.db")

    def _start(self, role: str) -> None:
        kind = role.partition("-")[0]
        with (self.folder / f"{role}.log").open("ab") as log:
            self._roles[role] = subprocess.Popen(
                [sys.executable, "-m", "outlast.cli", kind, "run", "--name", role, "--config", FILES.get(role, SHARED)],
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )

    # ---------------------------------------------------------------------------------------------------- at the end

    def settles(self) -> str:
        """Let everybody have the same file, and wait until every endpoint is in step; say what is not if that does not come."""
        self._write(SHARED, *FILES.values())
        end, said = time.monotonic() + SETTLE_SECONDS, ""
        while time.monotonic() < end:
            done = subprocess.run(
                [sys.executable, "-m", "outlast.cli", "status", "--json"],
                cwd=self.folder,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode == 0:
                return ""
            said = done.stdout[-3000:] + done.stderr[-500:]
            time.sleep(0.5)
        return said
