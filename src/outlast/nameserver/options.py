"""What a name server is told before it starts."""

import ipaddress
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import dns.exception
import dns.name

from outlast.errors import InvalidConfig
from outlast.listener.limits import IPNetwork, ListenerOptions
from outlast.nameserver.keys import UpdateKey

TTL_SECONDS_MAX = 2**31 - 1
"""RFC 2181, section 8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneOptions:
    """One zone.

    Args:
        name: Its name.
        negative_ttl: Seconds that resolvers may keep a negative answer of a zone made up from its name (TTL and
            MINIMUM of its SOA). A file or a state brings its own SOA.
        file: A zone file to start from. Without it the zone starts with a made-up SOA and NS.
        state: Where the zone is kept: read at the start if it is there, and then instead of `file`; written anew after
            each change, before the change is acknowledged.

    """

    name: str
    negative_ttl: int = 60
    file: Path | None = None
    state: Path | None = None

    def __post_init__(self) -> None:
        faults = tuple(self._faults())
        if faults:
            raise InvalidConfig(faults)

    def _faults(self) -> list[str]:
        faults = []
        if not _is_name(self.name):
            faults.append(f"zone {self.name!r}: not a domain name")
        if not 0 <= self.negative_ttl <= TTL_SECONDS_MAX:
            faults.append(f"zone {self.name}: negative_ttl {self.negative_ttl} must be between 0 and {TTL_SECONDS_MAX}")
        if self.file is not None and not self.file.is_file():
            faults.append(f"zone {self.name}: there is no zone file {self.file}")
        if self.state is not None and not self.state.parent.is_dir():
            faults.append(f"zone {self.name}: there is no folder {self.state.parent} for the state")
        return faults


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """A name server.

    Args:
        zones: What it answers for; at least one.
        keys: Who may change the zones. None: nobody can.
        address: The IP address to bind, over UDP and TCP.
        port: The port of both; 0 picks a free one.
        allow: Networks that are heard; needed for an address that is not loopback.
        journal: A file to which a line is appended for each version loaded and each UPDATE received.
        route53_aliases: Hazard only. Records of TYPE65280 act as aliases, as in `outlast.nameserver.alias`: the server
            then stands for a provider's global data plane, quirks included. Never for real use.

    Raises:
        InvalidConfig: With every fault found.

    """

    zones: tuple[ZoneOptions, ...]
    keys: tuple[UpdateKey, ...] = ()
    address: str = "127.0.0.1"
    port: int = 0
    allow: tuple[IPNetwork, ...] | None = field(default=None)
    journal: Path | None = None
    route53_aliases: bool = False

    def __post_init__(self) -> None:
        faults = tuple(self._faults())
        if faults:
            raise InvalidConfig(faults)

    def _faults(self) -> list[str]:
        faults = [] if self.zones else ["zones: a name server needs at least one"]
        faults += _repeated("zone", (dns.name.from_text(zone.name).to_text().lower() for zone in self.zones))
        faults += _repeated("state", (str(zone.state) for zone in self.zones if zone.state))
        faults += _repeated("key", (dns.name.from_text(key.name).to_text().lower() for key in self.keys))
        if self.journal is not None and not self.journal.parent.is_dir():
            faults.append(f"journal: there is no folder {self.journal.parent}")
        if self.route53_aliases and not _is_loopback(self.address):
            faults.append(f"route53_aliases: hazard only, never on {self.address}; use a loopback address")
        try:
            self.listener()
        except InvalidConfig as error:
            faults += error.faults
        return faults

    def listener(self) -> ListenerOptions:
        """Return the listener's part of the options."""
        return ListenerOptions(address=self.address, port=self.port, allow=self.allow)


def _is_name(text: str) -> bool:
    try:
        return bool(text) and bool(dns.name.from_text(text))
    except dns.exception.DNSException:
        return False


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return True  # the listener's options say what is wrong with it


def _repeated(what: str, values: Iterable[str]) -> list[str]:
    return [f"{what} {value}: named more than once" for value, times in Counter(values).items() if times > 1]
