"""What is drawn over time besides calls: what DNS answered, and how many writes waited in a queue."""

from outlast.drill.evidence import Version
from outlast.drill.html.axis import Axis
from outlast.drill.html.strips import dns_rows
from outlast.drill.score import Depth, DnsState, dns_states, queue_depths


def state(at: float, generation: int, *addresses: str) -> dict[str, object]:
    """A state as it stands in the result."""
    return {"at_s": at, "addresses": list(addresses), "generation": generation}


def test_series_begins_with_what_stood_there() -> None:
    """What was committed before the act is its first state, at zero; what comes after its end is none of it."""
    versions = [Version(5.0, (), 0), Version(8.0, ("a",), 1), Version(12.0, (), 2), Version(31.0, ("b",), 3)]

    assert (
        DnsState(at_s=0.0, addresses=("a",), generation=1),
        DnsState(at_s=2.0, addresses=(), generation=2),
    ) == dns_states(versions, start=10.0, end=30.0)


def test_each_address_has_a_row_and_so_has_none() -> None:
    """An address that leaves and comes back has two bars in its row; no address at all has a row of its own."""
    states = [state(0, 1, "127.0.1.1"), state(4, 2), state(6, 3, "127.0.1.1")]
    generations, address, empty = dns_rows(states, (), Axis(10.0), name="x")

    assert ("<code>127.0.1.1</code>" in address, "<b>no address</b>" in empty) == (True, True)
    assert (2, 1) == (address.count('class="held"'), empty.count('class="empty"'))
    assert 'width="400.0"' in address
    assert 3 == generations.count("<span")


def test_crowded_generations_share_a_label() -> None:
    """Changes that a phone could not write apart are one label, which tells all of them when pointed at."""
    states = [state(0, 109, "a"), state(30, 145, "a"), state(30.2, 146, "a"), state(30.4, 110, "a"), state(31, 110)]
    generations = dns_rows(states, (), Axis(40.0), name="x")[0]

    assert "145→…→110" in generations
    assert 'title="145 → 146 → 110"' in generations
    assert "right:25.0%" not in generations


def test_phone_sized_blinks_are_seen() -> None:
    """A state that lasted a millisecond still has a mark."""
    states = [state(0, 1, "a"), state(5, 2), state(5.001, 3, "a")]
    empty = dns_rows(states, (), Axis(100.0), name="x")[2]

    assert 'width="2.0"' in empty


def test_queue_fills_and_drains() -> None:
    """Each second tells how many waited at its end, to the last one that left; nobody parked is no series."""
    depths = queue_depths([0.5, 0.9, 1.2], [1.1, 2.5, 3.5], seconds=2)

    assert tuple(Depth(second=at, parked=count) for at, count in enumerate((2, 2, 1, 0))) == depths
    assert () == queue_depths([], [], seconds=9)
