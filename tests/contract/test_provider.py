"""What every provider promises, tried on real sockets against each place."""

import asyncio
from collections.abc import Callable

import pytest
from dns.update import UpdateMessage
from zone_world import (
    APPEARED,
    CHANGED,
    COMMITTED,
    NOTHING,
    ONE,
    OPEN,
    REPLACEMENTS,
    TWO,
    WILD,
    Place,
    addresses,
    alias_data,
    cname,
    create,
    done,
    fresh,
    write,
)

from outlast.errors import Unavailable, UnsafePlan
from outlast.provider.rfc2136 import Rfc2136Provider
from outlast.traffic.content import Content, RecordSet
from outlast.traffic.ports import Live, Outcome, Reply, Transaction


def test_nothing_is_read_where_nothing_is(place: Place) -> None:
    """A name that does not exist has no sentinel and no sets, and a provider says what it promises."""
    provider = place.provider()
    read = asyncio.run(provider.read(fresh()))

    assert (place.tier, NOTHING) == (provider.tier, read)


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
def test_what_was_created_is_read(place: Place, content: Content) -> None:
    """A creation is committed, and the next read finds exactly sentinel and sets, TTLs included."""
    provider, endpoint = place.provider(), fresh()

    async def act() -> tuple[Live, Live]:
        return await create(provider, endpoint, content), await provider.read(endpoint)

    expected, read = asyncio.run(act())

    assert expected == read


def test_a_sentinel_is_read_alone(place: Place) -> None:
    """It is what a whole reading says of it, before there is one and after; others at the same time get their own."""
    provider, names = place.provider(), [fresh() for _ in range(3)]

    async def act() -> tuple[tuple[str, ...], list[tuple[str, ...]], list[Live]]:
        before = await provider.read_sentinel(names[0])
        there = [await create(provider, name) for name in names]
        return before, list(await asyncio.gather(*(provider.read_sentinel(name) for name in names))), there

    before, after, there = asyncio.run(act())

    assert () == before
    assert [live.sentinel for live in there] == after


def test_a_sentinel_outside_its_zones_is_not_read(place: Place) -> None:
    """A name in none of them is told so, not taken for one without a sentinel."""
    with pytest.raises(Unavailable, match="none of its zones"):
        asyncio.run(place.provider().read_sentinel("db.example.org"))


@pytest.mark.parametrize(("first", "second"), REPLACEMENTS)
def test_sets_are_replaced_whole(place: Place, first: Content, second: Content) -> None:
    """A replacement leaves exactly its own sets and sentinel, whatever was there."""
    provider, endpoint = place.provider(), fresh()

    async def act() -> tuple[Live, Live]:
        transaction = write(endpoint, await create(provider, endpoint, first), second, n=2)
        assert COMMITTED == await provider.commit(transaction)
        return done(transaction), await provider.read(endpoint)

    expected, read = asyncio.run(act())

    assert expected == read


def test_secondaries_can_follow(place: Place) -> None:
    """A commit raises the zone's serial, which is all that secondaries go by."""
    before = place.serial()
    asyncio.run(create(place.provider(), fresh()))

    assert place.serial() > before


def test_a_stale_write_is_refused_and_changes_nothing(place: Place) -> None:
    """Who read before somebody else wrote is told so; the zone keeps its version."""
    provider, endpoint = place.provider(), fresh()

    async def act() -> tuple[Reply, int, Live, Live]:
        old = await create(provider, endpoint)
        new = write(endpoint, old, TWO, n=2)
        assert COMMITTED == await provider.commit(new)
        before = place.serial()
        reply = await provider.commit(write(endpoint, old, addresses("192.0.2.3"), n=2, by="sleeper"))
        return reply, place.serial() - before, done(new), await provider.read(endpoint)

    reply, risen, expected, read = asyncio.run(act())

    assert (0, expected) == (risen, read)
    assert place.is_conflict(reply, CHANGED)


def test_a_stale_sentinel_is_refused_even_if_the_records_are_equal(place: Place) -> None:
    """The sentinel alone fences: who read an older one is refused although the records are as read."""
    provider, endpoint = place.provider(), fresh()

    async def act() -> Reply:
        old = await create(provider, endpoint)
        assert COMMITTED == await provider.commit(write(endpoint, old, ONE, n=2))
        return await provider.commit(write(endpoint, old, TWO, n=2, by="sleeper"))

    assert place.is_conflict(asyncio.run(act()), CHANGED)


Steps = Callable[[str], tuple[tuple[object, ...], ...]]


