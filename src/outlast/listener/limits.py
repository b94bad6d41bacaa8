"""Where a listener binds, whom it hears, and how much of anything it holds at once."""

import ipaddress
from dataclasses import dataclass, field

from outlast.errors import InvalidConfig

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

MESSAGE_BYTES_MAX = 65_535
"""A TCP message's length is sixteen bits (RFC 1035, section 4.2.2); a datagram cannot be longer either."""

DATAGRAMS_PER_WAKEUP = 64
"""Read this many before the loop may serve TCP again: enough to share one wake-up among a burst, too few to starve."""

PENDING_MAX = 1_000
"""Async answers under way at once beyond which a datagram is dropped; its sender asks again. TCP has its own limits."""

PIPELINE_MAX = 32
"""Requests of one connection under way at once (RFC 7766, section 6.2.1.1); the next is read when one is answered."""

PORT_ATTEMPTS = 32
"""Free TCP ports tried until the same UDP port is free too; one clash is rare, this many mean something else is wrong."""

TURNS_TO_CLOSE = 5
"""Turns of the loop from a connection's acceptance to its socket's end: accepted, wrapped, handed over, aborted, closed."""

LOGGED_FAULTS_MAX = 20
"""Handler exceptions logged with their traceback; later ones are only counted, so a flood cannot fill a disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerOptions:
    """One address and port, over UDP and TCP.

    Args:
        address: The IP address to bind, as text.
        port: The port of both transports; 0 picks one that is free for both.
        allow: Networks whose packets are heard; `None` means everybody who can reach the address, which is permitted on
            loopback only.
        connections_max: TCP connections held at once; one more is closed on arrival. BIND's default is the same.
        idle_timeout: Seconds a connection may take to deliver its next whole message, or to accept an answer
            (RFC 7766, section 6.2.3: a few seconds).

    Raises:
        InvalidConfig: With every fault found, not only the first.

    """

    address: str = "127.0.0.1"
    port: int = 0
    allow: tuple[IPNetwork, ...] | None = field(default=None)
    connections_max: int = 150
    idle_timeout: float = 10.0

    def __post_init__(self) -> None:
        faults = tuple(self._faults())
        if faults:
            raise InvalidConfig(faults)

    def _faults(self) -> list[str]:
        faults = [_fault_of_address(self.address, is_restricted=self.allow is not None)]
        if not 0 <= self.port <= 65_535:
            faults.append(f"port {self.port}: must be between 0 and 65535")
        if self.connections_max < 1:
            faults.append(f"connections_max {self.connections_max}: must be at least 1")
        if self.idle_timeout <= 0:
            faults.append(f"idle_timeout {self.idle_timeout}: must be more than 0 seconds")
        return [fault for fault in faults if fault]

    def hears(self, host: str) -> bool:
        """Whether packets from this IP address are heard."""
        if self.allow is None:
            return True
        address = ipaddress.ip_address(host.partition("%")[0])
        return any(address in network for network in self.allow)


def _fault_of_address(text: str, *, is_restricted: bool) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return f"address {text!r}: not an IP address"
    if not address.is_loopback and not is_restricted:
        return f"address {text}: not a loopback address; name the networks that may reach it in `allow`"
    return ""
