"""What every provider promises, as far as Route 53 can, over a strict Route 53 in memory; and where it promises less."""

from typing import Any

import pytest
from route53_world import ZONE_ID, Account, alias, plain, run, weighted
from zone_world import (
    COMMITTED,
    NOTHING,
    ONE,
    OPEN,
    REPLACEMENTS,
    TWO,
    WILD,
    addresses,
    cname,
    create,
    done,
    fresh,
    write,
)

from outlast.errors import UnsafePlan
from outlast.traffic.content import Content
from outlast.traffic.ports import Live, Outcome, Reply, Tier


@pytest.fixture(params=[True, False], ids=["equal pairs", "no equal pairs"])
def account(request: pytest.FixtureRequest) -> Account:
    """Route 53 as it may be: the documentation does not say whether a set may be replaced by itself."""
    return Account(pairs_equals=request.param)


def test_nothing_is_read_where_nothing_is(account: Account) -> None:
    """A name that does not exist has no sentinel and no sets, and the provider says that it compares and swaps."""
    provider = account.provider()

    assert (Tier.T1, NOTHING) == (provider.tier, run(provider.read(fresh())))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(ONE, id="A"),
        pytest.param(addresses("2001:db8::1"), id="AAAA"),
        pytest.param(addresses("192.0.2.1", "192.0.2.2", "2001:db8::1", ttl=60), id="both families"),
        pytest.param(cname("lb.example.net"), id="CNAME"),
        pytest.param(addresses(*(f"10.0.{n // 100}.{n % 100}" for n in range(200))), id="200 addresses"),
    ],
)
def test_what_was_created_is_read(account: Account, content: Content) -> None:
    """A creation is committed, and the next read finds exactly sentinel and sets, TTLs included."""
    provider, endpoint = account.provider(), fresh()
    expected = run(create(provider, endpoint, content))

    assert expected == run(provider.read(endpoint))


@pytest.mark.parametrize(("first", "second"), REPLACEMENTS)
def test_sets_are_replaced_whole(account: Account, first: Content, second: Content) -> None:
    """A replacement leaves exactly its own sets and sentinel, whatever was there."""
    provider, endpoint = account.provider(), fresh()
    transaction = write(endpoint, run(create(provider, endpoint, first)), second, n=2)

    assert COMMITTED == run(provider.commit(transaction))
    assert done(transaction) == run(provider.read(endpoint))


def test_a_stale_write_is_refused_and_changes_nothing(account: Account) -> None:
    """Who read before somebody else wrote is told so, with Route 53's words."""
    provider, endpoint = account.provider(), fresh()
    old = run(create(provider, endpoint))
    new = write(endpoint, old, TWO, n=2)
    assert COMMITTED == run(provider.commit(new))
    reply = run(provider.commit(write(endpoint, old, addresses("192.0.2.3"), n=2, by="sleeper")))

    assert (Outcome.CONFLICT, done(new)) == (reply.outcome, run(provider.read(endpoint)))
    assert "the values provided do not match the current values" in reply.detail


def test_a_stale_sentinel_is_refused_even_if_the_records_are_equal(account: Account) -> None:
    """The sentinel alone fences: who read an older one is refused although the records are as read."""
    provider, endpoint = account.provider(), fresh()
    old = run(create(provider, endpoint))
    assert COMMITTED == run(provider.commit(write(endpoint, old, ONE, n=2)))
    reply = run(provider.commit(write(endpoint, old, TWO, n=2, by="sleeper")))

    assert Outcome.CONFLICT == reply.outcome


CHANGES_BEHIND = [
    pytest.param([("UPSERT", "{}", "A", 5, ["192.0.2.66"])], id="address changed"),
    pytest.param([("UPSERT", "{}", "A", 5, ["192.0.2.1", "192.0.2.66"])], id="address added"),
    pytest.param([("UPSERT", "{}", "A", 6, ["192.0.2.1"])], id="TTL changed"),
    pytest.param([("DELETE", "{}", "A", 5, ["192.0.2.1"])], id="set deleted"),
    pytest.param(
        [("DELETE", "{}", "A", 5, ["192.0.2.1"]), ("CREATE", "{}", "CNAME", 5, ["a.test."])], id="CNAME instead"
    ),
    pytest.param([("UPSERT", "_outlast.{}", "TXT", 5, ['"x"'])], id="sentinel overwritten"),
]
"""What a stranger does to an endpoint with one address and our sentinel."""


