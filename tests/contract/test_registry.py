"""What every registry promises, tried on each of them."""

import asyncio

import pytest
from registry_places import Place, leases_of

from outlast.errors import Refused, UnsafePlan
from outlast.health.signal import Signal, Verdict
from outlast.registry import limits
from outlast.traffic.content import Content
from outlast.traffic.orders import Deed, Kind, Order
from outlast.traffic.plan import Entry, Plan, Withheld
from outlast.traffic.ports import AheadReport, Known, Lease, PlanInfo, Record, Registry
from outlast.traffic.sentinel import Sentinel, Standing

DB = "db.example.com"
EAST = Content.of_addresses(["192.0.2.1", "2001:db8::1"], ttl=5)
WEST = Content.of_addresses(["198.51.100.1"], ttl=5)
MINUTE = 60 * 10**9


@pytest.fixture
def registry(registry_at: Place) -> Registry:
    return registry_at.connect()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "registry" in metafunc.fixturenames:
        metafunc.parametrize("registry_at", ["sqlite", "memory", "postgres", "etcd", "s3"], indirect=True)


def plan(generation: int, content: Content = EAST, *, since: int | None = None) -> Plan:
    withheld = (Withheld("192.0.2.9", "unhealthy", 17),)
    entry = Entry(endpoint=DB, generation=since or generation, content=content, withheld=withheld)
    return Plan(
        realm="test", generation=generation, entries=(entry,), at=generation * MINUTE, by="planner", reason="test"
    )


def record(
    n: int, *, gen: int = 1, content: Content = EAST, provider: str = "p", standing: Standing = Standing.LIVE
) -> Record:
    return Record(provider, DB, Sentinel("test", n, gen, content.digest, standing, "one"), content)


def signal(target: str, *, observer: str = "here", verdict: Verdict = Verdict.HEALTHY, at: int = 2) -> Signal:
    return Signal(target, observer, verdict, 1, at, ever_healthy=True, evidence="200 OK")


async def published(registry: Registry, *plans: Plan) -> None:
    after = 0
    for item in plans:
        assert await registry.publish(item, after=after)
        after = item.generation


def test_a_new_registry_knows_nothing(registry: Registry) -> None:
    """A new registry has no plan, no record, no report, no signal, and its floor is 0."""

    async def ask() -> tuple[object, ...]:
        return (
            await registry.known("p", DB),
            await registry.latest_plan(),
            await registry.plan(1),
            await registry.floor(),
            await registry.find_content(DB, EAST.digest),
            await registry.records(),
            await registry.reports(),
            await registry.signals(),
            await registry.plans(),
        )

    assert (Known(0, None, None), None, None, 0, None, (), (), (), ()) == asyncio.run(ask())


def test_a_plan_comes_back_as_it_was_published(registry: Registry) -> None:
    """What is published is the latest plan and can be read by its generation, equal in every field."""

    async def ask() -> tuple[object, ...]:
        await published(registry, plan(3))
        return await registry.latest_plan(), await registry.plan(3), await registry.floor()

    assert (plan(3), plan(3), 3) == asyncio.run(ask())


def test_publishing_is_compare_and_swap(registry: Registry) -> None:
    """Who planned on an older latest plan is told so and changes nothing."""

    async def ask() -> tuple[object, ...]:
        await published(registry, plan(1), plan(2))
        late = await registry.publish(plan(3, WEST), after=1)
        same = await registry.publish(plan(2, WEST), after=0)
        return late, same, await registry.latest_plan()

    assert (False, False, plan(2)) == asyncio.run(ask())


@pytest.mark.parametrize("generation", [1, 2])
def test_a_generation_is_never_published_again(registry: Registry, generation: int) -> None:
    """A generation at or below the floor is refused, even by somebody who knows the latest plan."""

    async def ask() -> Plan | None:
        await published(registry, plan(2))
        with pytest.raises(UnsafePlan, match="not above 2"):
            await registry.publish(plan(generation, WEST), after=2)
        return await registry.latest_plan()

    assert plan(2) == asyncio.run(ask())


def test_a_plan_that_was_tampered_with_is_not_stored(registry: Registry) -> None:
    """The second door: what its own text could not become is refused, whoever made it and however."""
    empty = plan(1, Content.of_addresses(["192.0.2.7"], ttl=5))
    object.__setattr__(empty.entries[0].content, "sets", ())

    async def ask() -> tuple[object, ...]:
        with pytest.raises(UnsafePlan, match="no record set"):
            await registry.publish(empty, after=0)
        return await registry.latest_plan(), await registry.floor()

    assert (None, 0) == asyncio.run(ask())


