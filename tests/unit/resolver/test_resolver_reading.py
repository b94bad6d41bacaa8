"""What one response says, and what it has no right to say; and the sentinel's one word that matters here."""

from itertools import pairwise

import dns.message
import pytest

from outlast.resolver.reading import MAX_ADDRESSES, MAX_ALIASES, MAX_TTL, Kind, Reading, read
from outlast.resolver.retirement import is_retired

SOA = "example.com. 60 IN SOA ns.example.com. admin.example.com. 1 60 60 60 20"


def response(answer: str = "", authority: str = "", *, rcode: str = "NOERROR") -> Reading:
    head = f"id 1\nopcode QUERY\nrcode {rcode}\nflags QR RD RA\n;QUESTION\ndb.example.com. IN A"
    text = "\n".join(part for part in (head, ";ANSWER", answer, ";AUTHORITY", authority, "") if part)
    return read(dns.message.from_text(text))


def test_addresses_with_the_smallest_ttl_of_the_chain() -> None:
    """Aliases are followed within the answer, and the shortest-lived link decides."""
    got = response("db.example.com. 30 IN CNAME x.example.com.\nx.example.com. 60 IN A 192.0.2.1")

    assert (Kind.POSITIVE, ("192.0.2.1",), 30) == got[:3]


def test_records_outside_the_chain_are_ignored() -> None:
    """An address of a name that nobody asked for is not believed."""
    got = response("bank.example. 60 IN A 192.0.2.66", SOA)

    assert (Kind.NODATA, ()) == got[:2]


@pytest.mark.parametrize(
    ("answer", "authority", "rcode", "kind", "ttl"),
    [
        ("", SOA, "NOERROR", Kind.NODATA, 20),
        ("", "", "NOERROR", Kind.NODATA, 0),
        ("", SOA, "NXDOMAIN", Kind.NXDOMAIN, 20),
        ("", "", "NXDOMAIN", Kind.NXDOMAIN, 0),
        ("db.example.com. 30 IN CNAME x.example.com.", SOA, "NOERROR", Kind.NODATA, 20),
        ("db.example.com. 30 IN CNAME x.example.com.", "", "NXDOMAIN", Kind.NXDOMAIN, 0),
        ("", "example.com. 60 IN NS ns.example.com.", "NOERROR", Kind.FAILED, 0),
        ("", SOA, "SERVFAIL", Kind.FAILED, 0),
        ("", SOA, "REFUSED", Kind.FAILED, 0),
    ],
)
def test_answers_without_addresses(answer: str, authority: str, rcode: str, kind: Kind, ttl: int) -> None:
    """Negative answers last as long as RFC 2308 says, not at all without an SOA; a referral answers nothing."""
    got = response(answer, authority, rcode=rcode)

    assert (kind, (), ttl) == got[:3]


def test_an_alias_to_nothing_is_said_to_be_one() -> None:
    """The words name where the aliases end."""
    assert "x.example.com." in response("db.example.com. 30 IN CNAME x.example.com.", SOA).words


def test_an_alias_alone_says_whom_to_ask() -> None:
    """An alias without a denial of its target says nothing about addresses, and names the target and how long it holds."""
    got = response("db.example.com. 30 IN CNAME X.example.net.")

    assert (Kind.FAILED, (), 30, "x.example.net") == (*got[:3], got.alias)


@pytest.mark.parametrize(("links", "kind"), [(MAX_ALIASES, Kind.POSITIVE), (MAX_ALIASES + 1, Kind.FAILED)])
def test_the_depth_of_aliases_is_bounded(links: int, kind: Kind) -> None:
    """Eleven aliases are followed, twelve are not."""
    names = ["db.example.com.", *(f"n{n}.example.com." for n in range(links))]
    chain = [f"{name} 60 IN CNAME {target}" for name, target in pairwise(names)]

    assert kind == response("\n".join([*chain, f"{names[-1]} 60 IN A 192.0.2.1"])).kind


def test_a_loop_of_aliases_is_a_failure() -> None:
    """An alias that leads to itself says nothing about the name."""
    loop = "db.example.com. 60 IN CNAME x.example.com.\nx.example.com. 60 IN CNAME db.example.com."

    assert Kind.FAILED == response(loop, SOA).kind


def test_sets_and_times_are_bounded() -> None:
    """A set of a hundred addresses is cut, and a TTL of years is a week."""
    got = response("\n".join(f"db.example.com. 99999999 IN A 192.0.2.{n}" for n in range(100)))

    assert (MAX_ADDRESSES, MAX_TTL) == (len(got.addresses), got.ttl)


@pytest.mark.parametrize(
    ("addresses", "is_null"),
    [(("0.0.0.0",), True), (("0.0.0.0", "::"), True), (("0.0.0.0", "192.0.2.1"), False), ((), False)],
)
def test_null_addresses_are_told(addresses: tuple[str, ...], *, is_null: bool) -> None:
    """Nothing but unspecified addresses is null; one real address, or none at all, is not."""
    assert is_null == Reading(Kind.POSITIVE, addresses).is_null


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("v=1 realm=shop n=7 gen=3 plan=00 st=retired by=ann",), True),
        (("v=1 realm=shop n=7 gen=3 plan=00 st=live by=ann",), False),
        (("v=1 realm=shop n=7 gen=3 plan=00 st=retiredly by=ann",), False),
        (("v=1 realm=st=retired n=7 gen=3 plan=00 st=live by=ann",), False),
        (("v=2 realm=shop st=retired",), False),
        (("v=1 st=retired", "v=1 st=live"), False),
        ((), False),
    ],
)
def test_only_one_readable_sentinel_retires(texts: tuple[str, ...], *, expected: bool) -> None:
    """Another state, version, place of the words, or a second sentinel, gives nothing up."""
    assert expected == is_retired(texts)
