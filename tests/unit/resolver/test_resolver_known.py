"""What is remembered of a name, and which of it may be answered in an outage."""

from outlast.resolver.known import Known, forget_before, learn, merged, tiers
from outlast.resolver.reading import MAX_ADDRESSES

NAME = "db.example.com"
GAP = 180.0
DAY = 86_400.0


def taught(*lessons: tuple[float, tuple[str, ...]]) -> Known:
    known = None
    for wall, addresses in lessons:
        known = learn(known, NAME, addresses, wall=wall, gap=GAP)
    assert known is not None
    return known


def good(known: Known, *, wall: float = 1000.0, is_verified: bool = False) -> tuple[tuple[str, ...], ...]:
    return tiers(known, wall=wall, keep=DAY, is_verified=is_verified)


def test_the_first_answer_ever_is_good() -> None:
    """There is nothing better to trust than the first addresses of a name, and they are marked as such."""
    known = taught((1.0, ("192.0.2.1",)))

    assert (("192.0.2.1",),) == good(known)
    assert known.sightings[0].is_first


def test_a_new_address_needs_two_sightings_some_minutes_apart() -> None:
    """One odd answer between good ones is not trusted; just inside the gap it is not confirmed, at the gap it is."""
    before = taught((1.0, ("192.0.2.1",)), (100.0, ("192.0.2.2",)), (100.0 + GAP - 0.1, ("192.0.2.2",)))
    after = taught((1.0, ("192.0.2.1",)), (100.0, ("192.0.2.2",)), (100.0 + GAP, ("192.0.2.2",)))

    assert (("192.0.2.1",),) == good(before)
    assert (("192.0.2.2",), ("192.0.2.1",)) == good(after)


def test_what_was_seen_once_comes_last_and_only_if_it_is_checked() -> None:
    """An unconfirmed address is better than none if somebody checks it."""
    known = taught((1.0, ("192.0.2.1",)), (100.0, ("192.0.2.2",)))

    assert (("192.0.2.1",), ("192.0.2.2",)) == good(known, is_verified=True)


def test_time_ends_an_address() -> None:
    """An address lives for `keep` after its last sighting, to the second."""
    known = taught((1.0, ("192.0.2.1",)))

    assert (("192.0.2.1",),) == good(known, wall=1.0 + DAY)
    assert () == good(known, wall=1.5 + DAY)


def test_the_last_answer_is_what_is_stale() -> None:
    """Stale is the last positive answer alone, in its order; older addresses are kept but no part of it."""
    known = taught((1.0, ("192.0.2.1",)), (2.0, ("192.0.2.3", "192.0.2.2")))

    assert ("192.0.2.3", "192.0.2.2") == known.current
    assert 3 == len(known.sightings)


def test_memory_of_a_name_is_bounded() -> None:
    """However often a name moves, only so many addresses are kept, the last seen ones."""
    known = taught(*((float(n), (f"192.0.2.{n}",)) for n in range(1, 200)))

    assert MAX_ADDRESSES == len(known.sightings)
    assert ("192.0.2.199",) == known.current
    assert {f"192.0.2.{n}" for n in range(200 - MAX_ADDRESSES, 200)} == {item.address for item in known.sightings}


def test_the_unspecified_address_is_never_last_known_good() -> None:
    """0.0.0.0 may have been answered under another rule; it reaches nobody."""
    assert () == good(taught((1.0, ("0.0.0.0",))))


def test_a_clock_set_back_does_not_stop_confirmation() -> None:
    """After the wall clock jumped back a sighting still confirms."""
    known = taught((1.0, ("192.0.2.1",)), (5000.0, ("192.0.2.2",)), (100.0, ("192.0.2.2",)))

    assert ("192.0.2.2",) == good(known)[0]


def test_forgetting_leaves_what_came_later() -> None:
    """What a person asked to forget goes; what upstreams gave afterwards stays."""
    known = taught((1.0, ("192.0.2.1",)), (10.0, ("192.0.2.2",)))
    left = forget_before(known, 5.0)

    assert left is not None
    assert ("192.0.2.2",) == left.current
    assert None is forget_before(known, 10.0)


def test_two_processes_know_more_together() -> None:
    """Merging keeps every address with its latest sighting, whichever side it is on."""
    mine = taught((1.0, ("192.0.2.1",)), (3.0, ("192.0.2.2",)))
    theirs = taught((2.0, ("192.0.2.1",)), (4.0, ("192.0.2.3",)))

    assert merged(mine, theirs) == merged(theirs, mine)
    assert ("192.0.2.3",) == merged(mine, theirs).current
    assert {"192.0.2.1", "192.0.2.2", "192.0.2.3"} == {item.address for item in merged(mine, theirs).sightings}