def test_known_is_the_latest_entry_and_the_record(registry: Registry) -> None:
    """An enactor learns the latest plan's number, its endpoint's entry and the record of its own provider."""

    async def ask() -> tuple[object, ...]:
        await published(registry, plan(1, WEST), plan(2))
        await registry.write_record(record(4))
        return await registry.known("p", DB), await registry.known("q", DB), await registry.known("p", "other.example")

    expected = Known(2, plan(2).entries[0], record(4)), Known(2, plan(2).entries[0], None), Known(2, None, None)
    assert expected == asyncio.run(ask())


def test_known_follows_the_next_plan(registry: Registry) -> None:
    """No copy of an older plan outlives the next one."""

    async def ask() -> list[Known]:
        await published(registry, plan(1, WEST))
        first = await registry.known("p", DB)
        await registry.publish(plan(2), after=1)
        return [first, await registry.known("p", DB)]

    assert [Known(1, plan(1, WEST).entries[0], None), Known(2, plan(2).entries[0], None)] == asyncio.run(ask())


def test_content_is_found_in_any_stored_plan(registry: Registry) -> None:
    """A hold's content is found by its digest in plans that are not the latest; strangers' digests are not."""

    async def ask() -> tuple[object, ...]:
        await published(registry, plan(1, WEST), plan(2))
        found = await registry.find_content(DB, WEST.digest)
        return (
            found,
            await registry.find_content("other.example", WEST.digest),
            await registry.find_content(DB, "0" * 32),
        )

    assert (WEST, None, None) == asyncio.run(ask())


@pytest.mark.parametrize(("n", "stored"), [(6, False), (7, True), (8, True)])
def test_a_record_is_replaced_only_by_an_equal_or_larger_n(registry: Registry, n: int, *, stored: bool) -> None:
    """The record with the larger number of writes stays; an equal one replaces."""

    async def ask() -> tuple[object, ...]:
        assert await registry.write_record(record(7))
        return await registry.write_record(record(n, content=WEST)), await registry.records()

    assert (stored, (record(n, content=WEST) if stored else record(7),)) == asyncio.run(ask())


@pytest.mark.parametrize(("gen", "stored"), [(1, False), (2, True), (3, True)])
def test_of_records_of_equal_n_the_larger_generation_stays(registry: Registry, gen: int, *, stored: bool) -> None:
    """A record from before a loss of the sentinel, written late, does not replace a hold from after it."""

    async def ask() -> tuple[object, ...]:
        assert await registry.write_record(record(7, gen=2))
        return await registry.write_record(record(7, gen=gen, content=WEST)), await registry.records()

    assert (stored, (record(7, gen=gen, content=WEST) if stored else record(7, gen=2),)) == asyncio.run(ask())


@pytest.mark.parametrize(
    ("first", "then", "stored"),
    [
        (Standing.HELD, Standing.LIVE, False),
        (Standing.HELD, Standing.HELD, True),
        (Standing.LIVE, Standing.HELD, True),
        (Standing.LIVE, Standing.LIVE, True),
    ],
)
def test_of_records_of_equal_n_and_generation_a_hold_stays(
    registry: Registry, first: Standing, then: Standing, *, stored: bool
) -> None:
    """In doubt a person's hand wins."""

    async def ask() -> tuple[object, ...]:
        assert await registry.write_record(record(7, standing=first))
        said = await registry.write_record(record(7, content=WEST, standing=then))
        return said, await registry.records()

    expected = record(7, content=WEST, standing=then) if stored else record(7, standing=first)

    assert (stored, (expected,)) == asyncio.run(ask())


@pytest.mark.parametrize(("n", "stored"), [(6, False), (7, False), (8, True)])
def test_a_pending_record_does_not_replace_its_equal(registry: Registry, n: int, *, stored: bool) -> None:
    """What is not committed yet gives way to what may have been, and then may still be confirmed."""

    async def ask() -> tuple[object, ...]:
        assert await registry.write_record(record(7), pending=True)
        said = await registry.write_record(record(n, content=WEST), pending=True)
        return said, await registry.records(), await registry.write_record(record(8, content=WEST))

    assert (stored, (record(n, content=WEST) if stored else record(7),), True) == asyncio.run(ask())


def test_records_are_kept_for_each_provider(registry: Registry) -> None:
    """The same endpoint at two providers has two records; a claim has n=0."""

    async def ask() -> tuple[Record, ...]:
        await registry.write_record(record(0, provider="q"))
        await registry.write_record(record(3, provider="p"))
        return await registry.records()

    assert (record(3, provider="p"), record(0, provider="q")) == asyncio.run(ask())


