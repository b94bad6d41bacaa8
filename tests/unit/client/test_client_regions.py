"""Where calls go, who is ejected and how a region comes back, with instants and chances handed in."""

from typing import Any

import pytest

from outlast.client.regions import Choice, Regions
from outlast.errors import InvalidConfig
from outlast.outcome import Outcome

SECOND = 1_000_000_000


def two(**options: Any) -> Regions:
    """Return two regions of which one failure ejects, for a second."""
    urls = {"east": "https://east.example", "west": "https://west.example"}
    return Regions(urls, **{"fall": 1, "rise": 2, "eject_for": 1.0, "probe_every": 1.0, **options})


def settle(regions: Regions, choice: Choice, outcome: Outcome, now: int) -> None:
    regions.settle(choice, outcome, now=now, chance=0.5)


def eject_east(regions: Regions) -> None:
    settle(regions, regions.choose(0), Outcome.FAILURE, 0)


def test_home_comes_first() -> None:
    """Calls go to the home region, wherever it stands in the list."""
    regions = two(home="west")

    assert ("west", ["west", "east"]) == (regions.choose(0).name, list(regions.urls))


def test_ejected_after_failures_in_a_row() -> None:
    """Success in between starts the count anew."""
    regions = two(fall=2)
    seen = []
    for outcome in (Outcome.FAILURE, Outcome.OK, Outcome.FAILURE, Outcome.FAILURE):
        settle(regions, regions.choose(0), outcome, 0)
        seen.append(regions.choose(0).name)

    assert ["east", "east", "east", "west"] == seen


def test_never_all_are_ejected() -> None:
    """When everything fails the last region stays in use."""
    regions = two()
    for _ in range(10):
        settle(regions, regions.choose(0), Outcome.FAILURE, 0)

    assert [True, False] == [region.is_ejected for region in regions.stats()]


def test_a_single_region_is_never_ejected() -> None:
    """With nowhere else to go, failures eject nobody."""
    regions = Regions({"only": "http://only.example"}, fall=1)
    settle(regions, regions.choose(0), Outcome.FAILURE, 0)

    assert not regions.stats()[0].is_ejected


def test_a_call_prefers_what_it_has_not_tried() -> None:
    """A region that failed this call is avoided; an ejected one is tried rather than the same again."""
    regions = two()
    second = regions.choose(0, tried=["east"]).name
    eject_east(regions)
    third = regions.choose(0, tried=["west"]).name
    all_tried = regions.choose(0, tried=["east", "west"]).name

    assert ("west", "east", "west") == (second, third, all_tried)


def test_return_is_earned_one_probe_at_a_time() -> None:
    """After its time one call probes and the others stay; two good probes in a row bring the region back."""
    regions = two()
    eject_east(regions)
    early = regions.choose(SECOND - 1, can_probe=True)
    first = regions.choose(SECOND, can_probe=True)
    beside = regions.choose(SECOND, can_probe=True)
    settle(regions, first, Outcome.OK, SECOND)
    still = regions.choose(SECOND, can_probe=True)
    settle(regions, regions.choose(2 * SECOND, can_probe=True), Outcome.OK, 2 * SECOND)

    assert ["west", "east", "west", "west"] == [early.name, first.name, beside.name, still.name]
    assert first.is_probe
    assert "east" == regions.choose(2 * SECOND).name


def test_calls_that_cannot_be_repeated_do_not_probe() -> None:
    """A write is never risked on a region that is ejected."""
    regions = two()
    eject_east(regions)

    assert "west" == regions.choose(100 * SECOND, can_probe=False).name


def test_a_failed_probe_waits_again() -> None:
    """A probe that fails forgets the good ones before it and the wait begins anew."""
    regions = two()
    eject_east(regions)
    settle(regions, regions.choose(SECOND, can_probe=True), Outcome.OK, SECOND)
    settle(regions, regions.choose(2 * SECOND, can_probe=True), Outcome.FAILURE, 2 * SECOND)

    assert (0, "west", "east") == (
        regions.stats()[0].successes,
        regions.choose(3 * SECOND - 1, can_probe=True).name,
        regions.choose(3 * SECOND, can_probe=True).name,
    )


def test_cancelled_probes_are_neutral_and_lost_ones_written_off() -> None:
    """A cancelled probe makes place for the next after a pause; one that never comes home does after its limit."""
    regions = two(probe_wait=3.0)
    eject_east(regions)
    settle(regions, regions.choose(SECOND, can_probe=True), Outcome.CANCELLED, SECOND)
    lost = regions.choose(2 * SECOND, can_probe=True)
    names = [regions.choose(now * SECOND, can_probe=True).name for now in (4, 5)]

    assert ("east", ["west", "east"]) == (lost.name, names)


def test_late_results_are_inert() -> None:
    """What calls from before the ejection saw changes nothing."""
    regions = two()
    old = [regions.choose(0) for _ in range(3)]
    eject_east(regions)
    before = regions.stats()
    for choice, outcome in zip(old, (Outcome.OK, Outcome.FAILURE, Outcome.OK), strict=True):
        settle(regions, choice, outcome, 5 * SECOND)

    assert before == regions.stats()


def test_faults_are_listed_at_once() -> None:
    """Wrong URLs, an unknown home and wrong numbers are refused together, before any call."""
    urls = {
        "a": "ftp://x",
        "b": "https://u@h",
        "c": "http://h:99999",
        "d": "http://h:x",
        "e": "https://m\u00fcnchen.example",
    }
    with pytest.raises(InvalidConfig) as caught:
        Regions(urls, home="z", fall=0, max_ejected=float("nan"))

    assert 8 == len(caught.value.faults)