def behind(endpoint: str, steps: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [(action, name.format(endpoint), *rest) for action, name, *rest in steps]


@pytest.mark.parametrize("steps", CHANGES_BEHIND)
def test_what_changed_behind_our_back_is_not_overwritten(account: Account, steps: list[tuple[Any, ...]]) -> None:
    """Nobody overwrites a value they have not read, whoever wrote it."""
    provider, endpoint = account.provider(), fresh()
    seen = run(create(provider, endpoint))
    account.change(*behind(endpoint, steps))
    before = run(provider.read(endpoint))
    reply = run(provider.commit(write(endpoint, seen, TWO, n=2)))

    assert (Outcome.CONFLICT, before) == (reply.outcome, run(provider.read(endpoint)))


@pytest.mark.parametrize("content", [cname("lb-2.example.net"), TWO], ids=["to a name", "to an address"])
@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([("UPSERT", "{}", "CNAME", 5, ["stranger.test."])], id="another name"),
        pytest.param([("DELETE", "{}", "CNAME", 5, ["lb-1.example.net."])], id="no name"),
        pytest.param(
            [("DELETE", "{}", "CNAME", 5, ["lb-1.example.net."]), ("CREATE", "{}", "A", 5, ["192.0.2.66"])],
            id="an address instead",
        ),
    ],
)
def test_a_name_that_changed_behind_our_back_is_not_overwritten(
    account: Account, content: Content, steps: list[tuple[Any, ...]]
) -> None:
    """A CNAME is fenced as addresses are, whether another one or addresses were to come."""
    provider, endpoint = account.provider(), fresh()
    seen = run(create(provider, endpoint, cname("lb-1.example.net")))
    account.change(*behind(endpoint, steps))
    before = run(provider.read(endpoint))
    reply = run(provider.commit(write(endpoint, seen, content, n=2)))

    assert (Outcome.CONFLICT, before) == (reply.outcome, run(provider.read(endpoint)))


def test_what_a_stranger_adds_beside_is_left_alone(account: Account) -> None:
    """Route 53 cannot demand that a family is absent: the write lands, and the stranger's set stays to be seen."""
    provider, endpoint = account.provider(), fresh()
    seen = run(create(provider, endpoint))
    account.change(("CREATE", endpoint, "AAAA", 5, ["2001:db8::66"]))
    reply = run(provider.commit(write(endpoint, seen, TWO, n=2)))

    assert COMMITTED == reply
    assert addresses("192.0.2.2", "2001:db8::66").sets == run(provider.read(endpoint)).sets


def test_a_set_that_stays_is_demanded_too() -> None:
    """Where Route 53 lets a set be replaced by itself, a stranger's change to a set that we keep is noticed."""
    account = Account(pairs_equals=True)
    provider, endpoint = account.provider(), fresh()
    seen = run(create(provider, endpoint, addresses("192.0.2.1", "2001:db8::1")))
    account.change(("UPSERT", endpoint, "AAAA", 5, ["2001:db8::66"]))
    reply = run(provider.commit(write(endpoint, seen, addresses("192.0.2.2", "2001:db8::1"), n=2)))

    assert Outcome.CONFLICT == reply.outcome


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([("UPSERT", "{}", "A", 5, ["192.0.2.66"])], id="foreign address"),
        pytest.param([("DELETE", "{}", "A", 5, ["192.0.2.1"])], id="no set"),
        pytest.param([("UPSERT", "_outlast.{}", "TXT", 5, ['"two" "strings"'])], id="sentinel of two strings"),
        pytest.param([("UPSERT", "_outlast.{}", "TXT", 5, ['"\\200\\"" ""'])], id="sentinel of odd bytes"),
        pytest.param([("UPSERT", "_outlast.{}", "TXT", 5, ['"one"', '"more"'])], id="two sentinels"),
        pytest.param(
            [("DELETE", "{}", "A", 5, ["192.0.2.1"]), ("CREATE", "{}", "CNAME", 5, ["NS.example.test"])],
            id="CNAME in capitals, without its dot",
        ),
        pytest.param(
            [("DELETE", "{}", "A", 5, ["192.0.2.1"]), ("CREATE", "{}", "AAAA", 5, ["2001:0db8:0:0::66"])],
            id="an address in another notation",
        ),
        pytest.param([("CREATE", "{}", "AAAA", 5, ["2001:db8::66"])], id="another family beside"),
    ],
)
def test_whatever_was_read_can_be_replaced(account: Account, steps: list[tuple[Any, ...]]) -> None:
    """What is read is exact enough to be the prerequisite of a repair, however strange it is."""
    provider, endpoint = account.provider(), fresh()
    run(create(provider, endpoint))
    account.change(*behind(endpoint, steps))
    repair = write(endpoint, run(provider.read(endpoint)), ONE, n=2)

    assert COMMITTED == run(provider.commit(repair))
    assert done(repair) == run(provider.read(endpoint))


