"""What a person may ask for at an endpoint, and the state of such a command; see `hold`."""

from enum import StrEnum
from typing import NamedTuple

from outlast.traffic.content import Content
from outlast.traffic.ports import Known, Live, Transaction


class Command(StrEnum):
    """What the person wants."""

    FREEZE = "freeze"
    THAW = "thaw"
    RETIRE = "retire"
    ADOPT = "adopt"
    BREAK_GLASS = "break-glass"
    ROLLBACK = "rollback"
    """As break-glass, with what an older plan says."""


WRITING = frozenset({Command.BREAK_GLASS, Command.ROLLBACK})
"""Those that are told what to write, and hold it."""


class Phase(StrEnum):
    """What the command waits for; the last three are its ends."""

    START = "start"
    KNOWN = "reading the registry"
    LIVE = "reading the primary"
    RECHECK = "reading the registry after an absent sentinel"
    RECORD = "recording"
    COMMIT = "committing"
    CONFIRM = "reading back after a lost reply"
    DONE = "done"
    REFUSED = "refused"
    UNREACHED = "not reached"


class HoldState(NamedTuple):
    """One command at one endpoint of one provider. `why` explains the end; `intent` is what was or would be written."""

    command: Command
    me: str
    realm: str
    provider: str
    endpoint: str
    content: Content | None = None
    take_over: bool = False
    decide_only: bool = False
    phase: Phase = Phase.START
    tries: int = 0
    known: Known | None = None
    live: Live | None = None
    intent: Transaction | None = None
    why: str = ""

    def __repr__(self) -> str:
        return f"<{self.command} {self.endpoint}@{self.provider}: {self.phase} {self.why}>"
