"""What an audit finds: one line for each thing that is as it should be, that is not, or that could not be told."""

from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """It makes an outage longer."""
    FAIL = "FAIL"
    """It would make one, or keep outlast from helping."""
    UNKNOWN = "unknown"
    """It could not be looked at."""
    SKIPPED = "skipped"
    """Nobody asked for it."""


class Finding(NamedTuple):
    """One thing: what was looked at (`check` of `subject`), what is there, and the change that mends it."""

    level: Level
    check: str
    subject: str
    there: str
    fix: str = ""


def worst(findings: "tuple[Finding, ...] | list[Finding]") -> Level:
    """The worst of the levels; what could not be told counts more than a warning."""
    order = (Level.FAIL, Level.UNKNOWN, Level.WARN)
    return next((level for level in order if any(item.level is level for item in findings)), Level.OK)
