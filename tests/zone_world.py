"""The zones that the provider's tests write into, and another hand than the provider's to look and change with."""

import itertools
from typing import Any, NamedTuple

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update
import pytest
from dns.rcode import Rcode
from servers.powerdns import API_KEY
from servers.relay import DnsRelay, HttpRelay, Relay, UpdateRelay

from outlast.clock import Clock
from outlast.provider.octodns import OctodnsProvider
from outlast.provider.powerdns import PowerdnsProvider
from outlast.provider.rfc2136 import Rfc2136Provider
from outlast.system_clock import SystemClock
from outlast.traffic.content import Content, RecordSet
from outlast.traffic.ports import Live, Outcome, Provider, Reply, Tier, Transaction
from outlast.traffic.sentinel import Sentinel, Standing

OPEN, WILD, CLOSED = "example.test", "wild.test", "closed.test"
KEY = "outlast."
SECRET = "b3V0bGFzdCBjb250cmFjdCB0ZXN0cyBvbmx5ISEhISE="
TIMEOUT = 10.0
"""Seconds: a busy machine must not fail a test. Where a timeout is the matter, the test has its own."""

OCTODNS_BIND, OCTODNS_POWERDNS = "octodns_bind.Rfc2136Provider", "octodns_powerdns.PowerDnsProvider"

_APEX = "$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 5\n@ NS ns\nns A 127.0.0.1\n"
ZONES = {
    OPEN: f"$ORIGIN {OPEN}.\n{_APEX}",
    WILD: f'$ORIGIN {WILD}.\n{_APEX}* 60 A 192.0.2.250\n* 60 TXT "v=spf1 -all"\n*.cname 60 CNAME ns\n',
    CLOSED: f"$ORIGIN {CLOSED}.\n{_APEX}",
}

_numbers = itertools.count(1)


class Place(NamedTuple):
    """A server, the protocol that it is changed by, and what it does otherwise than others.

    Attributes:
        kind: What tests are named after.
        server: The program.
        tier: What the provider promises there.
        alias: The type that the server knows, and we can add, as an alias.
        explains_signatures: Whether it says what is wrong with a signature: the key, the secret, or the time.
        refusal: Its word for a zone that the key may not change.
        stranger: Its word for a zone that it does not have.
        octodns: The class of octoDNS by which it is changed, at T4.

    """

    kind: str
    server: str
    address: str = ""
    port: int = 0
    url: str = ""
    tier: Tier = Tier.T1
    alias: str = "TYPE65280"
    explains_signatures: bool = True
    refusal: str = "REFUSED"
    stranger: str = "NOTAUTH"
    octodns: str = ""

    def provider(self, *, port: int = 0) -> Provider:
        """The provider under test, on this server, or behind a relay on another port."""
        if self.tier is Tier.T1:
            return self.rfc2136(port=port)
        return self.by_octodns(port=port) if self.octodns else self.powerdns(port=port)

    def by_octodns(
        self, *, port: int = 0, secret: str = "", timeout: float = TIMEOUT, zones: tuple[str, ...] = tuple(ZONES)
    ) -> OctodnsProvider:
        """The provider by octoDNS, on this server."""
        if self.octodns == OCTODNS_BIND:
            secret, words = secret or SECRET, {"key_name": KEY, "key_algorithm": "hmac-sha256", "timeout": timeout}
            options = {"host": self.address, "port": port or self.port, "key_secret": secret, **words}
        else:
            secret, port = secret or API_KEY, port or int(self.url.rpartition(":")[2])
            options = {"host": "127.0.0.1", "port": port, "api_key": secret, "timeout": timeout}
        return OctodnsProvider(
            name="p", zones=zones, class_path=self.octodns, options=options, secrets=(secret,), timeout=timeout
        )

    @property
    def sees_aliases(self) -> bool:
        """Whether an alias is read: octoDNS passes over types that its provider does not support."""
        return self.octodns != OCTODNS_BIND

    @property
    def reads_any_text(self) -> bool:
        """Whether a TXT record of any bytes is read: octoDNS's rfc2136 provider takes UTF-8 alone."""
        return self.octodns != OCTODNS_BIND

    def powerdns(self, *, port: int = 0, api_key: str = API_KEY, timeout: float = TIMEOUT) -> PowerdnsProvider:
        """The provider by PowerDNS's HTTP API, on this server."""
        url = f"http://127.0.0.1:{port}" if port else self.url
        return PowerdnsProvider(name="p", zones=tuple(ZONES), url=url, api_key=api_key, timeout=timeout)

    def relay(self) -> Relay:
        """What stands between the provider and this server, to swallow replies."""
        if self.tier is Tier.T1:
            return DnsRelay(self.address, self.port)
        if self.octodns == OCTODNS_BIND:
            return UpdateRelay(self.address, self.port)
        return HttpRelay(self.address, int(self.url.rpartition(":")[2]))

    def rfc2136(
        self, *, port: int = 0, secret: str = SECRET, key: str = KEY, clock: Clock | None = None
    ) -> Rfc2136Provider:
        """The provider by DNS UPDATE, on this server."""
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

    def is_conflict(self, reply: Reply, expected: Reply) -> bool:
        """Whether the writer was told that it was overtaken: in DNS's word for it, or, where we compare, in ours."""
        if self.tier is Tier.T1:
            return reply == expected
        return reply.outcome is expected.outcome and reply.detail.endswith("changed since it was read")

    def refuses_cname(self, reply: Reply, endpoint: str) -> bool:
        """Whether the reply tells a person why no CNAME can come: our own words where the server has none."""
        if self.tier is Tier.T1:
            return (
                reply.detail == f"YXRRSET: {endpoint}. has other records, beside which no CNAME can stand; remove them"
            )
        if self.octodns:
            return reply.detail == f"{endpoint}. has other records (MX), beside which no CNAME can stand; remove them"
        return reply.detail == f"status 422: RRset {endpoint}. IN CNAME: Conflicts with pre-existing RRset"

    def alias_set(self, target: str) -> RecordSet:
        """What is read where an alias stands, with a TTL of 5."""
        value = alias_data(target) if self.tier is Tier.T1 else f"{target}."
        return RecordSet(self.alias if self.tier is Tier.T1 else "ALIAS", 5, (value,))

    def change(self, *steps: tuple[Any, ...], zone: str = OPEN) -> None:
        """Change the zone behind everybody's back: `("delete", name, type)`, `("add", name, ttl, type, value)`.

        The type `ALIAS` stands for the one that this server knows.
        """
        update = dns.update.UpdateMessage(zone, keyring=dns.tsig.Key(KEY, SECRET))
        for verb, name, *rest in steps:
            getattr(update, verb)(f"{name}.", *(self.alias if word == "ALIAS" else word for word in rest))
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