@pytest.mark.parametrize(
    ("steps", "reply"),
    [
        pytest.param(lambda e: (("replace", e, 5, "A", "192.0.2.66"),), CHANGED, id="address changed"),
        pytest.param(lambda e: (("add", e, 5, "A", "192.0.2.66"),), CHANGED, id="address added"),
        pytest.param(lambda e: (("delete", e, "A"),), CHANGED, id="set deleted"),
        pytest.param(lambda e: (("add", e, 5, "AAAA", "2001:db8::66"),), APPEARED, id="family added"),
        pytest.param(lambda e: (("delete", e), ("add", e, 5, "CNAME", "a.test.")), APPEARED, id="CNAME instead"),
        pytest.param(lambda e: (("delete", f"_outlast.{e}"),), CHANGED, id="sentinel deleted"),
        pytest.param(lambda e: (("add", f"_outlast.{e}", 5, "TXT", "x"),), CHANGED, id="sentinel joined"),
        pytest.param(
            lambda e: (("add", f"ns.{OPEN}", 300, "A", "127.0.0.1"), ("add", e, 5, "ALIAS", alias_data(f"ns.{OPEN}"))),
            APPEARED,
            id="alias added",
        ),
    ],
)
def test_what_changed_behind_our_back_is_not_overwritten(place: Place, steps: Steps, reply: Reply) -> None:
    """Nobody overwrites a value they have not read, whoever wrote it and by whatever means."""
    provider, endpoint = place.provider(), fresh()

    async def act() -> tuple[Reply, bool]:
        seen = await create(provider, endpoint)
        place.change(*steps(endpoint))
        before = await provider.read(endpoint)
        said = await provider.commit(write(endpoint, seen, TWO, n=2))
        return said, before == await provider.read(endpoint)

    said, is_unchanged = asyncio.run(act())

    assert is_unchanged
    assert place.is_conflict(said, reply)


@pytest.mark.parametrize(
    ("steps", "reply"),
    [
        pytest.param(lambda e: (("replace", e, 5, "CNAME", "stranger.test."),), CHANGED, id="another name"),
        pytest.param(lambda e: (("delete", e, "CNAME"),), CHANGED, id="no name"),
        pytest.param(lambda e: (("delete", e), ("add", e, 5, "A", "192.0.2.66")), None, id="an address instead"),
        pytest.param(lambda e: (("delete", f"_outlast.{e}"),), CHANGED, id="sentinel deleted"),
    ],
)
@pytest.mark.parametrize("content", [cname("lb-2.example.net"), TWO], ids=["to a name", "to an address"])
def test_a_name_that_changed_behind_our_back_is_not_overwritten(
    place: Place, content: Content, steps: Steps, reply: Reply | None
) -> None:
    """A CNAME is fenced as addresses are, whether another one or addresses were to come."""
    provider, endpoint = place.provider(), fresh()

    async def act() -> tuple[Reply, bool]:
        seen = await create(provider, endpoint, cname("lb-1.example.net"))
        place.change(*steps(endpoint))
        before = await provider.read(endpoint)
        said = await provider.commit(write(endpoint, seen, content, n=2))
        return said, before == await provider.read(endpoint)

    said, is_unchanged = asyncio.run(act())

    assert is_unchanged
    # Where an address stands instead, servers differ in which of two broken prerequisites they name.
    assert any(place.is_conflict(said, it) for it in ((reply,) if reply is not None else (CHANGED, APPEARED)))


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(lambda e: (("replace", e, 5, "A", "192.0.2.66"),), id="foreign address"),
        pytest.param(lambda e: (("delete", e, "A"),), id="no set"),
        pytest.param(lambda e: (("delete", f"_outlast.{e}"),), id="no sentinel"),
        pytest.param(
            lambda e: (("replace", f"_outlast.{e}", 5, "TXT", '"two" "strings"'),), id="sentinel of two strings"
        ),
        pytest.param(lambda e: (("replace", f"_outlast.{e}", 5, "TXT", '"\\200\\"" ""'),), id="sentinel of odd bytes"),
        pytest.param(lambda e: (("add", f"_outlast.{e}", 5, "TXT", '"more"'),), id="two sentinels"),
        pytest.param(lambda e: (("delete", e), ("add", e, 5, "CNAME", f"NS.{OPEN}.")), id="CNAME in capitals"),
        pytest.param(lambda e: (("delete", e), ("add", e, 5, "ALIAS", alias_data(f"ns.{OPEN}"))), id="alias"),
        pytest.param(lambda e: (("add", e, 5, "ALIAS", alias_data(f"ns.{OPEN}")),), id="alias beside an address"),
        pytest.param(lambda e: (("delete", e, "A"), ("add", e, 5, "AAAA", "2001:db8:0:0::66")), id="other family"),
    ],
)
def test_whatever_was_read_can_be_replaced(place: Place, steps: Steps) -> None:
    """What is read is exact enough to be the prerequisite of a repair, however strange it is."""
    provider, endpoint = place.provider(), fresh()

    async def act() -> tuple[Reply, Live, Live]:
        await create(provider, endpoint)
        place.change(*steps(endpoint))
        repair = write(endpoint, await provider.read(endpoint), ONE, n=2)
        return await provider.commit(repair), done(repair), await provider.read(endpoint)

    reply, expected, read = asyncio.run(act())

    assert (COMMITTED, expected) == (reply, read)


