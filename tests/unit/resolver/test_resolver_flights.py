"""Who carries a resolution out and who waits, with instants handed in."""

from outlast.resolver.flights import Flights, Waiter

NAME = "db.example.com"
SECOND = 1_000_000_000


def waiter(since: int = 0, *, seconds: float = 5.0, patience: float = 1.8) -> Waiter:
    return Waiter(since, since + int(seconds * SECOND), int(patience * SECOND))


def attend(flights: Flights[object], crowd: list[Waiter], now: int) -> int:
    """Let each of a crowd look once; return how many of them lead."""
    led = 0
    for one in crowd:
        if flights.find(NAME, one, now) is None:
            flights.lead(NAME, one, now)
            led += 1
    return led


def test_a_crowd_has_one_leader_at_a_time() -> None:
    """Of a hundred who ask at once one leads, and each time a leader is given up one other takes over."""
    flights, crowd = Flights(object), [waiter() for _ in range(100)]
    led = [attend(flights, crowd, int(at * SECOND)) for at in (0, 1.79, 1.8, 1.81, 3.39, 3.4)]

    assert [1, 0, 1, 0, 0, 1] == led


def test_who_has_little_time_takes_over_at_half_of_it() -> None:
    """A leader that was there all the time is waited for half of one's own time, a new one for its turn."""
    flights, hasty = Flights(object), [waiter(seconds=0.4) for _ in range(50)]
    leader = flights.lead(NAME, waiter(), 0)
    early, halfway = attend(flights, hasty, SECOND // 5 - 1), attend(flights, hasty, SECOND // 5)

    assert (0, 1) == (early, halfway)
    assert leader is flights.find(NAME, waiter(SECOND // 4), SECOND // 4)


def test_a_crowd_whose_time_runs_out_makes_no_storm() -> None:
    """Halving what is left would let more lead the nearer the end comes; each leader has a quarter of the patience."""
    flights, crowd = Flights(object), [waiter(seconds=1.0, patience=0.1) for _ in range(100)]
    led = sum(attend(flights, crowd, at * SECOND // 1000) for at in range(1000))

    assert 10 <= led <= 14


def test_whose_time_is_over_waits_no_longer() -> None:
    """At the end of its time one who waited goes on alone, to be told at once."""
    flights, late = Flights(object), waiter(seconds=1.0)
    flights.lead(NAME, waiter(SECOND - 1), SECOND - 1)

    assert flights.find(NAME, late, SECOND - 1) is not None
    assert flights.find(NAME, late, SECOND) is None


def test_the_first_leader_to_finish_tells_all() -> None:
    """A result ends the flight once; what another leader brings later tells nobody, nor does it end the next flight."""
    flights = Flights(object)
    first = flights.lead(NAME, waiter(), 0)
    again = flights.lead(NAME, waiter(), 2 * SECOND)
    landed = [flights.land(NAME, first, has_news=True)]
    following = flights.lead(NAME, waiter(), 3 * SECOND)
    landed += [flights.land(NAME, again, has_news=True), flights.land(NAME, following, has_news=True)]

    assert first is again
    assert [True, False, True] == landed


def test_a_leader_who_gives_up_ends_it_only_if_nobody_else_leads() -> None:
    """A cancelled leader leaves the flight to the other; the last one to give up ends it."""
    flights = Flights(object)
    flight = flights.lead(NAME, waiter(), 0)
    flights.lead(NAME, waiter(), 2 * SECOND)

    assert [False, True] == [flights.land(NAME, flight, has_news=False) for _ in range(2)]
