"""The drill's hand on a running child: a small JSON file that says which names to ask, where, and in which act.

`{"epoch": 2, "names": ["db.example.test"], "nameserver": ["127.0.0.1", 5353], "home_share": 0.2}`; what is left out
stays as it was.
The drill replaces the file atomically; a child looks at it every 200 ms. A file that cannot be read or parsed changes
nothing and is looked at again.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

POLL_SECONDS = 0.2


class Direction(NamedTuple):
    """Whom a child talks to, and how.

    Attributes:
        epoch: Copied into every line, so that acts can be told apart afterwards.
        names: The endpoints' names, the first region's first.
        nameserver: Address and port of the only server asked.
        home_share: Share of the writes of a group with a queue that belong to the first region and to no other.

    """

    epoch: int
    names: tuple[str, ...]
    nameserver: tuple[str, int]
    home_share: float = 0.0


class Control:
    """Watches a control file; without a path it never reports a change."""

    def __init__(self, path: str | None, direction: Direction) -> None:
        self.direction = direction
        self._path = Path(path) if path else None
        self._seen: tuple[int, int, int] | None = None

    def poll(self) -> Direction | None:
        """Return the new direction if the file gave one since the last poll, otherwise `None`."""
        if self._path is None:
            return None
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            if seen == self._seen:
                return None
            direction = redirect(self.direction, json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, IndexError):
            return None
        self._seen = seen
        if direction == self.direction:
            return None
        self.direction = direction
        return direction


def redirect(direction: Direction, orders: Any) -> Direction:
    """Apply the content of a control file; a value of the wrong shape raises, and nothing is half applied."""
    if not isinstance(orders, dict):
        raise TypeError(f"not a JSON object: {orders!r}")
    names = tuple(str(name) for name in orders.get("names", direction.names))
    if not names:
        raise ValueError("no names to ask")
    host, port = orders.get("nameserver", direction.nameserver)
    home_share = float(orders.get("home_share", direction.home_share))
    if not 0 <= home_share <= 1:
        raise ValueError(f"home_share = {home_share} is no share")
    return Direction(int(orders.get("epoch", direction.epoch)), names, (str(host), int(port)), home_share)