def test_an_aliass_image_is_not_the_names_own(place: Place) -> None:
    """Where an alias stands alone, the alias is what is there, not the addresses it leads to."""
    provider, endpoint = place.provider(), fresh()
    steps = (("add", endpoint, 5, "ALIAS", alias_data(f"ns.{OPEN}")),)
    place.change(*steps)
    read = asyncio.run(provider.read(endpoint))

    assert Live((), (place.alias_set(f"ns.{OPEN}"),)) == read


def test_a_cnames_target_is_not_the_names_own(place: Place) -> None:
    """Where a CNAME leads to a name of the same zone, only the CNAME is what is there."""
    provider, endpoint = place.provider(), fresh()

    async def act() -> tuple[RecordSet, ...]:
        await create(provider, endpoint, cname(f"ns.{OPEN}"))
        return (await provider.read(endpoint)).sets

    sets = asyncio.run(act())

    assert (["127.0.0.1"], cname(f"ns.{OPEN}").sets) == (place.ask(endpoint, "A"), sets)


def test_a_dangling_cname_is_read(place: Place) -> None:
    """A CNAME to a missing name of the same zone is there, although the address questions end in NXDOMAIN."""
    provider, endpoint = place.provider(), fresh()

    async def act() -> tuple[RecordSet, ...]:
        await create(provider, endpoint, cname(f"gone.{OPEN}"))
        return (await provider.read(endpoint)).sets

    assert cname(f"gone.{OPEN}").sets == asyncio.run(act())


@pytest.mark.parametrize("parent", [WILD, f"cname.{WILD}"])
def test_what_a_wildcard_makes_up_is_not_there(place: Place, parent: str) -> None:
    """Below a wildcard a name that does not exist reads as nothing, can be created, and then reads as created.

    Looking does not change the zone.
    """
    provider, endpoint = place.provider(), fresh(parent)

    async def act() -> tuple[Live, int, Live, Live]:
        before = place.serial(WILD)
        read = await provider.read(endpoint)
        risen = place.serial(WILD) - before
        return read, risen, await create(provider, endpoint), await provider.read(endpoint)

    read, risen, expected, created = asyncio.run(act())

    assert (NOTHING, 0, expected) == (read, risen, created)


def test_a_real_set_below_a_wildcard_is_there(place: Place) -> None:
    """A name of its own below a wildcard, without a sentinel, is not taken for made up: it is unclaimed."""
    provider, endpoint = place.provider(), fresh(WILD)
    place.change(("add", endpoint, 60, "A", "192.0.2.250"), zone=WILD)
    read = asyncio.run(provider.read(endpoint))

    assert Live((), (RecordSet("A", 60, ("192.0.2.250",)),)) == read


def test_an_empty_non_terminal_is_nothing(place: Place) -> None:
    """A name that exists only because of a name below it has nothing, and can be created."""
    provider, endpoint = place.provider(), fresh()
    place.change(("add", f"below.{endpoint}", 60, "A", "192.0.2.77"))

    async def act() -> tuple[Live, Live, Live]:
        return await provider.read(endpoint), await create(provider, endpoint), await provider.read(endpoint)

    read, expected, created = asyncio.run(act())

    assert (NOTHING, expected, ["192.0.2.77"]) == (read, created, place.ask(f"below.{endpoint}", "A"))


def test_foreign_records_beside_are_left_alone(place: Place) -> None:
    """Other types at the endpoint's name neither disturb nor are disturbed."""
    provider, endpoint = place.provider(), fresh()
    place.change(("add", endpoint, 60, "TXT", '"v=spf1 -all"'), ("add", endpoint, 60, "MX", f"10 ns.{OPEN}."))

    async def act() -> bool:
        seen = await create(provider, endpoint)
        assert COMMITTED == await provider.commit(write(endpoint, seen, TWO, n=2))
        return done(write(endpoint, seen, TWO, n=2)) == await provider.read(endpoint)

    assert asyncio.run(act())
    assert (['"v=spf1 -all"'], [f"10 ns.{OPEN}."]) == (place.ask(endpoint, "TXT"), place.ask(endpoint, "MX"))


