"""Who goes first: the same order for everybody, and no two at one place."""

import pytest

from outlast.traffic.preference import rank, stand_back

PEERS = ("e1", "e2", "e3")


def test_all_come_to_the_same_order() -> None:
    """The places of all peers are 0, 1 and 2, however the list is ordered."""
    for number in range(50):
        endpoint = f"db{number}.example"
        places = [rank(me, PEERS, endpoint) for me in PEERS]

        assert [0, 1, 2] == sorted(places)
        assert places == [rank(me, reversed(PEERS), endpoint) for me in PEERS]


def test_every_peer_goes_first_somewhere() -> None:
    """The preference spreads endpoints over the enactors."""
    first = {me for me in PEERS for number in range(50) if rank(me, PEERS, f"db{number}.example") == 0}

    assert set(PEERS) == first


def test_losing_a_peer_only_moves_those_behind_it() -> None:
    """Who was before the lost one keeps its place, who was behind moves up by one."""
    order = sorted(PEERS, key=lambda me: rank(me, PEERS, "db.example"))
    left = (order[0], order[2])

    assert [0, 1] == [rank(me, left, "db.example") for me in left]


def test_i_count_even_if_the_list_forgets_me() -> None:
    """An enactor that nobody lists still has a place."""
    assert rank("e1", PEERS, "db.example") == rank("e1", ("e2", "e3"), "db.example")


@pytest.mark.parametrize(
    ("place", "chance", "wait"), [(0, 0.99, 0), (1, 0.0, 100), (1, 0.99, 149), (2, 0.0, 200), (2, 0.5, 225)]
)
def test_each_place_waits_its_turn(place: int, chance: float, wait: int) -> None:
    """The first goes at once; each further one waits a step more, with at most half a step of jitter."""
    assert wait == stand_back(place, step=100, chance=chance)