PLACES = {
    place.kind: place
    for place in (
        Place("embedded", "embedded"),
        Place("bind", "bind"),
        Place("knot", "knot", refusal="BADKEY"),
        Place("powerdns", "powerdns", alias="TYPE65401", explains_signatures=False, stranger="REFUSED"),
        Place("powerdns-api", "powerdns", tier=Tier.T3, alias="TYPE65401"),
        Place("octodns-bind", "bind", tier=Tier.T4, octodns=OCTODNS_BIND),
        Place("octodns-powerdns", "powerdns", tier=Tier.T4, octodns=OCTODNS_POWERDNS, alias="TYPE65401"),
    )
}
PRIMARIES = tuple(kind for kind, place in PLACES.items() if place.tier is Tier.T1)


def fresh(zone: str = OPEN, label: str = "db") -> str:
    """An endpoint that no other test uses."""
    return f"{label}{next(_numbers)}.{zone}"


def alias_data(target: str) -> str:
    """An alias's data in the generic form (RFC 3597, section 5): one name, not compressed."""
    wire = b"".join(bytes([len(label)]) + label.encode() for label in target.split(".")) + b"\0"
    return f"\\# {len(wire)} {wire.hex()}"


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


REPLACEMENTS = (
    pytest.param(ONE, TWO, id="an address"),
    pytest.param(ONE, addresses("192.0.2.1", ttl=60), id="a TTL"),
    pytest.param(ONE, addresses("192.0.2.1", "2001:db8::1"), id="a family comes"),
    pytest.param(addresses("192.0.2.1", "2001:db8::1"), addresses("2001:db8::1"), id="a family goes"),
    pytest.param(ONE, cname("lb.example.net"), id="addresses to CNAME"),
    pytest.param(cname("lb.example.net"), addresses("192.0.2.1", "2001:db8::1"), id="CNAME to addresses"),
    pytest.param(cname("lb.example.net"), cname("LB2.example.net"), id="CNAME to CNAME"),
    pytest.param(ONE, ONE, id="only the sentinel"),
)
"""What stands there, and what comes in its place."""