def test_everything_is_sorted_by_bytes(registry: Registry) -> None:
    """The order of names is that of their bytes in every registry, not that of a language."""
    names = ("Z.example.com", "a-1.example.com", "a.1.example.com", "a0.example.com")

    async def ask() -> tuple[object, ...]:
        for name in reversed(names):
            await registry.write_record(record(1)._replace(endpoint=name))
            await registry.report(AheadReport("p", name, 1, "1" * 32))
            await registry.put_signals((signal(name),))
        return (
            tuple(item.endpoint for item in await registry.records()),
            tuple(item.endpoint for item in await registry.reports()),
            tuple(item.target for item in await registry.signals()),
        )

    assert (names, names, names) == asyncio.run(ask())


def test_a_report_keeps_the_largest_generation(registry: Registry) -> None:
    """Of all the reports about one endpoint at one provider the largest generation stays."""

    async def ask() -> tuple[AheadReport, ...]:
        for gen in (4, 9, 6):
            await registry.report(AheadReport("p", DB, gen, f"{gen:032x}"))
        await registry.report(AheadReport("q", DB, 1, "1" * 32))
        return await registry.reports()

    assert (AheadReport("p", DB, 9, f"{9:032x}"), AheadReport("q", DB, 1, "1" * 32)) == asyncio.run(ask())


def test_a_report_that_has_risen_is_not_dropped(registry: Registry) -> None:
    """Answered reports go; one that has risen since it was read is another one and stays."""
    seen, risen = AheadReport("p", DB, 4, "4" * 32), AheadReport("p", DB, 5, "5" * 32)
    done = AheadReport("q", DB, 4, "4" * 32)

    async def ask() -> tuple[AheadReport, ...]:
        for item in (seen, done, risen):
            await registry.report(item)
        await registry.drop_reports((seen, done))
        return await registry.reports()

    assert (risen,) == asyncio.run(ask())


