"""What travels between regions: the writes of one origin, in their order."""

import json
from dataclasses import asdict, dataclass
from typing import NamedTuple

BATCH_LIMIT = 500
"""Changes of one batch."""


class Origin(NamedTuple):
    """Whose writes: a region, and which making of its store. A store made anew begins to count anew."""

    region: str
    making: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One write: its place in its origin's order (from 1, without gaps) and its wall-clock instant in nanoseconds."""

    sequence: int
    key: str
    value: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Writes of one origin, oldest first. An empty batch asks for the position."""

    origin: Origin
    changes: tuple[Change, ...]

    def to_json(self) -> str:
        """Return the batch as text; `from_json` undoes it."""
        return json.dumps({"origin": self.origin, "changes": [asdict(change) for change in self.changes]})

    @classmethod
    def from_json(cls, text: str | bytes) -> "Batch":
        """Read a batch.

        Raises:
            ValueError: The text is no batch, or a batch over the limit.

        """
        try:
            found = json.loads(text)
            region, making = found["origin"]
            changes = tuple(Change(**change) for change in found["changes"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a batch of changes: {error!r}") from error
        fields = [(c.sequence, c.at, c.key, c.value) for c in changes]
        if not all(type(s) is type(t) is int and type(k) is type(v) is str for s, t, k, v in fields):
            raise ValueError("not a batch of changes: a field is of another type")
        if not (isinstance(region, str) and isinstance(making, str)) or len(changes) > BATCH_LIMIT:
            raise ValueError(f"not a batch of changes: no origin, or more than {BATCH_LIMIT} changes")
        return cls(origin=Origin(region, making), changes=changes)


class Conflict(NamedTuple):
    """Two regions wrote one key. The value that was there first was kept; the other is kept here."""

    key: str
    kept: str
    kept_region: str
    refused: str
    refused_region: str
    refused_sequence: int


class Lag(NamedTuple):
    """What another region has not confirmed yet: writes, and the age in seconds of the oldest of them."""

    writes: int
    seconds: float
