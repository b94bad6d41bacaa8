"""Follows the configuration file while a role runs: endpoints may be edited at any time, without a restart.

An edit that is wrong, half written or changes more than endpoints keeps what was valid last: errors freeze.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from outlast.config.notices import Notices, Tell
from outlast.config.parse import parse
from outlast.config.settings import Settings
from outlast.errors import InvalidConfig
from outlast.traffic.edition import with_edition
from outlast.traffic.messages import Note
from outlast.traffic.topology import Topology

YOUNG_SECONDS = 2.0
"""A file changed so recently may be changed again within one tick of the file system's clock: its bytes are compared."""


class SettingsSource:
    """The last valid settings of a file, with its endpoints as they are now.

    Args:
        settings: What the file said at the start.
        tell: Told, once for each edit, why it is not followed; or an empty text when a later edit is followed again.

    """

    def __init__(self, settings: Settings, tell: Callable[[str], None]) -> None:
        self._settings = settings
        self._tell = tell
        self._digest = settings.digest
        self._stamp: tuple[int, int, int] | None = None
        self._fault = ""
        self._since = 0
        self._dated: Topology | None = None

    def __repr__(self) -> str:
        return f"<settings of {self._settings.path}: {self._fault or 'followed'}>"

    @property
    def settings(self) -> Settings:
        """The last valid settings, after another look at the file."""
        self._look(self._settings.path)
        return self._settings

    def topology(self) -> Topology:
        """The last valid topology, after another look at the file."""
        return self.settings.topology

    def dated(self, reader: str) -> Topology:
        """As `topology`, with its edition, for the planner of this name: others may have other files.

        A file counts from when it was written (`st_mtime`), and an edit that is seen from when it came here (`st_ctime`):
        copying with old times does not hide it. Who may read a file is no edit.
        """
        topology = self.topology()
        if self._dated is None or self._dated.endpoints is not topology.endpoints:
            by = f"{reader} at {self._settings.path.absolute()}"
            self._dated = with_edition(topology, self._since, by=by, known=self._dated)
        elif self._dated.edition.since != self._since:
            self._dated = replace(self._dated, edition=self._dated.edition._replace(since=self._since))
        return self._dated

    def _look(self, path: Path) -> None:
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp == self._stamp and time.time() - status.st_mtime > YOUNG_SECONDS:
                return
            data = path.read_bytes()
        except OSError as error:
            self._stamp = None
            self._report(f"{path}: cannot be read: {error.strerror}")
            return
        self._stamp = stamp
        digest, since = sha256(data).digest(), status.st_mtime_ns
        if digest != self._digest:
            self._digest, since = digest, status.st_ctime_ns
            self._report(self._follow(data))
        elif self._fault.startswith(f"{path}: cannot be read"):
            self._report("")
        if not self._fault:
            self._since = max(self._since, since)

    def _follow(self, data: bytes) -> str:
        try:
            new = parse(data, self._settings.path)
        except InvalidConfig as error:
            return str(error)
        if new.realm != self._settings.realm or replace(new, topology=self._settings.topology) != self._settings:
            return f"{self._settings.path}: only endpoints may change while a role runs; restart it to follow the rest"
        self._settings = replace(new, topology=new.topology.sharing(self._settings.topology))
        return ""

    def _report(self, fault: str) -> None:
        if fault != self._fault:
            self._fault = fault
            self._tell(fault)


def followed(settings: Settings, name: str, tell: Tell) -> SettingsSource:
    """The file of these settings, as the role `name` follows it: what is not followed is told as an alarm, once."""
    notices = Notices(tell)

    def on_fault(fault: str) -> None:
        alarm = Note("configuration not followed, the last valid one stands", fault, alarm=True)
        notices.told(name, "", (alarm if fault else Note("configuration followed again"),))

    return SettingsSource(settings, on_fault)
