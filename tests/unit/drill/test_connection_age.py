"""Connections end at a stated age."""

import pytest

from outlast.drill.connection_age import ConnectionAges

CLIENT = (("127.0.0.1", 40_000), ("127.0.1.1", 80))


@pytest.mark.parametrize(("now", "is_due"), [(11.999, False), (12.0, True)])
def test_last_response_is_the_first_one_after_the_age(now: float, *, is_due: bool) -> None:
    """A connection first seen at 10 with an age of 2 s ends with a response at 12, not just before."""
    ages = ConnectionAges(2.0)
    ages.is_due(CLIENT, 10.0)
    ages.is_due(CLIENT, 11.0)

    assert is_due == ages.is_due(CLIENT, now)


def test_ended_connection_is_forgotten() -> None:
    """After the last response the same ports are a new connection."""
    ages = ConnectionAges(2.0)
    for now in (10.0, 11.0, 12.0):
        ages.is_due(CLIENT, now)

    assert (len(ages), ages.is_due(CLIENT, 12.0)) == (0, False)


def test_ports_seen_again_after_the_idle_time_are_a_new_connection() -> None:
    """The server closes a connection idle for longer than the age, so what comes later is another one."""
    ages = ConnectionAges(2.0)
    ages.is_due(CLIENT, 10.0)

    assert not ages.is_due(CLIENT, 12.1)


def test_table_has_a_limit() -> None:
    """Beyond its capacity the connection used longest ago is forgotten."""
    ages = ConnectionAges(2.0, capacity=2)
    for port in range(3):
        ages.is_due((port, 80), 10.0)

    assert len(ages) == 2
