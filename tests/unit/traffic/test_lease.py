"""A lease by compare and swap: who gets it, when it ends by one's own clock, and that its token only grows."""

import random

import pytest

from outlast.traffic.lease import HELD_SHARE, RENEW_SHARE, Keeper, look, stored, token
from outlast.traffic.ports import Lease

TTL = 1000
ONE, TWO = Keeper("one", "p", TTL), Keeper("two", "p", TTL)


def taken(keeper: Keeper, found: Lease | None, now: int, *, above: int = 0) -> Keeper:
    """The keeper after it saw the row, waited, and took it over at `now` + TTL."""
    keeper, wish = look(keeper, found, now=now, above=above)
    assert wish is None
    keeper, wish = look(keeper, found, now=now + TTL, above=above)
    assert wish is not None
    return stored(keeper, wish, sent=now + TTL)


@pytest.mark.parametrize("found", [None, Lease("p", "two", 7, 3)])
def test_a_row_is_taken_over_only_after_it_stood_still(found: Lease | None) -> None:
    """Whether a row stands there or none: only after a whole `ttl` without a change, with a larger token."""
    keeper, first = look(ONE, found, now=50)
    keeper, before = look(keeper, found, now=50 + TTL - 1)
    _, after = look(keeper, found, now=50 + TTL)

    assert (None, None, Lease("p", "one", 8 if found else 1, 0)) == (first, before, after)


def test_a_row_that_moves_is_not_taken() -> None:
    """Each renewal of another begins the wait anew."""
    keeper, _ = look(ONE, Lease("p", "two", 7, 3), now=50)
    keeper, moved = look(keeper, Lease("p", "two", 7, 4), now=50 + TTL)
    _, still = look(keeper, Lease("p", "two", 7, 4), now=50 + TTL + TTL - 1)

    assert (None, None) == (moved, still)


def test_a_holder_acts_for_a_part_of_the_time() -> None:
    """It holds from before its write was sent, and stops by its own clock though nobody said so."""
    keeper = taken(ONE, None, 1)
    end = 1 + TTL + int(TTL * HELD_SHARE)

    assert (1, 1, 0) == (token(keeper, now=1 + TTL), token(keeper, now=end - 1), token(keeper, now=end))
    assert 0 == token(ONE, now=1)


def test_a_holder_renews_in_time() -> None:
    """Before it is due nothing is written; then the beat rises, and the token stays."""
    keeper = taken(ONE, None, 1)
    due = 1 + TTL + int(TTL * RENEW_SHARE)
    keeper, early = look(keeper, keeper.row, now=due - 1)
    keeper, wish = look(keeper, keeper.row, now=due)
    assert wish is not None
    keeper = stored(keeper, wish, sent=due)

    assert (None, Lease("p", "one", 1, 1)) == (early, wish)
    assert 1 == token(keeper, now=due + int(TTL * HELD_SHARE) - 1)


def test_a_renewal_whose_answer_was_lost_is_still_ours() -> None:
    """A later beat of one's own token does not take the lease away, nor make it last longer than is known."""
    keeper = taken(ONE, None, 1)
    end = keeper.until
    keeper, _ = look(keeper, Lease("p", "one", 1, 1), now=end - 10)

    assert (1, 0) == (token(keeper, now=end - 1), token(keeper, now=end))


def test_who_lost_it_stops_at_once() -> None:
    """A row of another's ends one's own holding the moment it is seen, and so does one that is gone."""
    keeper = taken(ONE, None, 1)
    other, _ = look(keeper, Lease("p", "two", 2, 0), now=1 + TTL + 1)
    gone, _ = look(keeper, None, now=1 + TTL + 1)

    assert (0, 0) == (token(other, now=1 + TTL + 2), token(gone, now=1 + TTL + 2))


def test_the_token_grows_over_a_loss_of_the_registry() -> None:
    """It is above all that was seen here, and above what the fenced thing shows, though the row is gone or older."""
    keeper = taken(ONE, Lease("p", "two", 7, 0), 1)
    back, _ = look(keeper, Lease("p", "two", 3, 0), now=5000)
    _, after_restore = look(back, Lease("p", "two", 3, 0), now=5000 + TTL)
    newcomer = taken(TWO, None, 1, above=40)

    assert after_restore is not None
    assert (9, 41) == (after_restore.token, token(newcomer, now=1 + TTL))


@pytest.mark.parametrize("seed", range(20))
def test_two_never_hold_at_once(seed: int) -> None:
    """Whatever the order of looks, writes and lost answers of several keepers: one holder, and tokens that grow."""
    rng = random.Random(seed)  # replay: the seed is in the test's name
    keepers = [Keeper(name, "p", TTL) for name in ("one", "two", "three")]
    row: Lease | None = None
    now, tokens = 1, [0]
    for _ in range(400):
        now += rng.randrange(200)
        at = rng.randrange(3)
        keepers[at], wish = look(keepers[at], row, now=now)
        if wish is not None and rng.random() < 0.8:
            row = wish
            tokens.append(wish.token)
            if rng.random() < 0.8:
                keepers[at] = stored(keepers[at], wish, sent=now)

        assert sum(token(keeper, now=now) > 0 for keeper in keepers) <= 1
    assert tokens == sorted(tokens)
    assert tokens[-1] > 0


def test_the_repr_is_a_status_line() -> None:
    """It says who holds what."""
    assert ("<lease p for one: waiting>", "<lease p for one: held with token 1>") == (
        repr(ONE),
        repr(taken(ONE, None, 1)),
    )