def test_a_cname_never_comes_beside_foreign_records(place: Place) -> None:
    """The server would drop such a CNAME in silence and delete the addresses: it is refused, and nothing changes."""
    provider, endpoint = place.provider(), fresh()
    place.change(("add", endpoint, 60, "MX", f"10 ns.{OPEN}."))

    async def act() -> tuple[Reply, Live, Live]:
        seen = await create(provider, endpoint)
        reply = await provider.commit(write(endpoint, seen, cname("lb.example.net"), n=2))
        return reply, seen, await provider.read(endpoint)

    reply, expected, read = asyncio.run(act())

    assert (Outcome.FAILED, expected) == (reply.outcome, read)
    assert place.refuses_cname(reply, endpoint)


def test_a_zones_own_name_cannot_be_a_cname(place: Place) -> None:
    """The fourth door: what the server would pass over in silence is not sent."""
    with pytest.raises(UnsafePlan, match="a zone's own name cannot be a CNAME"):
        asyncio.run(place.provider().commit(write(OPEN, NOTHING, cname("lb.example.net"))))


def test_a_zones_own_name_can_have_addresses(place: Place) -> None:
    """An endpoint may be the name of its zone."""
    provider = place.provider()

    async def act() -> tuple[Live, Live]:
        # One server may be tried by two protocols, and a zone has one name of its own.
        transaction = write(WILD, await provider.read(WILD), ONE)
        assert COMMITTED == await provider.commit(transaction)
        return done(transaction), await provider.read(WILD)

    expected, read = asyncio.run(act())

    assert expected == read


def test_an_empty_content_is_never_sent(place: Place) -> None:
    """The fourth door: content that was emptied after it was built is refused, and the endpoint keeps what it has."""
    provider, endpoint, emptied = place.provider(), fresh(), addresses("192.0.2.1")
    object.__setattr__(emptied, "sets", ())

    async def act() -> tuple[Live, Live]:
        seen = await create(provider, endpoint)
        with pytest.raises(UnsafePlan, match="nothing would be left"):
            await provider.commit(write(endpoint, seen, emptied, n=2))
        return seen, await provider.read(endpoint)

    expected, read = asyncio.run(act())

    assert expected == read


@pytest.mark.slow
def test_of_two_writers_racing_no_update_is_lost(primary: Place) -> None:
    """Two writers read and write at once, 60 rounds: every committed write raised the counter by one."""
    endpoint = fresh()

    async def race(provider: Rfc2136Provider, me: str) -> list[Reply]:
        replies: list[Reply] = []
        seen = NOTHING
        for turn in range(60):
            # What a writer committed it knows; after a conflict it reads.
            seen = seen if replies and replies[-1] == COMMITTED else await provider.read(endpoint)
            n = int(seen.sentinel[0].split(" n=")[1].split()[0])
            transaction = write(endpoint, seen, addresses(f"10.{len(me)}.0.{turn + 1}"), n=n + 1, by=me)
            replies.append(await provider.commit(transaction))
            seen = done(transaction)
        return replies

    async def act() -> tuple[list[Reply], str]:
        one, two = primary.rfc2136(), primary.rfc2136()
        await create(one, endpoint)
        both = await asyncio.gather(race(one, "one"), race(two, "other"))
        return both[0] + both[1], (await one.read(endpoint)).sentinel[0]

    replies, sentinel = asyncio.run(act())
    committed = replies.count(COMMITTED)

    assert (120, True) == (committed + replies.count(CHANGED), committed < 120)
    assert f" n={committed + 1} " in sentinel


class Unfenced(Rfc2136Provider):
    """What a drill runs to show what the prerequisites are for."""

    def _prerequisites(self, message: UpdateMessage, transaction: Transaction) -> None:
        pass


def test_without_prerequisites_the_stale_write_lands(primary: Place) -> None:
    """The fence is in the provider: the same stale write, with the prerequisites taken out, overwrites the newer."""
    fenced, endpoint = primary.rfc2136(), fresh()
    unfenced = Unfenced(
        name="p", zones=fenced.zones, address=fenced.address, port=fenced.port,
        key_name=fenced.key_name, key_secret=fenced.key_secret,
    )  # fmt: skip

    async def act() -> tuple[Reply, Live, Live]:
        old = await create(fenced, endpoint)
        assert COMMITTED == await fenced.commit(write(endpoint, old, TWO, n=2))
        stale = write(endpoint, old, addresses("192.0.2.3"), n=2, by="sleeper")
        return await unfenced.commit(stale), done(stale), await fenced.read(endpoint)

    reply, expected, read = asyncio.run(act())

    assert (COMMITTED, expected) == (reply, read)
