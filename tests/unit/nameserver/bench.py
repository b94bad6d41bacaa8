"""A name server without sockets, told the time."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import dns.message
import dns.name
import dns.update

from outlast.nameserver.keys import UpdateKey
from outlast.nameserver.responder import Responder
from outlast.nameserver.updater import Updater
from outlast.nameserver.zone import AuthoritativeZone

ZONE_TEXT = """\
@ 60 IN SOA ns hostmaster 41 3600 600 86400 7
@ 3600 IN NS ns
ns 3600 IN A 192.0.2.53
www 30 IN A 192.0.2.1
www 30 IN A 192.0.2.2
www 30 IN TXT "hello"
web 30 IN CNAME www
far 30 IN CNAME www.elsewhere.test.
loop1 30 IN CNAME loop2
loop2 30 IN CNAME loop1
lost 30 IN CNAME missing
a.deep 30 IN A 192.0.2.9
*.wild 30 IN A 192.0.2.7
big 30 IN TXT {big}
"""

ZONE = "example.test"


class StoppedClock:
    """A clock that is told the time once. dnspython's client signs with the machine's, so that is what it is told."""

    def __init__(self, wall: int) -> None:
        self._wall = wall

    def now(self) -> int:
        return 1_500_000_000

    def wall(self) -> int:
        return self._wall


class Bench(NamedTuple):
    """One server's parts."""

    responder: Responder
    updater: Updater
    zone: AuthoritativeZone
    key: UpdateKey
    journal: Path

    def ask(
        self, name: str, rdtype: str = "A", *, transport: str = "udp", edns: int | None = None, payload: int = 1232
    ) -> dns.message.Message:
        """Ask one question; a relative name is completed with the zone."""
        query = dns.message.make_query(dns.name.from_text(name, dns.name.from_text(ZONE)), rdtype)
        query.use_edns(edns, payload=payload)
        return self.exchange(query, transport=transport)

    def exchange(self, query: dns.message.Message, *, transport: str = "udp") -> dns.message.Message:
        """Send a message as it is."""
        wire = query.to_wire()
        answer = self.responder.respond(wire, "127.0.0.1:5353", transport)
        assert answer is not None
        return dns.message.from_wire(answer, keyring=query.keyring, request_mac=query.mac or b"")

    def update(self, key: UpdateKey | None = None) -> dns.update.UpdateMessage:
        """Begin a signed UPDATE."""
        return dns.update.UpdateMessage(ZONE, keyring=(key or self.key).tsig_key())

    def lines(self) -> list[dict[str, Any]]:
        """Read the journal."""
        return [json.loads(line) for line in self.journal.read_text().splitlines()]


BenchFactory = Callable[..., Bench]
