"""A name server without sockets, told the time."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import dns.message
import dns.name
import dns.update
import pytest

from outlast.nameserver.journal import Journal
from outlast.nameserver.keys import Keyring, UpdateKey
from outlast.nameserver.options import ZoneOptions
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


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[BenchFactory]:
    """Make benches on the zone above, or on another."""
    journals: list[Journal] = []

    def make(
        *,
        keys: tuple[UpdateKey, ...] = (),
        text: str = ZONE_TEXT,
        skew_seconds: int = 0,
        aliases: bool = False,
        state: Path | None = None,
    ) -> Bench:
        key = UpdateKey.generate("main.key")
        file = tmp_path / "zone"
        file.write_text(text.replace("{big}", " ".join(f'"{"x" * 200}{n}"' for n in range(9))))
        zone = AuthoritativeZone(ZoneOptions(name=ZONE, file=file, state=state))
        clock = StoppedClock(time.time_ns() + skew_seconds * 1_000_000_000)
        journals.append(Journal(tmp_path / "journal", clock))
        updater = Updater((zone,), journals[-1], follows_aliases=aliases)
        responder = Responder(updater, Keyring((key, *keys)), clock, follows_aliases=aliases)
        return Bench(responder, updater, zone, key, tmp_path / "journal")

    yield make
    for journal in journals:
        journal.close()


@pytest.fixture
def bench(make_bench: BenchFactory) -> Bench:
    """A bench on the zone above."""
    return make_bench()
