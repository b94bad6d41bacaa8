"""The spool's transitions, one at a time, in memory."""

import sqlite3
from collections.abc import Iterator

import pytest

from outlast.data.records import Message, New
from outlast.data.refusal import DedupMismatch, LeaseLost, QueueFull
from outlast.data.spool import Spool
from outlast.data.spool_format import FORMAT, OVERHEAD_BYTES, Limits
from outlast.errors import InvalidConfig, Refused

LIMITS = Limits(max_bytes=4 * (OVERHEAD_BYTES + 1), max_attempts=2, dedup_seconds=1e-6)


@pytest.fixture
def spool() -> Iterator[Spool]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    for statement in FORMAT.schema.split(";"):
        db.execute(statement)
    yield Spool(db, LIMITS)
    db.close()


def put(
    spool: Spool, body: str, *, key: str | None = None, dedup: str | None = None, expires: int | None = None
) -> str:
    new = New(body=body.encode(), key=key, dedup=dedup, expires_at=expires)
    return spool.put(new, now=1, wall=1).id


def lease(spool: Spool, count: int = 9, *, now: int = 1, wall: int = 1) -> list[Message]:
    return list(spool.lease(count, now=now, until=now + 10, wall=wall))


def bodies(messages: list[Message]) -> str:
    return b"".join(message.body for message in messages).decode()


def test_messages_come_in_order_and_once(spool: Spool) -> None:
    """What is held is not handed out again."""
    for body in "abc":
        put(spool, body)

    assert ("ab", "c", "") == (bodies(lease(spool, 2)), bodies(lease(spool)), bodies(lease(spool)))


def test_a_lease_that_ran_out_is_handed_out_again(spool: Spool) -> None:
    """Free at the very instant it ends, not before; the first holder's receipt is void from then on."""
    put(spool, "a")
    (first,) = lease(spool)
    before, (second,) = lease(spool, now=10), lease(spool, now=11)
    with pytest.raises(LeaseLost):
        spool.ack(first.receipt, wall=1)
    spool.ack(second.receipt, wall=1)

    assert ([], 2) == (before, second.attempts)


def test_a_late_ack_counts_while_nobody_else_has_the_message(spool: Spool) -> None:
    """Work that is done is not done again because its lease ran out meanwhile."""
    put(spool, "a")
    (message,) = lease(spool)
    spool.ack(message.receipt, wall=999)

    assert [] == lease(spool, now=999)


def test_one_key_is_handed_out_one_at_a_time(spool: Spool) -> None:
    """The next of a key waits for the one before it, others do not."""
    put(spool, "a", key="k")
    put(spool, "b", key="k")
    put(spool, "c")
    first = lease(spool)
    is_waiting = spool.is_waiting("k")
    spool.ack(first[0].receipt, wall=1)

    assert ("ac", True, "b") == (bodies(first), is_waiting, bodies(lease(spool)))


def test_a_dedup_key_is_known_until_some_time_after_delivery(spool: Spool) -> None:
    """The same put again is the same message, also after delivery, until the time to remember is over."""
    first = put(spool, "a", dedup="d")
    again = put(spool, "a", dedup="d")
    spool.ack(lease(spool)[0].receipt, wall=1)
    after = put(spool, "a", dedup="d")
    later = spool.put(New(body=b"a", dedup="d"), now=1, wall=1 + 1000).id

    assert first == again == after != later


def test_a_dedup_key_with_another_body_is_refused(spool: Spool) -> None:
    """One of the two would be lost in silence."""
    put(spool, "a", dedup="d")
    with pytest.raises(DedupMismatch, match="'d' belongs to message"):
        put(spool, "b", dedup="d")


def test_a_wall_clock_set_back_loses_nothing(spool: Spool) -> None:
    """Nothing expires, no key is forgotten and no lease ends early; ages are never below 0."""
    first = spool.put(New(body=b"a", dedup="d", expires_at=900), now=1, wall=500)
    (message,) = spool.lease(1, now=2, until=12, wall=400)
    spool.nack(message.receipt, due=0)
    again = spool.put(New(body=b"a", dedup="d", expires_at=900), now=3, wall=100)
    age = spool.stats(now=3, wall=100).oldest_age
    (message,) = spool.lease(1, now=4, until=14, wall=100)
    spool.ack(message.receipt, wall=100)

    assert (first.id, True, 0.0) == (again.id, again.is_duplicate, age)
    assert spool.put(New(body=b"a", dedup="d"), now=5, wall=50).is_duplicate


def test_the_bound_is_exact(spool: Spool) -> None:
    """What fits to the byte is kept; one byte more is refused and names the bound."""
    for body in "abcd":
        put(spool, body)
    with pytest.raises(QueueFull, match="max_bytes = 1,028 bytes") as caught:
        put(spool, "")

    assert "let it drain, raise max_bytes" == caught.value.hint


def test_what_expired_makes_room(spool: Spool) -> None:
    """A full spool drops what is over before it refuses."""
    for _ in range(4):
        put(spool, "a", expires=5)
    spool.put(New(body=b"b"), now=1, wall=5)
    stats = spool.stats(now=1, wall=5)

    assert (4, 1) == (stats.expired, stats.depth)


