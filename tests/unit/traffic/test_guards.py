"""The last hop: what it refuses, what lifts that, and what it lets through."""

import pytest

from outlast.errors import UnsafePlan
from outlast.traffic.content import Content, RecordSet
from outlast.traffic.guards import UNCONFIGURED, refusal
from outlast.traffic.plan import Entry, Withheld
from outlast.traffic.ports import Record
from outlast.traffic.sentinel import Sentinel, Standing
from outlast.traffic.withholding import UNHEALTHY

A, B, SIX = "192.0.2.1", "192.0.2.2", "2001:db8::1"


def entry(*addresses: str, withheld: tuple[Withheld, ...] = ()) -> Entry:
    content = Content.of_addresses(addresses, ttl=5)
    return Entry(endpoint="db.example", generation=2, content=content, withheld=withheld)


def record(*addresses: str) -> Record:
    content = Content.of_addresses(addresses, ttl=5)
    return Record("p1", "db.example", Sentinel("r", 1, 1, content.digest, Standing.LIVE, "w"), content)


def present(*addresses: str) -> tuple[RecordSet, ...]:
    return Content.of_addresses(addresses, ttl=5).sets


def test_an_unexplained_removal_is_refused_and_names_what_lifts_it() -> None:
    """An address that we promised does not leave without evidence."""
    refused = refusal(present(A, B), entry(A), record(A, B))

    assert f"no evidence for removing {B}; lifted by the planner's next plan, which will name it" == refused


@pytest.mark.parametrize("reason", [UNCONFIGURED, UNHEALTHY + "timeout"])
def test_an_explained_removal_passes(reason: str) -> None:
    """The reason in `withheld` is the evidence."""
    explained = entry(A, withheld=(Withheld(B, reason, 1),))

    assert "" == refusal(present(A, B), explained, record(A, B))


@pytest.mark.parametrize("known", [None, record(A)], ids=["no record", "another record"])
def test_what_we_never_promised_needs_no_evidence(known: Record | None) -> None:
    """An address added by hand goes: that is a repair."""
    assert "" == refusal(present(A, B), entry(A), known)


def test_a_family_does_not_go_for_health() -> None:
    """The last IPv6 address may leave by configuration, not by evidence of health."""
    sick = entry(A, withheld=(Withheld(SIX, UNHEALTHY + "timeout", 1),))
    unwanted = entry(A, withheld=(Withheld(SIX, UNCONFIGURED, 1),))
    refused = refusal(present(A, SIX), sick, record(A, SIX))

    assert "it would leave no AAAA record; lifted by" in refused
    assert "" == refusal(present(A, SIX), unwanted, record(A, SIX))


def test_a_cname_may_stand_for_every_family() -> None:
    """A name that replaces addresses leaves no family of its own, and the addresses need their evidence still."""
    content = Content((RecordSet.of("CNAME", 5, ["lb.example"]),))
    held = (Withheld(A, UNCONFIGURED, 1),)
    alias = Entry(endpoint="db.example", generation=2, content=content, withheld=held)

    assert "" == refusal(present(A), alias, record(A))


def test_a_cname_gives_way_with_evidence_only() -> None:
    """A name that we promised does not leave for another, or for addresses, without its reason."""
    one, two = (Content.of_targets((f"lb-{n}.example.",), ttl=5) for n in (1, 2))
    ours = Record("p1", "db.example", Sentinel("r", 1, 1, one.digest, Standing.LIVE, "w"), one)
    held = (Withheld("lb-1.example.", UNHEALTHY + "resolves to nothing: NXDOMAIN", 1),)
    swap, explained = (
        Entry(endpoint="db.example", generation=2, content=two, withheld=withheld) for withheld in ((), held)
    )

    assert "no evidence for removing lb-1.example.; lifted by" in refusal(one.sets, swap, ours)
    assert "no evidence for removing lb-1.example.; lifted by" in refusal(one.sets, entry(A), ours)
    assert ("", "", "") == (
        refusal(one.sets, explained, ours),
        refusal(one.sets, entry(A, withheld=held), ours),
        refusal(two.sets, entry(A), ours),  # set by hand: a repair
    )


def test_adding_is_never_refused() -> None:
    """More capacity needs no evidence."""
    assert "" == refusal(present(A), entry(A, B, SIX), record(A))


def test_an_entry_below_its_minimum_cannot_be_built() -> None:
    """Just enough addresses build an entry, one fewer do not."""
    content = Content.of_addresses([A, B], ttl=5)

    assert 2 == Entry(endpoint="x", generation=1, content=content, min_addresses=2).min_addresses
    with pytest.raises(UnsafePlan, match="min_addresses = 3"):
        Entry(endpoint="x", generation=1, content=content, min_addresses=3)
