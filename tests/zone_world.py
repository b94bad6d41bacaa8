"""The zones that the provider's tests write into, and another hand than the provider's to look and change with."""

import itertools
from typing import Any, NamedTuple

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update
from dns.rcode import Rcode

from outlast.clock import Clock
from outlast.provider.rfc2136 import Rfc2136Provider
from outlast.system_clock import SystemClock
from outlast.traffic.content import Content, RecordSet
from outlast.traffic.ports import Live, Outcome, Provider, Reply, Transaction
from outlast.traffic.sentinel import Sentinel, Standing

OPEN, WILD, CLOSED = "example.test", "wild.test", "closed.test"
KEY = "outlast."
SECRET = "b3V0bGFzdCBjb250cmFjdCB0ZXN0cyBvbmx5ISEhISE="
TIMEOUT = 10.0
"""Seconds: a busy machine must not fail a test. Where a timeout is the matter, the test has its own."""

_APEX = "$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 5\n@ NS ns\nns A 127.0.0.1\n"
ZONES = {
    OPEN: f"$ORIGIN {OPEN}.\n{_APEX}",
    WILD: f'$ORIGIN {WILD}.\n{_APEX}* 60 A 192.0.2.250\n* 60 TXT "v=spf1 -all"\n*.cname 60 CNAME ns\n',
    CLOSED: f"$ORIGIN {CLOSED}.\n{_APEX}",
}

_numbers = itertools.count(1)


class Place(NamedTuple):
    """A running primary."""

    kind: str
    address: str
    port: int

    def provider(
        self, *, port: int = 0, secret: str = SECRET, key: str = KEY, clock: Clock | None = None
    ) -> Rfc2136Provider:
        """The provider under test, on this primary."""
        return Rfc2136Provider(
            name="p",
            zones=tuple(ZONES),
            address=self.address,
            port=port or self.port,
            key_name=key,
            key_secret=secret,
            timeout=TIMEOUT,
            clock=clock or SystemClock(),
        )

    def change(self, *steps: tuple[Any, ...], zone: str = OPEN) -> None:
        """Change the zone behind everybody's back: `("delete", name, type)`, `("add", name, ttl, type, value)`."""
        update = dns.update.UpdateMessage(zone, keyring=dns.tsig.Key(KEY, SECRET))
        for verb, name, *rest in steps:
            getattr(update, verb)(f"{name}.", *rest)
        answer = dns.query.tcp(update, self.address, timeout=TIMEOUT, port=self.port)
        assert answer.rcode() == Rcode.NOERROR, dns.rcode.to_text(answer.rcode())

    def ask(self, name: str, rdtype: str) -> list[str]:
        """What a client is answered, whatever makes it so."""
        query = dns.message.make_query(f"{name}.", rdtype)
        answer = dns.query.tcp(query, self.address, timeout=TIMEOUT, port=self.port)
        found = (item for item in answer.answer if item.rdtype == dns.rdatatype.from_text(rdtype))
        return sorted(rdata.to_text() for item in found for rdata in item)

    def serial(self, zone: str = OPEN) -> int:
        """The zone's version."""
        return int(self.ask(zone, "SOA")[0].split()[2])


def fresh(zone: str = OPEN, label: str = "db") -> str:
    """An endpoint that no other test uses."""
    return f"{label}{next(_numbers)}.{zone}"


def addresses(*values: str, ttl: int = 5) -> Content:
    return Content.of_addresses(values, ttl=ttl)


def cname(target: str, *, ttl: int = 5) -> Content:
    return Content((RecordSet.of("CNAME", ttl, (target,)),))


def write(endpoint: str, seen: Live, content: Content, *, n: int = 1, by: str = "one") -> Transaction:
    """A transaction as an enactor would make it."""
    return Transaction("p", endpoint, seen, Sentinel("test", n, n, content.digest, Standing.LIVE, by), content)


NOTHING = Live((), ())
ONE, TWO = addresses("192.0.2.1"), addresses("192.0.2.2")
COMMITTED, CHANGED, APPEARED = (
    Reply(Outcome.COMMITTED),
    Reply(Outcome.CONFLICT, "NXRRSET"),
    Reply(Outcome.CONFLICT, "YXRRSET"),
)


def done(transaction: Transaction) -> Live:
    """What is read after the transaction was committed."""
    return Live((transaction.sentinel.text,), transaction.content.sets)


async def create(provider: Provider, endpoint: str, content: Content = ONE) -> Live:
    """Create an endpoint and say what is read from then on."""
    transaction = write(endpoint, NOTHING, content)
    assert COMMITTED == await provider.commit(transaction)
    return done(transaction)
