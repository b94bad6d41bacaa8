"""When a region that was away is ready again."""

import pytest

from outlast.drill.catch_up import GAP_SECONDS, PATIENCE_SECONDS, CatchUp


def away() -> CatchUp:
    """A region that was stopped at 0 and goes on at 100."""
    region = CatchUp(20, now=0.0)
    region.beat(100.0)
    return region


@pytest.mark.parametrize(("pause", "is_ready"), [(GAP_SECONDS, True), (GAP_SECONDS + 0.001, False)])
def test_a_missing_beat_is_an_absence(pause: float, *, is_ready: bool) -> None:
    """A pause of up to the gap is a busy machine; a longer one means that the region was away."""
    assert is_ready is CatchUp(20, now=0.0).is_ready(pause)


@pytest.mark.parametrize(("missing", "is_ready"), [(20, True), (21, False)])
def test_it_is_ready_when_little_is_missing(missing: int, *, is_ready: bool) -> None:
    """At the bound it serves, above it does not."""
    region = away()
    region.note_missing(missing, now=100.5)

    assert is_ready is region.is_ready(100.6)


def test_what_it_heard_before_its_absence_does_not_count() -> None:
    """The word that nothing is missing belongs to the time before the stop; it must be given anew."""
    region = CatchUp(20, now=0.0)
    region.note_missing(0, now=0.5)

    assert not region.is_ready(50.0)


@pytest.mark.parametrize(("waited", "is_ready"), [(PATIENCE_SECONDS, False), (PATIENCE_SECONDS + 0.001, True)])
def test_it_does_not_wait_for_ever(waited: float, *, is_ready: bool) -> None:
    """If nobody says how much is missing, it serves after its patience."""
    region = away()
    for beat in range(int(waited)):
        region.beat(100.0 + beat)

    assert is_ready is region.is_ready(100.0 + waited)