def test_an_expired_message_answers_no_put(spool: Spool) -> None:
    """Its dedup key is free at once: to answer with its id would promise what will not be delivered."""
    first = put(spool, "a", dedup="d", expires=5)
    before = spool.put(New(body=b"a", dedup="d"), now=1, wall=4)
    after = spool.put(New(body=b"a", dedup="d"), now=1, wall=5)

    assert (first, True, False) == (before.id, before.is_duplicate, after.is_duplicate)
    assert first != after.id


def test_expiry_is_the_instant_itself(spool: Spool) -> None:
    """A message is handed out just before its time and dropped at it; one in a worker's hands is left alone."""
    put(spool, "a", expires=5)
    held = lease(spool, wall=4)
    put(spool, "b", expires=5)

    assert ("a", []) == (bodies(held), lease(spool, wall=5))
    spool.ack(held[0].receipt, wall=6)
    assert (1, 1) == spool.stats(now=1, wall=6)[4:6]


def test_a_message_is_given_up_after_its_attempts(spool: Spool) -> None:
    """The last counted failure makes a dead letter with its reason, and the next of its key goes on."""
    put(spool, "a", key="k")
    put(spool, "b", key="k")
    for _ in range(2):
        spool.nack(lease(spool)[0].receipt, due=0, reason="400 Bad Request")
    (letter,) = spool.dead(9)

    assert (b"a", 2, "400 Bad Request") == (letter.body, letter.attempts, letter.reason)
    assert "b" == bodies(lease(spool))


def test_an_attempt_nobody_is_to_blame_for_does_not_count(spool: Spool) -> None:
    """A long outage makes no dead letters."""
    put(spool, "a")
    for _ in range(10):
        spool.nack(lease(spool)[0].receipt, due=0, is_counted=False)

    assert () == spool.dead(9)


def test_what_was_put_off_can_be_recalled(spool: Spool) -> None:
    """What waits for its time is free at once; what is in a worker's hands stays there."""
    put(spool, "a")
    put(spool, "b")
    spool.nack(lease(spool)[0].receipt, due=100)
    spool.recall()

    assert "a" == bodies(lease(spool))


def test_a_message_whose_workers_die_is_given_up(spool: Spool) -> None:
    """Handed out as often as allowed and never answered: it may be what kills them."""
    put(spool, "a")
    lease(spool)
    lease(spool, now=20)

    assert [] == lease(spool, now=40)
    assert ["its workers never answered"] == [letter.reason for letter in spool.dead(9)]


def test_who_is_passed_over_costs_nobody_a_turn(spool: Spool) -> None:
    """Those behind a message that is given up are handed out by the same lease, the next of its key among them."""
    put(spool, "a", key="k")
    put(spool, "b", key="k")
    spool.lease(1, now=1, until=2, wall=1)
    spool.lease(1, now=2, until=3, wall=1)

    assert "b" == bodies(lease(spool, 1, now=3))
    assert 1 == len(spool.dead(9))


def test_a_dead_letter_can_be_revived(spool: Spool) -> None:
    """It is handed out again, in its key's turn, and receipts of its former life stay void."""
    put(spool, "a", key="k")
    (old, *_) = lease(spool)
    spool.nack(old.receipt, due=0)
    spool.nack(lease(spool)[0].receipt, due=0)
    put(spool, "b", key="k")
    spool.revive(spool.dead(9)[0].id)
    (before,) = lease(spool)
    spool.ack(before.receipt, wall=1)
    (revived,) = lease(spool)
    with pytest.raises(LeaseLost):
        spool.ack(old.receipt, wall=1)

    assert (b"b", b"a", 1) == (before.body, revived.body, revived.attempts)


def test_a_dead_letter_has_all_the_time(spool: Spool) -> None:
    """Its expiry ends with its first life: whoever revives it wants it delivered."""
    put(spool, "a", expires=5)
    for _ in range(2):
        spool.nack(lease(spool)[0].receipt, due=0)
    spool.revive(spool.dead(9)[0].id)

    assert "a" == bodies(lease(spool, wall=99))


def test_a_dead_letter_can_be_discarded(spool: Spool) -> None:
    """It is gone, and its bytes with it."""
    put(spool, "a")
    for _ in range(2):
        spool.nack(lease(spool)[0].receipt, due=0)
    spool.discard(spool.dead(9)[0].id)

    assert (0, 0, 0) == (spool.stats(now=1, wall=1).depth, spool.stats(now=1, wall=1).bytes, len(spool.dead(9)))


@pytest.mark.parametrize("name", ["", "1", "x-1", "-", "x-²"])
def test_what_is_no_dead_letter_is_refused(spool: Spool, name: str) -> None:
    """An id that names none says so."""
    with pytest.raises(Refused, match="not a dead letter"):
        spool.revive(name)


def test_limits_that_make_no_sense_are_refused() -> None:
    """All faults at once."""
    with pytest.raises(InvalidConfig) as caught:
        Limits(max_bytes=0, max_attempts=0, dedup_seconds=float("nan"))

    assert 3 == len(caught.value.faults)
