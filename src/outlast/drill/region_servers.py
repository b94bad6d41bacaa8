"""What listens in the two regions: each one's service, its shipper to the other, and its DynamoDB stand-in.

All are children of the drill, on sockets that the drill binds: the service and the stand-in of a region have the same
addresses, each on a port of its own.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from outlast.drill import scale
from outlast.drill.addresses import REGIONS, Listeners, bind_again, listen
from outlast.drill.load.errand import HOME_PREFIX
from outlast.drill.names import TABLE_GROUPS
from outlast.drill.processes import Crew

Write = Callable[[str, dict[str, Any]], Path]
"""Writes options into a file of this name, and returns its path."""


class RegionServers:
    """The servers of both regions. Building it binds their addresses; `close` gives up what was not handed over.

    Args:
        crew: Starts and ends processes.
        folder: The world's files.
        write: Writes a child's options.
        one_address: Use 127.0.0.1 alone.

    Raises:
        Unavailable: The addresses cannot be bound.

    """

    def __init__(self, crew: Crew, folder: Path, *, write: Write, one_address: bool) -> None:
        self._crew = crew
        self._folder = folder
        self._write = write
        self.services = listen(one_address=one_address)
        try:
            self._tables = listen(one_address=one_address)
        except BaseException:
            self.services.close()
            raise

    def close(self) -> None:
        """Close our copies of the sockets; who was started has their own."""
        self.services.close()
        self._tables.close()

    def start(self) -> None:
        """Start all of them; does not wait."""
        for region in REGIONS:
            self._start_service(region, self.services)
            self._start_shipper(region)
            self._start_table(region, {"sockets": _descriptors(self._tables, region)})

    def are_ready(self) -> bool:
        """Whether each of them has said that it listens."""
        names = [f"{kind}-{region}" for kind in ("service", "dynamodb") for region in REGIONS]
        files = [self._folder / f"{name}.jsonl" for name in names]
        return all(file.exists() and file.stat().st_size > 0 for file in files)

    def listeners_of(self, group: str) -> Listeners:
        """The listeners that a group of clients calls."""
        return self._tables if group in TABLE_GROUPS else self.services

    def places(self, group: str) -> dict[str, tuple[str, int]]:
        """Where each region's server for a group of clients is, by region: address and port to connect to."""
        listeners = self.listeners_of(group)
        return {region: listeners.places(region)[0] for region in REGIONS}

    def stop_listening(self, region: str) -> None:
        """End a region's service and its DynamoDB stand-in: connections break, new ones are refused."""
        self._crew.dismiss(f"service-{region}", f"dynamodb-{region}")
        # Loading a stand-in takes seconds: it begins now, and listens when its gate is there.
        self._gate(region).unlink(missing_ok=True)
        self._start_table(region, {"listen": self._tables.places(region), "gate": str(self._gate(region))})

    def listen_again(self, region: str) -> None:
        """Start what `stop_listening` ended, on the same addresses and with the same data.

        Raises:
            Unavailable: An address was taken meanwhile.

        """
        again = bind_again(self.services, region)
        self._start_service(region, again)
        again.close()
        self._gate(region).touch()

    def _start_service(self, region: str, listeners: Listeners) -> None:
        descriptors = _descriptors(listeners, region)
        options = {
            "region": region,
            "database": str(self._folder / f"{region}.db"),
            "output": str(self._folder / f"service-{region}.jsonl"),
            "sockets": descriptors,
            "connection_age": scale.CONNECTION_AGE,
            "homes": {HOME_PREFIX: next(iter(REGIONS))},
            "peers": [peer for peer in REGIONS if peer != region],
        }
        path = self._write(f"service-{region}.json", options)
        self._crew.start(f"service-{region}", "outlast.drill.service", str(path), descriptors=descriptors)

    def _start_shipper(self, region: str) -> None:
        (peer,) = (other for other in REGIONS if other != region)
        options = {
            "region": region,
            "database": str(self._folder / f"{region}.db"),
            "target": peer,
            "addresses": self.services.places(peer),
            "output": str(self._folder / f"shipper-{region}.jsonl"),
        }
        path = self._write(f"shipper-{region}.json", options)
        self._crew.start(f"shipper-{region}", "outlast.drill.shipper", str(path))

    def _start_table(self, region: str, where: dict[str, Any]) -> None:
        options = {
            "region": region,
            "database": str(self._folder / f"dynamodb-{region}.items"),
            "output": str(self._folder / f"dynamodb-{region}.jsonl"),
            "connection_age": scale.CONNECTION_AGE,
            **where,
        }
        path = self._write(f"dynamodb-{region}.json", options)
        descriptors = where.get("sockets", ())
        self._crew.start(f"dynamodb-{region}", "outlast.drill.dynamodb", str(path), descriptors=descriptors)

    def _gate(self, region: str) -> Path:
        return self._folder / f"dynamodb-{region}.gate"


def _descriptors(listeners: Listeners, region: str) -> tuple[int, ...]:
    return tuple(listening.fileno() for listening in listeners.sockets[region])
