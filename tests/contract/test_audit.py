"""What doctor reads and proves, on each real primary."""

import asyncio
from typing import Any

from zone_world import OPEN, Place, cname

from outlast.audit.findings import Level
from outlast.audit.prove import SCRATCH, prove_cas
from outlast.audit.zone_facts import Server, gather_facts
from outlast.audit.zone_rules import Soa
from outlast.provider.rfc2136 import Rfc2136Provider
from outlast.traffic.ports import Live, Transaction
from outlast.traffic.sentinel import Sentinel, Standing, parse


def test_what_is_seen_of_a_zone(primary: Place) -> None:
    """SOA, name servers and that it is not signed; what only a resolver knows is not asked."""
    facts = asyncio.run(gather_facts(OPEN, Server(primary.address, primary.port), None))

    assert (Soa(300, 86_400, 5), (f"ns.{OPEN}",), False, None) == (
        facts.soa,
        facts.servers,
        facts.is_signed,
        facts.signature_left,
    )
    assert (None, None) == (facts.parent_servers, facts.delegation_signed)


def test_a_zone_that_is_not_served(primary: Place) -> None:
    """Nothing is made up where the primary refuses."""
    facts = asyncio.run(gather_facts("nobodys.test", Server(primary.address, primary.port), None))

    assert isinstance(facts.soa, str)
    assert f"{primary.address}:{primary.port}" in facts.soa


def test_compare_and_swap_is_proved(primary: Place) -> None:
    """It refuses every kind of stale write; the scratch name stays, retired; and again, from what is there."""
    provider = primary.rfc2136()

    async def act() -> tuple[Any, Any, Live]:
        return (
            await prove_cas(provider, OPEN),
            await prove_cas(provider, OPEN),
            await provider.read(f"{SCRATCH}.{OPEN}"),
        )

    first, second, left = asyncio.run(act())
    seen = parse(left.sentinel)

    assert (Level.OK, Level.OK) == (first.level, second.level), first
    assert isinstance(seen, Sentinel)
    assert Standing.RETIRED is seen.standing


def test_what_cannot_be_proved_is_not_tried(yard: Any) -> None:
    """Of a provider without compare and swap nothing is proved, and nothing written."""
    provider, name = yard.place("powerdns-api").provider(), f"{SCRATCH}.{OPEN}"
    before = asyncio.run(provider.read(name))
    found = asyncio.run(prove_cas(provider, OPEN))

    assert (Level.SKIPPED, True) == (found.level, found.there.startswith("T3 has none"))
    assert before == asyncio.run(provider.read(name))


class Unfenced(Rfc2136Provider):
    """A provider that sends no prerequisites."""

    def _prerequisites(self, message: Any, transaction: Transaction) -> None:
        """Demand nothing."""


def test_a_provider_that_lets_stale_writes_through_is_found(primary: Place) -> None:
    """Without prerequisites the stale write lands, and the finding says so."""
    sound = primary.rfc2136()
    provider = Unfenced(
        name="p", zones=sound.zones, address=sound.address, port=sound.port, key_name=sound.key_name,
        key_secret=sound.key_secret, timeout=sound.timeout,
    )  # fmt: skip
    found = asyncio.run(prove_cas(provider, OPEN))

    assert (Level.FAIL, True) == (found.level, "and it landed" in found.there)


def test_a_scratch_name_in_use_is_left_alone(primary: Place) -> None:
    """Somebody's records under that name are not touched."""
    provider, name = primary.rfc2136(), f"{SCRATCH}.{OPEN}"
    primary.change(("delete", name), ("delete", f"_outlast.{name}"), ("add", name, 5, "CNAME", f"ns.{OPEN}."))
    found = asyncio.run(prove_cas(provider, OPEN))
    left = asyncio.run(provider.read(name))
    primary.change(("delete", name))

    assert (Level.UNKNOWN, "the scratch name is in use") == (found.level, found.there)
    assert Live((), cname(f"ns.{OPEN}").sets) == left


def test_a_primary_that_is_away() -> None:
    """Every fact says why there is none."""
    facts = asyncio.run(gather_facts(OPEN, Server("127.0.0.1", 1), None))

    assert all("127.0.0.1:1 does not answer" in str(fact) for fact in (facts.soa, facts.servers, facts.is_signed))
