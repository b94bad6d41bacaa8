"""The stub resolver's cache: exactly the RFCs' lifetimes."""

import dns.message
import dns.rcode
import dns.rrset
import pytest

from outlast.drill.load.stub_cache import MAX_NEGATIVE_TTL, MAX_TTL, Lookup, StubCache, read_answer

NAME = "db.example.test."


def answer(*records: str, rcode: str = "NOERROR", soa: str | None = None) -> dns.message.Message:
    """A response to `NAME` A; records and soa are `owner ttl type data`."""
    response = dns.message.make_response(dns.message.make_query(NAME, "A"))
    response.set_rcode(dns.rcode.from_text(rcode))
    response.answer.extend(_rrset(record) for record in records)
    if soa is not None:
        owner, ttl, minimum = soa.split()
        response.authority.append(_rrset(f"{owner} {ttl} SOA ns.{owner} admin.{owner} 1 60 60 60 {minimum}"))
    return dns.message.from_wire(response.to_wire())


def _rrset(record: str) -> dns.rrset.RRset:
    owner, ttl, rdtype, data = record.split(maxsplit=3)
    return dns.rrset.from_text(owner, int(ttl), "IN", rdtype, data)


def test_positive_answer_lives_for_its_ttl() -> None:
    """An answer with addresses is kept for the TTL of its set."""
    lookup = read_answer(answer(f"{NAME} 7 A 127.0.1.1"))

    assert Lookup("NOERROR", ("127.0.1.1",), 7.0) == lookup


def test_alias_in_the_answer_is_followed_and_the_smallest_ttl_counts() -> None:
    """A CNAME within the answer leads to its addresses, for the smaller of the two TTLs."""
    lookup = read_answer(answer(f"{NAME} 3 CNAME lb.example.test.", "lb.example.test. 60 A 127.0.1.2"))

    assert Lookup("NOERROR", ("127.0.1.2",), 3.0) == lookup


@pytest.mark.parametrize("rcode", ["NOERROR", "NXDOMAIN"])
@pytest.mark.parametrize(("soa", "ttl"), [("example.test. 5 9", 5.0), ("example.test. 9 5", 5.0), (None, 0.0)])
def test_negative_answer_lives_as_its_soa_says(rcode: str, soa: str | None, ttl: float) -> None:
    """NODATA and NXDOMAIN live for the smaller of SOA TTL and MINIMUM, and not at all without an SOA (RFC 2308)."""
    lookup = read_answer(answer(rcode=rcode, soa=soa))

    assert Lookup(rcode, (), ttl) == lookup


def test_dangling_alias_without_soa_is_not_kept() -> None:
    """The TTL of an alias says nothing about how long its target has no address."""
    lookup = read_answer(answer(f"{NAME} 300 CNAME gone.example.test."))

    assert Lookup("NOERROR", (), 0.0) == lookup


def test_soa_of_another_zone_says_nothing() -> None:
    """Only an SOA at or above the name can vouch for its absence."""
    lookup = read_answer(answer(soa="other.test. 60 60"))

    assert Lookup("NOERROR", (), 0.0) == lookup


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED"])
def test_failure_is_not_kept(rcode: str) -> None:
    """A failure has no lifetime, even with an SOA."""
    lookup = read_answer(answer(rcode=rcode, soa="example.test. 60 60"))

    assert Lookup(rcode, (), 0.0) == lookup


def test_alias_loop_is_a_failure() -> None:
    """An answer whose aliases lead in a circle resolves to nothing and is not kept."""
    lookup = read_answer(answer(f"{NAME} 9 CNAME a.example.test.", f"a.example.test. 9 CNAME {NAME}"))

    assert Lookup("SERVFAIL", (), 0.0) == lookup


def test_lifetimes_have_a_limit() -> None:
    """A positive TTL is capped at a week and a negative one at three hours."""
    lifetimes = (
        read_answer(answer(f"{NAME} 2000000 A 127.0.1.1")).ttl,
        read_answer(answer(soa="example.test. 2000000 2000000")).ttl,
    )

    assert lifetimes == (MAX_TTL, MAX_NEGATIVE_TTL)


@pytest.mark.parametrize(
    ("lookup", "reason"), [(Lookup("NOERROR", (), 1), "NODATA"), (Lookup("NXDOMAIN", (), 1), "NXDOMAIN")]
)
def test_reason_names_the_kind_of_absence(lookup: Lookup, reason: str) -> None:
    """NOERROR without addresses is called NODATA."""
    assert reason == lookup.reason


@pytest.mark.parametrize(("now", "is_kept"), [(102.0, True), (102.999, True), (103.0, False)])
def test_entry_ends_with_its_last_second(now: float, *, is_kept: bool) -> None:
    """An entry of 3 s put at 100 is there just before 103 and gone at 103."""
    cache = StubCache()
    lookup = Lookup("NOERROR", ("127.0.1.1",), 3.0)
    cache.put(NAME, lookup, 100.0)

    assert (lookup if is_kept else None) == cache.get(NAME, now)


def test_answer_without_lifetime_replaces_what_was_known() -> None:
    """An answer that must not be kept leaves nothing older behind."""
    cache = StubCache()
    cache.put(NAME, Lookup("NOERROR", ("127.0.1.1",), 3.0), 100.0)
    cache.put(NAME, Lookup("SERVFAIL", (), 0.0), 101.0)

    assert cache.get(NAME, 101.0) is None


def test_cache_has_a_limit() -> None:
    """Beyond its capacity the entry put first goes."""
    cache = StubCache(capacity=2)
    for name in ("a.", "b.", "c."):
        cache.put(name, Lookup("NOERROR", ("127.0.1.1",), 60.0), 0.0)

    assert (cache.get("a.", 1.0), repr(cache)) == (None, "<StubCache 2/2 names>")
