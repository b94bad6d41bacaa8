"""What a group of clients is told, and what is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from outlast.drill.child import require
from outlast.drill.control import Direction

MAX_RATE = 60.0  # calls a second and group, so that two cores carry the whole drill
MIN_CACHES = 4  # fewer would make one cache's luck the group's
MAX_CACHES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """One group of clients.

    Args:
        group: Its name, in every line.
        kind: How its clients call; one of `kinds.KINDS`.
        output: Path of the JSON lines file.
        names: The endpoints' names, the first region's first.
        nameserver: Address and port of the only server asked.
        port: The port of the services.
        rate: Calls a second, at exact times, however slow the answers are.
        caches: Independent hosts, each with its own HTTP client and stub resolver; calls go round.
        seconds: How long to make calls; `None` means until SIGTERM.
        deadline: A call counts as answered only if it is answered correctly within these seconds of its scheduled
            time. The client knows nothing of it and goes on.
        write_share: Share of calls that write.
        keys: How many seeded keys the services have.
        seed: Decides which calls write and which keys are read.
        address_map: Where to dial instead of an address, for machines that have only 127.0.0.1.
        control: Path of a control file (see `drill.control`), or `None`.
        epoch: The number of the first act.
        regions: The regions' names, in the order of `names`.
        folder: Where kinds with a queue or a memory keep it; needed by those.
        home_share: See `Direction`.

    """

    group: str
    kind: str
    output: str
    names: tuple[str, ...]
    nameserver: tuple[str, int]
    port: int
    rate: float = 20.0
    caches: int = 4
    seconds: float | None = None
    deadline: float = 2.0
    write_share: float = 0.2
    keys: int = 100
    seed: int = 0
    address_map: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    control: str | None = None
    epoch: int = 0
    regions: tuple[str, ...] = ("us-east-1", "us-west-2")
    folder: str = "."
    home_share: float = 0.0

    def __post_init__(self) -> None:
        require(
            (bool(self.names), "names: at least one is needed"),
            (0 < self.rate <= MAX_RATE, f"rate = {self.rate}: must be more than 0 and at most {MAX_RATE:g} per second"),
            (MIN_CACHES <= self.caches <= MAX_CACHES, f"caches = {self.caches}: from {MIN_CACHES} to {MAX_CACHES}"),
            (self.deadline > 0, f"deadline = {self.deadline}: must be more than 0 seconds"),
            (self.seconds is None or self.seconds > 0, f"seconds = {self.seconds}: must be more than 0, or null"),
            (0 <= self.write_share <= 1, f"write_share = {self.write_share}: must be from 0 to 1"),
            (0 <= self.home_share <= 1, f"home_share = {self.home_share}: must be from 0 to 1"),
            (self.keys >= 1, f"keys = {self.keys}: must be at least 1"),
        )

    def direction(self) -> Direction:
        """Whom to call until a control file says otherwise."""
        return Direction(self.epoch, self.names, (self.nameserver[0], self.nameserver[1]), self.home_share)