def test_a_sentinel_with_another_ttl_does_not_stick(account: Account) -> None:
    """The sentinel's TTL is not part of what is read; a DELETE must name it all the same, and does at the second try."""
    provider, endpoint = account.provider(), fresh()
    seen = run(create(provider, endpoint))
    account.change(("UPSERT", f"_outlast.{endpoint}", "TXT", 300, [f'"{seen.sentinel[0]}"']))
    transaction = write(endpoint, seen, TWO, n=2)

    assert seen == run(provider.read(endpoint))
    assert (COMMITTED, done(transaction)) == (run(provider.commit(transaction)), run(provider.read(endpoint)))


# ------------------------------------------------------------------------------------------ what is not plain


def test_an_alias_is_read_as_an_alias_and_replaced(account: Account) -> None:
    """An alias in place of addresses is not taken for any, and a repair replaces exactly it."""
    provider, endpoint = account.provider(), fresh()
    run(create(provider, endpoint))
    account.change(("CREATE", f"lb.{OPEN}", "A", 5, ["192.0.2.77"]))
    account.change_sets(("DELETE", plain(endpoint, "A", 5, ["192.0.2.1"])), ("CREATE", alias(endpoint, f"lb.{OPEN}")))
    seen = run(provider.read(endpoint))
    repair = write(endpoint, seen, ONE, n=2)

    assert ["ALIAS A"] == [item.type for item in seen.sets]
    assert (COMMITTED, done(repair)) == (run(provider.commit(repair)), run(provider.read(endpoint)))


@pytest.mark.parametrize("more", [{}, {"MultiValueAnswer": True}, {"HealthCheckId": "check-1"}])
def test_routed_sets_are_seen_and_never_overwritten(account: Account, more: dict[str, Any]) -> None:
    """Sets with a routing policy are each told apart, are nobody's content, and no transaction passes over them."""
    provider, endpoint = account.provider(), fresh()
    run(create(provider, endpoint))
    account.aws.create_health_check(CallerReference="r", HealthCheckConfig={"Type": "HTTPS"})
    two = [weighted(endpoint, "blue", "192.0.2.8", **more), weighted(endpoint, "green", "192.0.2.9", **more)]
    account.change_sets(("DELETE", plain(endpoint, "A", 5, ["192.0.2.1"])), *(("CREATE", item) for item in two))
    seen = run(provider.read(endpoint))
    reply = run(provider.commit(write(endpoint, seen, ONE, n=2)))

    assert ["ROUTED A blue", "ROUTED A green"] == [item.type for item in seen.sets]
    assert (Outcome.FAILED, seen) == (reply.outcome, run(provider.read(endpoint)))
    assert "routing policy (ROUTED A blue, ROUTED A green), which are never overwritten; lifted by" in reply.detail


def test_a_routed_sentinel_is_no_sentinel(account: Account) -> None:
    """A weighted TXT set at the sentinel's name is corrupt, whatever it says, and is never overwritten."""
    provider, endpoint = account.provider(), fresh()
    (text,) = run(create(provider, endpoint)).sentinel
    there = plain(f"_outlast.{endpoint}", "TXT", 5, [f'"{text}"'])
    account.change_sets(("DELETE", there), ("CREATE", {**there, "SetIdentifier": "x", "Weight": 1}))
    seen = run(provider.read(endpoint))
    reply = run(provider.commit(write(endpoint, seen, TWO, n=2)))

    assert (True, Outcome.FAILED) == (seen.sentinel[0].startswith("ROUTED {"), reply.outcome)


def test_what_a_wildcard_makes_up_is_not_there(account: Account) -> None:
    """Below a wildcard a name that does not exist reads as nothing, can be created, and then reads as created."""
    provider, endpoint = account.provider(), fresh(WILD)
    account.change(("CREATE", f"*.{WILD}", "A", 60, ["192.0.2.250"]), zone_id="ZWILD")

    assert NOTHING == run(provider.read(endpoint))
    assert run(create(provider, endpoint)) == run(provider.read(endpoint))


