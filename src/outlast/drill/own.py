"""Your own service and call in the drill: the same addresses, the same DNS, the same outage, beside our groups.

The service is started once for each address of each region, on a port that is the drill's second one on those
addresses: it stands where ours stands, and the groups that it is compared with keep what they need. The client is one
function, called at the drill's rate, whose group is scored as all others are.
"""

import json
import shlex
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outlast.drill.addresses import REGIONS, Listeners, listen
from outlast.drill.names import GROUPS
from outlast.drill.processes import QUOTED, Crew
from outlast.errors import InvalidConfig, Unavailable

KIND = "own"
"""The kind of client that calls a function; see `outlast.drill.load.own_kind`."""
LISTEN_SECONDS = 10.0
"""Within which a service must accept connections: a cold start of a large framework on a busy machine."""
CHECK_SECONDS = 30.0
"""For the import of the client's module."""
PAUSE = 0.05
CONNECT_SECONDS = 0.5
PLACEHOLDERS = ("{address}", "{port}")
CONFIG_FILE, OPTIONS_FILE = "own.toml", "own.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnOptions:
    """What of the user's takes part.

    Args:
        client: `module:function`, imported with `folder` on the path.
        service: A command with `{address}` and `{port}`, and `{region}` if it likes; `None` calls our service instead.
        config: An `outlast.toml` whose `[resolver]` section gives the rules of the resolver that the function is handed.
        folder: Where the module is looked for and the command started.

    Raises:
        InvalidConfig: Every fault at once.

    """

    client: str
    service: str | None = None
    config: Path | None = None
    folder: Path

    def __post_init__(self) -> None:
        module, _, function = self.client.partition(":")
        faults = []
        if not all(part.isidentifier() for part in module.split(".")) or not function.isidentifier():
            faults.append(f"--client {self.client!r}: write module:function, such as shop.checkout:place_order")
        if self.service is not None:
            faults += self._service_faults(self.service)
        if self.config is not None and not self.config.is_file():
            faults.append(f"--config {self.config}: there is no such file")
        if faults:
            raise InvalidConfig(tuple(faults))

    @staticmethod
    def _service_faults(service: str) -> list[str]:
        try:
            words = shlex.split(service)
        except ValueError as error:
            return [f"--service {service!r}: {error}"]
        missing = [word for word in PLACEHOLDERS if not any(word in part for part in words)]
        example = 'for example "python service.py {address} {port}"'
        return [f"--service {service!r}: {word} is missing; {example}" for word in missing]

    @property
    def group(self) -> str:
        """The name of its group: the function's, told apart from groups of ours."""
        function = self.client.rpartition(":")[2]
        return f"own-{function}" if function in (*GROUPS, "observer") else function

    def command(self, address: str, port: int, *, region: str) -> list[str]:
        """The service's command for one address, as words: no shell reads it."""
        values = {"{address}": address, "{port}": str(port), "{region}": region}
        words = shlex.split(self.service or "")
        for placeholder, value in values.items():
            words = [word.replace(placeholder, value) for word in words]
        return words

    def check(self) -> None:
        """Import the client in a process of its own, and read the configuration, before anything is built.

        Raises:
            InvalidConfig: The module cannot be imported, has no such function, or the function wants what it cannot
                get; or the configuration is wrong.

        """
        words = [sys.executable, "-m", "outlast.drill.load.own_kind", json.dumps(self.told())]
        try:
            done = subprocess.run(  # noqa: S603 - our own module, which imports what the user named
                words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=CHECK_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise InvalidConfig((f"--client {self.client!r}: its import takes over {CHECK_SECONDS:g} s",)) from error
        if done.returncode:
            raise InvalidConfig(tuple(done.stderr.strip().splitlines()[-3:]))

    def told(self) -> dict[str, Any]:
        """What the client's process is told."""
        config = str(self.config.absolute()) if self.config is not None else None
        return {"client": self.client, "folder": str(self.folder), "config": config}


class OwnPart:
    """What of the user's runs in a world: its services and, by its options, its group.

    Args:
        options: What takes part.
        crew: Starts and ends processes.
        folder: The world's files.

    """

    def __init__(self, options: OwnOptions, crew: Crew, folder: Path) -> None:
        self.options = options
        self._crew = crew
        self._folder = folder
        self._port = 0
        (folder / OPTIONS_FILE).write_text(json.dumps(options.told()), encoding="utf-8")

    def start(self, listeners: Listeners) -> None:
        """Start the services, if there are any, and wait until all of them listen.

        Args:
            listeners: Our own services', whose addresses are shared, and whose port is called if there is no service.

        Raises:
            Unavailable: There is only one address here, or a service does not listen in time.
            ChildDied: A service ended by itself, with its last words.

        """
        if listeners.address_map:
            aliases = " ".join(address for addresses in REGIONS.values() for address in addresses)
            raise Unavailable(
                "your own client dials the load balancers' addresses itself, and only 127.0.0.1 is here",
                hint=f"add {aliases} to the loopback interface (ifconfig lo0 alias ADDRESS) and try again",
            )
        self._port = listeners.port
        if self.options.service is None:
            return
        # A port that was free on every address a moment ago: the user's program binds it by itself.
        reserved = listen()
        self._port = reserved.port
        reserved.close()
        for region in REGIONS:
            # One after the other: each has its ten seconds to itself.
            self.start_region(region)
            self._wait_until_listening(region)

    def start_region(self, region: str) -> None:
        """Start a region's services, also again after `stop_region`; does not wait for them."""
        if self.options.service is None:
            return
        commands = [self.options.command(address, self._port, region=region) for address in REGIONS[region]]
        path = self._folder / f"{_process(region)}.json"
        path.write_text(json.dumps({"commands": commands, "folder": str(self.options.folder)}), encoding="utf-8")
        self._crew.start(_process(region), "outlast.drill.own_service", str(path), ends_itself=True)

    def stop_region(self, region: str) -> None:
        """End a region's services."""
        if self.options.service is not None:
            self._crew.dismiss(_process(region))

    def changes(self) -> dict[str, Any]:
        """How its group's options differ from those of a group of ours."""
        # What it reads and writes is its own affair: all its calls count alike.
        return {"kind": KIND, "port": self._port, "write_share": 0.0}

    def factor(self) -> str:
        """What is other about it than in production."""
        service = "our service" if self.options.service is None else "your service, on the addresses of ours"
        return (
            f"{self.options.client} calls {service}; one process, names from the drill; health checks go to our service"
        )

    def complaint(self) -> str:
        """What its client's process wrote last: nothing of its calls was answered."""
        log = self._folder / f"{self.options.group}.log"
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
        said = lines[-1][-QUOTED:] if lines else "and it raised nothing either"
        return f"no call of {self.options.client} was answered: {said}"

    def _wait_until_listening(self, region: str) -> None:
        end = time.monotonic() + LISTEN_SECONDS
        for address in REGIONS[region]:
            while not _accepts(address, self._port):
                self._crew.check()
                if time.monotonic() > end:
                    raise Unavailable(
                        f"your service does not listen on {address} port {self._port} within {LISTEN_SECONDS:g} s",
                        hint="it must take its place from {address} and {port}; what it said is in "
                        f"{_process(region)}.log with --keep",
                    )
                time.sleep(PAUSE)


def _process(region: str) -> str:
    return f"own-{region}"


def _accepts(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=CONNECT_SECONDS).close()
    except OSError:
        return False
    return True
