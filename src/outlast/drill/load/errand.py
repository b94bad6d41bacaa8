"""What a kind of client is asked to do, what it may say, and what it is given to work with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from outlast.drill.load.stub_cache import Lookup

HOME_PREFIX = "home-east-"
"""Keys of writes that belong to the first region alone: no other may accept them."""


class Errand(NamedTuple):
    """One call to make.

    Attributes:
        is_write: Whether it writes; otherwise it reads.
        key: The key to write, a key of its own for each call, so that a retry that arrives late can never make a later
            read look wrong; or the seeded key to read, or `None` to read back the host's last write.
        value: What is written, or what the seeded key must have.

    """

    is_write: bool
    key: str | None
    value: str

    @property
    def is_homed(self) -> bool:
        """Whether only the first region may accept this write."""
        return self.is_write and self.key is not None and self.key.startswith(HOME_PREFIX)


class Reply(NamedTuple):
    """A correct answer, and which load balancer of which region gave it."""

    region: str
    target: str


class Kept(NamedTuple):
    """A write that nobody has acknowledged yet: it is in a queue on the client's disk, under this id."""

    id: str


class Caller(Protocol):
    """One independent client machine of some kind."""

    async def open(self) -> None:
        """Take what must be taken before the first call."""
        ...

    async def call(self, errand: Errand) -> Reply | Kept:
        """Make one call; whatever it raises is a failed call."""
        ...

    async def aclose(self) -> None:
        """Give up what is under way and close connections."""
        ...


def _ignore(_event: str, _fields: Mapping[str, Any]) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What one host is told.

    Args:
        label: A name that is unique among all hosts that write to the same services.
        names: The endpoints' names, the first region's first.
        regions: The regions' names, in the same order.
        nameserver: Address and port of the only server that is asked.
        port: The port of the services.
        address_map: Where to go instead of an address, for machines that have only 127.0.0.1.
        on_answer: Called with a name and what was learnt when a question was answered.
        folder: Where queues and memories are kept; the group's own.
        deadline: Seconds after which an answer is of no use, for those kinds that know such a thing.
        note: Writes a line of the group's file.

    """

    label: str
    names: tuple[str, ...]
    regions: tuple[str, ...]
    nameserver: tuple[str, int]
    port: int
    address_map: Mapping[str, tuple[str, int]]
    on_answer: Callable[[str, Lookup], None]
    folder: Path
    deadline: float = 2.0
    note: Callable[[str, Mapping[str, Any]], None] = field(default=_ignore)

    def url(self, index: int) -> str:
        """The base URL of a region's service, by its number."""
        return f"http://{self.names[index].rstrip('.')}:{self.port}"