def test_a_name_with_many_below_it_is_read_whole(account: Account) -> None:
    """Names below the endpoint may fill pages before its sentinel comes; only exact matches count."""
    provider, endpoint = account.provider(), fresh()
    seen = run(create(provider, endpoint))
    account.change(*(("CREATE", f"{n:03}.{endpoint}", "A", 5, ["192.0.2.90"]) for n in range(50)))
    account.change(("CREATE", f"\\052.{endpoint}", "A", 5, ["192.0.2.91"]))

    assert seen == run(provider.read(endpoint))


def test_many_routed_sets_are_read_over_pages(account: Account) -> None:
    """A name with more sets than a page has is read to its end."""
    provider, endpoint = account.provider(), fresh()
    account.change_sets(*(("CREATE", weighted(endpoint, f"w{n:02}", "192.0.2.8")) for n in range(45)))

    assert 45 == len(run(provider.read(endpoint)).sets)


def test_foreign_records_beside_are_left_alone(account: Account) -> None:
    """Other types at the endpoint's name neither disturb nor are disturbed."""
    provider, endpoint = account.provider(), fresh()
    account.change(("CREATE", endpoint, "TXT", 60, ['"v=spf1 -all"']), ("CREATE", endpoint, "MX", 60, ["10 mx.test."]))
    seen = run(create(provider, endpoint))
    transaction = write(endpoint, seen, TWO, n=2)

    assert (COMMITTED, done(transaction)) == (run(provider.commit(transaction)), run(provider.read(endpoint)))
    assert {"A", "MX", "TXT"} == {item["Type"] for item in account.aws.sets(ZONE_ID)}


def test_a_cname_never_comes_beside_foreign_records(account: Account) -> None:
    """Reading again will not lift this: it is a failure with Route 53's words, and nothing changes."""
    provider, endpoint = account.provider(), fresh()
    account.change(("CREATE", endpoint, "MX", 60, ["10 mx.test."]))
    seen = run(create(provider, endpoint))
    reply = run(provider.commit(write(endpoint, seen, cname("lb.example.net"), n=2)))

    assert (Outcome.FAILED, seen) == (reply.outcome, run(provider.read(endpoint)))
    assert "conflicts with other records with the same DNS name" in reply.detail


def test_an_empty_content_is_never_sent(account: Account) -> None:
    """The fourth door: content that was emptied after it was built is refused before anything is sent."""
    provider, endpoint, emptied = account.provider(), fresh(), addresses("192.0.2.1")
    object.__setattr__(emptied, "sets", ())
    seen = run(create(provider, endpoint))
    asked = len(account.aws.asked)
    with pytest.raises(UnsafePlan, match="nothing would be left"):
        run(provider.commit(write(endpoint, seen, emptied, n=2)))

    assert asked == len(account.aws.asked)


def test_a_zones_own_name_can_have_addresses_and_no_cname(account: Account) -> None:
    """An endpoint may be the name of its zone."""
    provider = account.provider()

    assert run(create(provider, WILD)) == run(provider.read(WILD))
    with pytest.raises(UnsafePlan, match="a zone's own name cannot be a CNAME"):
        run(provider.commit(write(OPEN, NOTHING, cname("lb.example.net"))))


def test_without_the_fence_the_stale_write_lands(account: Account) -> None:
    """The fence is in the batch: the same stale write as UPSERT overwrites the newer."""
    fenced, blind, endpoint = account.provider(), account.blind(), fresh()
    old = run(create(fenced, endpoint))
    assert COMMITTED == run(fenced.commit(write(endpoint, old, TWO, n=2)))
    stale = write(endpoint, old, addresses("192.0.2.3"), n=2, by="sleeper")

    assert (COMMITTED, done(stale)) == (run(blind.commit(stale)), run(fenced.read(endpoint)))


def test_a_reader_changes_nothing(account: Account) -> None:
    """A provider that only reads refuses to write before it sends anything."""
    reader, endpoint = account.provider(is_reader=True), fresh()
    reply = run(reader.commit(write(endpoint, NOTHING, ONE)))

    assert (Reply(Outcome.FAILED, "p is a reader here: it changes nothing"), []) == (reply, account.aws.asked)
    assert Live((), ()) == run(reader.read(endpoint))
