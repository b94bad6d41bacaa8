"""What `outlast verify` is asked."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class ProtocolName(StrEnum):
    """What can be explored."""

    OUTLAST = "outlast"
    AWS_2025 = "aws-2025"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The options of the command, as given."""

    protocol: ProtocolName
    enactors: int
    plans: int
    endpoints: int
    crashes: int
    lost_replies: int
    has_janitor: bool
    faults: tuple[str, ...]
    without: tuple[str, ...]
    asks_recovery: bool
    max_seconds: float | None
    max_states: int
    as_json: bool
    walks: int
    seed: int
    jobs: int
    providers: int
    script: Path | None
    stops: Path | None

    @property
    def is_outlast(self) -> bool:
        return self.protocol is ProtocolName.OUTLAST