def test_reports_are_bounded(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is full, a report about another endpoint is dropped, and a known one can still rise."""
    monkeypatch.setattr(limits, "MAX_REPORTS", 2)

    async def ask() -> tuple[AheadReport, ...]:
        for endpoint, gen in (("a", 1), ("b", 1), ("c", 1), ("b", 2)):
            await registry.report(AheadReport("p", endpoint, gen, "1" * 32))
        return await registry.reports()

    assert (AheadReport("p", "a", 1, "1" * 32), AheadReport("p", "b", 2, "1" * 32)) == asyncio.run(ask())


def test_a_signal_replaces_the_observers_last(registry: Registry) -> None:
    """Each observer has one signal per target: its last."""

    async def ask() -> tuple[Signal, ...]:
        await registry.put_signals((signal("t1"), signal("t2"), signal("t1", observer="there")))
        await registry.put_signals((signal("t1", verdict=Verdict.UNHEALTHY, at=3),))
        return await registry.signals()

    expected = signal("t1", verdict=Verdict.UNHEALTHY, at=3), signal("t1", observer="there"), signal("t2")
    assert expected == asyncio.run(ask())


def test_signals_are_bounded(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is full, the signals probed longest ago go first."""
    monkeypatch.setattr(limits, "MAX_SIGNALS", 2)

    async def ask() -> tuple[Signal, ...]:
        await registry.put_signals((signal("t1", at=5), signal("t2", at=4), signal("t3", at=6)))
        return await registry.signals()

    assert (signal("t1", at=5), signal("t3", at=6)) == asyncio.run(ask())


def test_plans_are_listed_newest_first(registry: Registry) -> None:
    """The janitor sees every plan with its time, and the first tombstone it was given."""

    async def ask() -> tuple[PlanInfo, ...]:
        await published(registry, plan(1), plan(2))
        await registry.tombstone(1, at=7)
        await registry.tombstone(1, at=9)
        await registry.tombstone(5, at=9)
        return await registry.plans()

    assert (PlanInfo(2, 2 * MINUTE, 0), PlanInfo(1, MINUTE, 7)) == asyncio.run(ask())


@pytest.mark.parametrize(
    ("generation", "keep", "before", "named", "deleted"),
    [
        pytest.param(1, 1, 8, 2, True, id="tombstoned long enough, old and unnamed"),
        pytest.param(1, 1, 7, 2, False, id="tombstoned at that very instant"),
        pytest.param(1, 1, 8, 1, False, id="named by a record"),
        pytest.param(1, 3, 8, 2, False, id="one of the newest"),
        pytest.param(1, 2, 8, 2, True, id="just not one of the newest"),
        pytest.param(2, 1, 8, 3, False, id="no tombstone"),
        pytest.param(9, 1, 8, 3, False, id="not there"),
    ],
)
def test_a_plan_is_deleted_only_if_everything_allows_it(  # the columns of a table
    registry: Registry, generation: int, keep: int, before: int, named: int, *, deleted: bool
) -> None:
    """A plan goes only with an old tombstone, outside the newest and named by no record; otherwise nothing changes."""

    async def ask() -> tuple[object, ...]:
        await published(registry, plan(1), plan(2), plan(3))
        await registry.tombstone(1, at=7)
        await registry.write_record(record(1, gen=named))
        said = await registry.delete_plan(generation, keep=keep, tombstoned_before=before)
        return said, [info.generation for info in await registry.plans()]

    assert (deleted, [3, 2] if deleted else [3, 2, 1]) == asyncio.run(ask())


def test_the_floor_survives_deletion(registry: Registry) -> None:
    """Deleting plans lowers neither the floor nor the latest generation."""

    async def ask() -> tuple[object, ...]:
        await published(registry, plan(1), plan(5))
        await registry.tombstone(1, at=7)
        assert await registry.delete_plan(1, keep=1, tombstoned_before=8)
        return await registry.floor(), await registry.plan(1), await registry.latest_plan()

    assert (5, None, plan(5)) == asyncio.run(ask())


def test_a_lease_is_compare_and_swap(registry: Registry) -> None:
    """A lease is stored only over exactly what was seen, each name by itself."""
    leases = leases_of(registry)
    first, second = Lease("p", "one", 1, 0), Lease("p", "two", 2, 0)

    async def ask() -> tuple[object, ...]:
        return (
            await leases.lease("p"),
            await leases.swap_lease(first, seen=second),
            await leases.swap_lease(first, seen=None),
            await leases.swap_lease(second, seen=None),
            await leases.swap_lease(second, seen=first._replace(beat=1)),
            await leases.lease("p"),
            await leases.swap_lease(second, seen=first),
            await leases.lease("p"),
            await leases.lease("q"),
        )

    assert (None, False, True, False, False, first, True, second, None) == asyncio.run(ask())


def test_of_many_planners_one_wins_each_generation(registry: Registry) -> None:
    """However many publish after the same plan at once, exactly one does."""

    async def ask() -> list[int]:
        wins = []
        for after in range(10):
            answers = await asyncio.gather(*(registry.publish(plan(after + 1), after=after) for _ in range(8)))
            wins.append(sum(answers))
        return wins

    assert [1] * 10 == asyncio.run(ask())


def test_the_limits_are_those_documented() -> None:
    """The bounds of reports and signals are a promise."""
    assert (10_000, 100_000) == (limits.MAX_REPORTS, limits.MAX_SIGNALS)


EVACUATION = Order(Kind.EVACUATE, "us-east-1", "", (), "ann", 5, "INC-42")
PIN = Order(Kind.PIN, "", DB, ("192.0.2.1",), "bob", 6, "")


def test_orders_stand_until_they_are_lifted(registry: Registry) -> None:
    """An order comes back as it was given, a later one of its key replaces it, and a lifted one is gone."""

    async def act() -> tuple[object, ...]:
        await registry.give_order(EVACUATION)
        await registry.give_order(PIN)
        await registry.give_order(EVACUATION._replace(by="eve", at=7, reason="INC-43"))
        stand = await registry.orders()
        lifted = await registry.lift_order(EVACUATION.key), await registry.lift_order(EVACUATION.key)
        return stand, lifted, await registry.orders()

    expected = (EVACUATION._replace(by="eve", at=7, reason="INC-43"), PIN)
    assert (expected, (True, False), (PIN,)) == asyncio.run(act())


def test_there_is_no_end_of_orders_but_their_limit(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit a new order is refused, and one that stands can still be changed."""
    monkeypatch.setattr(limits, "MAX_ORDERS", 2)

    async def act() -> tuple[Order, ...]:
        await registry.give_order(EVACUATION)
        await registry.give_order(PIN)
        with pytest.raises(Refused, match="2 orders stand already"):
            await registry.give_order(PIN._replace(endpoint="other.example.com"))
        await registry.give_order(PIN._replace(by="eve"))
        return await registry.orders()

    assert (EVACUATION, PIN._replace(by="eve")) == asyncio.run(act())


def test_the_audit_log_is_read_newest_first(registry: Registry) -> None:
    """Every line comes back as it was written, equal ones too, as many as are asked for."""
    deeds = [Deed(number, "ann", "evacuate", "us-east-1", "INC-42", "ordered") for number in (1, 2, 2, 3)]

    async def act() -> tuple[object, ...]:
        for deed in deeds:
            await registry.log(deed)
        return await registry.logged(10), await registry.logged(1)

    assert (tuple(reversed(deeds)), (deeds[-1],)) == asyncio.run(act())
